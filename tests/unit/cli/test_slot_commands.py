"""`mcnode slot`, on slots of a small network and on a genuine debug dump."""

import dataclasses
import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from mcnode.cli.main import cli
from mcnode.cli.slot_walk import next_position, walk
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.scp import Externalize, Node, NodeID, QuorumSet, Send
from mcnode.slots.events import FORMAT_VERSION, Outcome, SlotStart
from mcnode.slots.format import SlotEncoder, read_record
from mcnode.slots.recorder import RecordedJudge, RecordedNode

GENUINE = Path(__file__).parents[2] / "vectors" / "scp" / "genuine" / "debug_dump.jsonl.gz"


class Sink(dict):
    def record(self, slot_index, event):
        self.setdefault(slot_index, []).append(event)


@pytest.fixture(scope="module")
def ledger_path(tmp_path_factory):
    """As a node leaves it that agreed with one peer on slots 7 and 8, and is alone in slot 9."""
    ids = [NodeID(f"node{n}.example.com:8443", bytes([n]) * 32) for n in (1, 2)]
    sinks = [Sink(), Sink()]
    sets = [QuorumSet(1, (ids[1],)), QuorumSet(1, (ids[0],))]
    nodes = []
    for own in (0, 1):
        judge = RecordedJudge(lambda value: None, lambda values: values)
        node = Node(ids[own], sets[own], judge.check, judge.combine, slot_index=7)
        nodes.append(RecordedNode(node, judge, sinks[own]))
    for slot_index in (7, 8):
        now = slot_index * 1_000
        value = tx_hash_value(bytes([slot_index]) * 32)
        waiting = [
            (1 - own, action.msg)
            for own in (0, 1)
            for action in nodes[own].propose([value], now)
            if isinstance(action, Send)
        ]
        decided = 0
        while waiting:
            to, msg = waiting.pop(0)
            now += 5
            for action in nodes[to].handle([msg], now):
                decided += isinstance(action, Externalize)
                if isinstance(action, Send):
                    waiting.append((1 - to, action.msg))
        assert decided == 2
    nodes[0].propose([tx_hash_value(bytes([9]) * 32)], 9_000)
    directory = tmp_path_factory.mktemp("ledger")
    (directory / "slots").mkdir()
    for slot_index, events in sinks[0].items():
        start = SlotStart(
            FORMAT_VERSION,
            ids[0],
            sets[0],
            slot_index,
            timing=_timing(),
            tick=events[0].tick,
            unix_ms=1_700_000_000_000,
        )
        encoder = SlotEncoder(start)
        data = b"".join(map(encoder.encode, events))
        (directory / "slots" / f"{slot_index:08d}.0.slot").write_bytes(data)
    return directory


def _timing():
    from mcnode.scp import Timing

    return Timing()


