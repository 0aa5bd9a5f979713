"""The world: nodes, wires, disks, clients, and the faults that befall them."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

from mcnode.blockchain.block_data import BlockData
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import QuorumSet
from mcnode.simulation.behaviours import HOSTS
from mcnode.simulation.checks import Checks
from mcnode.simulation.draws import Draws
from mcnode.simulation.faults import BEHAVIOURS, LINK_RATES, Fault
from mcnode.simulation.host import Host
from mcnode.simulation.ledger import BlockMill, SimLedger, StandInTx
from mcnode.simulation.net import Timeline, Weather, Wires
from mcnode.simulation.topology import SimNetwork
from mcnode.simulation.trace import Sealer, Trace

TWIN_SIDES_US = 3_000_000
"""How long the peers of twins keep to one of them."""
BOTH = 2


class World:
    """Everything there is. Nothing in it depends on anything but its arguments."""

    def __init__(
        self,
        network: SimNetwork,
        seed: int,
        faults: Sequence[Fault],
        *,
        check_slots: bool = True,
        keep_trace: bool = False,
    ) -> None:
        self.network = network
        self.seed = seed
        self.timing = network.timing
        self.trace = Trace(keep_all=keep_trace)
        self.timeline = Timeline()
        self.wires = Wires(self.timeline, Draws(seed, "wires"), self.trace)
        self.txs: dict[bytes, StandInTx] = {}
        self.mill = BlockMill(self.txs.__getitem__)
        self.archive: dict[bytes, BlockData] = {}
        self.sealer = Sealer()
        self.checks = Checks(self.txs, check_slots=check_slots)
        self.waits_s: list[float] = []
        """How long clients' transactions took, each at the node that took it in."""
        self._mute: set[int] = set()
        self._twins: set[int] = set()
        self._twin_draws = Draws(seed, "twins")
        self._sides: dict[int, int] = {}
        """Which instance of every twin a node hears."""
        self._partitions: list[Fault] = []
        self.hosts: list[Host] = []
        self._by_position: list[list[Host]] = []
        self._make_hosts(faults)
        self._schedule(faults)

    # -- making -----------------------------------------------------------------------------------

    def _make_hosts(self, faults: Sequence[Fault]) -> None:
        behaviours = {fault.node: fault.kind for fault in faults if fault.kind in BEHAVIOURS}
        rates = {f.node: 1.0 + f.amount[0] / 1e6 for f in faults if f.kind == "clock"}
        self._mute = {node for node, kind in behaviours.items() if kind == "silent"}
        for position in range(self.network.size):
            host = self._make_host(position, behaviours.get(position), rates.get(position, 1.0))
            self._by_position.append([host])
        for position in sorted(n for n, kind in behaviours.items() if kind == "twins"):
            self._by_position[position].append(self._make_host(position, "twins", 1.0))
            self._twins.add(position)
        if self._twins:
            self._shuffle_sides()
        for host in self.hosts:
            host.boot()

    def _make_host(self, position: int, behaviour: str | None, rate: float) -> Host:
        make = Host if behaviour is None else HOSTS[behaviour]
        host = make(
            self,
            len(self.hosts),
            position,
            quorum_set=self.network.quorum_sets[position],
            ledger=SimLedger(self.mill.origin),
            clock_rate=rate,
        )
        self.hosts.append(host)
        return host

    def _shuffle_sides(self) -> None:
        """Decide anew which nodes hear which instance of all twins; one in five hears both."""
        draws = self._twin_draws
        for position in range(self.network.size):
            self._sides[position] = BOTH if draws.chance(0.2) else draws.below(2)
        for fault in self._partitions:
            self._follow(fault)
        self.timeline.after(TWIN_SIDES_US, self._shuffle_sides)

    def _follow(self, fault: Fault) -> None:
        """Twins know of partitions, and stand on both sides of them."""
        for number, group in enumerate(fault.groups):
            for position in group:
                self._sides[position] = number % 2

    # -- faults -----------------------------------------------------------------------------------

    def _schedule(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            if fault.kind in LINK_RATES:
                setattr(self.wires.weather, fault.kind, fault.amount[0])
            elif fault.kind == "latency":
                self.wires.weather.latency_us = (fault.amount[0], fault.amount[1])
            elif fault.start_us is not None and fault.end_us is not None:
                begin, end = self._timed(fault)
                self.timeline.at(fault.start_us, begin)
                self.timeline.at(fault.end_us, end)

    def _timed(self, fault: Fault) -> tuple[Callable[[], None], Callable[[], None]]:
        """What to do when a fault begins, and when it ends."""
        match fault.kind:
            case "partition":
                return (
                    functools.partial(self._begin_partition, fault),
                    functools.partial(self._end_partition, fault),
                )
            case "crash" | "quorum":
                return (
                    functools.partial(self._crash, fault.node),
                    functools.partial(self._restart, fault),
                )
            case "pause":
                return functools.partial(self._pause, fault), _nothing
        slow = functools.partial(self.wires.slow_down, fault.node)
        return functools.partial(slow, fault.amount[0]), functools.partial(slow, 0)

    def _begin_partition(self, fault: Fault) -> None:
        self._note(str(fault))
        self._partitions.append(fault)
        self._follow(fault)
        self.wires.split(self._without_twins(fault))

    def _end_partition(self, fault: Fault) -> None:
        self._note(f"end of {fault}")
        self._partitions.remove(fault)
        self.wires.heal(self._without_twins(fault))

    def _without_twins(self, fault: Fault) -> Fault:
        groups = (tuple(n for n in group if n not in self._twins) for group in fault.groups)
        return dataclasses.replace(fault, groups=tuple(groups))

    def _crash(self, position: int) -> None:
        for host in self._by_position[position]:
            if host.is_up:
                host.crash()

    def _restart(self, fault: Fault) -> None:
        for host in self._by_position[fault.node]:
            if fault.kind == "quorum":
                host.quorum_set = QuorumSet(fault.amount[0], host.quorum_set.members)
            if not host.is_up:
                host.boot()

    def _pause(self, fault: Fault) -> None:
        for host in self._by_position[fault.node]:
            host.paused_until_us = fault.end_us or 0

    def calm(self) -> None:
        """From now on the wires lose, double and reorder nothing."""
        self.wires.weather = Weather(self.wires.weather.latency_us)
        self._note("calm")

    def _note(self, text: str) -> None:
        self.trace.add(f"{self.timeline.now_us} {text}")

    # -- between nodes ----------------------------------------------------------------------------

    def instances_for(self, source: Host, position: int) -> list[Host]:
        """Which instances at a position hear `source`: of twins one or both, by sides."""
        found = self._by_position[position]
        if not self._twins:
            return found
        if source.position in self._twins:
            own = self._by_position[source.position].index(source)
            if position in self._twins:
                return [found[own]]
            return found if self._sides[position] in (BOTH, own) else []
        side = self._sides[source.position]
        return [found[side]] if position in self._twins and side != BOTH else found

    def instance_for(self, source: Host, position: int) -> Host:
        """The one instance that answers requests of `source`."""
        return (self.instances_for(source, position) or self._by_position[position])[0]

    def is_anybody_up(self, position: int) -> bool:
        """Whether a node can be connected to."""
        return any(host.is_up for host in self._by_position[position])

    def is_mute(self, position: int) -> bool:
        """Whether a node takes requests and never answers."""
        return position in self._mute

    def carry_statement(self, source: Host, position: int, msg: ConsensusMsg) -> int | None:
        """Send a statement; how long that took, or None when it cannot be sent."""
        name = source.node_id.responder_id
        return self.carry(source, position, lambda host: host.take_statement(msg, name))

    def carry(self, source: Host, position: int, deliver: Callable[[Host], None]) -> int | None:
        """Send something; a node that is down cannot be reached."""
        if not self.is_anybody_up(position):
            return None
        took_us: int | None = 1_000
        for host in self.instances_for(source, position):
            arrive = functools.partial(self._arrive, source.instance, host, deliver)
            took_us = self.wires.carry(source.position, position, arrive)
        return took_us

    def _arrive(self, source: int, host: Host, deliver: Callable[[Host], None]) -> None:
        self.trace.add(f"{self.timeline.now_us} {source}>{host.instance}")
        host.alive(lambda: deliver(host))()

    def ask(self, source: Host, position: int, answer: Callable[[Host], None]) -> bool:
        """Send a request that `answer` handles at the other end; False when there is nobody."""
        if self.is_mute(position):
            return False
        return self.carry(source, position, answer) is not None

    # -- blocks -----------------------------------------------------------------------------------

    def before_append(
        self, host: Host, data: BlockData, values: Sequence[ConsensusValue] | None
    ) -> None:
        """A block is about to be stored."""
        if host.is_honest:
            self.checks.block(host, data, values, self.timeline.now_us)
            self.archive[data.block.id] = data

    def check_statement(self, host: Host, msg: ConsensusMsg) -> None:
        """A statement is about to be sent."""
        if host.is_honest:
            self.checks.statement(host, msg, self.timeline.now_us)

    def slot_completed(self, host: Host, waits_s: Sequence[float]) -> None:
        """A block was agreed on; its own clients had waited that long at this node."""
        if host.is_honest:
            self.waits_s.extend(waits_s)

    def honest(self) -> list[Host]:
        """The instances that count."""
        return [host for host in self.hosts if host.is_honest]

    def check_memory(self) -> None:
        """Look at every honest node's memory."""
        identities = self.network.size
        for host in self.honest():
            if host.is_up:
                self.checks.memory(host, identities, self.timeline.now_us)


def _nothing() -> None:
    """A pause ends by itself."""
