"""What a person reads, as whole transcripts.

`MCNODE_REWRITE_TRANSCRIPTS=1` writes them anew: look at the difference before it is committed.
"""

import os
from pathlib import Path

import pytest

from mcnode.slots.names import Names
from mcnode.slots.replay import replay
from mcnode.slots.text import (
    header,
    legend_lines,
    outcome_text,
    stage_lines,
    stages,
    step_lines,
    timeline,
)

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def check_transcript(name, lines):
    path = TRANSCRIPTS / name
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if os.environ.get("MCNODE_REWRITE_TRANSCRIPTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def whole(record):
    steps, names = list(replay(record)), Names.of_record(record)
    yield from header(record, names)
    yield ""
    yield from timeline(record, steps, names)
    yield ""
    yield from stage_lines(stages(record, steps, names))
    yield ""
    yield from legend_lines(names)


def test_a_decided_slot(decided):
    check_transcript("decided.txt", whole(decided.record(1)))


def test_a_stuck_slot(stuck):
    """Ends with what the slot waits for: votes of the two nodes that stopped."""
    record = stuck.record(1)
    names = Names.of_record(record)
    *_, last = replay(record)
    check_transcript("stuck.txt", [*whole(record), "", *step_lines(record, last, names)])


def test_a_ballot_that_times_out(make_mesh):
    """node4 goes silent after nomination and node3 with it: the counter rises, nothing moves."""
    mesh = make_mesh(4, 2, latency_ms=50)
    for number in mesh.numbers:
        mesh.propose(number, 1)
    mesh.run(190)
    mesh.stopped = {3, 4}
    mesh.run(6_000)
    record = mesh.record(1)
    names = Names.of_record(record)
    *_, last = replay(record)
    check_transcript("timed_out.txt", [*whole(record), "", *step_lines(record, last, names)])


@pytest.mark.parametrize(("count", "text"), [(1, "v1"), (2, "v1 v2"), (5, "v1…v5")])
def test_lists_of_values(decided, make_value, count, text):
    names = Names(decided.start_of(1).node_id)
    assert names.values(list(map(make_value, range(count)))) == text


def test_a_scattered_list_is_counted(decided, make_value):
    names = Names(decided.start_of(1).node_id)
    values = list(map(make_value, range(9)))
    names.values(values)
    assert names.values(values[::2]) == "5 values"


def test_nodes_of_one_machine_are_told_apart_by_port(make_node_id):
    nodes = [make_node_id(1), make_node_id(2)]
    assert Names(nodes[0], nodes).nodes(nodes) == "node1, node2"
    local = [type(nodes[0])(f"127.0.0.1:{port}", bytes([port % 256]) * 32) for port in (1, 2)]
    assert Names(local[0], local).nodes(local) == ":1, :2"
    same = [*nodes, type(nodes[0])("node2.example.com:9", bytes(32))]
    assert Names(nodes[0], same).nodes(same) == (
        "node1.example.com:8443, node2.example.com:8443, node2.example.com:9"
    )


def test_outcomes(decided, stuck):
    assert outcome_text(decided.record(1)) == "externalized 3 values"
    assert outcome_text(stuck.record(1)) == "open"
