"""A whole node: everything put together, started in order, stopped in the reverse.

    enclave initialised ─> sealed key on disk ─> ledger opened ─> evidence ─> admin listener
    ─> peer listener ─> client listener ─> worker, broadcaster, keepalive

Until the worker runs, clients are told that the node is not serving. Any part that fails ends the
node: a half-working member of a quorum is worse than an absent one. [docs/protocol/service.md#2]
"""

import asyncio
import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from mcnode.api.rpc import Served
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.connection.auth_token import AnonymousAuthenticator
from mcnode.connection.channel import open_channel
from mcnode.connection.retry import PEER_BROADCAST
from mcnode.consensus.agreement import Agreement, make_agreement
from mcnode.consensus.block_former import BlockFormer, MetadataProvider
from mcnode.consensus.build_info import BuildFacts
from mcnode.consensus.byzantine_ledger import ByzantineLedger
from mcnode.consensus.config.node import NodeConfig
from mcnode.consensus.equivocation import EquivocationRecorder
from mcnode.consensus.events import Event, Received
from mcnode.consensus.evidence_folder import EVIDENCE_FOLDER, EvidenceFolder
from mcnode.consensus.listeners import Listener, stop_all
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.mint_tx_manager import MintTxManager
from mcnode.consensus.proposals import Proposals
from mcnode.consensus.quorum import metadata_quorum_set
from mcnode.consensus.quorum_watch import QuorumWatch, check_own_set
from mcnode.consensus.services.admin import AdminService, BuildInfoService, LogFilter
from mcnode.consensus.services.attested import AttestedService
from mcnode.consensus.services.blockchain import BlockchainService
from mcnode.consensus.services.client import ClientService, SessionTracker
from mcnode.consensus.services.guards import Guards
from mcnode.consensus.services.health import HealthService
from mcnode.consensus.services.peer import PeerService, StatementIntake
from mcnode.consensus.shell import LatestStatement, NodeShell
from mcnode.consensus.startup import initialise_enclave, prepare_ledger
from mcnode.consensus.status import node_info, public_node_config
from mcnode.consensus.stuck_slot import SlotWatch, StuckSlotMonitor
from mcnode.consensus.tx_manager import TxManager
from mcnode.consensus.values import ValueJudge
from mcnode.consensus.worker import ConsensusWorker
from mcnode.enclave.evidence_refresh import EvidenceRefresher
from mcnode.enclave.interface import ConsensusEnclave
from mcnode.errors import McNodeError
from mcnode.ledger.archive.fetcher import BlockFetcher
from mcnode.ledger.db import LedgerMetrics
from mcnode.ledger.sync.network_state import NetworkState
from mcnode.ledger.sync.service import LedgerSync
from mcnode.peers.broadcaster import Broadcaster
from mcnode.peers.connection import PeerConnection
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.keepalive import PeerKeepalive
from mcnode.peers.relay import RelayPlanner
from mcnode.quorum.lint import Severity

ADMIN_SERVICE_NAME = "Consensus Service"

log = structlog.get_logger("mcnode.consensus.node")


