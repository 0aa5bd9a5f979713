"""Checked values go to the worker, and to peers by the rule of origins."""

import pytest

from mcnode.connection.uri import PEER, parse_uri
from mcnode.consensus import proposals
from mcnode.consensus.events import Proposed
from mcnode.consensus.proposals import Proposals
from mcnode.crypto.multisig import MultiSig
from mcnode.peers.consensus_value import mint_config_tx_value, tx_hash_value
from mcnode.peers.tx_propose_aad import TxProposeAAD, parse_tx_propose_aad
from mcnode.transaction.messages import MintConfigTx, MintConfigTxPrefix

pytestmark = pytest.mark.asyncio

URIS = [
    "insecure-mcp://node2.test:8443/?consensus-relay-incoming-txs=1",
    "insecure-mcp://node3.test:8443/",
    "insecure-mcp://10.0.0.4:1/?responder-id=node4.test:8443&consensus-relay-incoming-txs=true",
]


class FakeTxs:
    """Every transaction is here, unless it is in `gone`."""

    def __init__(self) -> None:
        self.gone: set[bytes] = set()

    def __contains__(self, tx_hash: bytes) -> bool:
        return tx_hash not in self.gone

    def well_formed(self, tx_hashes):
        class WellFormed:
            well_formed_encrypted_tx = b"encrypted " + tx_hashes[0]

        return [WellFormed]


class World:
    def __init__(self, local_id) -> None:
        self.local_id = local_id
        self.txs = FakeTxs()
        self.events: list = []
        self.sent: list[tuple] = []
        peers = [parse_uri(text, PEER) for text in URIS]
        self.proposals = Proposals(
            local_id=local_id,
            peers={uri.responder_id: uri for uri in peers},
            txs=self.txs,
            broadcaster=self,
            post=self.post,
            clock=lambda: 77.0,
        )

    async def post(self, event) -> None:
        self.events.append(event)

    def send_tx(self, tx_hash, encrypted_tx, aad, *, exclude) -> None:
        assert encrypted_tx == b"encrypted " + tx_hash
        self.sent.append((tx_hash, parse_tx_propose_aad(aad), set(exclude)))


HASH = b"\7" * 32


@pytest.fixture
def here(world):
    return World(world.node_id(1))


async def test_a_clients_transaction_goes_to_every_peer(here) -> None:
    await here.proposals.from_client(tx_hash_value(HASH))
    assert here.sent == [(HASH, TxProposeAAD(here.local_id, "node1.test:8443"), set())]
    assert here.events == [Proposed((tx_hash_value(HASH),), 77.0)]


async def test_it_is_pushed_once_however_often_it_comes(here) -> None:
    for _ in range(3):
        await here.proposals.from_client(tx_hash_value(HASH))
    assert len(here.sent) == 1
    assert len(here.events) == 3


async def test_mints_travel_inside_statements_only(here) -> None:
    value = mint_config_tx_value(
        MintConfigTx(MintConfigTxPrefix(1, (), bytes(64), 50, 0), MultiSig(()))
    )
    await here.proposals.from_client(value)
    assert here.sent == []
    assert here.events == [Proposed((value,), 77.0)]


async def test_a_transaction_without_origin_counts_as_ours(here) -> None:
    await here.proposals.from_peer(HASH, None)
    [(_, aad, _)] = here.sent
    assert aad.origin_node == here.local_id
    assert here.events[0].proposed_at == 77.0


async def test_a_peers_transaction_is_not_pushed_on(here, world) -> None:
    await here.proposals.from_peer(HASH, TxProposeAAD(world.node_id(3), "node3.test:8443"))
    assert here.sent == []
    assert here.events == [Proposed((tx_hash_value(HASH),), None)]


async def test_nor_is_a_strangers(here, world) -> None:
    await here.proposals.from_peer(HASH, TxProposeAAD(world.node_id(9), "node3.test:8443"))
    assert here.sent == []


async def test_where_the_peers_uri_says_so_it_is_but_not_to_where_it_came_from(here, world) -> None:
    origin = world.node_id(2)
    await here.proposals.from_peer(HASH, TxProposeAAD(origin, "node3.test:8443"))
    assert here.sent == [
        (
            HASH,
            TxProposeAAD(origin, "node1.test:8443"),
            {"node2.test:8443", "node3.test:8443"},
        )
    ]


async def test_a_peer_is_left_out_by_its_address_whatever_it_is_called(here, world) -> None:
    await here.proposals.from_peer(HASH, TxProposeAAD(world.node_id(4), "node4.test:8443"))
    [(_, _, exclude)] = here.sent
    assert exclude == {"10.0.0.4:1"}


async def test_one_that_the_cache_has_dropped_meanwhile_is_not_pushed(here) -> None:
    here.txs.gone.add(HASH)
    await here.proposals.from_client(tx_hash_value(HASH))
    assert here.sent == []
    assert len(here.events) == 1


async def test_what_was_pushed_is_remembered_within_a_limit(here, monkeypatch) -> None:
    monkeypatch.setattr(proposals, "PUSHED_TXS_MAX", 2)
    hashes = [bytes([n]) * 32 for n in range(3)]
    for tx_hash in [*hashes, hashes[2], hashes[0]]:
        await here.proposals.from_client(tx_hash_value(tx_hash))
    assert [sent[0] for sent in here.sent] == [*hashes, hashes[0]]
