"""Vectors of the output tree: roots of every size, membership proofs good and bad."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcnode.codec.protobuf import Order, decode, encode
from mcnode.conformance.ledger_blocks import tx_out_from_json
from mcnode.conformance.ledger_common import (
    Case,
    decode_hex,
    element_to_json,
    outcome_of_error,
    proof_from_json,
    proof_to_json,
    without_text,
)
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.ledger.db import tx_outs
from mcnode.ledger.db.environment import Environment, OpenMode, open_environment
from mcnode.ledger.db.format import create_format
from mcnode.ledger.db.tables import TABLE_NAMES, Tables
from mcnode.ledger.errors import LedgerError
from mcnode.transaction.errors import network_name
from mcnode.transaction.hashing import tx_out_hash
from mcnode.transaction.membership_proof import (
    NIL_HASH,
    MembershipProofError,
    RootHashMismatch,
    check_membership_proof,
    compute_implied_root,
    derive_proof_at_index,
    leaf_hash_of,
)
from mcnode.transaction.messages import TxOut, TxOutMembershipElement, TxOutMembershipProof


class _Tree:
    """The tree of a ledger, grown leaf by leaf to any size, without the outputs."""

    def __init__(self, environment: Environment, tables: Tables, leaves: list[bytes]) -> None:
        self._environment = environment
        self._tables = tables
        self._leaves = leaves
        self._size = 0
        self.previous_root: TxOutMembershipElement | None = None
        """The root one leaf ago."""

    def grow_to(self, size: int) -> None:
        """Append the next leaves in two transactions, so that the last but one root shows."""
        if size > self._size:
            self._append(size - 1)
            self.previous_root = self.root() if self._size else None
            self._append(size)

    def _append(self, size: int) -> None:
        fresh = self._leaves[self._size : size]
        first, self._size = self._size, size
        self._environment.write(
            lambda txn: tx_outs.push_leaves(txn, self._tables, first, fresh), "leaves"
        )

    def root(self) -> TxOutMembershipElement:
        """The root as it is now."""
        with self._environment.reading() as txn:
            return tx_outs.get_root_element(txn, self._tables)

    def proof(self, index: int) -> TxOutMembershipProof:
        """The proof of one leaf as it is now."""
        with self._environment.reading() as txn:
            return tx_outs.get_membership_proofs(txn, self._tables, [index])[0]


@contextlib.contextmanager
def _tree(leaves: list[bytes]) -> Iterator[_Tree]:
    with tempfile.TemporaryDirectory() as folder:
        environment = open_environment(
            Path(folder), OpenMode(durable=False), tables_max=len(TABLE_NAMES), create=True
        )
        try:
            yield _Tree(environment, create_format(environment), leaves)
        finally:
            environment.close()


def _leaves_beside(file: VectorFile) -> list[bytes]:
    lines = VectorFile(file.sibling("tx_outs.jsonl"), file.area, "tx_outs.jsonl").json_lines()
    return [leaf_hash_of(bytes.fromhex(line["tx_out_hash"])) for line in lines]


@runs("ledger", r"(.*/)?proofs/tx_outs\.jsonl")
def run_tx_outs(file: VectorFile, report: Report) -> None:
    """Hashes of outputs and of their leaves."""
    for number, line in enumerate(file.json_lines()):
        with report.case(number):
            hash_ = bytes.fromhex(line["tx_out_hash"])
            if "tx_out_p" in line:
                tx_out = decode_hex(TxOut, line["tx_out_p"])
                expect_equal("bytes", encode(tx_out).hex(), line["tx_out_p"])
                expect_equal("hash", tx_out_hash(tx_out), hash_)
            if "leaf_hash" in line:
                expect_equal("leaf", leaf_hash_of(hash_).hex(), line["leaf_hash"])


@runs("ledger", r"(.*/)?proofs/roots\.json")
def run_roots(file: VectorFile, report: Report) -> None:
    """The root at every size, and proofs of outputs that are not there."""
    cases = file.json()
    with report.case("nil"):
        expect_equal("nil hash", NIL_HASH.hex(), cases["nil_hash"])
    leaves = _leaves_beside(file)
    with _tree(leaves) as tree:
        for size, end, hash_ in sorted(cases["roots"]):
            with report.case(f"{size} outputs"):
                tree.grow_to(size)
                expected = {"from": 0, "to": end, "hash": hash_}
                expect_equal("root", element_to_json(tree.root()), expected)
    for case in cases.get("out_of_bounds", []):
        with report.case(f"index {case['index']}"), _tree(leaves) as tree:
            tree.grow_to(case["num_tx_outs"])
            expected = without_text(case["result"])
            try:
                tree.proof(int(case["index"]))
                found: Any = "ok"
            except LedgerError as error:
                found = outcome_of_error(error, expected)
            expect_equal("result", found, expected)


@runs("ledger", r"(.*/)?proofs/proofs\.jsonl")
def run_proofs(file: VectorFile, report: Report) -> None:
    """Proofs of trees of many sizes, valid for their root and no other, and derived ones."""
    leaves = _leaves_beside(file)
    cases = sorted(file.json_lines(), key=lambda case: int(case["num_tx_outs"]))
    with _tree(leaves) as tree:
        for case in cases:
            with report.case(f"{case['proof']['index']} of {case['num_tx_outs']}"):
                tree.grow_to(int(case["num_tx_outs"]))
                _check_proof(tree, case, leaves[int(case["proof"]["index"])])


def _check_proof(tree: _Tree, case: Case, leaf: bytes) -> None:
    proof = tree.proof(int(case["proof"]["index"]))
    expect_equal("proof", proof_to_json(proof), case["proof"])
    expect_equal("root", tree.root().hash.hex(), case["root"])
    expect_equal("leaf", proof.elements[0].hash, leaf)
    expect_equal("implied root", compute_implied_root(proof), tree.root())
    expect_equal("valid", True, case["valid"])
    is_old_root = tree.previous_root is not None and tree.previous_root.hash == tree.root().hash
    expect_equal("valid for the root before", is_old_root, case["valid_against_previous_root"])
    derived = derive_proof_at_index(proof)
    expect_equal("derived", proof_to_json(derived), case["derived"])
    derived_root = element_to_json(compute_implied_root(derived))
    expect_equal("derived root", derived_root, case["derived_root"])
    for name, order in (("p", Order.PROST), ("r", Order.RUST_PROTOBUF)):
        if name in case:
            expect_equal(f"{name} bytes", encode(proof, order).hex(), case[name])
            read = decode(TxOutMembershipProof, bytes.fromhex(case[name]), order)
            expect_equal(f"{name} read", read, proof)


@runs("ledger", r"(.*/)?proofs/proofs_invalid\.jsonl")
def run_altered_proofs(file: VectorFile, report: Report) -> None:
    """Proofs with one thing changed."""
    source = VectorFile(file.sibling("tx_outs.jsonl"), file.area, "tx_outs.jsonl")
    lines = list(source.json_lines())
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} {case['name']}"):
            tx_out = decode_hex(TxOut, lines[int(case["tx_out_index"])]["tx_out_p"])
            proof = proof_from_json(case["proof"])
            valid = _validity(tx_out, proof, bytes.fromhex(case["known_root"]))
            expect_equal("valid", valid, _bare(case["valid"]))
            expect_equal("implied root", _implied_root(proof), _bare(case["implied_root"]))
            expect_equal("derived", _derived(proof), _bare(case["derived"]))


def _bare(expected: Any) -> Any:
    if isinstance(expected, dict) and "error" in expected:
        return {"error": expected["error"]}
    return expected


def _validity(tx_out: TxOut, proof: TxOutMembershipProof, root: bytes) -> Any:
    try:
        check_membership_proof(tx_out, proof, root)
    except RootHashMismatch:
        return False
    except MembershipProofError as error:
        return {"error": network_name(error)}
    return True


def _implied_root(proof: TxOutMembershipProof) -> Any:
    try:
        return element_to_json(compute_implied_root(proof))
    except MembershipProofError as error:
        return {"error": network_name(error)}


def _derived(proof: TxOutMembershipProof) -> Any:
    try:
        return proof_to_json(derive_proof_at_index(proof))
    except MembershipProofError as error:
        return {"error": network_name(error)}


def _proof_from_object(value: Case) -> TxOutMembershipProof:
    elements = [[e["range_from"], e["range_to"], e["hash"]] for e in value["elements"]]
    return proof_from_json({**value, "elements": elements})


@runs("ledger", r"(.*/)?merkle_small_trees[^/]*\.json")
def run_small_trees(file: VectorFile, report: Report) -> None:
    """Roots and proofs of trees of a few leaves."""
    content = file.json()
    hashes = [bytes.fromhex(leaf["tx_out_hash"]) for leaf in content["leaves"]]
    leaves = [leaf_hash_of(hash_) for hash_ in hashes]
    with report.case("leaves"):
        expect_equal("nil hash", NIL_HASH.hex(), content["nil_hash"])
        expected = [leaf["leaf_hash"] for leaf in content["leaves"]]
        expect_equal("leaves", [leaf.hex() for leaf in leaves], expected)
    for case in content["cases"]:
        with report.case(f"{case['num_tx_outs']} outputs"), _tree(leaves) as tree:
            tree.grow_to(case["num_tx_outs"])
            if case["num_tx_outs"]:
                root = tree.root()
                expect_equal("range", [root.range.from_, root.range.to], case["root_range"])
                expect_equal("root", root.hash.hex(), case["root_hash"])
            for expected_proof in case["proofs"]:
                made = tree.proof(int(expected_proof["index"]))
                expect_equal("proof", made, _proof_from_object(expected_proof))


@runs("ledger", r"(.*/)?membership_proofs_real[^/]*\.jsonl")
def run_real_proofs(file: VectorFile, report: Report) -> None:
    """Ring members of real transactions, proven in the real tree."""
    for number, case in enumerate(file.json_lines()):
        root = bytes.fromhex(case["expected_root"]["hash"])
        end = int(case["expected_root"]["range_to"])
        for member in case["members"]:
            with report.case(f"{number} output {member['index']}"):
                tx_out = tx_out_from_json(member["tx_out"])
                hash_ = tx_out_hash(tx_out)
                expect_equal("hash", hash_.hex(), member["tx_out_hash"])
                expect_equal("leaf", leaf_hash_of(hash_).hex(), member["leaf_hash"])
                proof = _proof_from_object(member)
                check_membership_proof(tx_out, proof, root)
                expect_equal("root's range", compute_implied_root(proof).range.to, end)
