import dataclasses

import pytest

from mcnode.account.public_address import burn_address, short_address_hash
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.crypto.fog_hint import decrypt_fog_hint
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.errors import InvalidError
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import (
    FogPublicKey,
    InputCredentials,
    RthMemoBuilder,
    TransactionBuilder,
)
from mcnode.transaction.builder.errors import TxBuilderError
from mcnode.transaction.errors import network_name
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.memo import (
    AuthenticatedSenderMemo,
    DestinationMemo,
    SenderCredential,
    UnusedMemo,
    parse_memo,
)
from mcnode.transaction.memo.authenticated import UnauthenticMemo
from mcnode.transaction.messages import Amount
from mcnode.transaction.ring_ct.rings import AccountSigner
from mcnode.transaction.tx_out import decrypt_memo, is_subaddress_match, view_key_match
from mcnode.transaction.validation import validate

FEE = 400_000_000
VALUE = 10 * FEE


def refusal(call, *args, **options):
    with pytest.raises(TxBuilderError) as caught:
        call(*args, **options)
    return network_name(caught.value)


def memo_of(tx_out, account):
    viewed = view_key_match(tx_out, account.view_private)
    return parse_memo(decrypt_memo(tx_out, viewed.shared_secret))


@pytest.mark.parametrize("version", range(5))
def test_payment_with_change(fixtures, version):
    fixture = fixtures[version]
    builder = fixture.builder()
    builder.add_input(fixture.credentials(5))
    paid = builder.add_output(Amount(1000, 0), fixture.recipient.default_subaddress())
    change = builder.add_change_output(Amount(VALUE - FEE - 1000, 0), fixture.sender)
    tx = builder.build()
    validate(tx, 1, version, fixture.root_proofs(tx), FEE)
    assert {paid.tx_out, change.tx_out} == set(tx.prefix.outputs)
    assert [o.public_key for o in tx.prefix.outputs] == sorted(
        o.public_key for o in tx.prefix.outputs
    )
    assert is_subaddress_match(fixture.recipient, 0, paid.tx_out)
    assert is_subaddress_match(fixture.sender, CHANGE_SUBADDRESS_INDEX, change.tx_out)
    assert view_key_match(paid.tx_out, fixture.recipient.view_private).amount.value == 1000
    assert len(paid.confirmation) == 32
    assert tx.fee_map_digest == b""


@pytest.mark.parametrize("token_id", [1, 2**64 - 1])
def test_other_fee_tokens_from_version_2(token_id):
    fixture = TxFixture(BlockVersion(2), token_ids=(token_id,), tx_out_count=11)
    builder = fixture.builder(fee_token_id=token_id)
    builder.add_input(fixture.credentials(0))
    builder.add_output(Amount(VALUE - FEE, token_id), fixture.recipient.default_subaddress())
    tx = builder.build()
    validate(tx, 1, 2, fixture.root_proofs(tx), FEE)


@pytest.fixture(scope="module")
def mixed():
    """Even outputs in token 0, odd ones in token 2."""
    return TxFixture(BlockVersion(4), token_ids=(0, 2), tx_out_count=22)


def mixed_builder(mixed):
    builder = mixed.builder()
    builder.add_input(mixed.credentials(0, range(11)))
    builder.add_input(mixed.credentials(11, range(11, 22)))
    return builder


def test_mixed_tokens(mixed):
    builder = mixed_builder(mixed)
    recipient = mixed.recipient.default_subaddress()
    builder.add_output(Amount(VALUE, 2), recipient)
    builder.add_output(Amount(5, 0), recipient)
    builder.add_change_output(Amount(VALUE - FEE - 5, 0), mixed.sender)
    tx = builder.build()
    validate(tx, 1, 4, mixed.root_proofs(tx), FEE)


@pytest.mark.parametrize(("difference", "token_id"), [(-1, 0), (1, 0), (1, 99), (0, 99)])
def test_mixed_tokens_must_add_up(mixed, difference, token_id):
    builder = mixed_builder(mixed)
    recipient = mixed.recipient.default_subaddress()
    builder.add_output(Amount(VALUE, 2), recipient)
    builder.add_output(Amount(VALUE - FEE + difference, token_id), recipient)
    assert refusal(builder.build) == "RingSignatureFailed(ValueNotConserved)"


