"""Scenarios of contingent inputs: offered, taken whole or in part, tampered with."""

import dataclasses

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.conformance.scenario_text import OUTCOME, Language, Outcomes
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import expect, expect_equal, runs
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.ring_signature import key_image
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import (
    AddedOutput,
    FogPublicKey,
    SignedContingentInputBuilder,
    TransactionBuilder,
)
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, RING_SIZE
from mcnode.transaction.messages import Amount, SignedContingentInput, Tx
from mcnode.transaction.ring_ct.errors import RingCtError
from mcnode.transaction.ring_ct.verification import check_signature
from mcnode.transaction.sci import validate_contingent_input, with_membership_proofs
from mcnode.transaction.tx_out import is_equal_ignoring_amount, view_key_match
from mcnode.transaction.validation import validate
from mcnode.transaction.validation.errors import InvalidTransactionSignature
from mcnode.transaction.validation.input_rules import check_all_input_rules

_VERSION = BlockVersion(4)
_TOKEN = 2
_VALUE = 10 * MINIMUM_FEE_MOB + 1
_ASKED = 1001
_FOG_KEY = RistrettoPrivate.from_wide(bytes([11]) * 64)


def with_fog(account: AccountKey) -> AccountKey:
    """The same account behind a fog server."""
    return dataclasses.replace(
        account, fog_report_url="fog://fog.example", fog_authority_spki=b"authority"
    )


class SwapWorld:
    """Alice owns token 0 (even outputs) and offers; Bob owns token 2 (odd outputs) and takes."""

    def __init__(self) -> None:
        amounts = Amount(_VALUE, MOB), Amount(_VALUE, _TOKEN)
        self.fixture = TxFixture(_VERSION, tx_out_count=5 * RING_SIZE, amounts=amounts)
        self.expiries: dict[bytes, int] = {}
        self.offer = self.new_offer(0)
        self.asked: list[AddedOutput] = []
        self.sci: SignedContingentInput | None = None
        self.taker: TransactionBuilder | None = None
        self.is_partial = False
        self.change = 0
        self.tx: Tx | None = None
        self.outcomes = Outcomes()

    def ring(self, number: int) -> range:
        """The indices of one of the disjoint rings."""
        return range(RING_SIZE * number, RING_SIZE * (number + 1))

    def new_offer(self, ring: int) -> SignedContingentInputBuilder:
        """An offer of the first output of token 0 in a ring."""
        real = self.ring(ring)[0] + self.ring(ring)[0] % 2
        return SignedContingentInputBuilder(
            _VERSION,
            self.fixture.credentials(real, self.ring(ring)),
            self.fixture.random_bytes,
            fog_resolver=self.resolve,
        )

    def resolve(self, recipient: PublicAddress) -> FogPublicKey:
        """A key for every address, with the expiry that was set for it."""
        return FogPublicKey(_FOG_KEY.public_key(), self.expiries[recipient.spend_public_key])

    def ask(self, recipient: PublicAddress | None = None, value: int = _ASKED) -> None:
        """Alice wants an output of token 2."""
        address = recipient or self.fixture.sender.default_subaddress()
        self.asked.append(self.offer.add_required_output(Amount(value, _TOKEN), address))

    def ask_in_part(self) -> None:
        """Alice wants a share of what is taken."""
        address = self.fixture.sender.default_subaddress()
        self.offer.add_partial_fill_output(Amount(_ASKED, _TOKEN), address)
        self.offer.add_partial_fill_change_output(Amount(_VALUE, MOB), self.fixture.sender)
        self.is_partial = True

    def build(self) -> SignedContingentInput:
        """Close the offer, with its proofs put back."""
        self.sci = self.refreshed(self.offer.build())
        return self.sci

    def refreshed(self, sci: SignedContingentInput) -> SignedContingentInput:
        """With membership proofs."""
        proofs = [self.fixture.tree.proof(index) for index in sci.tx_out_global_indices]
        return with_membership_proofs(sci, proofs)

    def set_rules(self, **changes: object) -> None:
        """Change the rules after signing."""
        assert self.sci is not None
        rules = self.sci.tx_in.input_rules
        assert rules is not None
        changed = dataclasses.replace(rules, **changes)  # type: ignore[arg-type]
        tx_in = dataclasses.replace(self.sci.tx_in, input_rules=changed)
        self.sci = dataclasses.replace(self.sci, tx_in=tx_in)

    def take(self) -> TransactionBuilder:
        """Bob's transaction with his own input and nothing else yet."""
        builder = self.fixture.builder()
        ring = self.ring(1)
        builder.add_input(self.fixture.credentials(ring[0] + 1 - ring[0] % 2, ring))
        self.taker = builder
        return builder

    def keep(self, gained: int, paid: int) -> None:
        """Bob keeps what he gained in token 0 less the fee, and what he did not pay of token 2."""
        assert self.taker is not None
        bob = self.fixture.recipient.default_subaddress()
        self.taker.add_output(Amount(gained - MINIMUM_FEE_MOB, MOB), bob)
        self.taker.add_output(Amount(_VALUE - paid, _TOKEN), bob)

    def built(self) -> Tx:
        """The transaction, built once."""
        if self.tx is None:
            assert self.taker is not None
            self.tx = self.taker.build()
        return self.tx

    def validate(self) -> None:
        """Everything; raises `TransactionValidationError`."""
        tx = self.built()
        validate(tx, 1, _VERSION, self.fixture.root_proofs(tx), MINIMUM_FEE_MOB)


