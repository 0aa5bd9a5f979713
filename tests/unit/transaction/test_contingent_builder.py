"""Offers are made, taken whole or in part, refused, and taken back."""

import dataclasses

import pytest

from mcnode.conformance.tx_fixture import TxFixture
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import (
    EmptyMemoBuilder,
    FogPublicKey,
    RthMemoBuilder,
    SignedContingentInputBuilder,
)
from mcnode.transaction.builder.memo_builder import FeeAfterChange
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.messages import Amount, InputRules
from mcnode.transaction.sci import (
    balance_sheet,
    validate_contingent_input,
    with_membership_proofs,
)
from mcnode.transaction.tx_out import view_key_match
from mcnode.transaction.validation import validate

FEE = 400_000_000
VALUE = 10 * FEE


@pytest.fixture(scope="module")
def mixed():
    """Even outputs in token 0, odd ones in token 2; all belong to the sender."""
    return TxFixture(BlockVersion(4), token_ids=(0, 2), tx_out_count=44)


def offer(fixture, real=0, **options):
    version = options.pop("block_version", fixture.block_version)
    credentials = options.pop("credentials", fixture.credentials(real, range(11)))
    return SignedContingentInputBuilder(version, credentials, fixture.random_bytes, **options)


def refreshed(fixture, sci):
    return with_membership_proofs(sci, [fixture.tree.proof(i) for i in sci.tx_out_global_indices])


def refusal(call, *args, **options):
    with pytest.raises(TransactionError) as caught:
        call(*args, **options)
    return network_name(caught.value)


def is_valid(fixture, tx):
    validate(tx, 1, fixture.block_version, fixture.root_proofs(tx), FEE)
    return True


def swap_offer(mixed, wanted=1000):
    """Output 0 for `wanted` of token 2."""
    builder = offer(mixed)
    asked = builder.add_required_output(Amount(wanted, 2), mixed.recipient.default_subaddress())
    return builder.build(), asked


def taker(mixed, real=11):
    """Somebody with an output of token 2 for odd `real`, and the fee in token 0."""
    builder = mixed.builder()
    builder.add_input(mixed.credentials(real, range(11, 22)))
    return builder


def test_offer(mixed):
    sci, asked = swap_offer(mixed)
    assert sci.tx_in.proofs == ()
    assert sci.tx_in.input_rules == InputRules((asked.tx_out,))
    for index, member in zip(sci.tx_out_global_indices, sci.tx_in.ring, strict=True):
        assert mixed.owned[index].tx_out == member
    amounts = validate_contingent_input(sci)
    assert amounts.pseudo_output == Amount(VALUE, 0)
    assert balance_sheet(amounts, 0) == {0: -VALUE, 2: 1000}


def test_required_outputs_are_sorted_with_their_amounts(mixed):
    builder = offer(mixed)
    for value in range(1, 6):
        builder.add_required_output(Amount(value, value), mixed.recipient.default_subaddress())
    builder.add_required_change_output(Amount(6, 6), mixed.sender)
    sci = builder.build()
    keys = [tx_out.public_key for tx_out in sci.tx_in.input_rules.required_outputs]
    assert keys == sorted(keys)
    assert sorted(validate_contingent_input(sci).required_outputs, key=lambda a: a.value) == [
        Amount(value, value) for value in range(1, 7)
    ]


def test_taken_whole(mixed):
    sci, asked = swap_offer(mixed)
    builder = taker(mixed)
    builder.add_presigned_input(refreshed(mixed, sci))
    builder.add_output(Amount(VALUE - FEE, 0), mixed.recipient.default_subaddress())
    builder.add_change_output(Amount(VALUE - 1000, 2), mixed.sender)
    tx = builder.build()
    assert asked.tx_out in tx.prefix.outputs
    assert is_valid(mixed, tx)


def test_output_that_is_there_already_is_not_added_again(mixed):
    sci, _ = swap_offer(mixed)
    builder = taker(mixed)
    builder.add_presigned_input(refreshed(mixed, sci))
    second = dataclasses.replace(sci, tx_in=dataclasses.replace(sci.tx_in, proofs=()))
    builder.add_presigned_input(refreshed(mixed, second))
    assert len(builder.build_unsigned().prefix.outputs) == 1


