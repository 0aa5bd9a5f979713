"""From decided values to a block on disk, with a real trusted process and a real ledger."""

import asyncio
import threading

import pytest
import pytest_asyncio

from mcnode.blockchain.metadata import check_metadata_signature
from mcnode.blockchain.quorum_set import MetadataNode
from mcnode.blockchain.signature import check_block_signature
from mcnode.conformance.enclave_fixture import connect_client
from mcnode.consensus.block_former import BlockFormer, MetadataProvider
from mcnode.consensus.mint_tx_manager import MintTxManager
from mcnode.consensus.quorum import metadata_quorum_set
from mcnode.consensus.tx_manager import NotInCache, TxManager
from mcnode.crypto.keys import Ed25519Private
from mcnode.ledger.db import LedgerDB, blocks
from mcnode.ledger.errors import DiskFull
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.scp import NodeID, QuorumSet
from mcnode.transaction.block_version import LATEST_BLOCK_VERSION
from mcnode.transaction.validation.errors import ContainsSpentKeyImage

pytestmark = pytest.mark.asyncio

SIGNER = Ed25519Private(b"\5" * 32)
PEERS = [
    NodeID(f"node{n}.test:8443", Ed25519Private(bytes([n]) * 32).public_key().to_bytes())
    for n in (2, 3, 4)
]
QUORUM_SET = QuorumSet(2, (PEERS[0], QuorumSet(1, (PEERS[1], PEERS[2])), None))


class World:
    def __init__(self, enclave, ledger, payments) -> None:
        self.enclave, self.ledger, self.payments = enclave, ledger, payments
        self.txs = TxManager(enclave, ledger)
        self.append_to = ledger

    def former(self) -> BlockFormer:
        metadata = MetadataProvider(
            self.enclave, metadata_quorum_set(QUORUM_SET), "node1.test:8443", SIGNER
        )
        return BlockFormer(
            enclave=self.enclave,
            ledger=self.append_to,
            txs=self.txs,
            mints=MintTxManager(self.ledger, LATEST_BLOCK_VERSION, {}),
            metadata=metadata,
            unix_time=lambda: 1234.9,
        )

    async def take(self, *numbers: int) -> list:
        """Bring payments into the cache; the values that stand for them, in block order."""
        client = await connect_client(self.enclave)
        hashes = []
        for number in numbers:
            message = client.message(self.payments.tx_bytes[number])
            hashes.append(await self.txs.insert(await self.enclave.client_tx_propose(message)))
        return [tx_hash_value(tx_hash) for tx_hash in self.txs.combine(hashes)]


@pytest_asyncio.fixture
async def world(enclave, funded_ledger, payments):
    return World(enclave, funded_ledger, payments)


async def test_a_block_is_formed_signed_and_stored(world) -> None:
    values = await world.take(0, 2)
    made = await world.former().form_and_append(values)
    stored = world.ledger.get_block_data(1)
    assert stored == made
    assert stored.block.parent_id == world.payments.parent.id
    assert set(stored.contents.key_images) == {
        world.payments.txs[number].signature.ring_signatures[0].key_image for number in (0, 2)
    }
    assert stored.signature.signed_at == 1234
    check_block_signature(stored.signature, stored.block)
    assert stored.signature.signer == await world.enclave.get_signer()


async def test_the_metadata_say_who_agreed_with_whom(world) -> None:
    made = await world.former().form_and_append(await world.take(1))
    contents = made.metadata.contents
    check_metadata_signature(made.metadata)
    assert made.metadata.node_key == SIGNER.public_key().to_bytes()
    assert contents.block_id == made.block.id
    assert contents.responder_id == "node1.test:8443"
    assert contents.attestation_evidence == await world.enclave.get_attestation_evidence()
    assert contents.quorum_set.threshold == 2
    first, inner, absent = (member.member for member in contents.quorum_set.members)
    assert first == MetadataNode(PEERS[0].responder_id, PEERS[0].public_key)
    assert [member.member.responder_id for member in inner.members] == [
        "node3.test:8443",
        "node4.test:8443",
    ]
    assert absent is None


async def test_what_is_in_a_block_is_not_valid_any_more_but_still_there_for_peers(world) -> None:
    [value] = await world.take(0)
    world.txs.check(value.content)
    await world.former().form_and_append([value])
    with pytest.raises(ContainsSpentKeyImage):
        world.txs.check(value.content)
    assert value.content in world.txs


async def test_what_is_not_here_makes_no_block(world) -> None:
    with pytest.raises(NotInCache):
        await world.former().form_and_append([tx_hash_value(b"\7" * 32)])
    assert world.ledger.num_blocks() == 1


class FullDisk:
    """A ledger that has no room."""

    def __init__(self, ledger: LedgerDB) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str):
        return getattr(self._ledger, name)

    def append_block_data(self, _) -> None:
        raise DiskFull("disk full at ledger: free some space and start again")


async def test_a_full_disk_is_passed_on_and_leaves_the_ledger_as_it_was(world) -> None:
    world.append_to = FullDisk(world.ledger)
    values = await world.take(0)
    with pytest.raises(DiskFull):
        await world.former().form_and_append(values)
    assert world.ledger.num_blocks() == 1
    world.append_to = world.ledger
    await world.former().form_and_append(values)
    assert world.ledger.num_blocks() == 2


async def test_cancelled_before_the_append_nothing_is_stored(world, monkeypatch) -> None:
    called = asyncio.Event()

    async def never(*_):
        called.set()
        await asyncio.Event().wait()

    values = await world.take(0)
    monkeypatch.setattr(world.enclave, "form_block", never)
    forming = asyncio.create_task(world.former().form_and_append(values))
    await asyncio.wait_for(called.wait(), 20)
    forming.cancel()
    await asyncio.wait([forming])
    assert forming.cancelled()
    assert world.ledger.num_blocks() == 1


async def test_cancelled_within_the_append_the_block_is_whole(world, monkeypatch, tmp_path) -> None:
    """The node stops while a thread is in the middle of LMDB's transaction."""
    in_transaction, may_go_on = threading.Event(), threading.Event()
    write_block = blocks.write_block

    def slow_write(*arguments):
        write_block(*arguments)
        in_transaction.set()
        assert may_go_on.wait(20)

    monkeypatch.setattr(blocks, "write_block", slow_write)
    forming = asyncio.create_task(world.former().form_and_append(await world.take(0)))
    assert await asyncio.to_thread(in_transaction.wait, 20)
    forming.cancel()
    await asyncio.wait([forming])
    assert forming.cancelled()

    closing = threading.Thread(target=world.ledger.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()  # it waits for the transaction
    may_go_on.set()
    await asyncio.to_thread(closing.join, 20)
    assert not closing.is_alive()
    with LedgerDB.open(tmp_path / "ledger") as again:
        assert again.num_blocks() == 2
        assert again.get_block_data(1).block.parent_id == world.payments.parent.id
