"""What two statements of one node cannot both say, and that honest nodes never do."""

import itertools
from collections import defaultdict
from pathlib import Path

import pytest

from mcnode.conformance.scp_notation import topic
from mcnode.conformance.vectors import VectorFile
from mcnode.scp import INFINITY
from mcnode.scp.contradiction import contradiction

GENUINE = Path(__file__).parents[2] / "vectors" / "scp" / "genuine"


def nominate(voted="", accepted=""):
    return topic({"t": "N", "X": list(voted), "Y": list(accepted)})


def prepare(ballot, prepared=None, voted=None):
    written = {"t": "P", "B": ballot, "P": prepared, "PP": None, "CN": 0, "HN": 0}
    if voted is not None:
        written |= {"t": "NP", "X": list(voted), "Y": []}
    return topic(written)


def commit(ballot, prepared_counter=1, commit_counter=1, high_counter=1):
    numbers = {"PN": prepared_counter, "CN": commit_counter, "HN": high_counter}
    return topic({"t": "C", "B": ballot} | numbers)


def externalize(ballot, high_counter=1):
    return topic({"t": "E", "C": ballot, "HN": high_counter})


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (nominate("a"), nominate("b"), "takes back its vote"),
        (nominate("ab"), nominate("c", "d"), "takes back its vote"),
        (nominate("", "a"), nominate("a", "bc"), "takes back that it accepts"),
        (nominate("a"), prepare([1, "b"], voted="b"), "takes back its vote"),
        (prepare([1, "a"]), prepare([1, "b"]), "two lists of values in ballot 1"),
        (prepare([2, "a"]), commit([2, "b"]), "two lists of values in ballot 2"),
        (prepare([3, "a"]), commit([2, "a"]), "goes back from ballot 3 to 2"),
        (prepare([3, "a"], [3, "a"]), prepare([4, "a"]), "takes back that it accepts a ballot"),
        (prepare([3, "a"], [3, "a"]), prepare([9, "a"], [2, "a"]), "accepts ballot 3 and then"),
        (commit([1, "a"]), commit([2, "b"]), "commits two lists"),
        (commit([1, "a"]), externalize([1, "b"]), "commits two lists"),
        (externalize([1, "a"]), externalize([1, "b"]), "externalizes two lists"),
        (externalize([1, "a"]), externalize([1, "b"], 2), "externalizes two lists"),
    ],
)
def test_found_in_either_order(one, other, reason):
    for pair in ((one, other), (other, one)):
        found = contradiction(*pair)
        assert found is not None
        assert reason in found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (nominate("a"), nominate("ab")),
        (nominate("ab"), nominate("b", "a")),
        (nominate("a"), prepare([1, "b"])),
        (prepare([1, "a"]), prepare([2, "b"])),
        (prepare([3, "b"], [3, "a"]), prepare([3, "b"], [2, "c"])),  # cut to fit below the ballot
        (prepare([INFINITY, "a"]), prepare([INFINITY, "b"])),
        (prepare([1, "a"]), commit([2, "b"])),
        (commit([1, "a"], 1, 1, 3), commit([1, "a"], 1, 2, 2)),
        (commit([5, "a"]), externalize([1, "a"])),
        (externalize([1, "a"]), externalize([1, "a"], INFINITY)),
    ],
)
def test_an_honest_node_may_say_both(one, other):
    assert contradiction(one, other) is None
    assert contradiction(other, one) is None


def said_by_one_node(file):
    """Per node and slot, what the network's own software said in a trace, oldest first."""
    for case in VectorFile(GENUINE / file, "scp", file).json_lines():
        said = defaultdict(list)
        for step in case.get("steps", []):
            emitted = step.get("e", [])
            for written in emitted if isinstance(emitted, list) else [emitted]:
                said[written.get("i")].append(topic(written))
            if "panic" in step or "reset" in step:
                break
        for event in case.get("ev", []):
            for number in event.get("o", []):
                written = case["msgs"][number]
                if written["s"] not in case["byzantine"]:
                    said[written["s"], written["i"]].append(topic(written))
        yield from said.values()


@pytest.mark.parametrize(
    "file", ["slot_traces.jsonl.gz", "node_traces.jsonl.gz", "net_runs.jsonl.gz"]
)
def test_nothing_that_the_networks_software_said_contradicts(file):
    pairs = 0
    for said in said_by_one_node(file):
        for one, other in itertools.combinations(said, 2):
            pairs += 1
            assert contradiction(one, other) is None, (one, other)
    assert pairs > 100
