"""What the worker makes happen outside: sending, fetching, forming blocks, catching up."""

import pytest
import structlog

from mcnode.connection.retry import Fixed
from mcnode.consensus.actions import Report
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.shell import TX_HASHES_PER_FETCH, LatestStatement, NoArchives, NodeShell
from mcnode.crypto.keys import Ed25519Private
from mcnode.errors import BugError, InvalidError, UnavailableError
from mcnode.peers.consensus_msg import check_signature
from mcnode.peers.errors import PeerAttestationFailed, PeerUnreachable, TxHashesNotInCache
from mcnode.scp import Ballot, Msg
from mcnode.scp.types import Externalize, Prepare, PreparePayload

pytestmark = pytest.mark.asyncio

SIGNER = Ed25519Private(b"\1" * 32)
PEER = "node2.test:8443"


class FakeBroadcaster:
    def __init__(self) -> None:
        self.sent: list[tuple] = []

    def send_statement(self, payload, *, author, slot_index, recipients=None) -> None:
        self.sent.append((payload, author, slot_index, recipients))


class FakeConnection:
    """Has transactions; `errors` come first, one per call."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.asked: list[tuple[bytes, ...]] = []

    async def fetch_txs(self, tx_hashes):
        self.asked.append(tuple(tx_hashes))
        if self.errors:
            raise self.errors.pop(0)
        return list(tx_hashes)


class FakeTxs:
    """A transaction is its hash here."""

    def __init__(self) -> None:
        self.known: set[bytes] = set()
        self.errors: dict[bytes, Exception] = {}

    def missing(self, tx_hashes):
        return [tx_hash for tx_hash in tx_hashes if tx_hash not in self.known]

    async def insert(self, tx, *, is_named=False):
        assert is_named
        if tx in self.errors:
            raise self.errors[tx]
        self.known.add(tx)


class FakeSync:
    def __init__(self) -> None:
        self.asked: list[int] = []
        self.is_closed = False

    async def attempt(self, blocks_max: int) -> int:
        self.asked.append(blocks_max)
        return 3

    def close(self) -> None:
        self.is_closed = True


class FakeFormer:
    async def form_and_append(self, values):
        return ["block of", *values]


class World:
    def __init__(self, *, with_archives: bool = True) -> None:
        self.latest = LatestStatement()
        self.issued: list = []
        self.broadcaster = FakeBroadcaster()
        self.connection = FakeConnection()
        self.txs = FakeTxs()
        self.sync = FakeSync() if with_archives else None
        self.metrics = NodeMetrics()
        self.shell = NodeShell(
            signer=SIGNER,
            latest=self.latest,
            issued=self.issued.append,
            broadcaster=self.broadcaster,
            connections={PEER: self.connection},
            txs=self.txs,
            former=FakeFormer(),
            ledger_sync=self.sync,
            metrics=self.metrics,
            fetch_retry=Fixed(0.0, 2),
        )


@pytest.fixture
def shell_world():
    return World()


def statement(world, slot: int, topic) -> Msg:
    return Msg(world.node_id(1), slot, world.quorum_set, topic)


def prepare(counter: int) -> Prepare:
    return Prepare(PreparePayload(Ballot(counter, ())))


# -- statements ------------------------------------------------------------------------------------


async def test_our_statements_are_signed_remembered_and_sent_to_all(world, shell_world) -> None:
    await shell_world.shell.broadcast(statement(world, 5, prepare(1)), b"\6" * 32)
    [(payload, author, slot_index, recipients)] = shell_world.broadcaster.sent
    [issued] = shell_world.issued
    assert (author, slot_index, recipients) == (SIGNER.public_key().to_bytes(), 5, None)
    assert payload == issued.payload == shell_world.latest.payload
    assert issued.prev_block_id == b"\6" * 32
    check_signature(issued)


async def test_peers_that_ask_get_the_highest_statement(world) -> None:
    latest = LatestStatement()
    assert latest.payload == b""
    topics = [
        (5, prepare(2), True),
        (5, prepare(1), False),
        (4, Externalize(Ballot(9, ()), 9), False),
        (5, Externalize(Ballot(9, ()), 9), True),
        (6, prepare(1), True),
    ]
    for slot, topic, is_kept in topics:
        msg = world.msg(1, topic, slot)
        latest.offer(msg)
        assert (latest.payload == msg.payload) is is_kept


async def test_relayed_statements_keep_their_authors_bytes(world, shell_world) -> None:
    msg = world.nominate(2, 7)
    await shell_world.shell.relay(msg, ["node3.test:8443"])
    assert shell_world.broadcaster.sent == [
        (msg.payload, world.node_id(2).public_key, 3, ["node3.test:8443"])
    ]


# -- fetching --------------------------------------------------------------------------------------

HASHES = [number.to_bytes(32) for number in range(2 * TX_HASHES_PER_FETCH + 5)]


async def test_transactions_are_fetched_in_portions(shell_world) -> None:
    shell_world.txs.known.update(HASHES[:10])
    assert await shell_world.shell.fetch_txs(PEER, HASHES) == []
    assert list(map(len, shell_world.connection.asked)) == [90, 100, 5]


async def test_what_is_here_is_not_asked_for(shell_world) -> None:
    shell_world.txs.known.update(HASHES)
    assert await shell_world.shell.fetch_txs(PEER, HASHES) == []
    assert shell_world.connection.asked == []


async def test_without_a_connection_nothing_can_be_had(shell_world) -> None:
    assert await shell_world.shell.fetch_txs("other:1", HASHES[:3]) == HASHES[:3]


async def test_a_peer_that_lacks_them_is_not_asked_again(shell_world) -> None:
    shell_world.connection.errors = [TxHashesNotInCache(PEER, HASHES[:1])]
    assert await shell_world.shell.fetch_txs(PEER, HASHES[:2]) == HASHES[:2]
    assert len(shell_world.connection.asked) == 1


@pytest.mark.parametrize(
    "error",
    [PeerUnreachable(PEER, "UNAVAILABLE", ""), PeerAttestationFailed(PEER, "session expired")],
)
async def test_trouble_on_the_way_is_tried_again(shell_world, error) -> None:
    shell_world.connection.errors = [error, error]
    assert await shell_world.shell.fetch_txs(PEER, HASHES[:2]) == []
    shell_world.txs.known.clear()
    shell_world.connection.errors = [error] * 3
    with pytest.raises(type(error)):
        await shell_world.shell.fetch_txs(PEER, HASHES[:2])
    assert len(shell_world.connection.asked) == 6


async def test_a_transaction_that_is_refused_stays_missing_and_the_others_count(
    shell_world,
) -> None:
    shell_world.txs.errors = {
        HASHES[0]: InvalidError("breaks a rule"),
        HASHES[1]: UnavailableError("no room"),
    }
    with structlog.testing.capture_logs() as logs:
        assert await shell_world.shell.fetch_txs(PEER, HASHES[:4]) == HASHES[:2]
    assert [entry["error"] for entry in logs] == ["breaks a rule", "no room"]


@pytest.mark.parametrize("error", [BugError("ours"), KeyError("ours")])
async def test_a_bug_is_not_taken_for_a_bad_transaction(shell_world, error) -> None:
    shell_world.txs.errors = {HASHES[0]: error}
    with pytest.raises(type(error)):
        await shell_world.shell.fetch_txs(PEER, HASHES[:2])


# -- blocks ----------------------------------------------------------------------------------------


async def test_blocks_are_formed_and_counted(shell_world, world) -> None:
    assert await shell_world.shell.complete_slot([1, 2]) == ["block of", 1, 2]


async def test_catching_up_takes_as_many_blocks_as_asked(shell_world) -> None:
    await shell_world.shell.sync_ledger(100)
    assert shell_world.sync.asked == [100]
    shell_world.shell.close()
    assert shell_world.sync.is_closed


async def test_without_archives_there_is_no_catching_up() -> None:
    world = World(with_archives=False)
    with pytest.raises(NoArchives, match="needs 1"):
        await world.shell.sync_ledger(100)
    world.shell.close()


async def test_what_is_left_out_is_logged_and_other_chains_are_counted(shell_world) -> None:
    with structlog.testing.capture_logs() as logs:
        shell_world.shell.report(Report(5, PEER, "is not valid"))
        shell_world.shell.report(Report(5, PEER, "builds on", is_other_chain=True))
    assert [entry["log_level"] for entry in logs] == ["info", "warning"]
    text = shell_world.metrics.text()
    assert 'op="scp_messages_dropped_due_to_invalid_prev_block_id"} 1' in text
