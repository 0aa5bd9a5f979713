"""The node's own look at quorum sets: before it starts, and while its peers announce theirs.

Every statement carries its author's quorum set. What the nodes that matter announce (those in our
set, those in theirs, and so on) is kept, and whenever it changes the whole is analysed again in the
background: whether it can split, how many stopped nodes halt it. The result is in `/info`, where
`mcnode quorum` reads the announced sets too, in the metrics and, when it changes, in the log.
[docs/quorum.md#11]
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from mcnode.consensus.config.errors import QuorumSetError
from mcnode.consensus.config.network_file import NetworkConfig
from mcnode.consensus.metrics import OpMetrics
from mcnode.errors import InvalidError, UnavailableError
from mcnode.quorum.bounds import Bounds
from mcnode.quorum.export import network_set
from mcnode.quorum.intersection import Verdict, names_of_witness
from mcnode.quorum.lint import Finding, Severity, lint_node
from mcnode.quorum.model import FederatedNode, FederatedSystem, complete
from mcnode.quorum.solver import has_solver
from mcnode.quorum.summary import check_system, find_sets
from mcnode.scp import NodeID, QuorumSet

NODES_MAX: Final = 300
"""Nodes whose sets are kept. A member of our set that lies may name thousands; the network has a
few dozen."""

SETTLE_S: Final = 2.0
"""After a change, for the sets of others to arrive before all of it is analysed."""

RECHECK_EVERY_S: Final = 30.0
"""The least time between two analyses: a peer may announce another set with every statement."""

ANALYSIS_S: Final = 10.0
"""One analysis at most; a few milliseconds for networks as they are."""

OVERRIDE_FLAG: Final = "--allow-unsafe-quorum-set"

log = structlog.get_logger("mcnode.consensus.quorum")


class UnsafeQuorumSet(QuorumSetError):
    """The node's quorum set can be read but should not be used."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        reasons = "; ".join(f"{finding.message}. {finding.remedy}" for finding in findings)
        super().__init__(f"unsafe quorum set: {reasons}; or start with {OVERRIDE_FLAG} true")


def check_own_set(
    network: NetworkConfig, own_responder_id: str, *, allow_unsafe: bool
) -> list[Finding]:
    """Lint the set in our network file; what was found, errors only where they are allowed.

    Raises:
        UnsafeQuorumSet: there are errors, and they are not allowed.
    """
    node = FederatedNode(own_responder_id, network.quorum_set)
    peers = frozenset(uri.responder_id for uri in network.peers)
    system = FederatedSystem(complete([node]), peers={own_responder_id: peers})
    findings = lint_node(system, node)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors and not allow_unsafe:
        raise UnsafeQuorumSet(errors)
    return findings


@dataclasses.dataclass(frozen=True, slots=True)
class QuorumReport:
    """What the announced sets come to. `is_whole`: every node that matters has announced its set.
    Before that a split is one already, but nothing else can be said: the verdict is None."""

    verdict: Verdict | None
    is_whole: bool
    heard: int
    named: int
    witness: tuple[tuple[str, ...], ...] = ()
    smallest_blocking_set: int | None = None
    smallest_splitting_set: int | None = None

    def to_json(self) -> dict[str, Any]:
        """For `/info`."""
        return {
            "verdict": None if self.verdict is None else self.verdict.value,
            "is_whole": self.is_whole,
            "nodes_heard": self.heard,
            "nodes_named": self.named,
            "disjoint_quorums": [list(side) for side in self.witness],
            "smallest_blocking_set": self.smallest_blocking_set,
            "smallest_splitting_set": self.smallest_splitting_set,
        }


def analyse(sets: Mapping[NodeID, QuorumSet[NodeID] | None], bounds: Bounds) -> QuorumReport:
    """Analyse sets that were announced; None where a node has announced nothing yet.

    Raises:
        InvalidError, UnavailableError: there is no answer within the bounds.
    """
    system = FederatedSystem(
        complete(
            FederatedNode(
                node.public_key.hex(),
                None if quorum_set is None else _by_key(quorum_set),
                node.responder_id,
            )
            for node, quorum_set in sets.items()
        )
    )
    check = check_system(system, bounds, count=False)
    heard = sum(quorum_set is not None for quorum_set in sets.values())
    is_whole = heard == len(system)
    verdict = check.intersection.verdict
    report = QuorumReport(
        verdict if is_whole or verdict is Verdict.SPLIT else None,
        is_whole,
        heard,
        len(system),
        tuple(
            tuple(system.label(node_id) for node_id in side)
            for side in names_of_witness(check.system, check.intersection)
        ),
    )
    if not (is_whole and has_solver()):
        return report
    found = find_sets(check.system, None, lambda: bounds)
    return dataclasses.replace(
        report,
        smallest_blocking_set=found.blocking.smallest,
        smallest_splitting_set=found.splitting.smallest,
    )


