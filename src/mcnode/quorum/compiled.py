"""A system as bit masks: what is satisfied, the greatest quorum, where quorums can be.

Node n is bit n. Every quorum set is compiled with its own node counted in, so that "7 of the other
9" of ten nodes becomes one and the same set, 8 of 10, for all of them; whatever is computed per
distinct set is then computed once. Nothing changes by that, because a set is only ever asked about
nodes among which its own node is.

**Quorum**: nodes, at least one, each of which has its set satisfied by them. The union of two
quorums is one, so among any nodes there is a greatest one: the fixed point of dropping who is not
satisfied. **Core**: a minimal quorum lies within one strongly connected component of "listens to";
the greatest quorum inside each component that has one holds every minimal quorum there is, and two
components that have one are two disjoint quorums. [docs/quorum.md#3]
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator

from mcnode.quorum.model import FederatedSystem
from mcnode.scp.quorum_set import QuorumSet

_PLACES_SEARCHED_MAX = 100_000
"""Nodes times inner sets up to which the best place for the own node is searched for."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class MaskSet:
    """A quorum set over node bits; inner sets in order, so that equal sets compare equal."""

    threshold: int
    nodes: int
    inner: "tuple[MaskSet, ...]" = ()

    def is_satisfied(self, present: int) -> bool:
        """Whether the nodes present contain one of its slices."""
        lacking = self.threshold - (self.nodes & present).bit_count()
        for number, inner in enumerate(self.inner):
            if lacking <= 0 or lacking > len(self.inner) - number:
                break
            lacking -= inner.is_satisfied(present)
        return lacking <= 0

    def named(self) -> int:
        """Every node at any level."""
        mask = self.nodes
        for inner in self.inner:
            mask |= inner.named()
        return mask

    @property
    def member_count(self) -> int:
        """Members at this level."""
        return self.nodes.bit_count() + len(self.inner)


def mask_set(threshold: int, nodes: int, inner: Iterable[MaskSet]) -> MaskSet:
    """A set with its inner sets in order."""
    return MaskSet(threshold, nodes, tuple(sorted(inner)))


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class CompiledSystem:
    """The masks of one system. `sets` has each distinct set with the nodes that ask for it."""

    def __init__(self, system: FederatedSystem) -> None:
        self.system = system
        self.ids = list(system.nodes)
        self.index = {node_id: number for number, node_id in enumerate(self.ids)}
        self.everybody = (1 << len(self.ids)) - 1
        self.set_of = _with_own_nodes(
            [
                None if node.quorum_set is None else _compile(node.quorum_set, self.index)
                for node in system
            ]
        )
        users: dict[MaskSet, int] = {}
        for number, found in enumerate(self.set_of):
            if found is not None:
                users[found] = users.get(found, 0) | 1 << number
        self.sets = list(users.items())
        self._asking = sum(mask for _, mask in self.sets)
        self._inner = _InnerSets()
        self._rows = [
            (found.threshold, found.nodes, self._inner.numbers_of(found), mask)
            for found, mask in self.sets
        ]
        self.components = self._quorum_components()
        self.core = 0
        for component in self.components:
            self.core |= component

    def __len__(self) -> int:
        return len(self.ids)

    def names(self, mask: int) -> list[str]:
        """The ids of the nodes of a mask."""
        return [self.ids[number] for number in bits(mask)]

    def mask(self, ids: Iterable[str]) -> int:
        """The mask of some ids."""
        mask = 0
        for node_id in ids:
            mask |= 1 << self.index[node_id]
        return mask

    def sets_by_use(self) -> list[tuple[MaskSet, int]]:
        """The distinct sets, those of most nodes first, with the nodes that ask for each."""
        return sorted(self.sets, key=lambda each: (-each[1].bit_count(), each[1] & -each[1]))

    def listens_to(self, number: int) -> int:
        """The nodes in a node's set at any level, itself left out."""
        return self._named(number) & ~(1 << number)

    def greatest_quorum(self, among: int) -> int:
        """The union of all quorums within `among`; 0 when there is none."""
        present = among & self._asking
        changed = True
        while changed and present:
            changed = False
            satisfied = self._inner.satisfied(present)
            for threshold, nodes, inner, users in self._rows:
                met = (nodes & present).bit_count() + (inner & satisfied).bit_count()
                if met < threshold and users & present:
                    present &= ~users
                    changed = True
        return present

    def shrink(self, quorum: int) -> int:
        """A minimal quorum inside a quorum."""
        for number in bits(quorum):
            if quorum >> number & 1:
                smaller = self.greatest_quorum(quorum & ~(1 << number))
                quorum = smaller or quorum
        return quorum

    def _quorum_components(self) -> list[int]:
        """The greatest quorum inside each strongly connected component that has one."""
        alive = self.greatest_quorum(self.everybody)
        listens = {number: self._named(number) & alive for number in bits(alive)}
        heard_by: dict[int, int] = dict.fromkeys(listens, 0)
        for number, named in listens.items():
            for other in bits(named):
                heard_by[other] |= 1 << number
        found, waiting = [], [alive]
        while waiting:
            rest = waiting.pop()
            if not rest:
                continue
            pivot = rest & -rest
            forward = _closure(pivot, listens, rest)
            backward = _closure(pivot, heard_by, rest)
            quorum = self.greatest_quorum(forward & backward)
            if quorum:
                found.append(quorum)
            waiting += [forward & ~backward, backward & ~forward, rest & ~(forward | backward)]
        return sorted(found, key=lambda mask: mask & -mask)

    def _named(self, number: int) -> int:
        found = self.set_of[number]
        return 0 if found is None else found.named()


