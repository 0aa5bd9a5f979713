"""Nodes that contradict themselves: found, bounded, kept, provable to anybody."""

import json

import pytest
from click.testing import CliRunner

from mcnode.cli.evidence import evidence as command
from mcnode.consensus import equivocation, evidence_folder
from mcnode.consensus.equivocation import EquivocationWatch
from mcnode.consensus.evidence_folder import EVIDENCE_FOLDER, EvidenceFolder, read_documents
from mcnode.crypto.keys import Ed25519Private
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.peers.evidence import Evidence, EvidenceError, read_evidence
from mcnode.scp import Ballot, Msg, NodeID, QuorumSet
from mcnode.scp.types import Externalize, Nominate, NominatePayload

SIGNERS = [Ed25519Private(bytes([n]) * 32) for n in (1, 2)]
NODES = [
    NodeID(f"node{n}.test:8443", signer.public_key().to_bytes()) for n, signer in enumerate(SIGNERS)
]
BLOCK = b"\7" * 32


def value(number):
    return tx_hash_value(number.to_bytes(32))


def nominate(*numbers):
    return Nominate(NominatePayload(tuple(map(value, sorted(numbers)))))


def say(topic, slot=5, by=0, block=BLOCK):
    return ConsensusMsg.sign(Msg(NODES[by], slot, QuorumSet(0), topic), block, SIGNERS[by])


def make_watch(*watched):
    names = {NODES[n].public_key: NODES[n].responder_id for n in watched or (0, 1)}
    return EquivocationWatch(names, lambda: 12.5)


def found(slot=5, by=0):
    made = make_watch()
    made.hear(say(nominate(1), slot, by), slot)
    evidence = made.hear(say(nominate(2), slot, by), slot)
    assert evidence is not None
    return evidence


def test_two_stories_are_found_once_and_counted():
    watch = make_watch()
    assert watch.hear(say(nominate(1)), 5) is None
    assert watch.hear(say(nominate(2), by=1), 5) is None
    assert watch.hear(say(nominate(1, 3)), 5) is None
    evidence = watch.hear(say(nominate(2, 4)), 5)
    assert evidence.reason == "takes back its vote to nominate 2 values"
    assert evidence.seen_ms == 12_500
    assert watch.hear(say(nominate(9)), 5) is None  # the same node, the same slot
    assert watch.counts == {NODES[0].responder_id: 1}


def test_statements_in_any_order_that_only_grow_are_nothing():
    watch = make_watch()
    for numbers in ((1, 2, 3, 4), (1,), (1, 2, 3), (1, 2)):
        assert watch.hear(say(nominate(*numbers)), 5) is None
    assert not watch.counts


def test_two_blocks_under_one_slot():
    watch = make_watch()
    watch.hear(say(nominate(1)), 5)
    evidence = watch.hear(say(nominate(1, 2), block=bytes(32)), 5)
    assert evidence.reason == "builds on two different blocks"


def test_strangers_and_distant_slots_are_not_held():
    watch = make_watch(1)
    watch.hear(say(nominate(1)), 5)
    for slot in (3, 7, 2**64 - 1):
        watch.hear(say(nominate(1), slot, by=1), 5)
    assert watch.held_bytes == 0


def test_what_is_held_is_bounded(monkeypatch):
    watch = make_watch()
    for count in range(1, 30):
        watch.hear(say(nominate(*range(count))), 5)
    assert watch.held_bytes <= equivocation.STATEMENTS_MAX * len(say(nominate(*range(30))).payload)
    monkeypatch.setattr(equivocation, "HELD_BYTES_MAX", 1000)
    for slot in (5, 6):
        for by in (0, 1):
            watch.hear(say(nominate(1), slot, by), 5)
            assert watch.held_bytes <= 1000
    watch.hear(say(nominate(1), 100), 100)
    assert watch.held_bytes == len(say(nominate(1), 100).payload)


def test_a_document_proves_itself():
    evidence = found()
    text = json.dumps(evidence.to_json())
    assert read_evidence(text) == evidence


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        (say(nominate(1)), say(nominate(1, 2)), "do not contradict"),
        (say(nominate(1)), say(nominate(2), by=1), "2 authors"),
        (say(nominate(1)), say(nominate(2), 6), "2 slots"),
        (say(nominate(1)), ConsensusMsg.from_parts(
            say(nominate(2)).scp_msg, BLOCK, say(nominate(1)).signature
        ), "statement of the document"),
    ],
)  # fmt: skip
def test_documents_that_prove_nothing_are_refused(one, other, text):
    document = json.dumps(Evidence(one, other, "it lies", 0).to_json())
    with pytest.raises(EvidenceError, match=text):
        read_evidence(document)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "mcnode equivocation 1"}'])
def test_other_files_are_refused(text):
    with pytest.raises(EvidenceError, match="document"):
        read_evidence(text)


def test_a_folder_keeps_the_newest_and_something_of_every_author(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence_folder, "FILES_PER_AUTHOR_MAX", 3)
    folder = EvidenceFolder(tmp_path / "evidence")
    folder.keep(found(1, by=1))
    for slot in range(1, 8):
        folder.keep(found(slot))
    kept, broken = read_documents(tmp_path / "evidence")
    assert len(kept) == 4
    assert {each.author for _, each in kept} == set(NODES)
    assert broken == []
    monkeypatch.setattr(evidence_folder, "BYTES_MAX", 3000)
    folder.keep(found(9))
    assert sum(path.stat().st_size for path in (tmp_path / "evidence").iterdir()) <= 3000


def run(*words):
    return CliRunner().invoke(command, list(map(str, words)), standalone_mode=False)


def test_the_command_lists_shows_and_exports(tmp_path):
    path = EvidenceFolder(tmp_path / EVIDENCE_FOLDER).keep(found())
    listed = run("list", "--from", tmp_path)
    assert listed.return_value == 0
    assert "slot 5: node0.test:8443 takes back its vote" in listed.output
    [document] = json.loads(run("list", "--from", tmp_path, "--json").output)
    exported = tmp_path / "exported.json"
    exported.write_text(json.dumps(document))
    shown = run("show", exported)
    assert "both signatures hold" in shown.output
    assert "votes v2" in shown.output
    assert f"tx {(2).to_bytes(32).hex()}" in shown.output
    assert json.loads(run("show", path, "--json").output)["slot_index"] == 5
    path.write_text("{}")
    listed = run("list", "--from", tmp_path)
    assert listed.return_value == 1
    assert "proves nothing" in listed.output


def test_nothing_found(tmp_path):
    assert "no node has contradicted itself" in run("list", "--from", tmp_path).output


def test_externalize_of_two_lists():
    watch = make_watch()
    one, other = (Externalize(Ballot(1, (value(n),)), 1) for n in (1, 2))
    watch.hear(say(one), 6)
    assert watch.hear(say(other), 6).reason == "externalizes two lists of values"
