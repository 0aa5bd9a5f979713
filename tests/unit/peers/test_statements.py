"""Signed statements: bytes, signatures, values and their order."""

import dataclasses
import itertools
import random

import pytest

from mcnode.codec.cbor import CborError
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.errors import InvalidError
from mcnode.peers import tx_propose_aad
from mcnode.peers.consensus_msg import (
    ConsensusMsg,
    ZeroSlot,
    broadcast_digest,
    check_signature,
    contents_hash,
    tx_hashes_of,
)
from mcnode.peers.consensus_value import (
    ConsensusValue,
    mint_config_tx_value,
    mint_tx_value,
    tx_hash_value,
)
from mcnode.peers.order_key import order_key
from mcnode.peers.tx_propose_aad import TxProposeAAD, parse_tx_propose_aad
from mcnode.scp import Ballot, Msg, NodeID, QuorumSet
from mcnode.scp.types import (
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
)
from mcnode.transaction.messages import (
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
)

SIGNER, OTHER = (Ed25519Private(bytes([n]) * 32) for n in (1, 2))
AUTHOR = NodeID("node1.test:8443", SIGNER.public_key().to_bytes())
PEER = NodeID("node2.test:8443", OTHER.public_key().to_bytes())
QUORUM_SET = QuorumSet(1, (PEER, QuorumSet(1, (PEER,))))
POINT = RistrettoPrivate((7).to_bytes(32, "little")).public_key().to_bytes()
KEY = SIGNER.public_key().to_bytes()


def config_tx(token_id: int = 1, nonce: bytes = bytes(64), limit: int = 5) -> ConsensusValue:
    configs = (MintConfig(token_id, SignerSet((KEY,), (SignerSet((KEY,), (), 1),), 1), limit),)
    prefix = MintConfigTxPrefix(token_id, configs, nonce, 50, 100)
    return mint_config_tx_value(MintConfigTx(prefix, MultiSig((bytes(64),))))


def mint(amount: int, hint: bytes | None = None) -> ConsensusValue:
    prefix = MintTxPrefix(1, amount, POINT, POINT, b"nonce", 50, hint)
    return mint_tx_value(MintTx(prefix, MultiSig((b"\1" * 64, b"\2" * 64))))


TX_A, TX_B = (tx_hash_value(bytes([n]) * 32) for n in (1, 2))
VALUES = (TX_A, TX_B, config_tx(), mint(5), mint(5, bytes(84)))
BALLOT = Ballot(3, VALUES)
PREPARE = PreparePayload(BALLOT, Ballot(2, VALUES), Ballot(1, (TX_A,)), 1, 2)
TOPICS = [
    Nominate(NominatePayload((TX_A,), (TX_B,))),
    NominatePrepare(NominatePayload((), VALUES), PREPARE),
    Prepare(PREPARE),
    Prepare(PreparePayload(BALLOT)),
    Commit(BALLOT, 3, 1, 2),
    Externalize(BALLOT, 2**32 - 1),
]


def signed(topic=TOPICS[0], slot: int = 7) -> ConsensusMsg:
    return ConsensusMsg.sign(Msg(AUTHOR, slot, QUORUM_SET, topic), b"\6" * 32, SIGNER)


# -- envelopes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: type(topic).__name__)
def test_statements_survive_the_wire(topic) -> None:
    msg = signed(topic)
    again = ConsensusMsg.from_bytes(msg.payload)
    assert again == msg
    assert again.payload == msg.payload
    check_signature(again)


