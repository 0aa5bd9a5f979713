"""Scenarios of signing and verifying rings, without a ledger."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

from mcnode.account.account_key import AccountKey
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.scenario_text import OUTCOME, Language, Outcomes, count_of
from mcnode.conformance.vectors import expect, expect_equal, runs
from mcnode.crypto import range_proof
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.crypto.rng import ChaCha12Rng, random_scalar
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import (
    Amount,
    SignatureRctBulletproofs,
    Tx,
    TxIn,
    TxOut,
    TxPrefix,
)
from mcnode.transaction.ring_ct.rings import OnetimeKeySigner, ReducedTxOut, SignableRing
from mcnode.transaction.ring_ct.signing import make_signing_data
from mcnode.transaction.ring_ct.verification import check_signature
from mcnode.transaction.tx_out import create_tx_out, view_key_match

_VALUE = 1000
_SEED = bytes(range(32))


class Payment:
    """Rings, outputs and fee of a transaction that may be changed before and after signing."""

    def __init__(
        self, version: int, input_count: int, mixin_count: int, token_ids: tuple[int, ...] = (0,)
    ) -> None:
        self.version = version
        self._random = ChaCha12Rng(_SEED)
        self._account = AccountKey.random(self._random)
        self.fee, self.fee_token_id = 0, token_ids[0]
        self.rings: list[SignableRing] = []
        self.inputs: list[TxIn] = []
        self.outputs: list[tuple[TxOut, OpenedAmount]] = []
        for number in range(input_count):
            token_id = token_ids[number % len(token_ids)]
            self._add_ring(number % (mixin_count + 1), mixin_count + 1, token_id)
            self.add_output(_VALUE, token_id)
        self.conserves_value = True
        self.signature: SignatureRctBulletproofs | None = None

    def _make(self, value: int, token_id: int) -> tuple[TxOut, OpenedAmount]:
        tx_out, _ = create_tx_out(
            BlockVersion(self.version),
            Amount(value, token_id),
            self._account.default_subaddress(),
            RistrettoPrivate.random(self._random),
            bytes(84),
        )
        return tx_out, view_key_match(tx_out, self._account.view_private).amount

    def _add_ring(self, real_index: int, size: int, token_id: int) -> None:
        members = [self._make(_VALUE, token_id) for _ in range(size)]
        real, amount = members[real_index]
        key = recover_onetime_private_key(
            RistrettoPublic(real.public_key),
            self._account.view_private,
            self._account.subaddress_spend_private(0),
        )
        reduced = tuple(ReducedTxOut.of(tx_out) for tx_out, _ in members)
        self.rings.append(SignableRing(reduced, real_index, key, amount))
        self.inputs.append(TxIn(tuple(tx_out for tx_out, _ in members)))

    def add_output(self, value: int, token_id: int) -> None:
        """One more output."""
        self.outputs.append(self._make(value, token_id))

    @property
    def prefix(self) -> TxPrefix:
        """As it stands."""
        outputs = tuple(tx_out for tx_out, _ in self.outputs)
        return TxPrefix(tuple(self.inputs), outputs, self.fee, 100, self.fee_token_id)

    def sign(self) -> None:
        """Sign as it stands; raises `RingCtError`."""
        data = make_signing_data(
            BlockVersion(self.version),
            self.prefix,
            self.rings,
            [amount for _, amount in self.outputs],
            self._random,
            conserves_value=self.conserves_value,
        )
        self.signature = data.sign(self.rings, OnetimeKeySigner(), self._random)

    def verify(self, version: int | None = None, **changes: Any) -> None:
        """Verify, by default at the version of signing; `changes` are made to the prefix."""
        assert self.signature is not None
        prefix = dataclasses.replace(self.prefix, **changes)
        judged_at = self.version if version is None else version
        check_signature(Tx(prefix, self.signature), BlockVersion(judged_at))

    def change_signature(self, **changes: Any) -> None:
        """Change the signature."""
        assert self.signature is not None
        self.signature = dataclasses.replace(self.signature, **changes)

    def prove_other_values(self, values: list[int]) -> bytes:
        """A range proof of other values."""
        blindings = [random_scalar(self._random) for _ in values]
        return range_proof.prove(values, blindings, self.fee_token_id, self._random)


class SigningWorld:
    """Payments within the stated bounds, the changes to be made, and what came of it."""

    def __init__(self) -> None:
        self.versions = range(1, 4)
        self.input_counts: tuple[int, ...] = (1, 3)
        self.mixin_counts: tuple[int, ...] = (1, 10)
        self.token_counts: tuple[int, ...] = (1,)
        self.fee_token_id: int | None = None
        self.before: list[Callable[[Payment], None]] = []
        self.after: list[Callable[[Payment], None]] = []
        self.outcomes = Outcomes()
        self.is_signed_beforehand = True

    def payments(self) -> list[tuple[str, Payment]]:
        """One payment for each combination, changed as it must be before signing."""
        made = []
        for version, inputs, mixins, tokens in itertools.product(
            self.versions, self.input_counts, self.mixin_counts, self.token_counts
        ):
            token_ids = tuple(range(tokens))
            payment = Payment(version, max(inputs, tokens), mixins, token_ids)
            if self.fee_token_id is not None:
                payment.fee_token_id = self.fee_token_id
            for change in self.before:
                change(payment)
            made.append((f"v{version}, {inputs} inputs, {mixins} mixins, {tokens} tokens", payment))
        return made

    def signed(self) -> list[tuple[str, Payment]]:
        """The payments signed, then changed as they must be after signing."""
        payments = self.payments()
        for _, payment in payments:
            payment.sign()
            for change in self.after:
                change(payment)
        return payments


_signing: Language[SigningWorld] = Language(SigningWorld)
given, when, then = _signing.given, _signing.when, _signing.then


def _bounds(low: str, high: str) -> tuple[int, ...]:
    return tuple(sorted({int(low), int(high)}))


@given(
    r"random parameters: (\d+)\.\.(\d+) inputs, (\d+)\.\.(\d+) mixins, one token, block version "
    r"(\d)\.\.(\d)"
)
def _(world: SigningWorld, *bounds: str) -> None:
    world.input_counts = _bounds(*bounds[:2])
    world.mixin_counts = _bounds(*bounds[2:4])
    world.versions = range(int(bounds[4]), int(bounds[5]) + 1)


@given(r"(\d+)\.\.(\d+) inputs")
def _(world: SigningWorld, low: str, high: str) -> None:
    world.input_counts = _bounds(low, high)


@given(r"(\d+)\+ inputs")
def _(world: SigningWorld, low: str) -> None:
    world.input_counts = (int(low), int(low) + 1)


@given(r"(?:at |signed at )?v(\d)(?:\.\.(\d))?(?= |,|;|$)(?: with (?=\d))?")
def _(world: SigningWorld, low: str, high: str | None) -> None:
    world.versions = range(int(low), int(high or low) + 1)


@given(r"(\d)\.\.(\d) token ids")
def _(world: SigningWorld, low: str, high: str) -> None:
    world.token_counts = tuple(range(int(low), int(high) + 1))


@given(r"fee token id (\d+)")
def _(world: SigningWorld, token_id: str) -> None:
    world.fee_token_id = int(token_id)


@given(r"with fee")
def _(world: SigningWorld) -> None:
    world.before.append(_pay_fee)


def _pay_fee(payment: Payment) -> None:
    _, amount = payment.outputs.pop()
    payment.fee = 10
    payment.add_output(amount.value - payment.fee, amount.token_id)


@given(r"rings list emptied")
def _(world: SigningWorld) -> None:
    world.before.append(lambda payment: payment.rings.clear())


@given(r"members of ring (\d+) emptied")
def _(world: SigningWorld, place: str) -> None:
    def empty(payment: Payment) -> None:
        payment.rings[int(place)] = dataclasses.replace(payment.rings[int(place)], members=())

    world.before.append(empty)


@given(r"one output value changed, signed without balance check")
def _(world: SigningWorld) -> None:
    def change(payment: Payment) -> None:
        _, amount = payment.outputs.pop()
        payment.add_output(amount.value + 1, amount.token_id)
        payment.conserves_value = False

    world.before.append(change)


@given(r"one output dropped and its value used as fee")
def _(world: SigningWorld) -> None:
    def drop(payment: Payment) -> None:
        _, amount = payment.outputs.pop()
        payment.fee = amount.value

    world.before.append(drop)


@given(r"ring (\d+) replaced by ring (\d+) with matching output")
def _(world: SigningWorld, place: str, other: str) -> None:
    def replace(payment: Payment) -> None:
        payment.rings[int(place)] = payment.rings[int(other)]
        payment.inputs[int(place)] = payment.inputs[int(other)]

    world.before.append(replace)


@given(r"range_proof_bytes replaced by a proof over (\w+) values of (\d+)")
def _(world: SigningWorld, count: str, value: str) -> None:
    def replace(payment: Payment) -> None:
        values = [int(value)] * count_of(count)
        payment.change_signature(range_proof_bytes=payment.prove_other_values(values))

    world.after.append(replace)


@given(r"pseudo_output_token_ids\[(\d+)\] := \[(\d+)\]")
def _(world: SigningWorld, place: str, source: str) -> None:
    def replace(payment: Payment) -> None:
        assert payment.signature is not None
        token_ids = list(payment.signature.pseudo_output_token_ids)
        token_ids[int(place)] = token_ids[int(source)]
        payment.change_signature(pseudo_output_token_ids=tuple(token_ids))

    world.after.append(replace)


@when(r"sign then verify")
def _(world: SigningWorld) -> None:
    for name, payment in world.signed():
        world.outcomes.note(name, payment.verify)


@when(r"sign")
def _(world: SigningWorld) -> None:
    for name, payment in world.payments():
        world.outcomes.note(name, payment.sign)


@when(r"verify at v(\d)")
def _(world: SigningWorld, version: str) -> None:
    for name, payment in world.signed():
        world.outcomes.note(name, payment.verify, int(version))


@when(r"verify with (fee|fee token id) \+ (\d+)")
def _(world: SigningWorld, what: str, by: str) -> None:
    for name, payment in world.signed():
        if what == "fee":
            world.outcomes.note(name, payment.verify, fee=payment.fee + int(by))
        else:
            changed = payment.fee_token_id + int(by)
            world.outcomes.note(name, payment.verify, fee_token_id=changed)


@when(r"verify")
def _(world: SigningWorld) -> None:
    for name, payment in world.signed():
        world.outcomes.note(name, payment.verify)


@when(r"encode, decode")
def _(world: SigningWorld) -> None:
    for name, payment in world.signed():
        assert payment.signature is not None
        data = encode(payment.signature)
        expect_equal(name, decode(SignatureRctBulletproofs, data), payment.signature)
        expect_equal(f"{name}, length", len(data), _encoded_length(payment.signature))
        world.outcomes.note(name, payment.verify)


def _encoded_length(signature: SignatureRctBulletproofs) -> int:
    """From the layout: 34 bytes for each wrapped scalar or point, and a tag and length around."""

    def framed(length: int) -> int:
        return 1 + len(_varint(length)) + length

    total = 0
    for ring in signature.ring_signatures:
        wrapped = framed(framed(32))
        total += framed((len(ring.responses) + 2) * wrapped)
    total += len(signature.pseudo_output_commitments) * framed(framed(32))
    if signature.range_proof_bytes:
        total += framed(len(signature.range_proof_bytes))
    total += sum(framed(len(proof)) for proof in signature.range_proofs)
    for token_ids in (signature.pseudo_output_token_ids, signature.output_token_ids):
        total += framed(8 * len(token_ids)) if token_ids else 0
    return total


def _varint(value: int) -> bytes:
    groups = max(1, -(-value.bit_length() // 7))
    return bytes(groups)


@then(r"identity; encoded length as computed")
def _(world: SigningWorld) -> None:
    expect(bool(world.outcomes.all), "nothing was encoded")
    world.outcomes.expect_all("ok")


@then(OUTCOME)
def _(world: SigningWorld, expected: str) -> None:
    world.outcomes.expect_all(expected)


run_signing = runs("transaction", r"scenarios/rct_bulletproofs[^/]*\.jsonl")(_signing.run)
