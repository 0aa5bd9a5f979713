"""Every declared message: bytes and back in both orders, damaged bytes, and the structured hash.

The hash is compared with a slow oracle written here from the rules alone: Keccak, STROBE and Merlin
on Python integers, and the members of a message read from its declaration.
"""

import contextlib
import dataclasses
import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mcnode
from mcnode import _native
from mcnode.codec.digest import (
    Transcript,
    appends,
    decode_and_digest32,
    digest32,
    digest32_encoded,
)
from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import Order, decode, encode
from mcnode.codec.schema import (
    OPTIONAL,
    Check,
    FieldSpec,
    Kind,
    MessageSpec,
    Wire,
    declared_messages,
    spec_of,
)

ROOMS = ("account", "attest", "blockchain", "crypto", "ledger", "transaction")
for room in ROOMS:
    package = importlib.import_module(f"mcnode.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)

MESSAGES = [
    spec for spec in declared_messages() if spec.cls.__module__.startswith(f"{mcnode.__name__}.")
]
SETTINGS = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)

each_message = pytest.mark.parametrize("spec", MESSAGES, ids=lambda spec: spec.cls.__name__)


# --- any value of a declared message ---

POINTS = [_native.base_multiply(number.to_bytes(32, "little")) for number in range(4)]
EDWARDS_POINTS = [_native.ed25519_public(bytes([number]) * 32) for number in range(3)]


def any_scalar(rng: random.Random, kind: Kind) -> Any:
    match kind.wire:
        case Wire.VARINT32:
            return rng.choice((0, 1, rng.getrandbits(32), 2**32 - 1))
        case Wire.VARINT64 | Wire.FIXED64:
            return rng.choice((0, 1, rng.getrandbits(64), 2**64 - 1))
        case Wire.BOOL:
            return rng.random() < 0.5
        case Wire.TEXT | Wire.TEXT_WRAPPER:
            return rng.choice(("", "node1:8443", "füße"))
    match kind.check:
        case Check.RISTRETTO_POINT:
            return rng.choice(POINTS)
        case Check.EDWARDS_POINT:
            return rng.choice(EDWARDS_POINTS)
        case Check.SCALAR_CANONICAL | Check.SCALAR_REDUCED:
            return rng.randbytes(31) + b"\x0f"
    return rng.randbytes(rng.choice((0, 3, 200)) if kind.length is None else kind.length)


def any_value(rng: random.Random, field: FieldSpec, depth: int) -> Any:
    def one() -> Any:
        if isinstance(field.kind, Kind):
            return any_scalar(rng, field.kind)
        reference = rng.choice(field.alternatives)[1] if field.alternatives else field.kind
        assert reference is not None
        return any_message(rng, spec_of(reference), depth - 1)

    if field.repeated:
        return tuple(one() for _ in range(rng.choice((0, 1, 2)) if depth > 0 else 0))
    if field.presence is OPTIONAL and (depth <= 0 or rng.random() < 0.3):
        return None
    return one()


def any_message(rng: random.Random, spec: MessageSpec, depth: int = 4) -> Any:
    fields = {name: any_value(rng, field, depth) for name, field in spec.fields.items()}
    return spec.cls(**fields)


def small_message(rng: random.Random, spec: MessageSpec) -> Any:
    """A message whose encoding is at most 2 kB."""
    for depth in range(3, -1, -1):
        message = any_message(rng, spec, depth)
        if len(encode(message)) <= 2000:
            return message
    return spec.cls()


def each_seed(test: Callable[[random.Random], None]) -> None:
    """Run a property with several generators; hypothesis prints the seed that fails."""
    given(st.integers(0, 2**32))(SETTINGS(lambda seed: test(random.Random(seed))))()


# --- bytes and back ---


@each_message
def test_round_trip_in_both_orders(spec: MessageSpec) -> None:
    def holds(rng: random.Random) -> None:
        message = any_message(rng, spec)
        for order in Order:
            data = encode(message, order)
            again = decode(spec.cls, data, order)
            assert again == message
            assert hash(again) == hash(message)
            assert encode(again, order) == data

    each_seed(holds)


