"""Vectors of the message codec: structured hashes and protobuf decoding."""

from collections.abc import Callable
from typing import Any

from mcnode.blockchain.contents import BlockContents, contents_hash
from mcnode.codec import schema
from mcnode.codec.digest import (
    Aggregate,
    List,
    NeverOmit,
    Node,
    Primitive,
    Variant,
    decode_and_digest32,
    digest32,
    digest32_encoded,
)
from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import Order, decode, decode_wrapper, encode, encode_wrapper
from mcnode.codec.schema import Kind, spec_of
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.transaction.hashing import (
    mint_config_tx_prefix_hash,
    mint_tx_prefix_hash,
    tx_hash,
    tx_out_hash,
)
from mcnode.transaction.membership_proof import leaf_hash
from mcnode.transaction.messages import MaskedAmountV1, MaskedAmountV2, TxOut

_WRAPPERS: dict[str, Kind] = {
    "CompressedCommitment": schema.COMPRESSED_RISTRETTO,
    "CompressedRistrettoPublic": schema.COMPRESSED_RISTRETTO,
    "CurveScalar": schema.CURVE_SCALAR,
    "Ed25519Public": schema.ED25519_PUBLIC,
    "Ed25519Signature": schema.ED25519_SIGNATURE,
    "EncryptedFogHint": schema.ENCRYPTED_FOG_HINT,
    "EncryptedMemo": schema.ENCRYPTED_MEMO,
    "KeyImage": schema.COMPRESSED_RISTRETTO,
    "RistrettoPrivate": schema.RISTRETTO_PRIVATE,
    "RistrettoPublic": schema.RISTRETTO_PUBLIC,
    "TxOutConfirmationNumber": schema.TX_OUT_CONFIRMATION_NUMBER,
    "TxOutMembershipHash": schema.HASH32,
}
"""Types that are fields everywhere, and messages of their own only here."""

_DIGESTS: dict[str, Callable[[Any], bytes]] = {
    "Tx": tx_hash,
    "TxOut": tx_out_hash,
    "MintTx": lambda tx: mint_tx_prefix_hash(tx.prefix),
    "MintConfigTx": lambda tx: mint_config_tx_prefix_hash(tx.prefix),
}


@runs("crypto", r"digestible[^/]*\.jsonl")
def digestible(file: VectorFile, report: Report) -> None:
    """Trees of nodes to their digests."""
    for case in file.json_lines():
        with report.case(case["desc"]):
            found = digest32(case["context"], _node(case["ast"]))
            expect_equal("digest", found.hex(), case["digest32"])


def _node(tree: dict[str, Any]) -> Node:
    match tree["node"]:
        case "prim":
            return Primitive(tree["type"], bytes.fromhex(tree["data_hex"]))
        case "none":
            return None
        case "seq":
            return List([_node(element) for element in tree["elems"]])
        case "var":
            child = tree["child"]
            return Variant(tree["name"], tree["which"], child["context"], _node(child))
        case _:
            members = {member["context"]: NeverOmit(_node(member)) for member in tree["elems"]}
            return Aggregate(tree["name"], members)


@runs("transaction", r"genuine/decode[^/]*\.jsonl")
def decoding(file: VectorFile, report: Report) -> None:
    """Bytes that decode, with what they encode to, and bytes that do not, with the error's text."""
    for case in file.json_lines():
        with report.case(case["id"]):
            result, reencoded, digest = _decode(case["type"], bytes.fromhex(case["bytes"]))
            expect_equal("result", result, case["result"])
            expect_equal("encoding", reencoded, case["reencoded"])
            if case.get("digest") is not None:
                expect_equal("digest", digest, case["digest"])


def _decode(name: str, data: bytes) -> tuple[str, str | None, str | None]:
    try:
        if name in _WRAPPERS:
            value = decode_wrapper(_WRAPPERS[name], data)
            return "ok", encode_wrapper(_WRAPPERS[name], value).hex(), None
        message: Any = decode(spec_of(name).cls, data)
    except DecodeError as error:
        return str(error), None, None
    digest = _DIGESTS[name](message).hex() if name in _DIGESTS else None
    return "ok", encode(message).hex(), digest


@runs("transaction", r"txout_(v\d+_[^/]*\.json|by_version[^/]*\.jsonl)")
def tx_outs(file: VectorFile, report: Report) -> None:
    """Outputs by their fields: hash, leaf, both encodings; and the hash of contents around them."""
    if file.name.endswith(".jsonl"):
        for number, case in enumerate(file.json_lines()):
            with report.case(number):
                _check_tx_out(case)
        return
    whole = file.json()
    for number, case in enumerate(whole["outputs"]):
        with report.case(number):
            _check_tx_out(case)
    with report.case("block contents"):
        contents = BlockContents(
            key_images=tuple(bytes.fromhex(k["key_image"]) for k in whole.get("key_images", ())),
            outputs=tuple(map(tx_out_of, whole["outputs"])),
        )
        expect_equal("hash", contents_hash(contents).hex(), whole["block_contents_hash"])


def tx_out_of(case: dict[str, Any]) -> TxOut:
    """The output that a case gives field by field."""
    amount_class = MaskedAmountV1 if case["masked_amount_version"] == 1 else MaskedAmountV2
    e_memo = case["e_memo"]
    return TxOut(
        masked_amount=amount_class(
            bytes.fromhex(case["commitment"]),
            int(case["masked_value"]),
            bytes.fromhex(case["masked_token_id"]),
        ),
        target_key=bytes.fromhex(case["target_key"]),
        public_key=bytes.fromhex(case["public_key"]),
        e_fog_hint=bytes.fromhex(case["e_fog_hint"]),
        e_memo=None if e_memo is None else bytes.fromhex(e_memo),
    )


def _check_tx_out(case: dict[str, Any]) -> None:
    tx_out = tx_out_of(case)
    expect_equal("hash", tx_out_hash(tx_out).hex(), case["txout_hash"])
    expect_equal("leaf", leaf_hash(tx_out).hex(), case["merkle_leaf_hash"])
    for order in Order:
        expect_equal(f"{order.value} read again", decode(TxOut, encode(tx_out, order)), tx_out)
    data = encode(tx_out)
    quick = digest32_encoded(TxOut, "mobilecoin-txout", data)
    expect_equal("hash without the object", quick.hex(), case["txout_hash"])
    both = decode_and_digest32(TxOut, "mobilecoin-txout", data)
    expect_equal("object and hash", both, (tx_out, quick))