def test_signing_with_the_account_instead_of_onetime_keys(fixture):
    builder = fixture.builder()
    known = fixture.credentials(3)
    builder.add_input(dataclasses.replace(known, key=0))
    builder.add_output(Amount(VALUE - FEE, 0), fixture.recipient.default_subaddress())
    unsigned = builder.build_unsigned()
    assert refusal(builder.build) == "RingSignatureFailed(Signer(NoPathToSpendKey))"
    tx = unsigned.sign(AccountSigner(fixture.sender), fixture.random_bytes)
    validate(tx, 1, 4, fixture.root_proofs(tx), FEE)


def test_fee_map_digest(fixture):
    builder = fixture.builder()
    builder.add_input(fixture.credentials(0))
    builder.add_output(Amount(VALUE - FEE, 0), fixture.recipient.default_subaddress())
    builder.set_fee_map(FeeMap())
    assert builder.build().fee_map_digest == FeeMap().canonical_digest()


def test_what_cannot_be_built(fixtures, fixture):
    credentials = fixture.credentials(0)
    recipient = fixture.recipient.default_subaddress()
    assert refusal(fixture.builder().build) == "NoInputs"

    builder = fixture.builder()
    builder.add_input(credentials)
    builder.add_output(Amount(VALUE, 0), recipient)
    assert refusal(builder.build) == "RingSignatureFailed(ValueNotConserved)"

    builder = fixture.builder()
    builder.add_input(credentials)
    builder.add_input(
        dataclasses.replace(credentials, ring=credentials.ring[:9], proofs=credentials.proofs[:9])
    )
    assert refusal(builder.build) == "InvalidRingSize"

    builder = fixture.builder()
    builder.add_input(dataclasses.replace(credentials, proofs=credentials.proofs[1:]))
    assert refusal(builder.build) == "MissingMembershipProofs"

    builder = fixtures[1].builder(fee_token_id=1)
    expected = 'FeatureNotSupportedAtBlockVersion(1, "nonzero token id")'
    assert refusal(builder.build) == expected
    for version in (0, 1):
        builder = fixtures[version].builder(fee_token_id=1)
        found = refusal(builder.add_output, Amount(1, 1), recipient)
        assert found == "NewTx(Amount(TokenIdNotSupportedAtBlockVersion))"
    builder = fixtures[2].builder()
    found = refusal(builder.add_output, Amount(1, 3), recipient)
    assert found == "MixedTransactionsNotAllowed(TokenId(0), TokenId(3))"


def test_input_credentials(fixture):
    ring = [owned.tx_out for owned in fixture.owned[:11]]
    proofs = [fixture.tree.proof(index) for index in range(11)]
    key = fixture.owned[7].onetime_private_key
    view = fixture.sender.view_private
    made = InputCredentials.create(ring, proofs, 7, key, view)
    assert [m.public_key for m in made.ring] == sorted(m.public_key for m in ring)
    assert made.ring[made.real_index] == ring[7]
    for member, proof in zip(made.ring, made.proofs, strict=True):
        assert proof.index == ring.index(member)
    assert made.amount.value == VALUE
    assert key.to_bytes().hex() not in repr(made)
    assert refusal(InputCredentials.create, [], [], 0, key, view) == "InvalidRingSize"
    assert refusal(InputCredentials.create, ring, proofs, 11, key, view) == "NoInputs"
    assert refusal(InputCredentials.create, ring, proofs, 12, key, view) == "InvalidRingSize"
    found = refusal(InputCredentials.create, ring, proofs[1:], 7, key, view)
    assert found == "MissingMembershipProofs"
    foreign = fixture.recipient.view_private
    found = refusal(InputCredentials.create, ring, proofs, 7, key, foreign)
    assert found == "BadAmount(Amount(InconsistentCommitment))"


INGEST = RistrettoPrivate.from_wide(b"\x0b" * 64)


def with_fog(account):
    return dataclasses.replace(
        account, fog_report_url="fog://example.com", fog_authority_spki=b"spki"
    )


def fog_builder(fixture, expiry_block=1000):
    def resolver(recipient):
        assert recipient.has_fog
        return FogPublicKey(INGEST.public_key(), expiry_block)

    return TransactionBuilder(
        BlockVersion(4), Amount(FEE, 0), fixture.random_bytes, fog_resolver=resolver
    )


