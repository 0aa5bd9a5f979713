"""Values as bits, lists as shared objects."""

import pytest

from mcnode.errors import InvalidError
from mcnode.scp import values as module
from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.types import Ballot
from mcnode.scp.values import SlotBallot, ValueTable


def table() -> ValueTable[str]:
    return ValueTable(lambda value: None)


def test_lists_are_one_object_each() -> None:
    values = table()
    assert values.intern(("b", "a")) is values.intern(("b", "a"))
    assert values.intern(("b", "a")) is not values.intern(("a", "b"))
    assert values.intern(("b", "a")).mask == values.intern(("a", "b", "a")).mask
    assert values.intern(()) is values.empty
    assert "('b', 'a')" in repr(values.intern(("b", "a")))


def test_ballots_rank_as_on_the_wire() -> None:
    values = table()
    written = [Ballot(1, ("a", "b")), Ballot(1, ("b",)), Ballot(2, ("a",))]
    held = [values.ballot(ballot) for ballot in written]
    assert max(held) == held[2]
    assert min(held) == held[0]
    assert [ballot.ballot for ballot in held] == written
    assert held[0] <= held[1]
    assert held[1] > held[0]
    assert SlotBallot(1, values.intern(("b",))) == held[1]


def test_sets_come_back_ascending() -> None:
    values = table()
    mask = values.mask(["c", "a"])
    values.mask(["b"])
    assert values.ascending(mask) == ("a", "c")
    assert values.ascending(mask) is values.ascending(mask)
    assert values.ascending(0) == ()
    assert values.all() == ("a", "b", "c")


def test_each_value_is_validated_once_and_refusals_are_not_remembered() -> None:
    asked: list[str] = []

    def validate(value: str) -> None:
        asked.append(value)
        if value == "bad":
            raise InvalidError("bad")

    values: ValueTable[str] = ValueTable(validate)
    for _ in range(2):
        values.mask(["good"])
        with pytest.raises(InvalidError):
            values.intern(("good", "bad"))
    assert asked == ["good", "bad", "bad"]
    values.stop_validating()
    assert values.intern(("good", "bad")).values == ("good", "bad")


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VALUES_MAX", 3)
    monkeypatch.setattr(module, "LISTS_MAX", 4)
    values = table()
    values.mask("abc")
    with pytest.raises(InvalidMsgError, match="limit 3"):
        values.mask("abcd")
    kept = values.intern(("a",))
    for other in ("b", "c", "ab", "bc"):
        values.intern(tuple(other))
    assert values.is_full()
    values.keep_lists([kept])
    assert not values.is_full()
    assert values.intern(("a",)) is kept
    assert values.intern(()) is values.empty
    for mask in range(8):
        assert values.ascending(mask) == tuple(v for i, v in enumerate("abc") if mask >> i & 1)
    assert len(values._ascending) <= 4