@pytest.mark.parametrize(
    "change",
    [
        {"slot_index": 8},
        {"topic": TOPICS[-1]},
        {"quorum_set": QuorumSet(2, (PEER, QuorumSet(1, (PEER,))))},
        {"sender_id": PEER},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_statement_is_not_the_authors(change) -> None:
    msg = signed()
    scp_msg = dataclasses.replace(msg.scp_msg, **change)
    with pytest.raises(SignatureError):
        check_signature(ConsensusMsg.from_parts(scp_msg, msg.prev_block_id, msg.signature))


def test_a_statement_is_for_one_chain() -> None:
    msg = signed()
    with pytest.raises(SignatureError):
        check_signature(ConsensusMsg.from_parts(msg.scp_msg, bytes(32), msg.signature))


def test_the_origin_block_is_not_agreed_on() -> None:
    with pytest.raises(ZeroSlot, match="slot index is 0, needs at least 1"):
        signed(slot=0)


def test_every_part_counts_for_the_digest_of_copies() -> None:
    msg = signed()
    others = [
        ConsensusMsg.from_parts(msg.scp_msg, bytes(32), msg.signature),
        ConsensusMsg.from_parts(msg.scp_msg, msg.prev_block_id, bytes(64)),
        signed(TOPICS[1]),
    ]
    digests = {broadcast_digest(each) for each in (msg, *others)}
    assert len(digests) == 4
    assert broadcast_digest(ConsensusMsg.from_bytes(msg.payload)) in digests
    assert contents_hash(msg.scp_msg, msg.prev_block_id) not in digests


def test_no_part_of_the_bytes_may_be_missing() -> None:
    payload = signed(TOPICS[1]).payload
    for length in range(0, len(payload), 7):
        with pytest.raises(CborError):
            ConsensusMsg.from_bytes(payload[:length])
    with pytest.raises(CborError):
        ConsensusMsg.from_bytes(payload + b"\0")


def test_noise_never_breaks_the_decoder() -> None:
    rng = random.Random(11)
    print("seed 11")
    payload = signed(TOPICS[1]).payload
    for _ in range(300):
        noisy = bytearray(payload)
        for _ in range(rng.randrange(1, 4)):
            noisy[rng.randrange(len(noisy))] = rng.randrange(256)
        try:
            check_signature(ConsensusMsg.from_bytes(bytes(noisy)))
        except InvalidError:
            continue
        assert ConsensusMsg.from_bytes(bytes(noisy)) == signed(TOPICS[1])


def test_a_key_that_is_none_is_refused_at_the_door() -> None:
    scp_msg = Msg(NodeID("n:1", b"\2" + bytes(31)), 7, QUORUM_SET, TOPICS[0])
    with pytest.raises(CborError):
        ConsensusMsg.from_bytes(ConsensusMsg.from_parts(scp_msg, bytes(32), bytes(64)).payload)


def test_transactions_are_named_once_and_in_order() -> None:
    topic = NominatePrepare(NominatePayload((TX_B,), (config_tx(),)), PREPARE)
    assert tx_hashes_of(signed(topic).scp_msg) == [TX_A.content, TX_B.content]
    assert tx_hashes_of(signed(Nominate(NominatePayload((mint(1),)))).scp_msg) == []


# -- values ----------------------------------------------------------------------------------------


def test_values_are_ordered_by_kind_then_content() -> None:
    expected = [
        TX_A,
        TX_B,
        config_tx(1, b"\0"),
        config_tx(1, b"\1"),
        config_tx(2, b"\0"),
        mint(4),
        mint(5),
        mint(5, bytes(84)),
    ]
    rng = random.Random(3)
    print("seed 3")
    for _ in range(5):
        shuffled = rng.sample(expected, len(expected))
        assert sorted(shuffled) == expected
    for left, right in itertools.pairwise(expected):
        assert left < right <= right
        assert right > left
        assert left != right


def test_equal_content_is_the_same_value() -> None:
    assert mint(5) == mint(5)
    assert hash(mint(5)) == hash(mint(5))
    assert len({mint(5), mint(5), mint(6)}) == 2
    assert mint(5) != "something else"


def test_values_show_what_they_are() -> None:
    assert repr(TX_A) == f"TxHash({'01' * 32})"
    assert repr(mint(5)) == "MintTx(…)"


def test_fields_decide_in_order_of_declaration() -> None:
    nested = config_tx().content
    changes = [
        dataclasses.replace(nested.prefix, nonce=b"\1" * 64),
        dataclasses.replace(nested.prefix, tombstone_block=51),
        dataclasses.replace(nested.prefix, total_mint_limit=101),
    ]
    keys = [order_key(nested)]
    keys += [order_key(dataclasses.replace(nested, prefix=prefix)) for prefix in changes]
    keys.append(order_key(dataclasses.replace(nested, signature=MultiSig((b"\1" * 64,)))))
    assert len(set(keys)) == len(keys)
    assert keys[0] < min(keys[1:])
    assert keys[4] < keys[3] < keys[2] < keys[1]  # the prefix counts before the signature


def test_an_absent_part_sorts_before_a_present_one() -> None:
    absent, present = mint(5).content, mint(5, bytes(84)).content
    assert order_key(absent) < order_key(present)


# -- origins ---------------------------------------------------------------------------------------


def test_origins_survive_the_wire() -> None:
    aad = TxProposeAAD(AUTHOR, "node2.test:8443")
    assert parse_tx_propose_aad(aad.to_bytes()) == aad


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xa0"])
def test_an_origin_that_cannot_be_read_is_unknown(data) -> None:
    assert parse_tx_propose_aad(data) is None


def test_an_origin_of_any_length_is_not_looked_at(monkeypatch) -> None:
    data = TxProposeAAD(AUTHOR, "node2.test:8443").to_bytes()
    monkeypatch.setattr(tx_propose_aad, "AAD_BYTES_MAX", len(data))
    assert parse_tx_propose_aad(data) is not None
    assert parse_tx_propose_aad(data + b"\0") is None
    monkeypatch.setattr(tx_propose_aad, "AAD_BYTES_MAX", len(data) - 1)
    assert parse_tx_propose_aad(data) is None
