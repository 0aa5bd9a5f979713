"""The room's vectors, and that a wrong expectation in them would be seen."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcnode.conformance import (
    scp_dump,
    scp_messages,
    scp_networks,
    scp_scenarios,
    scp_search,
    scp_stellar_prose,
    scp_traces,
)
from mcnode.conformance.run import run_file
from mcnode.conformance.vectors import Report, read_unpacked

RUNNERS = (
    scp_dump,
    scp_messages,
    scp_networks,
    scp_scenarios,
    scp_search,
    scp_stellar_prose,
    scp_traces,
)
"""Imported so that they register themselves."""

VECTORS = Path(__file__).parents[2] / "vectors/scp"
FILES = {
    "test_node_ids.jsonl": 24,
    "leader_hashes.jsonl": 6,
    "leader_rounds.jsonl": 18,
    "quorum_search.jsonl": 8,
    "slot_scenarios.jsonl.gz": 21,
    "consensus_msgs.jsonl": 6,
    "stellar_ballot_scenarios.jsonl.gz": 44,
    "stellar_nomination_scenarios.jsonl": 10,
    "stellar_quorum_set_sanity.jsonl": 10,
    "genuine/known_cases.jsonl": 25,
    "genuine/slot_traces.jsonl.gz": 1681,
    "genuine/node_traces.jsonl.gz": 275,
    "genuine/net_runs.jsonl.gz": 255,
    "genuine/quorum_search.jsonl.gz": 3044,
    "genuine/quorum_sets.jsonl.gz": 413,
    "genuine/leaders.jsonl.gz": 1186,
    "genuine/message_order.jsonl.gz": 983,
    "genuine/debug_dump.jsonl.gz": 11,
}


def run(path: Path) -> Report:
    report = run_file(path).report
    assert report is not None
    return report


@pytest.mark.parametrize(("name", "count"), FILES.items())
def test_vectors_hold(name: str, count: int) -> None:
    report = run(VECTORS / name)
    assert report.failures == []
    assert report.passed == count


def test_every_file_is_run() -> None:
    found = {str(p.relative_to(VECTORS)) for p in VECTORS.rglob("*.json*")}
    assert found == set(FILES)


def spoil_emission(case: dict[str, Any]) -> bool:
    for step in case["steps"]:
        if step.get("e", {}).get("t") == "N":
            step["e"]["Y"] = [*step["e"]["Y"], 999_999 if case["v"] == "u32" else "zzzz"]
            return True
    return False


def spoil_state(case: dict[str, Any]) -> bool:
    for step in case["steps"]:
        if "d" in step and "r" in step["d"]:
            step["d"]["r"] += 1
            return True
    return False


def spoil_stored(case: dict[str, Any]) -> bool:
    for step in case["steps"]:
        if "k" in step:
            step["k"] = []
            return True
    return False


@pytest.mark.parametrize("spoil", [spoil_emission, spoil_state, spoil_stored])
def test_a_wrong_slot_trace_fails(tmp_path: Path, spoil: Callable[[dict[str, Any]], bool]) -> None:
    lines = read_unpacked(VECTORS / "genuine/slot_traces.jsonl.gz").splitlines()[:300]
    # cases that agree to the last step, so that the spoilt step is reached
    whole = [
        case
        for case in map(json.loads, lines)
        if case["re"] is None and case["rs"] is None and spoil(case)
    ]
    folder = tmp_path / "scp/genuine"
    folder.mkdir(parents=True)
    path = folder / "slot_traces.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, whole)).encode()))
    report = run(path)
    assert len(report.failures) > 0.8 * len(whole) > 50


def spoilt_copy(tmp_path: Path, name: str, spoil: Callable[[dict[str, Any]], None]) -> Path:
    lines = read_unpacked(VECTORS / name).splitlines()
    case = json.loads(lines[0])
    spoil(case)
    path = tmp_path / "scp" / name
    path.parent.mkdir(parents=True)
    data = json.dumps(case).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("leader_hashes.jsonl", lambda c: c.update(priority_hash="00")),
        ("leader_rounds.jsonl", lambda c: c["rounds"][0].update(added_leader=5)),
        ("quorum_search.jsonl", lambda c: c.update(expect_quorum=[1])),
        ("consensus_msgs.jsonl", lambda c: c.update(contents_hash="00")),
        ("slot_scenarios.jsonl.gz", lambda c: c["steps"][0].update(expect=[7])),
        ("genuine/leaders.jsonl.gz", lambda c: c["leaders_by_round"].insert(0, [])),
        ("genuine/message_order.jsonl.gz", lambda c: c.update(bN=7)),
        ("genuine/quorum_sets.jsonl.gz", lambda c: c.update(digest32_b="00")),
        ("genuine/node_traces.jsonl.gz", lambda c: c["steps"][0].update(cur=77)),
        ("genuine/net_runs.jsonl.gz", lambda c: c["ev"][0].update(o=[0])),
        ("genuine/debug_dump.jsonl.gz", lambda c: c["files"].pop(1)),
    ],
)
def test_a_wrong_expectation_fails(
    tmp_path: Path, name: str, spoil: Callable[[dict[str, Any]], None]
) -> None:
    assert len(run(spoilt_copy(tmp_path, name, spoil)).failures) == 1