def test_two_offers_in_one_transaction(mixed):
    first, _ = swap_offer(mixed, 7)
    builder = offer(mixed, credentials=mixed.credentials(22, range(22, 33)))
    builder.add_required_output(Amount(8, 2), mixed.recipient.default_subaddress())
    second = builder.build()
    builder = taker(mixed)
    builder.add_presigned_input(refreshed(mixed, first))
    builder.add_presigned_input(refreshed(mixed, second))
    builder.add_output(Amount(2 * VALUE - FEE, 0), mixed.recipient.default_subaddress())
    builder.add_change_output(Amount(VALUE - 15, 2), mixed.sender)
    assert is_valid(mixed, builder.build())


def test_an_offer_alone_is_no_transaction(mixed):
    sci, _ = swap_offer(mixed)
    builder = mixed.builder()
    builder.add_presigned_input(refreshed(mixed, sci))
    assert refusal(builder.build) == "RingSignatureFailed(AllRingsPresigned)"


def test_taken_back(mixed):
    """Whoever spends the output leaves nothing for the offer: both have one key image."""
    sci, _ = swap_offer(mixed)
    builder = mixed.builder()
    builder.add_input(mixed.credentials(0, range(11)))
    builder.add_change_output(Amount(VALUE - FEE, 0), mixed.sender)
    tx = builder.build()
    assert is_valid(mixed, tx)
    assert tx.signature.ring_signatures[0].key_image == sci.mlsag.key_image


def raw_taker(mixed, sci):
    builder = taker(mixed)
    builder.add_presigned_input_raw(refreshed(mixed, sci))
    builder.add_output(Amount(VALUE - FEE, 0), mixed.recipient.default_subaddress())
    builder.add_change_output(Amount(VALUE - 1000, 2), mixed.sender)
    return builder


def test_rules_bind_whoever_adds_the_input_without_them(mixed):
    sci, _ = swap_offer(mixed)
    for recipient in (mixed.sender, mixed.recipient):
        builder = raw_taker(mixed, sci)
        builder.add_output(Amount(1000, 2), recipient.default_subaddress())
        tx = builder.build()
        assert refusal(is_valid, mixed, tx) == "InputRule(MissingRequiredOutput)"
    no_rules = dataclasses.replace(
        sci, tx_in=dataclasses.replace(sci.tx_in, input_rules=InputRules())
    )
    builder = raw_taker(mixed, no_rules)
    builder.add_output(Amount(1000, 2), mixed.sender.default_subaddress())
    tx = builder.build()
    expected = "InvalidTransactionSignature(RingSignature(InvalidSignature))"
    assert refusal(is_valid, mixed, tx) == expected


def test_tombstone_of_the_offer_binds(mixed):
    builder = offer(mixed)
    assert builder.set_tombstone_block(50) == 50
    sci = builder.build()
    assert sci.tx_in.input_rules.max_tombstone_block == 50
    taken = taker(mixed)
    taken.set_tombstone_block(100)
    taken.add_presigned_input(refreshed(mixed, sci))
    assert taken.tombstone_block == 50
    assert taken.set_tombstone_block(60) == 50
    raw = taker(mixed)
    raw.add_presigned_input_raw(refreshed(mixed, sci))
    raw.add_output(Amount(VALUE - FEE, 0), mixed.recipient.default_subaddress())
    raw.add_output(Amount(VALUE, 2), mixed.recipient.default_subaddress())
    assert refusal(is_valid, mixed, raw.build()) == "InputRule(MaxTombstoneBlockExceeded)"


