"""What the worker can make happen: sending, fetching, forming blocks, catching up."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from mcnode.blockchain.block_data import BlockData
from mcnode.connection.retry import FETCH_MISSING_TXS, RetryPolicy, retry
from mcnode.consensus.actions import Report
from mcnode.consensus.block_former import BlockFormer
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.tx_manager import TxManager
from mcnode.crypto.keys import Ed25519Private
from mcnode.errors import InvalidError, UnavailableError
from mcnode.ledger.sync.service import LedgerSync
from mcnode.peers.broadcaster import Broadcaster
from mcnode.peers.connection import PeerConnection
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.peers.errors import PeerAttestationFailed, PeerUnreachable, TxHashesNotInCache
from mcnode.scp import Msg, compare_topics

TX_HASHES_PER_FETCH = 100
"""Asked for in one call, as the network's nodes do."""

log = structlog.get_logger("mcnode.consensus")


class NoArchives(UnavailableError):
    """The network file names no archive to catch up from."""

    def __init__(self) -> None:
        super().__init__("0 tx_source_urls in the network file, needs 1 to catch up")


class LatestStatement:
    """The highest statement that this node has issued, for peers that ask."""

    def __init__(self) -> None:
        self._msg: ConsensusMsg | None = None

    @property
    def payload(self) -> bytes:
        """Its bytes; empty before the first."""
        return b"" if self._msg is None else self._msg.payload

    def offer(self, msg: ConsensusMsg) -> None:
        """Keep `msg` if it is of a later slot, or higher in the same one."""
        if self._msg is None or _is_higher(msg.scp_msg, self._msg.scp_msg):
            self._msg = msg


def _is_higher(new: Msg[ConsensusValue], old: Msg[ConsensusValue]) -> bool:
    if new.slot_index != old.slot_index:
        return new.slot_index > old.slot_index
    return compare_topics(new.topic, old.topic) > 0


class NodeShell:
    """Implements `WorkerPorts` over the real connections, ledger and trusted process."""

    def __init__(
        self,
        *,
        signer: Ed25519Private,
        latest: LatestStatement,
        issued: Callable[[ConsensusMsg], None],
        broadcaster: Broadcaster,
        connections: Mapping[str, PeerConnection],
        txs: TxManager,
        former: BlockFormer,
        ledger_sync: LedgerSync | None,
        metrics: NodeMetrics,
        fetch_retry: RetryPolicy = FETCH_MISSING_TXS,
    ) -> None:
        self._signer = signer
        self._own_key = signer.public_key().to_bytes()
        self._latest = latest
        self._issued = issued
        self._broadcaster = broadcaster
        self._connections = connections
        self._txs = txs
        self._former = former
        self._ledger_sync = ledger_sync
        self._metrics = metrics
        self._fetch_retry = fetch_retry

    async def broadcast(self, scp_msg: Msg[ConsensusValue], prev_block_id: bytes) -> None:
        """Sign a statement, remember it as our latest, queue it for every peer."""
        msg = ConsensusMsg.sign(scp_msg, prev_block_id, self._signer)
        self._latest.offer(msg)
        self._issued(msg)
        self._broadcaster.send_statement(
            msg.payload, author=self._own_key, slot_index=scp_msg.slot_index
        )

    async def relay(self, msg: ConsensusMsg, recipients: Sequence[str]) -> None:
        """Queue a peer's statement for some peers, in the author's own bytes."""
        self._broadcaster.send_statement(
            msg.payload,
            author=msg.scp_msg.sender_id.public_key,
            slot_index=msg.scp_msg.slot_index,
            recipients=recipients,
        )

    async def fetch_txs(self, peer: str, tx_hashes: Sequence[bytes]) -> Sequence[bytes]:
        """Fetch and check transactions; returns the hashes that could not be had."""
        connection = self._connections.get(peer)
        if connection is None:
            return tx_hashes
        for start in range(0, len(tx_hashes), TX_HASHES_PER_FETCH):
            chunk = tx_hashes[start : start + TX_HASHES_PER_FETCH]
            await self._fetch_chunk(connection, chunk)
        return self._txs.missing(tx_hashes)

    async def _fetch_chunk(self, connection: PeerConnection, chunk: Sequence[bytes]) -> None:
        wanted = self._txs.missing(chunk)
        if not wanted:
            return
        try:
            contexts = await retry(
                lambda: connection.fetch_txs(wanted),
                self._fetch_retry,
                may_retry=lambda e: isinstance(e, PeerUnreachable | PeerAttestationFailed),
            )
        except TxHashesNotInCache as error:
            log.info("peer lacks transactions that it named", error=str(error))
            return
        results = await asyncio.gather(
            *(self._txs.insert(context, is_named=True) for context in contexts),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, InvalidError | UnavailableError):
                log.warning("fetched transaction not taken", error=str(result))
            elif isinstance(result, BaseException):
                raise result

    async def complete_slot(self, values: Sequence[ConsensusValue]) -> BlockData:
        """Form and append the block."""
        return await self._former.form_and_append(values)

    async def sync_ledger(self, blocks_max: int) -> None:
        """One catch-up attempt. Raises `McNodeError` when it brought nothing."""
        if self._ledger_sync is None:
            raise NoArchives
        log.info("behind the network, catching up", blocks_max=blocks_max)
        count = await self._ledger_sync.attempt(blocks_max)
        log.info("caught up", blocks=count)

    def slot_completed(
        self, block_data: BlockData, value_count: int, waited_s: Sequence[float]
    ) -> None:
        """Count and log a new block; `waited_s` are the waits of our own clients' values."""
        block = block_data.block
        self._metrics.block_externalized(tx_count=value_count, waited_s=waited_s)
        log.info(
            "block externalized",
            index=block.index,
            id=block.id.hex(),
            outputs=len(block_data.contents.outputs),
            key_images=len(block_data.contents.key_images),
        )

    def report(self, report: Report) -> None:
        """Count and log what the core left out. A peer on another chain concerns an operator."""
        if report.is_other_chain:
            self._metrics.count("scp_messages_dropped_due_to_invalid_prev_block_id")
            log.warning(
                "statement of another chain dropped",
                slot_index=report.slot_index,
                author=report.author,
                reason=report.reason,
            )
        else:
            log.info(
                "left out of consensus",
                slot_index=report.slot_index,
                author=report.author,
                reason=report.reason,
            )

    def close(self) -> None:
        """Give back the threads that catching up uses."""
        if self._ledger_sync is not None:
            self._ledger_sync.close()
