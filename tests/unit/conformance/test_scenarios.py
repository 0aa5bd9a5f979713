"""Scenarios in words: what cannot be read fails, and what is read is really checked."""

import json
import re
from pathlib import Path

import pytest

from mcnode.conformance.run import load_runners
from mcnode.conformance.scenario_text import (
    Language,
    Outcomes,
    UnreadableScenario,
    count_of,
    is_outcome,
    number,
    repeated_byte,
)
from mcnode.conformance.vectors import MismatchError, Report, VectorFile, runner_for

SCENARIOS = Path(__file__).parents[2] / "vectors/transaction/scenarios"
CHEAP = ("fee_map", "input_rules", "memo", "membership_proofs", "mint", "summary")


def cases_of(name):
    lines = (SCENARIOS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def play(tmp_path, name, cases):
    load_runners()
    path = tmp_path / f"{name}.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    report = Report()
    runner = runner_for("transaction", f"scenarios/{name}.jsonl")
    assert runner is not None
    runner(VectorFile(path, "transaction", f"scenarios/{name}.jsonl"), report)
    return report


def raised_numbers(text):
    """The text with each of its numbers raised by one in turn."""
    for found in re.finditer(r"\d+", text):
        yield text[: found.start()] + str(int(found[0]) + 1) + text[found.end() :]


@pytest.mark.parametrize("name", CHEAP)
def test_every_number_of_an_outcome_is_checked(tmp_path, name):
    changed = [
        {**case, "then": other} for case in cases_of(name) for other in raised_numbers(case["then"])
    ]
    report = play(tmp_path, name, changed)
    assert report.passed == 0
    assert len(report.failures) == len(changed)


@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.iterdir()))
@pytest.mark.parametrize("part", ["given", "when", "then"])
def test_words_that_nobody_knows_are_a_failure(tmp_path, name, part):
    cases = cases_of(name)[:4]
    changed = [{**case, part: f"on a Tuesday, {case[part]}"} for case in cases]
    report = play(tmp_path, name, changed)
    assert report.passed == 0
    assert len(report.failures) == len(changed)


@pytest.mark.parametrize("name", CHEAP)
def test_another_outcome_is_a_failure(tmp_path, name):
    changed = [{**case, "then": "NoSuchError"} for case in cases_of(name)]
    report = play(tmp_path, name, changed)
    assert report.passed == 0
    assert len(report.failures) == len(changed)


@pytest.mark.parametrize(
    ("found", "expected", "is_it"),
    [
        ("ok", "ok", True),
        ("ok", "error", False),
        ("NoInputs", "error", True),
        ("NewTx(Memo(FeeAfterChange))", "error (FeeAfterChange)", True),
        ("NewTx(Memo(FeeAfterChange))", "error (After)", False),
        ("RangeProof(x)", "RangeProof(_)", True),
        ("RangeProofs(x)", "RangeProof(_)", False),
        ("A(B(InvalidSignature))", "A(any)", True),
        ("A(Amount(x))", "A(Amount(_))", True),
        ("MissingFee(TokenId(0))", "MissingFee(0)", True),
        ("MissingFee(TokenId(1))", "MissingFee(0)", False),
        ("BadLength(54)", "BadLength", True),
        ("A(B)", "A", False),
    ],
)
def test_outcomes(found, expected, is_it):
    assert is_outcome(found, expected) is is_it


def test_nothing_tried_is_no_success():
    with pytest.raises(MismatchError, match="nothing was tried"):
        Outcomes().expect_all("ok")


def test_texts_are_read_to_the_end():
    language = Language(list)

    @language.given(r"a (\d+)")
    def _(world, value):
        world.append(int(value))

    world = []
    language.given.read("{a 1, and a 2}; a 3", world)
    assert world == [1, 2, 3]
    with pytest.raises(UnreadableScenario, match="b 3"):
        language.given.read("a 1, b 3", world)


def test_numbers_in_words():
    assert [number(text) for text in ("7", "2^56", "2^56-1", "1475e9")] == [
        7,
        2**56,
        2**56 - 1,
        1475 * 10**9,
    ]
    assert repeated_byte("3x0a") == b"\n\n\n"
    assert [count_of(text) for text in ("four", "17")] == [4, 17]
    with pytest.raises(UnreadableScenario, match="dozens"):
        count_of("dozens")
