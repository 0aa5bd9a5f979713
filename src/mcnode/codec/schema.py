"""Messages are declared once; bytes, digests and docs come from the declaration.

A message is a frozen dataclass whose fields say their protobuf tag and kind::

    @message
    class Range:
        from_: int = field(1, UINT64, name="from")
        to: int = field(2, UINT64)

    @message(digest_name="Amount")
    class MaskedAmountV1:
        commitment: bytes = field(1, COMPRESSED_RISTRETTO)
        masked_value: int = field(2, FIXED64, presence=REQUIRED)
        masked_token_id: bytes = field(3, BYTES)

    @message
    class TxOut:
        masked_amount: MaskedAmountV1 | MaskedAmountV2 | None = oneof(
            {1: MaskedAmountV1, 6: MaskedAmountV2}, digest="amount")
        target_key: bytes = field(2, COMPRESSED_RISTRETTO)
        e_memo: bytes | None = field(5, ENCRYPTED_MEMO, presence=OPTIONAL)

Values: integers are `int`, byte strings (also the fixed-size ones) `bytes`, text `str`, repeated
fields `tuple`, sub-messages instances of their class, an absent optional `None`. Every field has a
default, so `TxOut()` is what the empty byte string decodes to. [docs/protocol/messages.md#1]

Digest members follow the order of declaration; protobuf follows the tags. A member whose value is
absent, an empty sequence, empty bytes or empty text is left out of the digest unless `never_omit`.
"""

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


class Presence(enum.Enum):
    """When a field is written."""

    IMPLICIT = "implicit"
    """Scalars, text and bytes: left out when equal to the default."""
    REQUIRED = "required"
    """Always written, even when default; absent on input reads as the default."""
    OPTIONAL = "optional"
    """`None` when absent."""


IMPLICIT, REQUIRED, OPTIONAL = Presence.IMPLICIT, Presence.REQUIRED, Presence.OPTIONAL


class Wire(enum.Enum):
    """How a scalar kind travels."""

    VARINT32 = "varint32"
    VARINT64 = "varint64"
    BOOL = "bool"
    FIXED64 = "fixed64"
    BYTES = "bytes"
    TEXT = "text"
    WRAPPER = "wrapper"
    """A message with one bytes field of fixed length, tag 1, always written."""
    TEXT_WRAPPER = "text_wrapper"
    """Prost: a message with one text field, tag 1. Rust-protobuf: plain text at the same tag."""


