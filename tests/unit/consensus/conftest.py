"""The decision core between fakes: a ledger in memory, values that are judged by a table."""

import hashlib
from collections.abc import Iterable, Sequence

import pytest
import pytest_asyncio

from mcnode.blockchain.block import make_origin_block
from mcnode.conformance.enclave_fixture import PaymentLedger, in_process, start
from mcnode.consensus.actions import Action, CompleteSlot
from mcnode.consensus.byzantine_ledger import ByzantineLedger
from mcnode.crypto.keys import Ed25519Private
from mcnode.errors import InvalidError
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sync.network_state import NetworkState
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.peers.relay import RelayPlanner
from mcnode.scp import Ballot, Msg, Node, NodeID, QuorumSet, Topic
from mcnode.scp.types import Externalize, Nominate, NominatePayload


class NotValid(InvalidError):
    """A value that the table says is not valid."""


def signer(number: int) -> Ed25519Private:
    return Ed25519Private(bytes([number]) * 32)


def node_id(number: int) -> NodeID:
    return NodeID(f"node{number}.test:8443", signer(number).public_key().to_bytes())


def value(number: int) -> ConsensusValue:
    return tx_hash_value(number.to_bytes(32))


class MemoryLedger:
    """Ids of blocks; a block is what its values and its parent say."""

    def __init__(self, count: int = 3) -> None:
        self.ids = [hashlib.sha256(b"block %d" % number).digest() for number in range(count)]
        self.decided: dict[int, tuple[ConsensusValue, ...]] = {}

    def num_blocks(self) -> int:
        return len(self.ids)

    def block_id(self, index: int) -> bytes | None:
        return self.ids[index] if 0 <= index < len(self.ids) else None

    def append(self, values: Iterable[ConsensusValue]) -> None:
        values = tuple(values)
        self.decided[len(self.ids)] = values
        self.ids.append(hashlib.sha256(self.ids[-1] + repr(values).encode()).digest())


class ValueTable:
    """Which transactions are here, and which may not go into a block."""

    def __init__(self) -> None:
        self.absent: set[ConsensusValue] = set()
        self.invalid: set[ConsensusValue] = set()
        self.completed: list[int] = []
        self.can_combine = True

    def check(self, value: ConsensusValue) -> None:
        if value in self.invalid:
            raise NotValid(f"{value} is not valid")

    def is_valid(self, value: ConsensusValue) -> bool:
        return value not in self.invalid

    def missing(self, tx_hashes: Iterable[bytes]) -> list[bytes]:
        return [tx_hash for tx_hash in tx_hashes if tx_hash_value(tx_hash) in self.absent]

    def combine(self, values: Sequence[ConsensusValue]) -> Sequence[ConsensusValue]:
        if not self.can_combine:
            raise NotValid("these do not go together")
        return sorted(values)

    def block_completed(self, num_blocks: int) -> None:
        self.completed.append(num_blocks)


class CoreWorld:
    """Node 1, its core, and what its peers might say."""

    value = staticmethod(value)
    node_id = staticmethod(node_id)

    def __init__(self, threshold: int = 2, peers: Sequence[int] = (2, 3, 4)) -> None:
        self.quorum_set = QuorumSet(threshold, tuple(map(node_id, peers)))
        self.ledger = MemoryLedger()
        self.values = ValueTable()
        self.network = NetworkState(self.quorum_set)
        self.node = Node[ConsensusValue](
            node_id(1),
            self.quorum_set,
            self.values.check,
            self.values.combine,
            slot_index=self.ledger.num_blocks(),
        )
        self.core = ByzantineLedger(
            node=self.node,
            ledger=self.ledger,
            values=self.values,
            network=self.network,
            relay=RelayPlanner[ConsensusMsg]([node_id(peer).responder_id for peer in peers]),
        )
        self.now = 1000.0

    # What peers say.

    def msg(
        self, author: int, topic: Topic[ConsensusValue], slot: int = 3, prev: bytes | None = None
    ) -> ConsensusMsg:
        scp_msg = Msg(node_id(author), slot, QuorumSet(1, (node_id(1),)), topic)
        if prev is None:
            prev = self.ledger.block_id(slot - 1) or bytes(32)
        if slot == 0:
            return ConsensusMsg.from_parts(scp_msg, prev, bytes(64))
        return ConsensusMsg.sign(scp_msg, prev, signer(author))

    def nominate(self, author: int, *numbers: int, slot: int = 3) -> ConsensusMsg:
        voted = tuple(sorted(map(value, numbers)))
        return self.msg(author, Nominate(NominatePayload(voted)), slot)

    def externalize(self, author: int, *numbers: int, slot: int = 3) -> ConsensusMsg:
        ballot = Ballot(1, tuple(sorted(map(value, numbers))))
        return self.msg(author, Externalize(ballot, 1), slot)

    def receive(self, msg: ConsensusMsg, source: int | None = None) -> None:
        sender = msg.scp_msg.sender_id.responder_id
        name = sender if source is None else node_id(source).responder_id
        self.core.receive(msg, name, self.now)

    def receive_copy(self, msg: ConsensusMsg, source: int) -> None:
        scp_msg = msg.scp_msg
        self.core.receive_copy(
            scp_msg.sender_id.public_key,
            scp_msg.slot_index,
            node_id(source).responder_id,
            self.now,
        )

    # What the core does.

    @staticmethod
    def of(actions: Iterable[Action], kind: type) -> list:
        """The actions of one kind."""
        return [action for action in actions if isinstance(action, kind)]

    def tick(self, after_s: float = 0.0) -> list[Action]:
        self.now += after_s
        return self.core.tick(self.now)

    def complete(self, actions: Iterable[Action]) -> None:
        """Append the block that `actions` ask for."""
        [complete] = self.of(actions, CompleteSlot)
        assert complete.slot_index == self.ledger.num_blocks()
        self.ledger.append(complete.values)
        self.core.block_appended()

    def decide(self, *numbers: int) -> list[Action]:
        """Let two peers announce the outcome of the current slot; the actions of that tick."""
        slot = self.ledger.num_blocks()
        for author in (2, 3):
            self.receive(self.externalize(author, *numbers, slot=slot))
        return self.tick()


@pytest.fixture
def make_world():
    """Makes a `CoreWorld`."""
    return CoreWorld


@pytest.fixture
def world():
    """Node 1 with three peers, of which it needs two."""
    return CoreWorld()


@pytest.fixture(scope="session")
def payments():
    """A ledger's outputs and three payments of them."""
    return PaymentLedger()


@pytest.fixture
def funded_ledger(payments, tmp_path):
    """The ledger that `payments` spends from, on disk."""
    with LedgerDB.create(tmp_path / "ledger", durable=False) as ledger:
        block, contents = make_origin_block([owned.tx_out for owned in payments.fixture.owned])
        ledger.append_block(block, contents)
        yield ledger


@pytest_asyncio.fixture
async def enclave():
    """A trusted process in this process, initialised and with evidence."""
    async with in_process() as made:
        await start(made, "node1.test:8443")
        yield made