_swaps: Language[SwapWorld] = Language(SwapWorld)
given, when, then = _swaps.given, _swaps.when, _swaps.then


@given(r"SCI offering token A, required output to a fog recipient; tombstone (\d+), expiry (\d+)")
def _(world: SwapWorld, tombstone: str, expiry: str) -> None:
    address = with_fog(world.fixture.sender).default_subaddress()
    world.expiries[address.spend_public_key] = int(expiry)
    world.offer.set_tombstone_block(int(tombstone))
    world.ask(address)


@given(r"SCI with two fog recipients, different expiries")
def _(world: SwapWorld) -> None:
    for account, expiry in ((world.fixture.sender, 1500), (world.fixture.recipient, 1200)):
        address = with_fog(account).default_subaddress()
        world.expiries[address.spend_public_key] = expiry
        world.ask(address)


@given(r"(one|two|three) SCIs? plus one own input")
def _(world: SwapWorld, count: str) -> None:
    offers = ("one", "two", "three").index(count) + 1
    builder = world.take()
    for number in range(offers):
        world.offer = world.new_offer((0, 2, 3)[number])
        world.ask()
        builder.add_presigned_input(world.build())
    world.keep(offers * _VALUE, offers * _ASKED)


@given(r"SCI as the only input")
def _(world: SwapWorld) -> None:
    world.ask()
    world.taker = world.fixture.builder()
    world.taker.add_presigned_input(world.build())


@given(r"SCI added raw, equal value sent to self instead of required output")
def _(world: SwapWorld) -> None:
    _take_raw(world, world.fixture.recipient)


@given(r"SCI added raw, a fresh output of the same amount to the right recipient")
def _(world: SwapWorld) -> None:
    _take_raw(world, world.fixture.sender)


def _take_raw(world: SwapWorld, instead: AccountKey) -> None:
    world.ask()
    builder = world.take()
    builder.add_presigned_input_raw(world.build())
    builder.add_output(Amount(_ASKED, _TOKEN), instead.default_subaddress())
    world.keep(_VALUE, _ASKED)


@given(r"required output deleted from rules \(and amounts\) of a built SCI")
def _(world: SwapWorld) -> None:
    world.ask()
    world.build()
    world.set_rules(required_outputs=())
    assert world.sci is not None
    world.sci = dataclasses.replace(world.sci, required_output_amounts=())


@given(r"used in a Tx")
def _(world: SwapWorld) -> None:
    assert world.sci is not None
    world.take().add_presigned_input(world.sci)
    world.keep(_VALUE, 0)


@given(r"input_rules removed from a built SCI")
def _(world: SwapWorld) -> None:
    world.ask()
    sci = world.build()
    tx_in = dataclasses.replace(sci.tx_in, input_rules=None)
    world.sci = dataclasses.replace(sci, tx_in=tx_in)


@given(r"SCI max tombstone (\d+) added raw, Tx tombstone above it")
def _(world: SwapWorld, tombstone: str) -> None:
    world.offer.set_tombstone_block(int(tombstone))
    builder = world.take()
    builder.add_presigned_input_raw(world.build())
    builder.set_tombstone_block(int(tombstone) + 1)
    world.keep(_VALUE, 0)


@given(r"SCI max tombstone raised after signing")
def _(world: SwapWorld) -> None:
    world.offer.set_tombstone_block(1000)
    world.build()
    world.set_rules(max_tombstone_block=1001)


@given(r"partial-fill SCI(?: with required outputs (as well))?")
def _(world: SwapWorld, required: str | None) -> None:
    world.ask_in_part()
    if required:
        world.ask(value=7)
    world.build()