@pytest.fixture
def dump_path(tmp_path):
    """A genuine dump of four nodes."""
    with gzip.open(GENUINE, "rt") as file:
        [case] = [case for case in map(json.loads, file) if case.get("id") == "dump-four-end"]
    for each in case["files"]:
        path = tmp_path / "genuine" / each["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(each["hex"]))
    return tmp_path / "genuine"


def run(*words, status=0):
    result = CliRunner().invoke(cli, ["slot", *map(str, words)])
    assert result.exit_code == status, result.output
    return result.output


def test_list(ledger_path):
    lines = run("list", "--from", ledger_path).splitlines()
    assert len(lines) == 4
    assert "2023-11-14 22:13:20.000" in lines[1]
    assert lines[1].split()[0] == "7"
    assert lines[1].endswith("externalized 1 value")
    assert lines[3].endswith("open")
    listed = json.loads(run("list", "--json", "--from", ledger_path / "slots"))
    assert [slot["slot_index"] for slot in listed] == [7, 8, 9]
    assert [slot["value_count"] for slot in listed] == [1, 1, None]
    assert listed[0]["duration_ms"] > 0


def test_show(ledger_path):
    text = run("show", 7, "--from", ledger_path)
    assert text.startswith("slot 7 as node1.example.com:8443 saw it\n")
    assert "quorum set  1 of [node2]" in text
    assert "externalizes <1: v1>" in text
    assert "where the time went" in text
    assert f"v1 = tx {'07' * 32}" in text
    shown = json.loads(run("show", 7, "--json", "--from", ledger_path))
    assert shown["values"] == {"v1": f"tx {'07' * 32}"}
    assert shown["steps"][-1]["phase"] == "externalized"
    assert shown["steps"][0]["input"] == []


def test_the_newest_slot_is_the_default(ledger_path):
    assert run("show", "--from", ledger_path).startswith("slot 9 as")


def test_step_names_missing_votes(ledger_path):
    text = run("step", 9, "--from", ledger_path)
    assert "not heard from: node2" in text
    assert text.startswith("slot 9, step 1 of 1, at 0 ms")
    found = json.loads(run("step", 9, "--to", 1, "--json", "--from", ledger_path))
    assert found["not_heard_from"] == ["node2"]
    assert found["W"] == ["v1"]


def test_step_to(ledger_path):
    assert run("step", 7, "--to", 0, "--from", ledger_path).splitlines()[1] == (
        "  before everything"
    )
    question = json.loads(run("step", 7, "--to", 2, "--json", "--from", ledger_path))
    assert question["waiting_for"][0]["lacks"] == ["node2"]
    assert "steps 0 to" in run("step", 7, "--to", 999, "--from", ledger_path, status=2)


def test_replay(ledger_path):
    lines = run("replay", "--from", ledger_path).splitlines()
    assert len(lines) == 3
    assert all("replay identically" in line for line in lines)


def test_replay_of_a_changed_record(ledger_path, tmp_path):
    data = (ledger_path / "slots" / "00000008.0.slot").read_bytes()
    record = read_record(data)
    events = list(record.events)
    number = next(n for n, event in enumerate(events) if event.outcome.sent is not None)
    events[number] = dataclasses.replace(events[number], outcome=Outcome())
    encoder = SlotEncoder(record.start)
    path = tmp_path / "changed.slot"
    path.write_bytes(b"".join(map(encoder.encode, events)))
    text = run("replay", "--from", path, status=1)
    assert text.startswith(f"slot 8: differs at step {number + 1} of {len(events)}: sent: ")
    [found] = json.loads(run("replay", "--json", "--from", path, status=1))
    assert found["first_difference"]["step"] == number + 1
    assert "! replays otherwise: sent: recorded nothing" in run("show", "--from", path)


def test_a_genuine_dump(dump_path):
    assert "externalized 2 values" in run("list", "--from", dump_path)
    assert "39 steps replay identically" in run("replay", "--from", dump_path)
    text = run("step", "--to", 13, "--from", dump_path)
    assert "confirm prepared <1: v1 v2> lacks 2 of node2, node3, node4" in text


def test_dump(ledger_path, tmp_path):
    target = tmp_path / "dump"
    assert run("dump", 7, "--to", target, "--from", ledger_path) == f"slot 7 is in {target}\n"
    assert "replay identically" in run("replay", "--from", target)
    assert (target / "slot-states" / "00000007.json").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", 70], "slot 70 is not recorded at .*, which has 7 to 9"),
        (["show", 7, "--attempt", 3], "attempt 3 at slot 7 is not recorded"),
        (["replay", 1], "slot 1 is not recorded"),
    ],
)
def test_no_such_slot(ledger_path, words, reason):
    result = CliRunner().invoke(cli, ["slot", *map(str, words), "--from", str(ledger_path)])
    assert re.search(reason, str(result.exception))


def test_a_place_without_slots(tmp_path):
    result = CliRunner().invoke(cli, ["slot", "list", "--from", str(tmp_path)])
    assert "no recorded slots at" in str(result.exception)


def test_a_torn_file_does_not_hide_the_others(ledger_path, tmp_path):
    slots = tmp_path / "slots"
    shutil.copytree(ledger_path / "slots", slots)
    (slots / "00000010.0.slot").write_bytes(b"\0\0")
    for command, status in (("list", 0), ("replay", 1)):
        text = run(command, "--from", tmp_path, status=status)
        assert "00000010.0.slot: not a record of a slot: 2 bytes without a whole frame" in text
        assert len(text.splitlines()) == (5 if command == "list" else 4)
    assert run("show", 8, "--from", tmp_path).startswith("slot 8 as")


# -- the walk -------------------------------------------------------------------------------------


def test_keys():
    keys = {"n": 4, " ": 4, "p": 2, "g": 0, "G": 9, "x": 3, "\r": 4, "\x1b[A": 2}
    assert {key: next_position(3, key, "", 10)[0] for key in keys} == keys
    assert next_position(0, "p", "", 10) == (0, "")
    assert next_position(9, "n", "", 10) == (9, "")
    assert next_position(3, "q", "", 10) == (None, "")
    assert next_position(3, "7", "1", 10) == (3, "17")
    assert next_position(3, "\r", "17", 10) == (9, "")
    assert next_position(3, "\r", "7", 10) == (7, "")


def test_walk(capsys):
    keys = iter(["n", "n", "p", "x", "2\r", "\x1b[D", "q"])
    walk([["zero"], ["one"], ["two"]], lambda: next(keys), lambda: None)
    lines = capsys.readouterr().out.split("\n")
    assert [line for line in lines if line in ("zero", "one", "two")] == [
        "zero", "one", "two", "one", "two", "one",
    ]  # fmt: skip


def test_walk_ends_with_the_terminal():
    def hung_up():
        raise EOFError

    walk([["zero"]], hung_up, lambda: None)