class ConsensusNode:
    """One node. Make it with `prepare`, then `run` it."""

    def __init__(
        self,
        config: NodeConfig,
        enclave: ConsensusEnclave,
        build: BuildFacts,
        log_filter: LogFilter,
        metrics: NodeMetrics,
    ) -> None:
        self._config = config
        self._enclave = enclave
        self._build = build
        self._log_filter = log_filter
        self._metrics = metrics
        self._clock = time.monotonic
        self._unix_time = time.time
        self._is_running = False
        self._listeners: list[Listener] = []
        self._agreement: Agreement | None = None

    # -- state that services ask for --------------------------------------------------------------

    def pending_values(self) -> int:
        """Values that wait for a block."""
        return self._worker.pending_count()

    def is_serving(self) -> bool:
        """Whether the node is started and not catching up."""
        return self._is_running and not self._worker.is_behind()

    def num_blocks(self) -> int:
        """Blocks in the ledger."""
        return self._ledger.num_blocks()

    async def _info(self) -> Mapping[str, Any]:
        """For operators. Reads files, hence the thread."""
        info = await asyncio.to_thread(
            node_info, self._config, self._ledger, self._worker.snapshot(), self._stuck.stuck
        )
        return info | {
            "quorum": self._quorum_watch.to_json(),
            "equivocations": self._equivocations.to_json(),
        }

    def metrics_text(self) -> str:
        """All metrics, the gauges as of now."""
        self._metrics.show(
            self._worker.snapshot(),
            tx_cache_entries=len(self._txs),
            events_waiting=self._worker.events_waiting(),
        )
        return self._metrics.text()

    # -- life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Start, serve until cancelled, stop.

        Raises:
            McNodeError: the configuration, a file, a port or the trusted process is not usable.
        """
        config = self._config
        for warning in config.warnings:
            log.warning(warning)
        self._network_config = config.load_network()
        self._quorum_set = self._network_config.resolve_quorum_set(config.node_id)
        self._quorum_watch = self._make_quorum_watch()
        self._equivocations = self._make_equivocation_recorder()
        self._blockchain = config.load_blockchain_config()
        await initialise_enclave(config, self._blockchain, self._enclave)
        ledger_metrics = LedgerMetrics(self._metrics.registry)
        self._ledger = await asyncio.to_thread(prepare_ledger, config, ledger_metrics)
        try:
            await self._assemble()
            await self._serve()
        finally:
            if self._agreement is not None:
                await asyncio.to_thread(self._agreement.close)
            self._ledger.close()

    def _make_quorum_watch(self) -> QuorumWatch:
        config = self._config
        findings = check_own_set(
            self._network_config,
            config.peer_responder_id,
            allow_unsafe=config.allow_unsafe_quorum_set,
        )
        for finding in findings:
            is_note = finding.severity is Severity.NOTE
            (log.info if is_note else log.warning)("quorum set", finding=str(finding))
        return QuorumWatch(config.node_id, self._quorum_set, findings, self._metrics.scp)

    def _make_equivocation_recorder(self) -> EquivocationRecorder:
        config = self._config
        nodes = [config.node_id, *self._quorum_set.iter_nodes()]
        keys = self._network_config.message_keys()
        return EquivocationRecorder(
            {key: name for name, key in keys.items()}
            | {node.public_key: node.responder_id for node in nodes},
            EvidenceFolder(config.ledger_path / EVIDENCE_FOLDER),
            self._metrics.scp,
            self._unix_time,
        )

    async def _assemble(self) -> None:
        """Put the parts together, bottom up."""
        config, enclave, ledger = self._config, self._enclave, self._ledger
        self._evidence = EvidenceRefresher(
            enclave,
            monotonic=self._clock,
            on_refreshed=self._metrics.evidence_refreshed,
            on_failed=_log_stale_evidence,
        )
        await self._evidence.refresh()
        self._txs = TxManager(enclave, ledger)
        self._mints = MintTxManager(ledger, config.block_version, self._blockchain.governors_map)
        self._connections = {
            uri.host_and_port_responder_id: PeerConnection(
                uri, open_channel(uri), enclave, config.peer_responder_id
            )
            for uri in self._network_config.broadcast_peers
        }
        self._broadcaster = Broadcaster(
            [c for c in self._connections.values() if c.uri.broadcasts_consensus_msgs],
            clock=self._clock,
            retry=PEER_BROADCAST,
        )
        self._latest = LatestStatement()
        self._intake = StatementIntake(self._post, self._network_config.message_keys())
        network_state = NetworkState(self._quorum_set)
        metadata = MetadataProvider(
            enclave,
            metadata_quorum_set(self._quorum_set),
            config.peer_responder_id,
            config.msg_signer_key,
        )
        self._shell = self._make_shell(network_state, metadata)
        core = self._make_core(network_state)
        self._worker = ConsensusWorker(core, self._shell, self._clock)
        watch = SlotWatch(self._quorum_set, config.stuck_slot_after_s)
        self._stuck = StuckSlotMonitor(watch, core, self._metrics.scp, self._clock)
        self._proposals = Proposals(
            local_id=config.node_id,
            peers={uri.responder_id: uri for uri in self._network_config.broadcast_peers},
            txs=self._txs,
            broadcaster=self._broadcaster,
            post=self._worker.post,
            clock=self._clock,
        )
        self._keepalive = PeerKeepalive(
            self._connections.values(), take=self._intake.take, clock=self._clock
        )

    async def _post(self, event: Event) -> None:
        if isinstance(event, Received):
            scp_msg = event.msg.scp_msg
            self._quorum_watch.hear(scp_msg.sender_id, scp_msg.quorum_set)
            self._equivocations.hear(event.msg, self.num_blocks())
        await self._worker.post(event)

    def _issued(self, msg: ConsensusMsg) -> None:
        """A statement of this node: another instance with its key would contradict it."""
        self._intake.remember_own(msg)
        self._equivocations.hear(msg, self.num_blocks())

    def _make_core(self, network_state: NetworkState) -> ByzantineLedger:
        judge = ValueJudge(self._txs, self._mints)
        self._agreement = make_agreement(
            self._config,
            self._quorum_set,
            judge,
            self._ledger.num_blocks(),
            self._unix_time,
            timing=self._network_config.timing,
        )
        return ByzantineLedger(
            node=self._agreement.node,
            ledger=self._ledger,
            values=judge,
            network=network_state,
            relay=RelayPlanner[ConsensusMsg](self._broadcaster.peer_names),
        )

    def _make_shell(self, network_state: NetworkState, metadata: MetadataProvider) -> NodeShell:
        former = BlockFormer(
            enclave=self._enclave,
            ledger=self._ledger,
            txs=self._txs,
            mints=self._mints,
            metadata=metadata,
            unix_time=self._unix_time,
        )

        async def own_metadata(block_data: BlockData) -> BlockMetadata:
            return await metadata.metadata_for(block_data.block)

        ledger_sync = None
        urls = self._network_config.archive_urls
        if urls:
            fetcher = BlockFetcher.from_urls(urls)
            ledger_sync = LedgerSync(
                ledger=self._ledger,
                network=network_state,
                peers=list(self._connections.values()),
                fetch_block_data=fetcher.fetch_block_data,
                source_count=fetcher.source_count,
                make_metadata=own_metadata,
            )
        return NodeShell(
            signer=self._config.msg_signer_key,
            latest=self._latest,
            issued=self._issued,
            broadcaster=self._broadcaster,
            connections=self._connections,
            txs=self._txs,
            former=former,
            ledger_sync=ledger_sync,
            metrics=self._metrics,
        )

    async def _serve(self) -> None:
        try:
            for make in (self._admin_listener, self._peer_listener, self._client_listener):
                listener = await make()
                if listener is not None:
                    self._listeners.append(listener)
                    await listener.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._worker.run())
                group.create_task(self._quorum_watch.run())
                group.create_task(self._equivocations.run())
                if self._config.stuck_slot_after_s:
                    group.create_task(self._stuck.run())
                group.create_task(self._broadcaster.run())
                group.create_task(self._keepalive.run())
                group.create_task(self._evidence.run())
                self._is_running = True
                log.info("node is running", block_height=self._ledger.num_blocks())
        finally:
            self._is_running = False
            await stop_all(list(reversed(self._listeners)))
            await self._txs.close()
            self._shell.close()
            await asyncio.gather(
                *(connection.close() for connection in self._connections.values()),
                return_exceptions=True,
            )

    def reload_certificates(self) -> None:
        """Read certificates and keys of TLS listeners again, on SIGHUP."""
        for listener in self._listeners:
            listener.reload_certificates()

    # -- listeners --------------------------------------------------------------------------------

    async def _admin_listener(self) -> Listener | None:
        if self._config.admin_listen_uri is None:
            return None
        admin = AdminService(
            name=ADMIN_SERVICE_NAME,
            id=self._config.peer_responder_id,
            build_info=self._build.to_wire(),
            build_info_json=self._build.to_json_text(),
            info=self._info,
            metrics_text=self.metrics_text,
            log_filter=self._log_filter,
        )
        served = [
            *admin.served(),
            *HealthService(lambda: True).served(),
            *self._build_info_served(),
        ]
        return Listener("admin", self._config.admin_listen_uri, served, self._metrics)

    async def _peer_listener(self) -> Listener:
        guards = Guards(self._config.chain_id, AnonymousAuthenticator(), self._unix_time)
        peer = PeerService(
            enclave=self._enclave,
            txs=self._txs,
            intake=self._intake,
            neighbours=frozenset(self._connections),
            latest_statement=lambda: self._latest.payload,
            num_blocks=self.num_blocks,
            accept_from_peer=self._proposals.from_peer,
            heard_from=self._keepalive.heard_from,
            metrics=self._metrics,
        )
        served = [
            *peer.served(),
            *AttestedService(guards, self._enclave.peer_accept, "peer_auth").served(),
            *self._blockchain_served(guards),
            *HealthService(lambda: True).served(),
            *self._build_info_served(),
        ]
        return Listener("peer", self._config.peer_listen_uri, served, self._metrics)

    async def _client_listener(self) -> Listener:
        config = self._config
        guards = Guards(config.chain_id, config.client_authenticator(), self._unix_time)
        client = ClientService(
            guards=guards,
            state=self,
            enclave=self._enclave,
            txs=self._txs,
            mints=self._mints,
            propose=self._proposals.from_client,
            node_config=functools.partial(
                public_node_config,
                config,
                self._ledger,
                minting_trust_root=await self._enclave.get_minting_trust_root(),
                block_signing_key=await self._enclave.get_signer(),
            ),
            block_version=config.block_version.value,
            sessions=SessionTracker(config.client_tracking_capacity),
            metrics=self._metrics,
        )
        served = [
            *client.served(),
            *AttestedService(guards, self._enclave.client_accept, "client_auth").served(),
            *self._blockchain_served(guards),
            *HealthService(self.is_serving).served(),
            *self._build_info_served(),
        ]
        return Listener("client", config.client_listen_uri, served, self._metrics)

    def _blockchain_served(self, guards: Guards) -> Sequence[Served]:
        return BlockchainService(
            guards=guards,
            ledger=self._ledger,
            minimum_fees=dict(self._blockchain.fee_map),
            block_version=self._config.block_version.value,
        ).served()

    def _build_info_served(self) -> Sequence[Served]:
        return BuildInfoService(self._build.to_wire()).served()


def _log_stale_evidence(error: McNodeError) -> None:
    log.error("attestation evidence could not be refreshed", error=str(error))
