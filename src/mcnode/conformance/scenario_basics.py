"""Scenarios of fee maps and membership proofs."""

import dataclasses
import functools
import re

from mcnode.conformance.scenario_text import (
    Language,
    Outcomes,
    UnreadableScenario,
    count_of,
    repeated_byte,
)
from mcnode.conformance.tx_fixture import TxFixture, TxOutTree
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.transaction.errors import network_name
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.membership_proof import (
    NIL_HASH,
    MembershipProofError,
    RootHashMismatch,
    check_membership_proof,
    derive_proof_at_index,
    leaf_hash,
    node_hash,
)
from mcnode.transaction.messages import (
    Range,
    TxOut,
    TxOutMembershipElement,
    TxOutMembershipProof,
)

# -- fee maps ------------------------------------------------------------------------------------

_ENTRY = re.compile(r"(\d+):\s*(\d+)")


@runs("transaction", r"scenarios/fee_map[^/]*\.jsonl")
def run_fee_maps(file: VectorFile, report: Report) -> None:
    """A map of fees is made, or refused."""
    for case in file.json_lines():
        with report.case(case["id"]):
            given = case["given"].strip()
            entries = _ENTRY.findall(given)
            written = ", ".join(f"{token}:{fee}" for token, fee in entries)
            if given != f"{{{written}}}" or case["when"] not in ("construct", "is_valid_map"):
                raise UnreadableScenario(f"{given} / {case['when']}")
            outcomes = Outcomes()
            outcomes.note(given, FeeMap, {int(token): int(fee) for token, fee in entries})
            outcomes.expect_all(case["then"])


# -- membership proofs ---------------------------------------------------------------------------


@functools.cache
def _outputs(count: int) -> tuple[TxOut, ...]:
    return tuple(owned.tx_out for owned in TxFixture(tx_out_count=count).owned)


class ProofWorld:
    """A tree of outputs, one or several proofs, and what was found out about them."""

    def __init__(self) -> None:
        self.outputs: tuple[TxOut, ...] = ()
        self.proofs: list[TxOutMembershipProof] = []
        self.root_hash: bytes | None = None
        self.index = 0
        self.earlier: tuple[int, TxOutMembershipProof] | None = None
        self.verdicts: list[str] = []

    def grow(self, count: int) -> None:
        """So many outputs."""
        self.outputs = _outputs(max(count, 101))[:count]

    @property
    def tree(self) -> TxOutTree:
        """The tree over all outputs."""
        return TxOutTree([leaf_hash(tx_out) for tx_out in self.outputs])

    def prove(self, index: int) -> None:
        """Take the proof of an output."""
        self.index = index
        self.proofs.append(self.tree.proof(index))

    def change(self, **changes: object) -> None:
        """Change the last proof."""
        self.proofs[-1] = dataclasses.replace(self.proofs[-1], **changes)  # type: ignore[arg-type]

    def verdict(self, proof: TxOutMembershipProof) -> str:
        """`true`, `false` or the error of one proof."""
        root_hash = self.tree.root_hash() if self.root_hash is None else self.root_hash
        tx_out = self.outputs[min(proof.index, self.index)]
        try:
            check_membership_proof(tx_out, proof, root_hash)
        except RootHashMismatch:
            return "false"
        except MembershipProofError as error:
            return network_name(error)
        return "true"


_proofs: Language[ProofWorld] = Language(ProofWorld)


@_proofs.given(r"(\w+) TxOuts?\b")
def _(world: ProofWorld, count: str) -> None:
    world.grow(count_of(count))


@_proofs.given(r"proof index (\d+), highest (\d+), one element \[(\d+),(\d+)\] leaf hash")
def _(world: ProofWorld, index: str, highest: str, from_: str, to: str) -> None:
    leaf = leaf_hash(world.outputs[int(index)])
    element = TxOutMembershipElement(Range(int(from_), int(to)), leaf)
    world.index = int(index)
    world.proofs.append(TxOutMembershipProof(int(index), int(highest), (element,)))


@_proofs.given(r"proof of (\d+) taken when (\d+) TxOuts existed, and again at (\d+)")
def _(world: ProofWorld, index: str, count: str, later: str) -> None:
    world.grow(int(count))
    world.earlier = int(count), world.tree.proof(int(index))
    world.grow(int(later))
    world.prove(int(index))