class _InnerSets:
    """Every inner set of a system once, those inside before those around, so that one pass over
    them tells which are satisfied, as bits."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[MaskSet, int], int] = {}
        self._rows: list[tuple[int, int, int]] = []

    def numbers_of(self, found: MaskSet) -> int:
        """The bits of a set's inner sets; one that is listed again has a bit for each time."""
        times: dict[MaskSet, int] = {}
        mask = 0
        for inner in found.inner:
            times[inner] = times.get(inner, -1) + 1
            mask |= 1 << self._number(inner, times[inner])
        return mask

    def _number(self, found: MaskSet, time: int) -> int:
        if (found, time) not in self._numbers:
            inside = self.numbers_of(found)
            self._numbers[found, time] = len(self._rows)
            self._rows.append((found.threshold, found.nodes, inside))
        return self._numbers[found, time]

    def satisfied(self, present: int) -> int:
        """The bits of the inner sets that the nodes present satisfy."""
        mask, bit = 0, 1
        for threshold, nodes, inside in self._rows:
            if (nodes & present).bit_count() + (inside & mask).bit_count() >= threshold:
                mask |= bit
            bit <<= 1
        return mask


def _closure(start: int, edges: dict[int, int], among: int) -> int:
    reached = fresh = start
    while fresh:
        following = 0
        for number in bits(fresh):
            following |= edges[number]
        fresh = following & among & ~reached
        reached |= fresh
    return reached


def _compile(quorum_set: QuorumSet[str], index: dict[str, int]) -> MaskSet:
    """A node listed again in one set counts again, as an inner set of one; an absent member never
    counts."""
    nodes, inner = 0, []
    for member in quorum_set.members:
        if isinstance(member, QuorumSet):
            inner.append(_compile(member, index))
        elif member is not None:
            bit = 1 << index[member]
            if nodes & bit:
                inner.append(MaskSet(1, bit))
            nodes |= bit
    return mask_set(quorum_set.threshold, nodes, inner)


# -- the own node as a member ----------------------------------------------------------------------


def _with_own_nodes(sets: list[MaskSet | None]) -> list[MaskSet | None]:
    """Each set with its own node in it, at the place that makes most sets equal.

    Where a node is present, `t` members of a set that it joins at any level are `t + 1` of the set
    with it. It may also stay outside: nodes of an organisation that lists the other ones then have
    one set in common.
    """
    candidates: list[list[MaskSet]] = []
    places = sum(1 + len(found.inner) for found in sets if found is not None)
    for number, found in enumerate(sets):
        if found is None:
            candidates.append([])
        elif not found.threshold or found.named() >> number & 1:
            candidates.append([found])
        else:
            with_inner = places <= _PLACES_SEARCHED_MAX
            joined = _joined(found, 1 << number, with_inner)
            candidates.append([found, *joined])
    popularity = Counter(each for places_of_one in candidates for each in set(places_of_one))
    return [
        max(found, key=lambda each: popularity[each]) if found else None for found in candidates
    ]


def _joined(found: MaskSet, bit: int, with_inner: bool) -> Iterator[MaskSet]:
    yield MaskSet(found.threshold + 1, found.nodes | bit, found.inner)
    for number, inner in enumerate(found.inner if with_inner else ()):
        if inner.threshold:
            others = found.inner[:number] + found.inner[number + 1 :]
            for each in _joined(inner, bit, with_inner):
                yield mask_set(found.threshold, found.nodes, (*others, each))