class Check(enum.Enum):
    """What the bytes of a fixed-size value must be, looked at while decoding."""

    NONE = "none"
    SCALAR_REDUCED = "scalar_reduced"
    """Any 32 bytes, silently reduced modulo the group order."""
    SCALAR_CANONICAL = "scalar_canonical"
    RISTRETTO_POINT = "ristretto_point"
    EDWARDS_POINT = "edwards_point"


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A scalar or fixed-size kind of field.

    `digest_type` is the primitive's type name in the digest (`uint`, `bytes`, `ristretto`, …) and
    `digest_struct`, when set, the name of the aggregate `{0: primitive}` that a non-transparent
    wrapper type hashes as; with `struct_never_omit` the inner member is hashed even when empty.
    """

    wire: Wire
    digest_type: str
    length: int | None = None
    check: Check = Check.NONE
    default: bytes = b""
    digest_struct: str | None = None
    struct_never_omit: bool = False
    length_error: str = "Expected exactly {expected} bytes, got {found}"


def _wrapper(length: int, digest_type: str, **options: Any) -> Kind:
    default = options.pop("default", bytes(length))
    return Kind(Wire.WRAPPER, digest_type, length=length, default=default, **options)


UINT32 = Kind(Wire.VARINT32, "uint")
UINT64 = Kind(Wire.VARINT64, "uint")
FIXED64 = Kind(Wire.FIXED64, "uint")
BOOL = Kind(Wire.BOOL, "bool")
BYTES = Kind(Wire.BYTES, "bytes")
TEXT = Kind(Wire.TEXT, "str")

COMPRESSED_RISTRETTO = _wrapper(32, "ristretto")
"""CompressedRistrettoPublic, CompressedCommitment, KeyImage: 32 bytes, never decompressed here."""
RISTRETTO_PUBLIC = _wrapper(32, "ristretto", check=Check.RISTRETTO_POINT)
RISTRETTO_PRIVATE = _wrapper(32, "scalar", check=Check.SCALAR_CANONICAL)
CURVE_SCALAR = _wrapper(32, "scalar", check=Check.SCALAR_REDUCED)
HASH32 = _wrapper(32, "bytes")
"""TxOutMembershipHash, BlockID, BlockContentsHash: transparent."""
TX_OUT_CONFIRMATION_NUMBER = _wrapper(32, "bytes", digest_struct="TxOutConfirmationNumber")
ENCRYPTED_FOG_HINT = _wrapper(
    84, "bytes", length_error="EncryptedFogHint: expected {expected} bytes, got {found}"
)
ENCRYPTED_MEMO = _wrapper(66, "bytes", digest_struct="EncryptedMemo")
ED25519_PUBLIC = _wrapper(
    32,
    "ed25519",
    check=Check.EDWARDS_POINT,
    default=b"\x01" + bytes(31),
    digest_struct="Ed25519Public",
)
ED25519_SIGNATURE = _wrapper(64, "ed25519-sig")
RESPONDER_ID = Kind(Wire.TEXT_WRAPPER, "str", digest_struct="ResponderId", struct_never_omit=True)
VERIFICATION_SIGNATURE = Kind(
    Wire.WRAPPER, "bytes", digest_struct="VerificationSignature", struct_never_omit=True
)
"""A message with one bytes field of any length; prost writes it even when empty."""

MessageRef = type | str
"""A message class, or the name of one declared later (or of the class itself)."""


@dataclasses.dataclass(frozen=True, slots=True)
class FieldSpec:
    """One declared field; `alternatives` is set for a oneof, whose `tag` is its lowest tag."""

    tag: int
    kind: Kind | MessageRef | None
    presence: Presence
    repeated: bool = False
    packed: bool = False
    alternatives: tuple[tuple[int, MessageRef], ...] = ()
    name: str | None = None
    digest: str | None = None
    never_omit: bool = False
    omit_when: int | None = None
    lazy: bool = False
    digest_enum: tuple[str, tuple[str, ...]] | None = None
    """For a oneof that hashes as an enum: its name and the variants' names, `which` counting
    along `alternatives` from 0."""


_METADATA_KEY = "mcnode.schema"


def field(
    tag: int,
    kind: Kind | MessageRef,
    *,
    presence: Presence | None = None,
    name: str | None = None,
    digest: str | None = None,
    never_omit: bool = False,
    omit_when: int | None = None,
) -> Any:
    """A singular field.

    `name` is the field's name on the wire's error paths (default: the attribute's), `digest` its
    name in the digest (default: `name`). Sub-messages and fixed-size wrappers are REQUIRED unless
    said otherwise, everything else IMPLICIT.
    """
    if presence is None:
        is_message = not isinstance(kind, Kind) or kind.wire in (Wire.WRAPPER, Wire.TEXT_WRAPPER)
        presence = REQUIRED if is_message else IMPLICIT
    spec = FieldSpec(
        tag, kind, presence, name=name, digest=digest, never_omit=never_omit, omit_when=omit_when
    )
    return _declare(spec)


def repeated(
    tag: int,
    kind: Kind | MessageRef,
    *,
    name: str | None = None,
    digest: str | None = None,
    packed: bool = True,
    lazy: bool = False,
) -> Any:
    """A list, held as a tuple. `packed` matters for integer kinds only.

    With `lazy`, decoding checks every element but makes its Python object only when it is asked
    for; the value is then a read-only sequence that compares equal to the tuple.
    """
    integer = isinstance(kind, Kind) and kind.wire in (
        Wire.VARINT32,
        Wire.VARINT64,
        Wire.FIXED64,
        Wire.BOOL,
    )
    spec = FieldSpec(
        tag,
        kind,
        IMPLICIT,
        repeated=True,
        packed=packed and integer,
        name=name,
        digest=digest,
        lazy=lazy,
    )
    return _declare(spec)


def oneof(
    alternatives: Mapping[int, MessageRef],
    *,
    name: str | None = None,
    digest: str | None = None,
    digest_enum: tuple[str, tuple[str, ...]] | None = None,
) -> Any:
    """At most one of several messages, told apart by class; hashed as the message it holds.

    With `digest_enum` = (name, variant names by ascending tag) it hashes as an enum instead: a
    `var` node of that name around the message, whose context is the variant's name.
    """
    ordered = tuple(sorted(alternatives.items()))
    if digest_enum is not None and len(digest_enum[1]) != len(ordered):
        raise TypeError(f"{len(ordered)} alternatives need as many variant names")
    spec = FieldSpec(
        ordered[0][0],
        None,
        OPTIONAL,
        alternatives=ordered,
        name=name,
        digest=digest,
        digest_enum=digest_enum,
    )
    return _declare(spec)


@dataclasses.dataclass(frozen=True, slots=True)
class MessageSpec:
    """A whole declared message: `fields` maps attribute names to specs, in declaration order.

    `rust_protobuf_order` lists the tags in the order in which rust-protobuf writes the non-oneof
    fields, where that is not ascending.
    """

    cls: type
    digest_name: str
    fields: Mapping[str, FieldSpec]
    rust_protobuf_order: tuple[int, ...] | None = None


_registry: dict[str, MessageSpec] = {}


@overload
def message(cls: type[T], /) -> type[T]: ...
@overload
def message(
    *, digest_name: str | None = None, rust_protobuf_order: tuple[int, ...] | None = None
) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True)
def message(
    cls: type[T] | None = None,
    /,
    *,
    digest_name: str | None = None,
    rust_protobuf_order: tuple[int, ...] | None = None,
) -> Any:
    """Make `cls` a frozen dataclass and register its declaration.

    Class names are unique over the whole program, because declarations may refer to each other by
    name, and are the names on the error paths of the wire. `digest_name` defaults to the class
    name. Every attribute is a declared field; a `__post_init__` also runs after decoding.
    """

    def declare(target: type[T]) -> type[T]:
        made = dataclasses.dataclass(frozen=True, slots=True)(target)
        fields = {}
        for attribute in dataclasses.fields(made):  # type: ignore[arg-type]
            if _METADATA_KEY not in attribute.metadata:
                raise TypeError(f"{made.__name__}.{attribute.name} is not declared as a field")
            fields[attribute.name] = attribute.metadata[_METADATA_KEY]
        if made.__name__ in _registry:
            raise TypeError(f"message {made.__name__} is declared twice")
        _registry[made.__name__] = MessageSpec(
            made, digest_name or made.__name__, fields, rust_protobuf_order
        )
        return made

    return declare if cls is None else declare(cls)


def spec_of(cls: MessageRef) -> MessageSpec:
    """The declaration of a message class, or of the class of that name.

    Raises:
        TypeError: no such message is declared.
    """
    name = cls if isinstance(cls, str) else cls.__name__
    spec = _registry.get(name)
    if spec is None or (isinstance(cls, type) and spec.cls is not cls):
        raise TypeError(f"{name} is not a declared message")
    return spec


def declared_messages() -> tuple[MessageSpec, ...]:
    """Every declaration made so far, in order of declaration."""
    return tuple(_registry.values())


def _declare(spec: FieldSpec) -> Any:
    metadata = {_METADATA_KEY: spec}
    if spec.repeated:
        return dataclasses.field(default=(), metadata=metadata)
    if spec.presence is OPTIONAL:
        return dataclasses.field(default=None, metadata=metadata)
    kind = spec.kind
    if isinstance(kind, Kind):
        return dataclasses.field(default=_scalar_default(kind), metadata=metadata)
    assert kind is not None
    reference: MessageRef = kind
    return dataclasses.field(default_factory=lambda: spec_of(reference).cls(), metadata=metadata)


def _scalar_default(kind: Kind) -> Any:
    match kind.wire:
        case Wire.VARINT32 | Wire.VARINT64 | Wire.FIXED64:
            return 0
        case Wire.BOOL:
            return False
        case Wire.TEXT | Wire.TEXT_WRAPPER:
            return ""
        case _:
            return kind.default
