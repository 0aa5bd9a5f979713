"""From wishes to particulars: which node, when, how much. The seed decides. Pure.

What it draws stays within what the network tolerates only where a preset says so; a wish is
fulfilled as it stands. A node that restarts has forgotten what it said in an open slot, so for that
slot it may contradict itself: `standard` counts it among those that may lie.
"""

import dataclasses
from collections.abc import Sequence

from mcnode.errors import InvalidError
from mcnode.simulation.draws import Draws
from mcnode.simulation.faults import BEHAVIOURS, LINK_RATES, Fault
from mcnode.simulation.topology import SimNetwork, tolerance


class TooManyFaults(InvalidError):
    """More faulty nodes than the network has nodes left."""


def particulars(
    items: Sequence[Fault | str], network: SimNetwork, seed: int, active_us: int
) -> tuple[Fault, ...]:
    """Every item as particulars that end by `active_us`; particulars stay as they are.

    Raises:
        TooManyFaults: there are not enough nodes, or one of a number that does not exist.
    """
    planner = _Planner(network, Draws(seed, "plan"), active_us)
    found: list[Fault] = []
    for item in items:
        if item == "standard":
            found += planner.standard()
        elif item == "overload":
            found += planner.overload()
        elif isinstance(item, Fault):
            found += planner.fulfil(item)
    _check(found, network)
    return tuple(found)


def _check(faults: Sequence[Fault], network: SimNetwork) -> None:
    for fault in faults:
        for group in fault.groups:
            for node in group:
                if node >= network.size:
                    raise TooManyFaults(f"fault {fault} names node {node} of {network.size}")
        if fault.kind == "quorum" and fault.amount[0] > len(
            network.quorum_sets[fault.node].members
        ):
            raise TooManyFaults(f"fault {fault} asks for more members than there are")
    byzantine = [fault.node for fault in faults if fault.kind in BEHAVIOURS]
    if len(set(byzantine)) != len(byzantine):
        raise TooManyFaults(f"a node is Byzantine twice: {byzantine}")


class _Planner:
    def __init__(self, network: SimNetwork, draws: Draws, active_us: int) -> None:
        self._network = network
        self._draws = draws
        self._active_us = active_us
        self._free = draws.shuffled(range(network.size))
        """Nodes without a lasting fault."""

    def standard(self) -> list[Fault]:
        """A mixture within tolerance."""
        draws, limits = self._draws, tolerance(self._network)
        byzantine = draws.between(0, min(limits.safe, limits.live))
        restarts = draws.between(0, limits.safe - byzantine)
        faults = self._weather()
        for kind in ("partition", "pause", "slow"):
            faults += self._many(kind, draws.between(0, 1 if kind != "partition" else 2))
        if draws.chance(0.5):
            faults += self.fulfil(Fault("clock", amount=(draws.between(1_000, 20_000),)))
        faults += self._many("byzantine", byzantine)
        if restarts and byzantine < limits.live and draws.chance(0.3):
            faults += self._many("quorum", 1)
            restarts -= 1
        return faults + self._many("crash", restarts)

    def overload(self) -> list[Fault]:
        """More liars than tolerated, and a network that helps them."""
        liars = min(tolerance(self._network).safe + 1, self._network.size - 2)
        faults = [Fault("latency", amount=(5_000, 80_000)), *self._many("twins", liars)]
        return faults + self._many("partition", 3)

    def _weather(self) -> list[Fault]:
        draws = self._draws
        low = draws.between(1, 50) * 1000
        faults = [Fault("latency", amount=(low, low + draws.between(0, 250) * 1000))]
        for kind, most in zip(LINK_RATES, (8, 5, 20), strict=True):
            if draws.chance(0.6):
                faults.append(Fault(kind, amount=(draws.between(1, most) * 10_000,)))
        return faults

    def _many(self, kind: str, count: int) -> list[Fault]:
        return self.fulfil(Fault(kind, amount=(count,))) if count else []

    def fulfil(self, wish: Fault) -> list[Fault]:
        """The particulars of one wish."""
        if wish.is_particular:
            return [wish]
        if wish.kind == "clock":
            most = wish.amount[0]
            return [
                Fault("clock", groups=((node,),), amount=(self._draws.between(-most, most),))
                for node in range(self._network.size)
            ]
        count = wish.amount[0] if wish.amount else 1
        return [self._particular(wish) for _ in range(count)]

    def _particular(self, wish: Fault) -> Fault:
        kind, draws = wish.kind, self._draws
        if kind == "byzantine":
            return Fault(draws.pick(BEHAVIOURS), groups=((self._take_node(wish),),))
        if kind in BEHAVIOURS:
            return Fault(kind, groups=((self._take_node(wish),),))
        timed = wish if wish.start_us is not None else self._with_times(wish)
        if kind == "partition":
            return dataclasses.replace(timed, groups=self._two_groups(), amount=())
        if kind == "slow":
            extra = draws.between(100, 1500) * 1000
            groups = ((draws.below(self._network.size),),)
            return dataclasses.replace(timed, groups=groups, amount=(extra,))
        if kind == "quorum":
            node = self._take_node(wish)
            quorum_set = self._network.quorum_sets[node]
            more = min(quorum_set.threshold + 1, len(quorum_set.members))
            return dataclasses.replace(timed, groups=((node,),), amount=(more,))
        node = self._take_node(wish) if kind == "crash" else draws.below(self._network.size)
        return dataclasses.replace(timed, groups=((node,),), amount=())

    def _take_node(self, wish: Fault) -> int:
        if not self._free:
            raise TooManyFaults(f"fault {wish}: 0 of {self._network.size} nodes are left for it")
        return self._free.pop()

    def _with_times(self, wish: Fault) -> Fault:
        end_ms = self._active_us // 1000
        start = self._draws.between(0, max(0, end_ms - 2000))
        end = self._draws.between(min(start + 500, end_ms), end_ms)
        return dataclasses.replace(wish, start_us=start * 1000, end_us=max(end, start + 1) * 1000)

    def _two_groups(self) -> tuple[tuple[int, ...], ...]:
        nodes = self._draws.shuffled(range(self._network.size))
        cut = self._draws.between(1, max(1, len(nodes) - 1))
        return tuple(sorted(nodes[:cut])), tuple(sorted(nodes[cut:]))


def last_end_us(faults: Sequence[Fault]) -> int:
    """When the last fault that ends has ended."""
    return max((fault.end_us for fault in faults if fault.end_us is not None), default=0)
