"""Vectors of transactions as JSON: samples of the layout, with long lists cut."""

from typing import Any

from mcnode.codec.protobuf import decode
from mcnode.conformance.related import cases_beside
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.json_layout import (
    message_from_json,
    message_to_json,
    unsigned_tx_from_json,
    unsigned_tx_to_json,
)
from mcnode.transaction.messages import Tx, TxSummaryUnblindingData
from mcnode.transaction.ring_ct.rings import (
    InputRing,
    PresignedRing,
    ReducedTxOut,
    SignableRing,
)
from mcnode.transaction.summary.tx_summary import make_tx_summary

Case = dict[str, Any]


@runs("transaction", r"genuine/serde_json[^/]*\.jsonl")
def run_json_layout(file: VectorFile, report: Report) -> None:
    """The same transactions of this set, written as JSON and read back."""
    bases = cases_beside(file, "transactions")
    for case in file.json_lines():
        with report.case(case["id"]):
            base = bases.get(case["id"])
            tx = decode(Tx, bytes.fromhex(base["tx"]))
            summary = make_tx_summary(tx.prefix, tx.signature.pseudo_output_commitments)
            unsigned = _unsigned(base, tx, case["unsigned_tx"])
            for name, message in (("tx", tx), ("tx_summary", summary)):
                made = message_to_json(message)
                _expect_same(name, made, case[name], may_be_cut=case["cut"])
                expect_equal(name, message_from_json(type(message), made), message)
            made = unsigned_tx_to_json(unsigned)
            _expect_same("unsigned_tx", made, case["unsigned_tx"], may_be_cut=case["cut"])
            expect_equal("unsigned_tx", unsigned_tx_from_json(made), unsigned)
            expect_equal("block_version", unsigned.block_version.value, case["block_version"])


def _unsigned(base: Case, tx: Tx, sample: Case) -> UnsignedTx:
    data = bytes.fromhex(base["tx_summary_unblinding_data"])
    rings = tuple(
        _ring(given, tx, position, sample) for position, given in enumerate(base["inputs"])
    )
    outputs = decode(TxSummaryUnblindingData, data).outputs
    return UnsignedTx(BlockVersion(base["block_version"]), tx.prefix, rings, outputs)


def _ring(given: Case, tx: Tx, position: int, sample: Case) -> InputRing:
    value, token_id = int(given["value"]), int(given["token_id"])
    if given["kind"] == "presigned":
        blinding = bytes.fromhex(given["pseudo_output_blinding"])
        mlsag = tx.signature.ring_signatures[position]
        return PresignedRing(mlsag, OpenedAmount(value, token_id, blinding))
    # A key may be given as such or as the subaddress that it comes from; the sample says which.
    shown = sample["rings"][position]["Signable"]["input_secret"]["onetime_key_derive_data"]
    key: RistrettoPrivate | int = RistrettoPrivate(bytes.fromhex(given["onetime_private_key"]))
    if "SubaddressIndex" in shown:
        key = int(given["subaddress_index"])
    members = tuple(ReducedTxOut.of(member) for member in tx.prefix.inputs[position].ring)
    amount = OpenedAmount(value, token_id, bytes.fromhex(given["blinding"]))
    return SignableRing(members, given["real_index"], key, amount)


def _expect_same(path: str, found: Any, expected: Any, *, may_be_cut: bool) -> None:
    """Equal, but that lists of `expected` may end early."""
    expect_equal(f"{path}: type", type(found), type(expected))
    if isinstance(expected, dict):
        expect_equal(f"{path}: members", sorted(found), sorted(expected))
        for name, value in expected.items():
            _expect_same(f"{path}.{name}", found[name], value, may_be_cut=may_be_cut)
    elif isinstance(expected, list):
        is_cut = may_be_cut and 0 < len(expected) < len(found)
        expect(is_cut or len(expected) == len(found), f"{path}: {len(found)} elements")
        for number, value in enumerate(expected):
            _expect_same(f"{path}[{number}]", found[number], value, may_be_cut=may_be_cut)
    else:
        expect_equal(path, found, expected)