@pytest.mark.parametrize(("wanted", "expected"), [(2000, 1000), (500, 500)])
def test_fog_limits_the_tombstone(fixture, wanted, expected):
    recipient = with_fog(fixture.recipient).default_subaddress()
    before, after = fog_builder(fixture), fog_builder(fixture)
    before.set_tombstone_block(wanted)
    before.add_output(Amount(1, 0), recipient)
    output = after.add_output(Amount(1, 0), recipient)
    assert after.set_tombstone_block(wanted) == expected
    assert before.tombstone_block == after.tombstone_block == expected
    assert decrypt_fog_hint(INGEST, output.tx_out.e_fog_hint) == recipient.view_public


def test_change_is_hinted_for_the_primary_address(fixture):
    sender = with_fog(fixture.sender)
    output = fog_builder(fixture).add_change_output(Amount(1, 0), sender)
    hinted = decrypt_fog_hint(INGEST, output.tx_out.e_fog_hint)
    assert hinted == sender.default_subaddress().view_public


def test_no_fog_key(fixture):
    builder = fixture.builder()
    recipient = with_fog(fixture.recipient).default_subaddress()
    assert refusal(builder.add_output, Amount(1, 0), recipient) == "FogPublicKey(NoFogReport)"


def test_fake_hints_differ(fixture):
    builder = fixture.builder()
    recipient = fixture.recipient.default_subaddress()
    hints = {builder.add_output(Amount(1, 0), recipient).tx_out.e_fog_hint for _ in range(2)}
    assert len(hints) == 2
    with pytest.raises(InvalidError):
        decrypt_fog_hint(INGEST, hints.pop())


def test_given_private_key_decides_the_output(fixture):
    key = RistrettoPrivate.from_wide(b"\x0c" * 64)
    recipient = fixture.recipient.default_subaddress()
    made = [
        fixture.builder().add_output(Amount(1, 0), recipient, tx_private_key=key) for _ in range(2)
    ]
    assert made[0].tx_out.public_key == made[1].tx_out.public_key
    assert made[0].shared_secret == made[1].shared_secret


def test_burnt_outputs_open_for_everyone(fixture):
    output = fixture.builder().add_output(Amount(9, 0), burn_address())
    view_private = RistrettoPrivate(b"\x01" * 32)
    assert view_key_match(output.tx_out, view_private).amount.value == 9


def rth(fixture, **options):
    memos = RthMemoBuilder(**options)
    return fixture.builder(memo_builder=memos)


def pay_and_change(fixture, builder):
    recipient = fixture.recipient.subaddress(1)
    paid = builder.add_output(Amount(VALUE - FEE - 50, 0), recipient)
    change = builder.add_change_output(Amount(50, 0), fixture.sender)
    return memo_of(paid.tx_out, fixture.recipient), memo_of(change.tx_out, fixture.sender), paid


def credential(account):
    return SenderCredential.from_account(account)


def test_sender_and_destination_memos(fixture):
    builder = rth(fixture, sender_credential=credential(fixture.sender), has_destination_memo=True)
    sender_memo, destination_memo, paid = pay_and_change(fixture, builder)
    sender = fixture.sender.default_subaddress()
    assert isinstance(sender_memo, AuthenticatedSenderMemo)
    assert sender_memo.sender_hash == short_address_hash(sender)
    view = fixture.recipient.subaddress_view_private(1)
    sender_memo.check(sender, view, paid.tx_out.public_key)
    for wrong in (
        (fixture.recipient.default_subaddress(), view, paid.tx_out.public_key),
        (sender, fixture.recipient.subaddress_view_private(0), paid.tx_out.public_key),
        (sender, view, bytes(32)),
    ):
        with pytest.raises(UnauthenticMemo):
            sender_memo.check(*wrong)
    assert isinstance(destination_memo, DestinationMemo)
    recipient = fixture.recipient.subaddress(1)
    assert destination_memo.recipient_hash == short_address_hash(recipient)
    assert destination_memo.number_of_recipients == 1
    assert destination_memo.fee == FEE
    assert destination_memo.total_outlay == VALUE - 50


def test_fee_set_before_the_change(fixture):
    builder = rth(fixture, has_destination_memo=True)
    builder.set_fee(4 * FEE)
    _, memo, _ = pay_and_change(fixture, builder)
    assert memo.fee == 4 * FEE
    assert memo.total_outlay == VALUE - FEE - 50 + 4 * FEE
    assert refusal(builder.set_fee, FEE) == "Memo(FeeAfterChange)"
    assert builder.fee.value == 4 * FEE


