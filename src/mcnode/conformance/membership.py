"""Vectors of membership proofs and of the ledger that transactions refer to."""

import functools
import json
from pathlib import Path
from typing import Any

from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.tx_fixture import TxOutTree
from mcnode.conformance.vectors import (
    Report,
    VectorFile,
    expect,
    expect_equal,
    read_unpacked,
    runs,
)
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.ring_signature import key_image
from mcnode.transaction.amounts import open_masked_amount
from mcnode.transaction.errors import network_name
from mcnode.transaction.hashing import tx_out_hash
from mcnode.transaction.membership_proof import (
    MembershipProofError,
    RangeError,
    RootHashMismatch,
    check_membership_proof,
    compute_implied_root,
    derive_proof_at_index,
    leaf_hash,
    make_range,
    range_length,
    range_order,
)
from mcnode.transaction.messages import (
    TxOut,
    TxOutMembershipProof,
)

Case = dict[str, Any]


class LedgerContext:
    """The outputs that all transactions of a set refer to, with proofs made from them."""

    def __init__(self, path: Path) -> None:
        lines = [line for line in read_unpacked(path).splitlines() if line.strip()]
        self.rows: list[Case] = [json.loads(line) for line in lines]
        self._tree = TxOutTree([bytes.fromhex(row["leaf_hash"]) for row in self.rows])

    @classmethod
    def beside(cls, file: VectorFile) -> "LedgerContext":
        """The ledger beside a file, or in the same place of a context."""
        return _load_ledger(file.sibling("ledger_tx_outs.jsonl"))

    @property
    def num_tx_outs(self) -> int:
        """How many outputs the ledger holds."""
        return len(self._tree)

    def tx_out(self, index: int) -> TxOut:
        """The output at an index."""
        return decode(TxOut, bytes.fromhex(self.rows[index]["tx_out"]))

    def root_hash(self, count: int) -> bytes:
        """The root of the tree over the first `count` outputs."""
        return self._tree.root_hash(count)

    def proof(self, index: int, count: int | None = None) -> TxOutMembershipProof:
        """The proof of an output in the ledger of the first `count` outputs, by default of all."""
        return self._tree.proof(index, count)


@functools.lru_cache(maxsize=4)
def _load_ledger(path: Path) -> LedgerContext:
    return LedgerContext(path)


@runs("transaction", r"genuine/ledger_tx_outs[^/]*\.jsonl")
def run_ledger_tx_outs(file: VectorFile, report: Report) -> None:
    """Outputs of all versions: their bytes and hashes, and for owned ones their secrets."""
    for row in file.json_lines():
        with report.case(row["index"]):
            data = bytes.fromhex(row["tx_out"])
            tx_out = decode(TxOut, data)
            expect_equal("re-encoding", encode(tx_out), data)
            expect_equal("hash", tx_out_hash(tx_out).hex(), row["hash"])
            expect_equal("leaf_hash", leaf_hash(tx_out).hex(), row["leaf_hash"])
            if "owner" in row:
                _check_owned(row, tx_out)


def _check_owned(row: Case, tx_out: TxOut) -> None:
    secret = RistrettoPublic(bytes.fromhex(row["shared_secret"])).to_bytes()
    assert tx_out.masked_amount is not None
    opened = open_masked_amount(tx_out.masked_amount, secret)
    expect_equal("value", opened.value, int(row["value"]))
    expect_equal("token_id", opened.token_id, int(row["token_id"]))
    key = RistrettoPrivate(bytes.fromhex(row["onetime_private_key"]))
    expect_equal("target key", key.public_key().to_bytes(), tx_out.target_key)
    expect_equal("key_image", key_image(key).hex(), row["key_image"])


@runs("transaction", r"genuine/membership_proofs[^/]*\.jsonl")
def run_membership_proofs(file: VectorFile, report: Report) -> None:
    """Proofs, sound and broken: verdict, implied root, and put back to their own index."""
    ledger = LedgerContext.beside(file)
    for case in file.json_lines():
        with report.case(case["id"]):
            proof = decode(TxOutMembershipProof, bytes.fromhex(case["proof"]))
            tx_out = ledger.tx_out(int(case["ledger_index"]))
            expect_equal("tx_out_hash", tx_out_hash(tx_out).hex(), case["tx_out_hash"])
            expect_equal("valid", _verdict(tx_out, proof, case["root_hash"]), case["valid"])
            expect_equal("implied_root", _implied(proof), case["implied_root"])
            expect_equal("derived_at_own_index", _derived(proof), case["derived_at_own_index"])


def _verdict(tx_out: TxOut, proof: TxOutMembershipProof, root_hash: str) -> str:
    try:
        check_membership_proof(tx_out, proof, bytes.fromhex(root_hash))
    except RootHashMismatch:
        return "false"
    except MembershipProofError as error:
        return network_name(error)
    return "true"


def _implied(proof: TxOutMembershipProof) -> Case | str:
    try:
        root = compute_implied_root(proof)
    except MembershipProofError as error:
        return network_name(error)
    return {"from": str(root.range.from_), "to": str(root.range.to), "hash": root.hash.hex()}


def _derived(proof: TxOutMembershipProof) -> str:
    try:
        return encode(derive_proof_at_index(proof)).hex()
    except MembershipProofError as error:
        return network_name(error)


@runs("transaction", r"range_order[^/]*\.json")
def run_range_order(file: VectorFile, report: Report) -> None:
    """Length and order of ranges, reversed ones included."""
    content = file.json()
    for from_, to, length in content["length"]:
        with report.case(f"length of {from_}..{to}"):
            expect_equal("length", range_length(from_, to), length)
    for number, case in enumerate(content["sort"]):
        with report.case(f"sort {number}"):
            found = sorted(case["input"], key=lambda pair: range_order(*pair))
            expect_equal("sorted", found, case["sorted"])
    for from_, to in content["rejected_by_constructor"]:
        with report.case(f"constructor {from_}..{to}"):
            expect(_is_rejected(from_, to), "a reversed range was made")


def _is_rejected(from_: int, to: int) -> bool:
    try:
        make_range(from_, to)
    except RangeError:
        return True
    return False


@runs("transaction", r"genuine/context[^/]*\.json")
def run_context(file: VectorFile, report: Report) -> None:
    """Roots of the shared ledger at several lengths, and proofs from it."""
    content = file.json()
    ledger = LedgerContext.beside(file)
    with report.case("num_tx_outs"):
        expect_equal("num_tx_outs", ledger.num_tx_outs, int(content["num_tx_outs"]))
    for count, root in content["root_hash_by_num_tx_outs"].items():
        with report.case(f"root of {count}"):
            expect_equal("root", ledger.root_hash(int(count)).hex(), root)
    for number, case in enumerate(content["some_proofs"]):
        with report.case(f"proof {number}"):
            given = decode(TxOutMembershipProof, bytes.fromhex(case["proof"]))
            count = given.highest_index + 1
            expect_equal("proof", ledger.proof(given.index, count), given)
            check_membership_proof(ledger.tx_out(given.index), given, ledger.root_hash(count))
