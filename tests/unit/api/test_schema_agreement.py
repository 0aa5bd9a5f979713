"""Every message that is declared both in `proto/` and as a `@message` has the same shape in both.

Known differences, all of them checked below: a responder id is a message in our stored form and
plain text in `proto/`; the two versions of a masked amount are one message in `proto/`; the names
in `RENAMED`; and `ArchiveBlockV1.block_contents` is `BlockData.contents` here.
"""

import pkgutil
from importlib import import_module

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from mcnode.api.generate import PROTO_DIR
from mcnode.codec.schema import FieldSpec, Kind, MessageSpec, Wire, declared_messages, spec_of

RENAMED = {
    "MaskedAmountV1": "MaskedAmount",
    "MaskedAmountV2": "MaskedAmount",
    "MultiSig": "Ed25519MultiSig",
    "SignerSet": "Ed25519SignerSet",
    "BlockData": "ArchiveBlockV1",
    "MetadataNode": "Node",
    "PrintableGiftCode": "TxOutGiftCode",
    "MetadataQuorumSet": "QuorumSet",
    "MetadataQuorumSetMember": "QuorumSetMember",
}
RENAMED_FIELDS = {("ArchiveBlockV1", "contents"): "block_contents"}

ROOMS = ("account", "attest", "blockchain", "crypto", "transaction")

OTHER_TAGS = {("RootIdentity", "fog_authority_spki"): (4, 5)}
"""(stored tag, tag in proto/): the network's two encodings of this message differ."""

SCALAR_TYPES = {
    Wire.VARINT32: {FieldDescriptor.TYPE_UINT32},
    Wire.VARINT64: {FieldDescriptor.TYPE_UINT64},
    Wire.BOOL: {FieldDescriptor.TYPE_BOOL},
    Wire.FIXED64: {FieldDescriptor.TYPE_FIXED64},
    Wire.BYTES: {FieldDescriptor.TYPE_BYTES},
    Wire.TEXT: {FieldDescriptor.TYPE_STRING},
    Wire.TEXT_WRAPPER: {FieldDescriptor.TYPE_STRING},
}


def described_messages() -> dict[str, Descriptor]:
    found: dict[str, Descriptor] = {}
    for path in sorted(PROTO_DIR.glob("*.proto")):
        module = import_module(f"mcnode.api.gen.{path.stem}_pb2")
        for name, descriptor in module.DESCRIPTOR.message_types_by_name.items():
            found.setdefault(name, descriptor)  # external before printable: alphabetical
    return found


def import_every_declaration() -> None:
    for room in ROOMS:
        package = import_module(f"mcnode.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"mcnode.{room}."):
            import_module(module.name)


import_every_declaration()
DESCRIBED = described_messages()
PAIRS = [
    pytest.param(spec, DESCRIBED[RENAMED.get(spec.cls.__name__, spec.cls.__name__)], id=name)
    for spec in declared_messages()
    if RENAMED.get(name := spec.cls.__name__, name) in DESCRIBED
]


def wire_name(reference: object) -> str:
    name = reference if isinstance(reference, str) else reference.__name__  # type: ignore[attr-defined]
    return RENAMED.get(name, name)


def check_field(spec: FieldSpec, described: FieldDescriptor) -> None:
    assert described.is_repeated == spec.repeated
    if isinstance(spec.kind, Kind) and spec.kind.wire is not Wire.WRAPPER:
        assert described.type in SCALAR_TYPES[spec.kind.wire]
        if spec.repeated and described.type not in (
            FieldDescriptor.TYPE_BYTES,
            FieldDescriptor.TYPE_STRING,
        ):
            assert described.is_packed == spec.packed
        return
    assert described.type == FieldDescriptor.TYPE_MESSAGE
    assert described.message_type is not None
    if isinstance(spec.kind, Kind):
        assert [(f.number, f.type) for f in described.message_type.fields] == [
            (1, FieldDescriptor.TYPE_BYTES)
        ]
    else:
        assert described.message_type.name == wire_name(spec.kind)


@pytest.mark.parametrize(("spec", "descriptor"), PAIRS)
def test_same_shape(spec: MessageSpec, descriptor: Descriptor) -> None:
    unseen = {field.number: field for field in descriptor.fields}
    for attribute, field_spec in spec.fields.items():
        if field_spec.alternatives:
            arms = [unseen.pop(tag) for tag, _ in field_spec.alternatives]
            assert {arm.containing_oneof.name for arm in arms if arm.containing_oneof}
            assert len({arm.containing_oneof for arm in arms}) == 1
            for (_, reference), arm in zip(field_spec.alternatives, arms, strict=True):
                assert arm.message_type is not None
                assert arm.message_type.name == wire_name(reference)
            continue
        name = field_spec.name or attribute
        name = RENAMED_FIELDS.get((descriptor.name, name), name)
        tag = field_spec.tag
        if (descriptor.name, name) in OTHER_TAGS:
            assert OTHER_TAGS[descriptor.name, name][0] == tag
            tag = OTHER_TAGS[descriptor.name, name][1]
        described = unseen.pop(tag)
        assert described.name == name
        check_field(field_spec, described)
    assert not unseen, f"only in proto/: {[field.name for field in unseen.values()]}"


def test_the_comparison_covers_what_travels() -> None:
    compared = {spec.values[1].name for spec in PAIRS}  # type: ignore[union-attr]
    assert {"Tx", "TxOut", "MintTx", "MintConfigTx", "Block", "BlockContents"} <= compared
    assert {"DcapEvidence", "VerificationReport", "Ed25519SignerSet"} <= compared


def test_the_stored_signer_set_order_is_the_one_of_the_source() -> None:
    declared = [field.number for field in DESCRIBED["Ed25519SignerSet"].fields]
    assert declared == [1, 3, 2]
    order = spec_of("SignerSet").rust_protobuf_order
    assert order is None or list(order) == declared
