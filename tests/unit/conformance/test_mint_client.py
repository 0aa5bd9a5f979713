"""Wrong expectations about the mint client would be seen."""

import json

import pytest

from mcnode.conformance.mint_client import run_mint_client_commands, run_mint_client_files
from mcnode.conformance.vectors import Report, VectorFile

GENUINE = "service/genuine-tools"


@pytest.fixture
def outcome(tmp_path, request):
    """Runs changed cases against the genuine context."""
    vectors = request.config.rootpath / "tests" / "vectors"

    def run(runner, name, change):
        cases = [json.loads(line) for line in (vectors / GENUINE / name).read_text().splitlines()]
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(case) for case in change(cases)))
        report = Report()
        runner(VectorFile(path, "service", f"genuine-tools/{name}", (vectors,)), report)
        return report

    return run


def signed_files(cases):
    return [case for case in cases if case["exit_code"] == 0]


def test_another_file_is_seen(outcome):
    def change(cases):
        for case in signed_files(cases):
            (content,) = case["tx_file"].values()
            content["prefix"]["tombstone_block"] += 1
        return signed_files(cases)

    report = outcome(run_mint_client_files, "mint_client_files.jsonl", change)
    assert report.passed == 0
    assert len(report.failures) > 3


def test_another_hash_is_seen(outcome):
    def change(cases):
        return [{**case, "prefix_hash_hex": "00" * 32} for case in signed_files(cases)]

    report = outcome(run_mint_client_files, "mint_client_files.jsonl", change)
    assert report.passed == 0


def test_a_panic_with_another_text_is_noted(outcome):
    def change(cases):
        return [{**case, "stderr": "x"} for case in cases if case["exit_code"] == 101]

    report = outcome(run_mint_client_files, "mint_client_files.jsonl", change)
    assert report.passed == len(report.notes) == 1


def test_other_output_or_status_is_seen(outcome):
    for field, value in (("stdout", "else"), ("exit_code", 7), ("stderr", "error: else")):

        def change(cases, field=field, value=value):
            return [{**case, field: value} for case in cases if case["exit_code"] < 2]

        report = outcome(run_mint_client_commands, "mint_client_commands.jsonl", change)
        assert report.passed == 0


@pytest.mark.parametrize(("name", "key", "holds"), [("x.json", "gov1", True), ("x", "gov3", False)])
def test_signing_a_file_known_by_its_content(outcome, request, name, key, holds):
    """The transaction that a file held before is found by what it holds afterwards."""
    path = request.config.rootpath / "tests" / "vectors" / GENUINE / "mint_client_files.jsonl"
    files = [json.loads(line) for line in path.read_text().splitlines()]
    base = next(case for case in files if case["name"] == "mct_two_keys_sorted")
    args = ["sign", "--tx-file", name, "--signing-key", f"{key}.pem"]
    case = {"name": "sign", "args": args, "exit_code": 0, "stdout": "", "stderr": ""}
    case["tx_file_after"] = base["tx_file"]
    report = outcome(run_mint_client_commands, "mint_client_commands.jsonl", lambda _: [case])
    assert (report.passed == 1) is holds
