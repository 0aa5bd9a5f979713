"""Values as bits, lists of values as shared objects.

A slot meets the same few dozen or few thousand values over and over, in messages that differ
little. Each distinct value gets a bit, so that a set of values is one integer and union,
difference and "who supports which" cost the same for one value as for a hundred. Each distinct
ballot list is one `ValueList` object, so that "same list" is identity and a dictionary keyed by
lists hashes a pointer.

A value enters only after the application has called it valid, so that a stranger cannot fill the
table with noise, and is asked about once.
"""

import operator
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple

from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.types import Ballot, V

VALUES_MAX = 1 << 16
"""Distinct values that one slot will know. A block holds 5,020; honest nodes propose 100 each."""

LISTS_MAX = 1 << 13
"""Distinct lists kept at a time; beyond it those that nothing refers to are dropped."""


class ValueList(Generic[V]):
    """One distinct list of a table: its values in order and as bits. Equal only to itself."""

    __slots__ = ("mask", "values")

    def __init__(self, values: tuple[V, ...], mask: int) -> None:
        self.values = values
        self.mask = mask

    def __lt__(self, other: "ValueList[V]") -> bool:
        return self.values < other.values

    def __le__(self, other: "ValueList[V]") -> bool:
        return self.values <= other.values

    def __repr__(self) -> str:
        return f"ValueList({self.values!r})"


class SlotBallot(NamedTuple, Generic[V]):
    """A ballot inside a slot; orders as `Ballot` does."""

    counter: int
    list: ValueList[V]

    @property
    def ballot(self) -> Ballot[V]:
        """The ballot as it stands in messages."""
        return Ballot(self.counter, self.list.values)


class ValueTable(Generic[V]):
    """The values of one slot, all of them valid."""

    def __init__(self, validate: Callable[[V], None]) -> None:
        """`validate` raises `InvalidError` for a value that may not be agreed on."""
        self._validate: Callable[[V], None] | None = validate
        self._bits: dict[V, int] = {}
        self._in_order: list[tuple[V, int]] = []
        self._ascending: dict[int, tuple[V, ...]] = {}
        self.empty: ValueList[V] = ValueList((), 0)
        self._lists: dict[tuple[V, ...], ValueList[V]] = {(): self.empty}

    def stop_validating(self) -> None:
        """The slot's outcome is known: what others still mention is no longer judged. [#7.2]"""
        self._validate = None

    def intern(self, values: tuple[V, ...]) -> ValueList[V]:
        """The one object for a list.

        Raises:
            InvalidError: `validate` refused a value.
            InvalidMsgError: it would take the slot beyond `VALUES_MAX` distinct values.
        """
        known = self._lists.get(values)
        if known is None:
            known = self._lists[values] = ValueList(values, self.mask(values))
        return known

    def ballot(self, ballot: Ballot[V]) -> SlotBallot[V]:
        """The ballot over the one object for its list. Raises as `intern`."""
        return SlotBallot(ballot.counter, self.intern(ballot.values))

    def mask(self, values: Iterable[V]) -> int:
        """The bits of some values, new ones where needed. Raises as `intern`."""
        mask = 0
        bits = self._bits
        for value in values:
            bit = bits.get(value)
            if bit is None:
                bit = self._admit(value)
            mask |= bit
        return mask

    def _admit(self, value: V) -> int:
        if self._validate is not None:
            self._validate(value)
        if len(self._bits) >= VALUES_MAX:
            raise InvalidMsgError(f"slot knows {len(self._bits)} values, limit {VALUES_MAX}")
        bit = self._bits[value] = 1 << len(self._bits)
        return bit

    def is_full(self) -> bool:
        """Whether lists should be dropped with `keep_lists`."""
        return len(self._lists) > LISTS_MAX

    def keep_lists(self, used: Iterable[ValueList[V]]) -> None:
        """Forget every list but these."""
        self._lists = {(): self.empty} | {used_list.values: used_list for used_list in used}

    def ascending(self, mask: int) -> tuple[V, ...]:
        """The values behind the bits of `mask`, in their own order."""
        known = self._ascending.get(mask)
        if known is None:
            if len(self._ascending) >= LISTS_MAX:
                self._ascending.clear()
            if len(self._in_order) != len(self._bits):
                self._in_order = sorted(self._bits.items(), key=operator.itemgetter(0))
            known = tuple([value for value, bit in self._in_order if bit & mask])
            self._ascending[mask] = known
        return known

    def all(self) -> tuple[V, ...]:
        """Every value known, in their own order."""
        return self.ascending((1 << len(self._bits)) - 1)
