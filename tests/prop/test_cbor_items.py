"""The native CBOR reader and writer against cbor2, and against any bytes."""

from typing import Any

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from mcnode import _native

DEPTH = 127
OBJECTS = 10_000

leaves = st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=300) | st.text()
items = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=30)
        | st.lists(st.tuples(st.text(), inner), max_size=5, unique_by=lambda pair: pair[0]).map(
            tuple
        )
    ),
    max_leaves=20,
)


def as_cbor2(item: Any) -> Any:
    if isinstance(item, list):
        return [as_cbor2(each) for each in item]
    if isinstance(item, tuple):
        return {key: as_cbor2(value) for key, value in item}
    return item


@settings(deadline=None)
@given(items)
def test_written_like_cbor2_and_read_back(item: Any) -> None:
    data = _native.cbor_write(item, DEPTH)
    assert data == cbor2.dumps(as_cbor2(item))
    assert _native.cbor_read(data, DEPTH, OBJECTS) == item


@settings(deadline=None)
@given(items, st.data())
def test_every_prefix_is_refused(item: Any, data: st.DataObject) -> None:
    whole = _native.cbor_write(item, DEPTH)
    end = data.draw(st.integers(0, len(whole) - 1))
    try:
        _native.cbor_read(whole[:end], DEPTH, OBJECTS)
    except ValueError:
        return
    raise AssertionError(f"{whole[:end].hex()} was read")


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60))
def test_any_bytes_give_an_item_or_a_refusal(data: bytes) -> None:
    try:
        item = _native.cbor_read(data, DEPTH, OBJECTS)
    except ValueError:
        return
    try:
        again = _native.cbor_write(item, DEPTH)
    except (ValueError, TypeError):  # negative, float or undefined: no message holds one
        return
    assert _native.cbor_read(again, DEPTH, OBJECTS) == item
