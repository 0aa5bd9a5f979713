"""Quorums as clauses.

Two sides are looked for at once, A and B, each a set of nodes in which everybody honest is
satisfied; a third one, S, is the nodes they share. Per side a node has a literal "present"; a
quorum set has one "satisfied", made from a counter over its members. Only one direction is written
down: "satisfied" may be true only if enough members are present.

Counting arguments ("8 of 10 and 8 of 10 share 6") are what a SAT solver is worst at, so they are
given to it: every counter is a tree over the members in one global order, the same tree for both
sides, shared between all sets that have a part of it in common, and at every node of the tree
stands: i of these k present in A and j in B means that i + j - k of them are shared. Shared for an
inner set of t of m means that at least 2t - m of its members are; when that is nothing, the inner
set may be satisfied on both sides for free. [docs/quorum.md#4]
"""

import dataclasses
from collections.abc import Sequence
from typing import TypeAlias

from mcnode.quorum.compiled import CompiledSystem, MaskSet, bits
from mcnode.quorum.errors import SearchTooLarge

CLAUSES_MAX = 4_000_000
"""About a gigabyte in the solver. 24 organisations of 3 nodes take some ten thousand."""

Member: TypeAlias = int | MaskSet
"""A node's number, or an inner set."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shared:
    """How many of some members are shared, at least: `free` for nothing, and one for each of
    `counted` that is true (in unary: literal n true means n + 1 of them)."""

    free: int
    counted: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Counter:
    """A node of a counter tree: literal n of `a` may be true only if n + 1 members are in A."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    shared: Shared


