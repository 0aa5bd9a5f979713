"""The proof layer's vectors, and that a wrong expectation in them would be seen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcnode.conformance.run import load_runners, run_file
from mcnode.conformance.vectors import Report, read_unpacked

VECTORS = Path(__file__).parents[2] / "vectors"
FILES = {
    "crypto/generators.json": 24,
    "crypto/mlsag.jsonl": 8,
    "crypto/bulletproof_mobilecoin.jsonl": 6,
    "transaction/genuine/mlsag.jsonl.gz": 40,
    "transaction/genuine/range_proofs.jsonl.gz": 74,
    "transaction/genuine/range_batches.jsonl.gz": 17,
}


@pytest.fixture(scope="module", autouse=True)
def _runners() -> None:
    load_runners()


def run(path: Path) -> Report:
    report = run_file(path, (VECTORS,)).report
    assert report is not None
    return report


@pytest.mark.parametrize(("name", "count"), FILES.items())
def test_vectors_hold(name: str, count: int) -> None:
    report = run(VECTORS / name)
    assert report.failures == []
    assert report.passed == count


def other_hex(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


def spoil_result(case: dict[str, Any]) -> None:
    case["result"] = "InvalidSignature" if case["result"] == "ok" else "ok"


def spoil_verdicts(case: dict[str, Any]) -> None:
    case["items"] = [[name, not good] for name, good in case["items"]]


def spoil_validity(case: dict[str, Any]) -> None:
    case["valid"], case["error"] = not case["valid"], "VerificationError"


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("crypto/mlsag.jsonl", spoil_result),
        ("crypto/bulletproof_mobilecoin.jsonl", spoil_validity),
        ("transaction/genuine/mlsag.jsonl.gz", spoil_result),
        ("transaction/genuine/range_proofs.jsonl.gz", spoil_result),
        ("transaction/genuine/range_batches.jsonl.gz", spoil_verdicts),
    ],
)
def test_every_wrong_expectation_fails(
    name: str, spoil: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    lines = [json.loads(line) for line in read_unpacked(VECTORS / name).splitlines()]
    for case in lines:
        spoil(case)
    path = tmp_path / name.removesuffix(".gz")
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(map(json.dumps, lines)))
    report = run(path)
    assert report.passed == 0
    assert len(report.failures) == len(lines)


@pytest.mark.parametrize("member", ["mlsag", "key_image", "output_commitment", "rng_bytes"])
def test_a_wrong_byte_of_a_signed_case_fails(member: str, tmp_path: Path) -> None:
    data = read_unpacked(VECTORS / "transaction/genuine/mlsag.jsonl.gz")
    case = json.loads(data.splitlines()[0])
    case[member] = other_hex(case[member])
    path = tmp_path / "transaction/genuine/mlsag.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(case))
    assert len(run(path).failures) == 1