def _by_key(quorum_set: QuorumSet[NodeID]) -> QuorumSet[str]:
    """Over keys as hex, which tell nodes apart whatever they call themselves."""
    members = tuple(
        _by_key(m) if isinstance(m, QuorumSet) else None if m is None else m.public_key.hex()
        for m in quorum_set.members
    )
    return QuorumSet(quorum_set.threshold, members)


def _by_responder_id(quorum_set: QuorumSet[NodeID]) -> QuorumSet[str]:
    members = tuple(
        _by_responder_id(m) if isinstance(m, QuorumSet) else None if m is None else m.responder_id
        for m in quorum_set.members
    )
    return QuorumSet(quorum_set.threshold, members)


class QuorumWatch:
    """Remembers announced sets and analyses them. Used on one loop; the analysis is in a thread."""

    def __init__(
        self,
        own: NodeID,
        quorum_set: QuorumSet[NodeID],
        findings: Sequence[Finding],
        metrics: OpMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._sets: dict[NodeID, QuorumSet[NodeID] | None] = {own: quorum_set}
        self._findings = tuple(findings)
        self._metrics = metrics
        self._clock = clock
        self._changed = asyncio.Event()
        self._report: QuorumReport | None = None
        self._has_heard = False
        self._name_members(quorum_set)
        self._changed.set()
        metrics.gauge(
            "quorum_lint_errors",
            sum(finding.severity is Severity.ERROR for finding in self._findings),
        )

    @property
    def report(self) -> QuorumReport | None:
        """The last analysis; None before the first."""
        return self._report

    def hear(self, author: NodeID, quorum_set: QuorumSet[NodeID]) -> None:
        """A statement with a valid signature carries this set."""
        if author == self._own or author not in self._sets:
            return
        known = self._sets[author]
        if known is quorum_set or known == quorum_set:
            return
        if known is not None:
            self._metrics.count("quorum_sets_changed_count")
            log.info("peer announces another quorum set", peer=author.responder_id)
        self._sets[author] = quorum_set
        self._has_heard = True
        self._forget_unnamed()
        self._changed.set()

    def _name_members(self, quorum_set: QuorumSet[NodeID]) -> None:
        for named in sorted(quorum_set.nodes()):
            if len(self._sets) >= NODES_MAX:
                return
            self._sets.setdefault(named, None)

    def _forget_unnamed(self) -> None:
        """Keep the nodes that our set reaches through the sets of others."""
        before = self._sets
        self._sets = {self._own: before[self._own]}
        waiting = [self._own]
        while waiting:
            quorum_set = before.get(waiting.pop())
            if quorum_set is None:
                continue
            for named in sorted(quorum_set.nodes()):
                if named not in self._sets and len(self._sets) < NODES_MAX:
                    self._sets[named] = before.get(named)
                    waiting.append(named)

    async def run(self) -> None:
        """Analyse whenever something changed, until cancelled."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            await self.check()
            if self._has_heard:  # the first statements after the start are not made to wait
                await asyncio.sleep(RECHECK_EVERY_S)

    async def check(self) -> None:
        """Analyse what is known now."""
        self._changed.clear()
        end = self._clock() + ANALYSIS_S
        bounds = Bounds(lambda: self._clock() > end)
        try:
            report = await asyncio.to_thread(analyse, dict(self._sets), bounds)
        except (InvalidError, UnavailableError) as error:
            log.warning("quorum sets could not be analysed", error=str(error))
            return
        self._show(report)

    def _show(self, report: QuorumReport) -> None:
        before, self._report = self._report, report
        gauges = {
            "quorum_can_split": int(report.verdict is Verdict.SPLIT),
            "quorum_nodes_heard": report.heard,
            "quorum_nodes_named": report.named,
            "quorum_smallest_blocking_set": report.smallest_blocking_set or 0,
            "quorum_smallest_splitting_set": report.smallest_splitting_set or 0,
        }
        for op, value in gauges.items():
            self._metrics.gauge(op, value)
        if report == before:
            return
        shown = report.to_json()
        if report.verdict is Verdict.SPLIT:
            log.error("the quorum sets of the network allow a split", **shown)
        elif report.is_whole:
            log.info("quorum sets analysed", **shown)

    def to_json(self) -> dict[str, Any]:
        """For `/info`: what the lint said, the analysis, the announced sets by responder id."""
        return {
            "lint": [str(finding) for finding in self._findings],
            "analysis": None if self._report is None else self._report.to_json(),
            "announced": [
                {
                    "responder_id": node.responder_id,
                    "quorum_set": network_set(_by_responder_id(quorum_set)),
                }
                for node, quorum_set in self._sets.items()
                if quorum_set is not None
            ],
        }