def _fill(world: SwapWorld, change: int) -> None:
    assert world.sci is not None
    builder = world.take()
    (paid,) = builder.add_presigned_partial_fill_input(world.sci, Amount(change, MOB))
    world.change = change
    required = sum(amount.value for amount in world.sci.required_output_amounts)
    world.keep(_VALUE - change, paid.value + required)
    world.outcomes.note("taken in part", world.validate)


@when(r"add_presigned_partial_fill_input with change (?:= )?(\d+|half)", r"(fill)\b")
def _(world: SwapWorld, change: str) -> None:
    _fill(world, _VALUE // 2 if change in ("half", "fill") else int(change))


@when(r"build, validate", r"SCI validate")
def _(world: SwapWorld) -> None:
    sci = world.build() if world.sci is None else world.sci
    world.outcomes.note("contingent input", validate_contingent_input, sci)


@when(r"build\b")
def _(world: SwapWorld) -> None:
    if world.taker is None:
        world.outcomes.note("offer", world.build)
    else:
        world.outcomes.note("transaction", world.built)


@when(r"validate signature")
def _(world: SwapWorld) -> None:
    def check() -> None:
        try:
            check_signature(world.built(), _VERSION)
        except RingCtError as error:
            raise InvalidTransactionSignature(error) from error

    world.outcomes.note("signature", check)


@when(r"validate input rules")
def _(world: SwapWorld) -> None:
    prefix = world.built().prefix
    world.outcomes.note("input rules", check_all_input_rules, prefix, _VERSION)


@when(r"validate\b")
def _(world: SwapWorld) -> None:
    world.outcomes.note("transaction", world.validate)


@then(r"key image of the input")
def _(world: SwapWorld) -> None:
    world.outcomes.expect_all("ok")
    assert world.sci is not None
    own = key_image(world.fixture.owned[0].onetime_private_key)
    expect_equal("key image", world.sci.mlsag.key_image.hex(), own.hex())


@then(r"rules have the required output and max tombstone (\d+)")
def _(world: SwapWorld, tombstone: str) -> None:
    assert world.sci is not None
    rules = world.sci.tx_in.input_rules
    assert rules is not None
    expect_equal("required", list(rules.required_outputs), [a.tx_out for a in world.asked])
    expect_equal("max tombstone", rules.max_tombstone_block, int(tombstone))


@then(r"signature valid")
def _(world: SwapWorld) -> None:
    assert world.sci is not None
    validate_contingent_input(world.sci)


@then(r"max tombstone = smallest expiry")
def _(world: SwapWorld) -> None:
    assert world.sci is not None
    rules = world.sci.tx_in.input_rules
    assert rules is not None
    expect_equal("max tombstone", rules.max_tombstone_block, min(world.expiries.values()))


@then(r"(full|half) fill")
def _(world: SwapWorld, how_much: str) -> None:
    expect_equal("change", world.change, 0 if how_much == "full" else _VALUE // 2)


@then(r"outputs are half rounded up")
def _(world: SwapWorld) -> None:
    filled = _VALUE - world.change
    _check_fractional(world, -(-_ASKED * filled // _VALUE))
    expect_equal("half, rounded up", -(-_ASKED * filled // _VALUE), -(-_ASKED // 2))


def _check_fractional(world: SwapWorld, expected: int) -> None:
    """The output that stands for the partial-fill output of the rules is worth this."""
    assert world.sci is not None
    rules = world.sci.tx_in.input_rules
    assert rules is not None
    view_private = world.fixture.sender.view_private
    for rule in rules.partial_fill_outputs:
        (output,) = (
            tx_out
            for tx_out in world.built().prefix.outputs
            if is_equal_ignoring_amount(tx_out, rule.tx_out)
        )
        expect_equal("value", view_key_match(output, view_private).amount.value, expected)


@then(r"valid Tx(?: containing required and (fractional) outputs)?")
def _(world: SwapWorld, outputs: str | None) -> None:
    world.outcomes.expect_all("ok")
    world.validate()
    if outputs:
        _check_fractional(world, -(-_ASKED * (_VALUE - world.change) // _VALUE))
        present = set(world.built().prefix.outputs)
        expect(bool(world.asked), "nothing was required")
        for asked in world.asked:
            expect(asked.tx_out in present, "a required output is missing")


@then(OUTCOME)
def _(world: SwapWorld, expected: str) -> None:
    world.outcomes.expect_all(expected)


run_contingent = runs("transaction", r"scenarios/sci_builder[^/]*\.jsonl")(_swaps.run)