@_proofs.given(r"proof of (\d+)(?: \(the last\))?")
def _(world: ProofWorld, index: str) -> None:
    world.prove(int(index))


@_proofs.given(r"with index set to (\d+)")
def _(world: ProofWorld, index: str) -> None:
    world.change(index=int(index))


@_proofs.given(r"with highest_index (\d+)")
def _(world: ProofWorld, index: str) -> None:
    world.change(highest_index=int(index))


@_proofs.given(r"with element (\d+) replaced by range \[(\d+),(\d+)\], hash (\d+x\w\w)")
def _(world: ProofWorld, place: str, from_: str, to: str, hash_: str) -> None:
    elements = list(world.proofs[-1].elements)
    elements[int(place)] = TxOutMembershipElement(Range(int(from_), int(to)), repeated_byte(hash_))
    world.change(elements=tuple(elements))


@_proofs.given(r"without element (\d+)")
def _(world: ProofWorld, place: str) -> None:
    elements = list(world.proofs[-1].elements)
    del elements[int(place)]
    world.change(elements=tuple(elements))


@_proofs.when(r"proofs of (\d+) and of (\d+) against the ledger root")
def _(world: ProofWorld, first: str, second: str) -> None:
    for index in (int(first), int(second)):
        world.prove(index)
        world.verdicts.append(world.verdict(world.proofs[-1]))


@_proofs.when(r"is_membership_proof_valid( against the leaf hash)?")
def _(world: ProofWorld, against_leaf: str | None) -> None:
    if against_leaf:
        world.root_hash = leaf_hash(world.outputs[world.index])
    world.verdicts.append(world.verdict(world.proofs[-1]))


@_proofs.when(r"derive_proof_at_index(?: on the later one)?")
def _(world: ProofWorld) -> None:
    world.proofs.append(derive_proof_at_index(world.proofs[-1]))


@_proofs.when(r"root\b")
def _(world: ProofWorld) -> None:
    world.root_hash = world.tree.root_hash()


@_proofs.then(r"identical proof, still valid")
def _(world: ProofWorld) -> None:
    before, after = world.proofs
    expect_equal("derived proof", after, before)
    expect_equal("verdict", world.verdict(after), "true")


@_proofs.then(r"equals the earlier proof and is valid against the root at (\d+)")
def _(world: ProofWorld, count: str) -> None:
    assert world.earlier is not None
    taken_at, earlier = world.earlier
    expect_equal("derived proof", world.proofs[-1], earlier)
    expect_equal("taken at", taken_at, int(count))
    world.root_hash = world.tree.root_hash(int(count))
    expect_equal("verdict", world.verdict(world.proofs[-1]), "true")


@_proofs.then(r"(true|false|[A-Z]\w+(?:\(\d+\))?)")
def _(world: ProofWorld, expected: str) -> None:
    expect(bool(world.verdicts), "no proof was checked")
    for found in world.verdicts:
        expect_equal("verdict", found, expected)


@_proofs.then(r"(node\(.*\))")
def _(world: ProofWorld, expression: str) -> None:
    rest, expected = _tree_of(expression.replace(" ", ""), world.outputs)
    expect_equal("read to the end", rest, "")
    expect_equal("root", world.root_hash, expected)


def _tree_of(text: str, outputs: tuple[TxOut, ...]) -> tuple[str, bytes]:
    """What is left of a text like `node(leaf0,nil)`, and the hash it begins with."""
    if text.startswith("nil"):
        return text[3:], NIL_HASH
    if leaf := re.match(r"leaf(\d+)", text):
        return text[leaf.end() :], leaf_hash(outputs[int(leaf[1])])
    if not text.startswith("node("):
        raise UnreadableScenario(text)
    rest, left = _tree_of(text[5:], outputs)
    rest, right = _tree_of(rest.removeprefix(","), outputs)
    return rest.removeprefix(")"), node_hash(left, right)


run_membership_proofs = runs("transaction", r"scenarios/membership_proofs[^/]*\.jsonl")(_proofs.run)