class Formula:
    """Clauses about A, B and S of one system, made on demand.

    `units` are masks of nodes that are shared only as a whole, each node in one; by default each
    node is its own.
    """

    def __init__(self, system: CompiledSystem, units: Sequence[int] | None = None) -> None:
        self.clauses: list[list[int]] = []
        self._variables = 0
        count = len(system)
        self.a = [self.variable() for _ in range(count)]
        self.b = [self.variable() for _ in range(count)]
        self.shared = [0] * count
        self.units = []
        for unit in units or [1 << number for number in range(count)]:
            self.units.append(self.variable())
            for number in bits(unit):
                self.shared[number] = self.units[-1]
        self._items: dict[tuple[Member, int], int] = {}
        self._leaves: list[Counter] = []
        self._trees: dict[tuple[int, ...], Counter] = {}
        self._satisfied: dict[MaskSet, tuple[int, int]] = {}
        for number in range(count):
            self.add(-self.a[number], -self.b[number], self.shared[number])

    def variable(self) -> int:
        """A new variable."""
        self._variables += 1
        return self._variables

    def add(self, *clause: int) -> None:
        """Demand that one of these literals is true.

        Raises:
            SearchTooLarge: there are more clauses than are searched.
        """
        if len(self.clauses) >= CLAUSES_MAX:
            raise SearchTooLarge(
                f"the system needs more than {CLAUSES_MAX} clauses: too large for an exact answer"
            )
        self.clauses.append(list(clause))

    def satisfied(self, found: MaskSet) -> tuple[int, int]:
        """The literals "satisfied in A" and "satisfied in B"."""
        if found not in self._satisfied:
            in_a, in_b = self.variable(), self.variable()
            self._satisfied[found] = in_a, in_b
            if found.threshold > found.member_count:
                self.add(-in_a)
                self.add(-in_b)
            elif found.threshold:
                counter = self.members_counter(found)
                self.add(-in_a, counter.a[found.threshold - 1])
                self.add(-in_b, counter.b[found.threshold - 1])
        return self._satisfied[found]

    def members_counter(self, found: MaskSet) -> Counter:
        """The counter over a set's members."""
        return self.tree(self.places(found))

    def places(self, found: MaskSet) -> tuple[int, ...]:
        """Where a set's members are in the global order of the trees."""
        return tuple(place for place, _ in self.placed_members(found))

    def placed_members(self, found: MaskSet) -> list[tuple[int, Member]]:
        """A set's members in the global order, each with its place in it."""
        times: dict[Member, int] = {}
        made = []
        for member in members(found):
            times[member] = times.get(member, -1) + 1
            made.append((self._item(member, times[member]), member))
        return sorted(made, key=lambda placed: placed[0])

    # -- leaves and trees --------------------------------------------------------------------------

    def _item(self, member: Member, time: int) -> int:
        """The place of a node or inner set, for the `time`-th time in one set."""
        if (member, time) not in self._items:
            leaf = self._leaf(member)
            self._items[member, time] = len(self._leaves)
            self._leaves.append(leaf)
        return self._items[member, time]

    def _leaf(self, member: Member) -> Counter:
        if isinstance(member, int):
            shared = Shared(0, (self.shared[member],))
            return Counter((self.a[member],), (self.b[member],), shared)
        in_a, in_b = self.satisfied(member)
        overlap = 2 * member.threshold - member.member_count
        if overlap <= 0 or member.threshold > member.member_count:
            return Counter((in_a,), (in_b,), Shared(1, ()))
        inside = self.members_counter(member).shared
        if overlap <= inside.free:
            return Counter((in_a,), (in_b,), Shared(1, ()))
        literal = inside.counted[overlap - inside.free - 1]
        self.add(-in_a, -in_b, literal)
        return Counter((in_a,), (in_b,), Shared(0, (literal,)))

    def tree(self, places: tuple[int, ...]) -> Counter:
        """The counter over these places; halves are cut at the same places in every tree."""
        if len(places) == 1:
            return self._leaves[places[0]]
        if places not in self._trees:
            left, right = (self.tree(half) for half in halves(places))
            counter = Counter(
                self.count_down(left.a, right.a),
                self.count_down(left.b, right.b),
                Shared(
                    left.shared.free + right.shared.free,
                    self.count_up(left.shared.counted, right.shared.counted),
                ),
            )
            self._add_overlap(counter)
            self._trees[places] = counter
        return self._trees[places]

    def _add_overlap(self, counter: Counter) -> None:
        size, shared = len(counter.a), counter.shared
        for in_a in range(1, size + 1):
            for in_b in range(size + 1 - in_a, size + 1):
                counted = in_a + in_b - size - shared.free
                if counted > len(shared.counted):
                    self.add(-counter.a[in_a - 1], -counter.b[in_b - 1])
                elif counted > 0:
                    self.add(
                        -counter.a[in_a - 1], -counter.b[in_b - 1], shared.counted[counted - 1]
                    )

    def count_down(self, left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
        """A unary sum that may be true only as far as its parts are."""
        made = tuple(self.variable() for _ in range(len(left) + len(right)))
        for number in range(1, len(made)):
            self.add(-made[number], made[number - 1])
        for i in range(len(left) + 1):
            for j in range(len(right) + 1):
                if i + j < len(made):
                    parts = [*left[i : i + 1], *right[j : j + 1]]
                    self.add(*parts, -made[i + j])
        return made

    def count_up(self, left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
        """A unary sum that must be true as far as its parts are."""
        if not left or not right:
            return tuple(left) + tuple(right)
        made = tuple(self.variable() for _ in range(len(left) + len(right)))
        for number in range(1, len(made)):
            self.add(-made[number], made[number - 1])
        for i in range(len(left) + 1):
            for j in range(len(right) + 1):
                if i + j:
                    parts = [-each for each in (*left[i - 1 : i or 0], *right[j - 1 : j or 0])]
                    self.add(*parts, made[i + j - 1])
        return made


def halves(places: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Cut ascending numbers at the multiple of the highest power of two between them."""
    power = (places[0] ^ places[-1]).bit_length() - 1
    cut = places[-1] >> power << power
    left = tuple(place for place in places if place < cut)
    return left, places[len(left) :]


def members(found: MaskSet) -> list[Member]:
    """Nodes, then inner sets."""
    return [*bits(found.nodes), *found.inner]