@pytest.mark.parametrize("name", ["payment_request_id", "payment_intent_id"])
def test_ids_go_into_both_memos(fixture, name):
    builder = rth(
        fixture,
        sender_credential=credential(fixture.sender),
        has_destination_memo=True,
        **{name: 47},
    )
    sender_memo, destination_memo, _ = pay_and_change(fixture, builder)
    (other,) = {"payment_request_id", "payment_intent_id"} - {name}
    for memo in (sender_memo, destination_memo):
        assert getattr(memo, name) == 47
        assert getattr(memo, other) is None


def test_memos_that_are_off(fixture):
    builder = rth(fixture, sender_credential=credential(fixture.sender), payment_request_id=47)
    sender_memo, change_memo, _ = pay_and_change(fixture, builder)
    assert sender_memo.payment_request_id == 47
    assert type(change_memo) is UnusedMemo
    builder = rth(fixture, has_destination_memo=True, payment_request_id=47)
    sender_memo, change_memo, _ = pay_and_change(fixture, builder)
    assert type(sender_memo) is UnusedMemo
    assert change_memo.payment_request_id == 47


def test_credential_of_another_account(fixture):
    builder = rth(fixture, sender_credential=credential(fixture.recipient))
    memo, _, paid = pay_and_change(fixture, builder)
    view = fixture.recipient.subaddress_view_private(1)
    memo.check(fixture.recipient.default_subaddress(), view, paid.tx_out.public_key)
    with pytest.raises(UnauthenticMemo):
        memo.check(fixture.sender.default_subaddress(), view, paid.tx_out.public_key)


def test_after_the_destination_memo_nothing_may_follow(fixture):
    builder = rth(fixture, has_destination_memo=True)
    builder.add_input(fixture.credentials(0))
    pay_and_change(fixture, builder)
    found = refusal(builder.add_change_output, Amount(1, 0), fixture.sender)
    assert found == "NewTx(Memo(MultipleChangeOutputs))"
    recipient = fixture.recipient.default_subaddress()
    found = refusal(builder.add_output, Amount(1, 0), recipient)
    assert found == "NewTx(Memo(OutputsAfterChange))"
    validate(tx := builder.build(), 1, 4, fixture.root_proofs(tx), FEE)


def test_memos_speak_of_one_token(fixture):
    recipient = fixture.recipient.default_subaddress()
    builder = rth(fixture, has_destination_memo=True)
    builder.add_output(Amount(1, 5), recipient)
    found = refusal(builder.add_output, Amount(1, 6), recipient)
    assert found == "NewTx(Memo(MixedTokenIds))"
    found = refusal(builder.add_change_output, Amount(1, 0), fixture.sender)
    assert found == "NewTx(Memo(MixedTokenIds))"
    found = refusal(builder.add_change_output, Amount(1, 5), fixture.sender)
    assert found == "NewTx(Memo(MixedTokenIds))"


def test_limits_of_memos(fixture):
    recipient = fixture.recipient.default_subaddress()
    builder = rth(fixture, has_destination_memo=True)
    builder.add_output(Amount(2**64 - 1, 0), recipient)
    found = refusal(builder.add_output, Amount(1, 0), recipient)
    assert found == 'NewTx(Memo(LimitsExceeded("total_outlay")))'
    found = refusal(builder.add_change_output, Amount(1, 0), fixture.sender)
    assert found == 'NewTx(Memo(LimitsExceeded("total_outlay")))'
    builder = rth(fixture, has_destination_memo=True)
    builder.set_fee(2**56)
    found = refusal(builder.add_change_output, Amount(1, 0), fixture.sender)
    assert found == 'NewTx(Memo(LimitsExceeded("fee")))'
    memos = RthMemoBuilder()
    for _ in range(255):
        memos.make_memo_for_output(Amount(1, 0), recipient, bytes(32))
    builder = fixture.builder(memo_builder=memos)
    found = refusal(builder.add_output, Amount(1, 0), recipient)
    assert found == 'NewTx(Memo(LimitsExceeded("num_recipients")))'


def test_request_and_intent_exclude_each_other(fixture):
    builder = rth(
        fixture,
        sender_credential=credential(fixture.sender),
        payment_request_id=1,
        payment_intent_id=2,
    )
    found = refusal(builder.add_output, Amount(1, 0), fixture.recipient.default_subaddress())
    assert found == "NewTx(Memo(RequestAndIntentIdSet))"


def test_same_random_bytes_same_transaction():
    made = {TxFixture(seed=bytes([9]) * 32, tx_out_count=11).payment() for _ in range(2)}
    assert len(made) == 1
    assert ChaCha12Rng(bytes(32))(4) == ChaCha12Rng(bytes(32))(4)
