"""Scenarios of single validation rules: a valid transaction of some version, then one change."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from mcnode.conformance.scenario_text import OUTCOME, Language, Outcomes, repeated_byte
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import expect, expect_equal, runs
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MINIMUM_FEE_MOB, RING_SIZE
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    Range,
    Tx,
    TxIn,
    TxOut,
    TxOutMembershipProof,
    TxPrefix,
)
from mcnode.transaction.ring_ct.errors import RingCtError
from mcnode.transaction.ring_ct.rings import OnetimeKeySigner
from mcnode.transaction.ring_ct.verification import check_signature
from mcnode.transaction.validation import check_membership_proofs, validate
from mcnode.transaction.validation.contents import (
    check_fee,
    check_key_images_are_unique,
    check_output_public_keys_are_unique,
    check_outputs_are_sorted,
    check_outputs_fit_block_version,
    check_tombstone,
)
from mcnode.transaction.validation.errors import InvalidTransactionSignature
from mcnode.transaction.validation.input_rules import check_all_input_rules
from mcnode.transaction.validation.structure import (
    check_inputs_are_sorted,
    check_number_of_inputs,
    check_number_of_outputs,
    check_ring_elements_are_sorted,
    check_ring_elements_are_unique,
    check_ring_sizes,
)

_CURRENT = 1


@functools.cache
def _fixture(version: int) -> TxFixture:
    return TxFixture(BlockVersion(version), tx_out_count=RING_SIZE)


@functools.cache
def _payment(version: int, fee: int = MINIMUM_FEE_MOB) -> Tx:
    fixture = _fixture(version)
    builder = fixture.builder(fee=fee)
    builder.add_input(fixture.credentials(0))
    left = fixture.owned[0].amount.value - fee
    builder.add_output(Amount(left, 0), fixture.recipient.default_subaddress())
    return builder.build()


@dataclasses.dataclass
class Subject:
    """A transaction of some version with its root proofs."""

    version: int
    tx: Tx
    root_proofs: list[TxOutMembershipProof]

    def set_prefix(self, **changes: Any) -> None:
        """Change the prefix after signing."""
        prefix = dataclasses.replace(self.tx.prefix, **changes)
        self.tx = dataclasses.replace(self.tx, prefix=prefix)

    def set_ring(self, edit: Callable[[tuple[TxOut, ...]], tuple[TxOut, ...]]) -> None:
        """Change the ring of input 0."""
        first, *others = self.tx.prefix.inputs
        changed = dataclasses.replace(first, ring=edit(tuple(first.ring)))
        self.set_prefix(inputs=(changed, *others))

    def add_input(self, edit: Callable[[TxIn], TxIn]) -> None:
        """A second input made from the first."""
        (first,) = self.tx.prefix.inputs
        self.set_prefix(inputs=(first, edit(first)))


class ValidationWorld:
    """Transactions of several versions, all changed alike, and what a rule says to them."""

    def __init__(self) -> None:
        self.subjects: list[Subject] = []
        self.repeated: range | None = None
        self.limit = 0
        self.tombstones: dict[str, int] = {}
        self.outcomes = Outcomes()

    def add(self, version: int, fee: int = MINIMUM_FEE_MOB) -> None:
        """A valid transaction of a version."""
        tx = _payment(version, fee)
        self.subjects.append(Subject(version, tx, _fixture(version).root_proofs(tx)))

    def judge(self, check: Callable[[Subject], None]) -> None:
        """What a rule says to each transaction."""
        for subject in self.subjects:
            self.outcomes.note(f"version {subject.version}", check, subject)


_rules: Language[ValidationWorld] = Language(ValidationWorld)
given, when, then = _rules.given, _rules.when, _rules.then


@given(
    r"a valid Tx at each block version (\d)\.\.(\d) \(1 input, ring of 11, ledger with one "
    r"block\), unless a version is named"
)
def _(world: ValidationWorld, first: str, last: str) -> None:
    for version in range(int(first), int(last) + 1):
        world.add(version)


@given(r"Tx built at v(\d)")
def _(world: ValidationWorld, version: str) -> None:
    world.add(int(version))


@given(r"\(output without memo\)")
def _(world: ValidationWorld) -> None:
    for subject in world.subjects:
        expect_equal("memo", subject.tx.prefix.outputs[0].e_memo, None)


@given(r"\(masked_token_id empty\)")
def _(world: ValidationWorld) -> None:
    for subject in world.subjects:
        masked = subject.tx.prefix.outputs[0].masked_amount
        expect(masked is not None and masked.masked_token_id == b"", "token id is not empty")


@given(r"root proof (\d+) has the hash of its element (\d+) replaced by (\d+) bytes of 0x(\w\w)")
def _(world: ValidationWorld, proof: str, element: str, count: str, value: str) -> None:
    hash_ = repeated_byte(f"{count}x{value}")
    for subject in world.subjects:
        roots = subject.root_proofs
        roots[int(proof)] = _with_element(roots[int(proof)], int(element), hash=hash_)


@given(r"element (\d+) of proof (\d+) of input (\d+) gets range (\d+\.\.\d+)")
def _(world: ValidationWorld, element: str, proof: str, input_: str, bounds: str) -> None:
    from_, _, to = bounds.partition("..")
    for subject in world.subjects:
        inputs = list(subject.tx.prefix.inputs)
        proofs = list(inputs[int(input_)].proofs)
        changed = Range(int(from_), int(to))
        proofs[int(proof)] = _with_element(proofs[int(proof)], int(element), range=changed)
        inputs[int(input_)] = dataclasses.replace(inputs[int(input_)], proofs=tuple(proofs))
        subject.set_prefix(inputs=tuple(inputs))


def _with_element(proof: TxOutMembershipProof, place: int, **changes: Any) -> TxOutMembershipProof:
    elements = list(proof.elements)
    elements[place] = dataclasses.replace(elements[place], **changes)
    return dataclasses.replace(proof, elements=tuple(elements))


@given(r"the (?:input|output) repeated N times, N = (\d+)\.\.(\d+), limit (\d+)")
def _(world: ValidationWorld, first: str, last: str, limit: str) -> None:
    world.repeated, world.limit = range(int(first), int(last) + 1), int(limit)


@given(r"ring emptied")
def _(world: ValidationWorld) -> None:
    _edit_rings(world, lambda ring: ())


@given(r"last ring element removed", r"last element of ring 0 removed")
def _(world: ValidationWorld) -> None:
    _edit_rings(world, lambda ring: ring[:-1])


@given(r"ring element (\d+) appended again")
def _(world: ValidationWorld, place: str) -> None:
    _edit_rings(world, lambda ring: (*ring, ring[int(place)]))


def _edit_rings(
    world: ValidationWorld, edit: Callable[[tuple[TxOut, ...]], tuple[TxOut, ...]]
) -> None:
    for subject in world.subjects:
        subject.set_ring(edit)


@given(r"input duplicated \(two rings of 11\)")
def _(world: ValidationWorld) -> None:
    _add_inputs(world, lambda first: first)


@given(r"second input is the first with last ring element removed")
def _(world: ValidationWorld) -> None:
    _add_inputs(world, lambda first: dataclasses.replace(first, ring=tuple(first.ring)[:-1]))


@given(r"second input = copy without its ring element (\d+)")
def _(world: ValidationWorld, place: str) -> None:
    def without(first: TxIn) -> TxIn:
        ring = list(first.ring)
        del ring[int(place)]
        return dataclasses.replace(first, ring=tuple(ring))

    _add_inputs(world, without)


@given(r"second input = first with byte (\d+) of every target_key inverted")
def _(world: ValidationWorld, place: str) -> None:
    def inverted(tx_out: TxOut) -> TxOut:
        key = bytearray(tx_out.target_key)
        key[int(place)] ^= 0xFF
        return dataclasses.replace(tx_out, target_key=bytes(key))

    _add_inputs(
        world, lambda first: dataclasses.replace(first, ring=tuple(map(inverted, first.ring)))
    )


@given(r"second input = exact copy of the first but with empty input_rules set")
def _(world: ValidationWorld) -> None:
    _add_inputs(world, lambda first: dataclasses.replace(first, input_rules=InputRules()))


def _add_inputs(world: ValidationWorld, edit: Callable[[TxIn], TxIn]) -> None:
    for subject in world.subjects:
        subject.add_input(edit)


@given(r"the two inputs swapped")
def _(world: ValidationWorld) -> None:
    for subject in world.subjects:
        subject.set_prefix(inputs=tuple(subject.tx.prefix.inputs)[::-1])


@given(r"outputs with public keys (\d+x\w\w) then (\d+x\w\w)")
def _(world: ValidationWorld, first: str, second: str) -> None:
    for subject in world.subjects:
        output = subject.tx.prefix.outputs[0]
        subject.set_prefix(
            outputs=tuple(
                dataclasses.replace(output, public_key=repeated_byte(key))
                for key in (first, second)
            )
        )


@given(r"output (\d+) appended again")
def _(world: ValidationWorld, place: str) -> None:
    for subject in world.subjects:
        outputs = tuple(subject.tx.prefix.outputs)
        subject.set_prefix(outputs=(*outputs, outputs[int(place)]))


@given(r"(fee|fee_token_id) \+ (\d+)")
def _(world: ValidationWorld, name: str, by: str) -> None:
    for subject in world.subjects:
        subject.set_prefix(**{name: getattr(subject.tx.prefix, name) + int(by)})


@given(r"Tx with fee (\d+)")
def _(world: ValidationWorld, fee: str) -> None:
    world.add(4, int(fee))


@given(r"(current|tombstone) (\d+)")
def _(world: ValidationWorld, name: str, value: str) -> None:
    world.tombstones[name] = int(value)


@given(
    r"Tx with (\d) recipients whose outputs are sorted descending before signing; fee (\d+); "
    r"correct root proofs}?, at v(\d) and v(\d)"
)
def _(world: ValidationWorld, count: str, fee: str, *versions: str) -> None:
    for version in map(int, versions):
        tx = _descending(version, int(count), int(fee))
        world.subjects.append(Subject(version, tx, _fixture(version).root_proofs(tx)))


def _descending(version: int, count: int, fee: int) -> Tx:
    """A transaction signed with its outputs in the wrong order."""
    fixture = _fixture(version)
    builder = fixture.builder(fee=fee)
    builder.add_input(fixture.credentials(0))
    values = [1] * (count - 1)
    values.append(fixture.owned[0].amount.value - fee - sum(values))
    for value in values:
        builder.add_output(Amount(value, 0), fixture.recipient.default_subaddress())
    unsigned = builder.build_unsigned()
    prefix = dataclasses.replace(unsigned.prefix, outputs=unsigned.prefix.outputs[::-1])
    flipped = dataclasses.replace(unsigned, prefix=prefix, outputs=unsigned.outputs[::-1])
    return flipped.sign(OnetimeKeySigner(), fixture.random_bytes)


@given(r"v(\d) Tx, input 0 gets rules requiring its own output 0, no tombstone limit")
def _(world: ValidationWorld, version: str) -> None:
    world.add(int(version))
    for subject in world.subjects:
        _set_rules(subject, InputRules((subject.tx.prefix.outputs[0],)))


@given(r"max_tombstone_block = tombstone(?: - (\d+))?")
def _(world: ValidationWorld, less: str | None) -> None:
    for subject in world.subjects:
        rules = subject.tx.prefix.inputs[0].input_rules
        assert rules is not None
        limit = subject.tx.prefix.tombstone_block - int(less or 0)
        _set_rules(subject, dataclasses.replace(rules, max_tombstone_block=limit))


def _set_rules(subject: Subject, rules: InputRules) -> None:
    first, *others = subject.tx.prefix.inputs
    subject.set_prefix(inputs=(dataclasses.replace(first, input_rules=rules), *others))


@when(r"validate_(that_no_)?(memo|masked_token_id)_exists\(output (\d+)\)")
def _(world: ValidationWorld, none: str | None, what: str, place: str) -> None:
    """The other of the two is made to fit, so that only one is judged."""
    for subject in world.subjects:
        output = subject.tx.prefix.outputs[int(place)]
        if what == "memo":
            version, output = 0 if none else 2, _with_token_id(output, is_there=not none)
        else:
            version = 1 if none else 2
            output = dataclasses.replace(output, e_memo=output.e_memo or bytes(66))
        world.outcomes.note(
            "output", check_outputs_fit_block_version, [output], BlockVersion(version)
        )


def _with_token_id(output: TxOut, *, is_there: bool) -> TxOut:
    assert output.masked_amount is not None
    masked = dataclasses.replace(
        output.masked_amount, masked_token_id=bytes(8) if is_there else b""
    )
    return dataclasses.replace(output, masked_amount=masked)


@when(r"validate_membership_proofs")
def _(world: ValidationWorld) -> None:
    world.judge(lambda s: check_membership_proofs(s.tx.prefix.inputs, s.root_proofs))


@when(r"validate_number_of_(inputs|outputs)")
def _(world: ValidationWorld, what: str) -> None:
    expect(world.repeated is not None, "nothing is repeated")
    for subject in world.subjects:
        for count in world.repeated or ():
            name = f"version {subject.version}, N={count}"
            if what == "inputs":
                inputs = list(subject.tx.prefix.inputs) * count
                world.outcomes.note(name, check_number_of_inputs, inputs, world.limit)
            else:
                outputs = list(subject.tx.prefix.outputs) * count
                world.outcomes.note(name, check_number_of_outputs, outputs, world.limit)


_OF_PREFIX: dict[str, Callable[[TxPrefix], None]] = {
    "ring_sizes(11)": lambda prefix: check_ring_sizes(prefix.inputs),
    "ring_elements_are_unique": lambda prefix: check_ring_elements_are_unique(prefix.inputs),
    "ring_elements_are_sorted": lambda prefix: check_ring_elements_are_sorted(prefix.inputs),
    "inputs_are_sorted": lambda prefix: check_inputs_are_sorted(prefix.inputs),
    "outputs_are_sorted": lambda prefix: check_outputs_are_sorted(prefix.outputs),
    "outputs_public_keys_are_unique": lambda prefix: check_output_public_keys_are_unique(
        prefix.outputs
    ),
}


@when(
    r"validate_(ring_sizes\(11\)|ring_elements_are_unique|ring_elements_are_sorted|"
    r"inputs_are_sorted|outputs_are_sorted|outputs_public_keys_are_unique)"
)
def _(world: ValidationWorld, name: str) -> None:
    world.judge(lambda s: _OF_PREFIX[name](s.tx.prefix))


@when(r"validate_key_images_are_unique")
def _(world: ValidationWorld) -> None:
    world.judge(lambda s: check_key_images_are_unique(s.tx.signature.ring_signatures))


@when(r"validate_signature at the version it was built for", r"validate_signature(?: at v(\d))?")
def _(world: ValidationWorld, version: str | None = None) -> None:
    def check(subject: Subject) -> None:
        judged_at = subject.version if version is None else int(version)
        try:
            check_signature(subject.tx, BlockVersion(judged_at))
        except RingCtError as error:
            raise InvalidTransactionSignature(error) from error

    world.judge(check)


@when(r"validate_transaction_fee\(minimum (\d+)\)")
def _(world: ValidationWorld, minimum: str) -> None:
    world.judge(lambda s: check_fee(s.tx.prefix.fee, int(minimum)))


@when(r"validate_tombstone")
def _(world: ValidationWorld) -> None:
    current, tombstone = world.tombstones["current"], world.tombstones["tombstone"]
    world.outcomes.note("tombstone", check_tombstone, current, tombstone)


@when(r"validate_all_input_rules")
def _(world: ValidationWorld) -> None:
    world.judge(lambda s: check_all_input_rules(s.tx.prefix, BlockVersion(s.version)))


@when(r"validate\b")
def _(world: ValidationWorld) -> None:
    world.judge(lambda s: validate(s.tx, _CURRENT, s.version, s.root_proofs, s.tx.prefix.fee))


@then(r"N=0 (\w+); N>(\d+) (\w+); else ok")
def _(world: ValidationWorld, none: str, limit: str, above: str) -> None:
    expect(bool(world.outcomes.all), "nothing was tried")
    for name, found in world.outcomes.all.items():
        count = int(name.rpartition("=")[2])
        expected = none if count == 0 else above if count > int(limit) else "ok"
        expect_equal(name, found, expected)


@then(r"ok \(whole TxOut compared\)")
def _(world: ValidationWorld) -> None:
    world.outcomes.expect_all("ok")


@then(OUTCOME)
def _(world: ValidationWorld, expected: str) -> None:
    world.outcomes.expect_all(expected)


run_validation = runs("transaction", r"scenarios/validation[^/]*\.jsonl")(_rules.run)
