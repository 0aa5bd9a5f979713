"""Declaring messages."""

import dataclasses

import pytest

from mcnode.codec.engine import schema_for
from mcnode.codec.schema import (
    BOOL,
    BYTES,
    COMPRESSED_RISTRETTO,
    ED25519_PUBLIC,
    OPTIONAL,
    RESPONDER_ID,
    TEXT,
    UINT32,
    UINT64,
    declared_messages,
    field,
    message,
    oneof,
    repeated,
    spec_of,
)


@message
class Leaf:
    value: int = field(1, UINT64)


@message(digest_name="Another", rust_protobuf_order=(2, 1))
class Tree:
    leaf: Leaf = field(1, Leaf)
    later: "Later | None" = field(2, "Later", presence=OPTIONAL)
    branches: tuple["Tree", ...] = repeated(3, "Tree")
    choice: "Leaf | Later | None" = oneof({4: Leaf, 5: "Later"})
    key: bytes = field(6, COMPRESSED_RISTRETTO)
    node: bytes = field(7, ED25519_PUBLIC)
    responder_id: str = field(8, RESPONDER_ID)
    flag: bool = field(9, BOOL)


@message
class Later:
    text: str = field(1, TEXT)


def test_every_field_has_the_value_of_an_empty_message() -> None:
    tree = Tree()
    assert tree.leaf == Leaf(0)
    assert (tree.later, tree.choice, tree.branches) == (None, None, ())
    assert (tree.key, tree.node) == (bytes(32), b"\x01" + bytes(31))
    assert (tree.responder_id, tree.flag) == ("", False)
    assert Later().text == ""


def test_messages_are_frozen_values() -> None:
    assert hash(Leaf(3)) == hash(Leaf(3))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Leaf(3).value = 4  # type: ignore[misc]


def test_spec_is_found_by_class_and_by_name() -> None:
    spec = spec_of(Tree)
    assert spec is spec_of("Tree")
    assert (spec.cls, spec.digest_name, spec.rust_protobuf_order) == (Tree, "Another", (2, 1))
    assert spec in declared_messages()
    assert list(spec.fields)[:2] == ["leaf", "later"]


def test_an_undeclared_class_is_no_message() -> None:
    with pytest.raises(TypeError, match="int is not a declared message"):
        spec_of(int)
    with pytest.raises(TypeError, match="Leaf is not a declared message"):
        spec_of(type("Leaf", (), {}))


def test_a_name_is_declared_once() -> None:
    class Leaf:
        value: int = field(1, UINT64)

    with pytest.raises(TypeError, match="message Leaf is declared twice"):
        message(Leaf)


def test_every_attribute_is_a_field() -> None:
    class WithNote:
        note: str = ""

    with pytest.raises(TypeError, match=r"WithNote\.note is not declared as a field"):
        message(WithNote)


def test_variant_names_match_the_alternatives() -> None:
    with pytest.raises(TypeError, match="2 alternatives need as many variant names"):
        oneof({1: Leaf, 2: Later}, digest_enum=("Choice", ("Leaf",)))


def test_a_reference_to_nothing_is_found_when_first_used() -> None:
    @message
    class Dangling:
        missing: object = field(1, "Missing")

    with pytest.raises(TypeError, match="Missing is not a declared message"):
        schema_for(Dangling)


def test_a_tag_is_used_once() -> None:
    @message
    class TwiceOne:
        first: int = field(1, UINT64)
        second: object = oneof({2: Leaf, 1: Later})

    with pytest.raises(TypeError, match="tag 1 is 0 or used twice"):
        schema_for(TwiceOne)


def test_only_lists_of_messages_are_lazy() -> None:
    @message
    class LazyBytes:
        parts: tuple[bytes, ...] = repeated(1, BYTES, lazy=True)

    with pytest.raises(TypeError, match="only a list of messages can be lazy"):
        schema_for(LazyBytes)


def test_compiled_once() -> None:
    assert schema_for(Leaf) is schema_for(Leaf)


def test_post_init_runs_after_decoding_too() -> None:
    made: list[int] = []

    @message
    class Watched:
        number: int = field(1, UINT32)

        def __post_init__(self) -> None:
            made.append(self.number)

    schema = schema_for(Watched)
    schema.decode(schema.encode(Watched(5), False), False, 10)
    assert made == [5, 5]