def field_ends(data: bytes) -> Iterator[int]:
    """Where one field of the outermost message ends and the next begins."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        yield position
        wire = varint() & 7
        if wire == 0:
            varint()
        else:
            assert wire in (1, 2)
            skipped = 8 if wire == 1 else varint()
            position += skipped


@each_message
def test_a_prefix_that_ends_inside_a_field_is_refused(spec: MessageSpec) -> None:
    def holds(rng: random.Random) -> None:
        message = small_message(rng, spec)
        data = encode(message)
        whole = set(field_ends(data))
        for end in range(len(data)):
            if end in whole:
                decode(spec.cls, data[:end])
            else:
                with pytest.raises(DecodeError):
                    decode(spec.cls, data[:end])

    each_seed(holds)


@each_message
def test_damaged_bytes_are_refused_or_read_as_some_message(spec: MessageSpec) -> None:
    def holds(rng: random.Random) -> None:
        data = bytearray(encode(any_message(rng, spec, 2)))
        for _ in range(rng.randrange(4)):
            start = rng.randrange(len(data) + 1)
            data[start : start + 1] = rng.randbytes(rng.randrange(3))
        with contextlib.suppress(DecodeError):
            found = decode(spec.cls, bytes(data))
            assert decode(spec.cls, encode(found)) == found
            assert digest32_encoded(spec.cls, "context", bytes(data)) == digest32("context", found)

    each_seed(holds)


# --- the oracle of the hash ---

RATE = 166


def rotate(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & (2**64 - 1) if by else word


def keccak(state: bytearray) -> None:
    lanes = {
        (x, y): int.from_bytes(state[8 * (x + 5 * y) :][:8], "little")
        for x in range(5)
        for y in range(5)
    }
    register = 1
    for _ in range(24):
        parity = [0] * 5
        for (x, _), lane in lanes.items():
            parity[x] ^= lane
        for x, y in lanes:
            lanes[x, y] ^= parity[(x - 1) % 5] ^ rotate(parity[(x + 1) % 5], 1)
        x, y, current = 1, 0, lanes[1, 0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x, y] = lanes[x, y], rotate(current, (step + 1) * (step + 2) // 2 % 64)
        before = dict(lanes)
        for x, y in lanes:
            lanes[x, y] ^= ~before[(x + 1) % 5, y] & before[(x + 2) % 5, y]
        for bit in range(7):
            if register & 1:
                lanes[0, 0] ^= 1 << (2**bit - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    for (x, y), lane in lanes.items():
        state[8 * (x + 5 * y) : 8 * (x + 5 * y) + 8] = lane.to_bytes(8, "little")


class SlowTranscript:
    def __init__(self, label: bytes) -> None:
        self.state = bytearray(200)
        self.state[:18] = bytes([1, RATE + 2, 1, 0, 1, 96]) + b"STROBEv1.0.2"
        keccak(self.state)
        self.pos = self.begin = 0
        self.operate(0x12, b"Merlin v1.0")
        self.append(b"dom-sep", label)

    def permute(self) -> None:
        self.state[self.pos] ^= self.begin
        self.state[self.pos + 1] ^= 0x04
        self.state[RATE + 1] ^= 0x80
        keccak(self.state)
        self.pos = self.begin = 0

    def absorb(self, data: bytes) -> None:
        for byte in data:
            self.state[self.pos] ^= byte
            self.pos += 1
            if self.pos == RATE:
                self.permute()

    def operate(self, flags: int, data: bytes) -> None:
        before, self.begin = self.begin, self.pos + 1
        self.absorb(bytes([before, flags]))
        self.absorb(data)

    def append(self, label: bytes, data: bytes) -> None:
        self.operate(0x12, label + len(data).to_bytes(4, "little"))
        self.operate(0x02, data)

    def challenge(self, label: bytes, length: int) -> bytes:
        self.operate(0x12, label + length.to_bytes(4, "little"))
        self.operate(0x07, b"")
        if self.pos:
            self.permute()
        out = bytearray()
        for _ in range(length):
            out.append(self.state[self.pos])
            self.state[self.pos] = 0
            self.pos += 1
            if self.pos == RATE:
                self.permute()
        return bytes(out)


Pairs = Iterator[tuple[bytes, bytes]]


def slow_message(context: bytes, message: Any) -> Pairs:
    spec = spec_of(type(message))
    name = spec.digest_name.encode()
    yield from ((context, b"agg"), (b"name", name))
    for attribute, field in spec.fields.items():
        member = (field.digest or field.name or attribute).encode()
        value = getattr(message, attribute)
        if field.omit_when is not None and value == field.omit_when:
            continue
        absent = value is None or (field.repeated and not value)
        if absent and field.never_omit:
            yield member, b""
        elif field.repeated and value:
            yield from ((member, b"seq"), (b"len", len(value).to_bytes(8, "little")))
            for element in value:
                yield from slow_value(b"", field, element, never_omit=True)
        elif not absent:
            yield from slow_value(member, field, value, never_omit=field.never_omit)
    yield from ((context, b"agg-end"), (b"name", name))


def slow_value(context: bytes, field: FieldSpec, value: Any, *, never_omit: bool) -> Pairs:
    if field.digest_enum is not None:
        enum, variants = field.digest_enum
        classes = [spec_of(reference).cls for _, reference in field.alternatives]
        which = classes.index(type(value))
        yield from ((context, b"var"), (b"name", enum.encode()))
        yield b"which", which.to_bytes(4, "little")
        context = variants[which].encode()
    if not isinstance(field.kind, Kind):
        yield from slow_message(context, value)
        return
    kind = field.kind
    data = value
    if isinstance(value, str):
        data = value.encode()
    elif isinstance(value, bool):
        data = bytes([value])
    elif isinstance(value, int):
        data = value.to_bytes(4 if kind.wire is Wire.VARINT32 else 8, "little")
    type_ = kind.digest_type.encode()
    if kind.digest_struct is not None:
        name = kind.digest_struct.encode()
        yield from ((context, b"agg"), (b"name", name))
        if data or kind.struct_never_omit:
            yield from ((b"0", b"prim"), (type_, data))
        yield from ((context, b"agg-end"), (b"name", name))
    elif data or never_omit:
        yield from ((context, b"prim"), (type_, data))


@SETTINGS
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=400), st.integers(0, 400)), max_size=6))
def test_transcript_equals_the_slow_one(steps: list[tuple[bool, bytes, int]]) -> None:
    fast, slow = Transcript("some protocol"), SlowTranscript(b"some protocol")
    for is_append, data, length in steps:
        if is_append:
            fast.append_message("label", data)
            slow.append(b"label", data)
        else:
            assert fast.challenge_bytes("out", length) == slow.challenge(b"out", length)
    assert fast.copy().digest() == fast.digest() == slow.challenge(b"digest32", 32)


@each_message
def test_digest_equals_the_slow_one(spec: MessageSpec) -> None:
    def holds(rng: random.Random) -> None:
        message = any_message(rng, spec)
        expected = list(slow_message(b"context", message))
        assert list(appends("context", message)) == expected
        transcript = _native.Transcript(b"digestible")
        transcript.append_pairs(expected)
        digest = transcript.challenge_bytes(b"digest32", 32)
        assert digest32("context", message) == digest
        data = encode(message)
        assert digest32_encoded(spec.cls, "context", data) == digest
        assert decode_and_digest32(spec.cls, "context", data) == (message, digest)

    each_seed(holds)


def test_changed_member_changes_the_digest() -> None:
    spec = spec_of("TxOut")
    empty = spec.cls()
    for attribute, value in {
        "target_key": b"\x01" + bytes(31),
        "e_fog_hint": b"\x01" + bytes(83),
        "e_memo": bytes(66),
    }.items():
        changed = dataclasses.replace(empty, **{attribute: value})
        assert digest32("c", changed) != digest32("c", empty)