def test_fog_keys_limit_the_offer(mixed):
    expiries = {}

    def resolver(recipient):
        key = RistrettoPrivate.from_wide(b"\x0b" * 64).public_key()
        return FogPublicKey(key, expiries[recipient.spend_public_key])

    builder = offer(mixed, fog_resolver=resolver)
    for account, expiry in ((mixed.recipient, 1000), (mixed.sender, 900)):
        fog = dataclasses.replace(account, fog_report_url="fog://x", fog_authority_spki=b"s")
        address = fog.default_subaddress()
        expiries[address.spend_public_key] = expiry
        builder.add_required_output(Amount(1, 2), address)
    assert builder.set_tombstone_block(2000) == 900
    assert builder.build().tx_in.input_rules.max_tombstone_block == 900


def partial_offer(mixed, *, minimum=0, required=False):
    """Output 0, of which 1000 at least stay, for 3 units of token 2 for 1000 of token 0."""
    builder = offer(mixed)
    recipient = mixed.recipient.default_subaddress()
    builder.add_partial_fill_output(Amount(3 * VALUE // 1000, 2), recipient)
    builder.add_partial_fill_change_output(Amount(VALUE, 0), mixed.sender)
    builder.set_min_partial_fill_value(minimum)
    if required:
        builder.add_required_output(Amount(5, 2), recipient)
    return refreshed(mixed, builder.build())


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("change", [0, VALUE // 2, VALUE // 2 + 1, VALUE - 1, VALUE])
def test_taken_in_part(mixed, change, required):
    sci = partial_offer(mixed, required=required)
    builder = taker(mixed)
    builder.add_input(mixed.credentials(22, range(22, 33)))
    (paid,) = builder.add_presigned_partial_fill_input(sci, Amount(change, 0))
    full = 3 * VALUE // 1000
    assert paid.token_id == 2
    assert paid.value == -(-full * (VALUE - change) // VALUE)
    rest = VALUE - paid.value - (5 if required else 0)
    builder.add_output(Amount(rest, 2), mixed.recipient.default_subaddress())
    builder.add_output(Amount(2 * VALUE - change - FEE, 0), mixed.recipient.default_subaddress())
    tx = builder.build()
    assert is_valid(mixed, tx)
    amounts = validate_contingent_input(sci)
    sheet = balance_sheet(amounts, VALUE - change)
    assert sheet == {0: change - VALUE, 2: paid.value + (5 if required else 0)}
    rules = sci.tx_in.input_rules
    key = rules.partial_fill_change.tx_out.public_key
    (left,) = (o for o in tx.prefix.outputs if o.public_key == key)
    assert view_key_match(left, mixed.sender.view_private).amount.value == change


def test_what_a_builder_refuses_to_take(mixed):
    partial, (whole, _) = partial_offer(mixed, minimum=10), swap_offer(mixed)
    whole = refreshed(mixed, whole)

    def changed(sci, **rules):
        changed_rules = dataclasses.replace(sci.tx_in.input_rules, **rules)
        return dataclasses.replace(
            sci, tx_in=dataclasses.replace(sci.tx_in, input_rules=changed_rules)
        )

    def take(sci):
        return refusal(mixed.builder().add_presigned_input, sci)

    def fill(sci, value=VALUE // 2, token_id=0):
        builder = mixed.builder()
        return refusal(builder.add_presigned_partial_fill_input, sci, Amount(value, token_id))

    no_rules = dataclasses.replace(whole, tx_in=dataclasses.replace(whole.tx_in, input_rules=None))
    no_proofs = with_membership_proofs(partial, ())
    assert take(partial) == "PartialFillInputNotAllowedHere"
    assert take(changed(whole, min_partial_fill_value=1)) == "PartialFillInputNotAllowedHere"
    version = dataclasses.replace(whole, block_version=3)
    assert take(version) == "BlockVersionMismatch(BlockVersion(4), BlockVersion(3))"
    assert take(with_membership_proofs(whole, ())) == "MissingProofs"
    assert take(no_rules) == "MissingRules"
    amounts = dataclasses.replace(whole, required_output_amounts=())
    assert take(amounts) == "WrongNumberOfRequiredOutputAmounts"

    assert fill(no_proofs) == "MissingProofs"
    assert fill(no_rules) == "MissingRules"
    assert fill(whole) == "MissingPartialFillChange"
    secretless = dataclasses.replace(
        partial.tx_in.input_rules.partial_fill_change, amount_shared_secret=b""
    )
    found = fill(changed(partial, partial_fill_change=secretless))
    assert found == "RevealedTxOut(InvalidAmountSharedSecret)"
    found = fill(changed(partial, min_partial_fill_value=VALUE + 1))
    assert found == "MinPartialFillValueExceedsPartialChange"
    assert fill(partial, token_id=2) == "TokenIdMismatch"
    assert fill(partial, VALUE - 9) == "ChangeLimitExceeded"
    builder = mixed.builder()
    builder.add_presigned_partial_fill_input(partial, Amount(VALUE - 10, 0))
    version = dataclasses.replace(partial, block_version=3)
    assert fill(version) == "BlockVersionMismatch(BlockVersion(4), BlockVersion(3))"
    worthless = offer(mixed)
    worthless.add_partial_fill_change_output(Amount(0, 0), mixed.sender)
    assert fill(refreshed(mixed, worthless.build())) == "ZeroPartialFillChange"


def test_refused_input_leaves_the_builder_as_it_was(mixed):
    partial = dataclasses.replace(partial_offer(mixed), block_version=3)
    builder = taker(mixed)
    refusal(builder.add_presigned_partial_fill_input, partial, Amount(1, 0))
    assert builder.build_unsigned().prefix.outputs == ()


def test_what_cannot_be_offered(mixed, fixtures):
    credentials = mixed.credentials(0, range(11))
    short = dataclasses.replace(credentials, proofs=credentials.proofs[1:])
    assert refusal(offer, mixed, credentials=short) == "MissingProofs(11, 10)"
    builder = offer(mixed)
    builder.add_partial_fill_change_output(Amount(1, 0), mixed.sender)
    found = refusal(builder.add_partial_fill_change_output, Amount(1, 0), mixed.sender)
    assert found == "AlreadyHavePartialFillChange"
    keyless = offer(mixed, credentials=dataclasses.replace(credentials, key=0))
    assert refusal(keyless.build) == "Signer(NoPathToSpendKey)"

    class Stubborn(EmptyMemoBuilder):
        def set_fee(self, fee):
            assert fee == Amount(0, 0)
            raise FeeAfterChange

    assert refusal(offer, mixed, memo_builder=Stubborn()) == "Memo(FeeAfterChange)"
    builder = offer(mixed, memo_builder=RthMemoBuilder())
    recipient = mixed.recipient.default_subaddress()
    builder.add_required_output(Amount(1, 2), recipient)
    found = refusal(builder.add_required_output, Amount(1, 3), recipient)
    assert found == "NewTx(Memo(MixedTokenIds))"


@pytest.mark.parametrize("version", [0, 1, 2])
def test_offers_need_block_version_3(fixtures, version):
    fixture = fixtures[version]
    builder = offer(fixture)
    builder.add_required_output(Amount(1, 0), fixture.recipient.default_subaddress())
    assert refusal(builder.build) == f"BlockVersionTooOld({version}, 3)"
    expected = f'FeatureNotSupportedAtBlockVersion({version}, "partial fills")'
    account = fixture.sender
    for call, *args in (
        (builder.add_partial_fill_output, Amount(1, 0), account.default_subaddress()),
        (builder.add_partial_fill_change_output, Amount(1, 0), account),
        (builder.set_min_partial_fill_value, 1),
    ):
        assert refusal(call, *args) == expected


def test_presigned_inputs_need_block_version_3(mixed, fixtures):
    old = fixtures[2]
    sci = partial_offer(mixed)
    found = refusal(old.builder().add_presigned_partial_fill_input, sci, Amount(1, 0))
    assert found == 'FeatureNotSupportedAtBlockVersion(2, "partial fills")'
    whole, _ = swap_offer(mixed)
    builder = old.builder()
    builder.add_presigned_input(dataclasses.replace(refreshed(mixed, whole), block_version=2))
    assert refusal(builder.build) == "SignedInputRulesNotAllowed"
