"""Scenarios of building transactions: what must have come of it."""

import mcnode.conformance.scenario_building  # noqa: F401
from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import (
    BURN_ADDRESS_VIEW_PRIVATE,
    short_address_hash,
)
from mcnode.conformance.scenario_building_world import (
    BUILDING,
    BURN_DATA,
    INGEST,
    SPARE,
    BuildWorld,
    Built,
    memo_of,
)
from mcnode.conformance.scenario_text import OUTCOME
from mcnode.conformance.vectors import expect, expect_equal, runs
from mcnode.crypto.fog_hint import decrypt_fog_hint
from mcnode.crypto.onetime_keys import confirmation_number
from mcnode.crypto.ring_signature import key_image
from mcnode.transaction.constants import MOB
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.memo import (
    AuthenticatedSenderMemo,
    DefragmentationMemo,
    DestinationMemo,
    Memo,
)
from mcnode.transaction.memo.authenticated import UnauthenticMemo
from mcnode.transaction.ring_ct.verification import check_signature
from mcnode.transaction.tx_out import (
    ViewKeyMatchError,
    is_subaddress_match,
    view_key_match,
)
from mcnode.transaction.validation.contents import (
    check_outputs_are_sorted,
    check_outputs_fit_block_version,
)
from mcnode.transaction.validation.structure import (
    check_inputs_are_sorted,
    check_ring_elements_are_sorted,
)

then = BUILDING.then

# -- then: what was built ------------------------------------------------------------------------


@then(r"(\d) input with (\d+) proofs, key image of the real input")
def _(world: BuildWorld, inputs: str, proofs: str) -> None:
    for built in world.the_built():
        expect_equal("inputs", len(built.tx.prefix.inputs), int(inputs))
        expect_equal("proofs", len(built.tx.prefix.inputs[0].proofs), int(proofs))
        own = built.fixture.owned[0].onetime_private_key
        ring = built.tx.signature.ring_signatures[0]
        expect_equal("key image", ring.key_image.hex(), key_image(own).hex())


@then(r"(\d) output owned by subaddress (\d+) of the recipient")
def _(world: BuildWorld, count: str, index: str) -> None:
    for built in world.the_built():
        outputs = built.tx.prefix.outputs
        expect_equal("outputs", len(outputs), int(count))
        for tx_out in outputs:
            is_own = is_subaddress_match(built.fixture.recipient, int(index), tx_out)
            expect(is_own, "an output is somebody else's")


@then(r"confirmation number validates with recipient view key")
def _(world: BuildWorld) -> None:
    for built in world.the_built():
        for paid in built.paid:
            viewed = view_key_match(paid.tx_out, built.recipient.view_private)
            expected = confirmation_number(viewed.shared_secret.to_bytes())
            expect_equal("confirmation", paid.confirmation.hex(), expected.hex())


@then(r"tx_out rules hold")
def _(world: BuildWorld) -> None:
    for built in world.the_built():
        check_outputs_fit_block_version(built.tx.prefix.outputs, built.fixture.block_version)


@then(r"signature valid")
def _(world: BuildWorld) -> None:
    for built in world.the_built():
        check_signature(built.tx, built.fixture.block_version)


@then(r"fog hint decrypts with the ingest key to the recipient view public key")
def _(world: BuildWorld) -> None:
    for built in world.the_built():
        address = built.recipient.default_subaddress()
        for paid in built.paid:
            hinted = decrypt_fog_hint(INGEST, paid.tx_out.e_fog_hint)
            expect(hinted == address.view_public, "the hint is for somebody else")


@then(r"tombstone (\d+)")
def _(world: BuildWorld, block: str) -> None:
    for built in world.the_built():
        expect_equal("tombstone", built.tx.prefix.tombstone_block, int(block))


@then(r"ring elements, inputs \(by first ring key\) and outputs ascending by public key")
def _(world: BuildWorld) -> None:
    for built in world.the_built():
        check_ring_elements_are_sorted(built.tx.prefix.inputs)
        check_inputs_are_sorted(built.tx.prefix.inputs)
        check_outputs_are_sorted(built.tx.prefix.outputs)


@then(
    r"burn output matches burn view key with its value; change does not; sender key matches change "
    r"only"
)
def _(world: BuildWorld) -> None:
    for built in world.the_built():
        assert built.change is not None
        burnt, change = built.paid[0].tx_out, built.change.tx_out
        sender = built.fixture.sender.view_private
        value = view_key_match(burnt, BURN_ADDRESS_VIEW_PRIVATE).amount.value
        expect_equal("burnt", value, built.plan.value - built.fee - SPARE)
        expect_equal("change", view_key_match(change, sender).amount.value, SPARE)
        for tx_out, view in ((change, BURN_ADDRESS_VIEW_PRIVATE), (burnt, sender)):
            try:
                view_key_match(tx_out, view)
            except ViewKeyMatchError:
                continue
            expect(False, "an output opens with somebody else's key")


@then(r"(\d) outputs with the right owners and amounts")
def _(world: BuildWorld, count: str) -> None:
    assert world.mixed_value is not None
    for built in world.the_built():
        expect_equal("outputs", len(built.tx.prefix.outputs), int(count))
        recipient, sender = built.fixture.recipient, built.fixture.sender
        paid = built.plan.value - built.fee - SPARE
        expected = [(paid, MOB), (world.mixed_value, world.token_id)]
        found = [view_key_match(each.tx_out, recipient.view_private).amount for each in built.paid]
        expect_equal("paid", [(each.value, each.token_id) for each in found], expected)
        assert built.change is not None
        change = view_key_match(built.change.tx_out, sender.view_private).amount
        expect_equal("change", (change.value, change.token_id), (SPARE, MOB))


# -- then: memos ---------------------------------------------------------------------------------


def _paid_memo(built: Built) -> Memo:
    return memo_of(built.paid[0], built.recipient.view_private)


def _change_memo(built: Built) -> DestinationMemo:
    assert built.change is not None
    memo = memo_of(built.change, built.fixture.sender.view_private)
    expect(isinstance(memo, DestinationMemo), f"change has memo {memo.memo_type.hex()}")
    assert isinstance(memo, DestinationMemo)
    return memo


def _expect_type(memo: Memo, expected: str) -> None:
    expect_equal("memo type", memo.memo_type.hex(), expected)


@then(r"recipient memo 0x(01\w\w) validates against sender")
def _(world: BuildWorld, memo_type: str) -> None:
    assert world.credential_of is not None
    for built in world.the_built():
        memo = _paid_memo(built)
        _expect_type(memo, memo_type)
        _check_sender(memo, built, world.credential_of)


def _check_sender(memo: Memo, built: Built, sender: AccountKey) -> None:
    assert isinstance(memo, AuthenticatedSenderMemo)
    view = built.recipient.subaddress_view_private(0)
    memo.check(sender.default_subaddress(), view, built.paid[0].tx_out.public_key)


@then(
    r"0x(01\w\w) carries the other account's hash and validates against it, not against the "
    r"sender"
)
def _(world: BuildWorld, memo_type: str) -> None:
    assert world.credential_of is not None
    for built in world.the_built():
        memo = _paid_memo(built)
        _expect_type(memo, memo_type)
        _check_sender(memo, built, world.credential_of)
        assert isinstance(memo, AuthenticatedSenderMemo)
        other = short_address_hash(world.credential_of.default_subaddress())
        expect_equal("hash", memo.sender_hash.hex(), other.hex())
        try:
            _check_sender(memo, built, built.fixture.sender)
        except UnauthenticMemo:
            continue
        expect(False, "memo validates against the sender as well")


@then(r"0x(01\w\w) with id (\d+)")
def _(world: BuildWorld, memo_type: str, request: str) -> None:
    for built in world.the_built():
        memo = _paid_memo(built)
        _expect_type(memo, memo_type)
        assert isinstance(memo, AuthenticatedSenderMemo)
        expect_equal("request id", memo.payment_request_id, int(request))


@then(r"recipient memo 0x(0000)")
def _(world: BuildWorld, memo_type: str) -> None:
    for built in world.the_built():
        _expect_type(_paid_memo(built), memo_type)


@then(r"change memo 0x(0000)")
def _(world: BuildWorld, memo_type: str) -> None:
    for built in world.the_built():
        assert built.change is not None
        _expect_type(memo_of(built.change, built.fixture.sender.view_private), memo_type)


@then(r"change 0x(02\w\w) with id (\d+)")
def _(world: BuildWorld, memo_type: str, request: str) -> None:
    for built in world.the_built():
        memo = _change_memo(built)
        _expect_type(memo, memo_type)
        expect_equal("request id", memo.payment_request_id, int(request))


@then(
    r"change memo 0x(02\w\w) with recipient hash, (\d+) recipient, fee (\d+), outlay = value - "
    r"change"
)
def _(world: BuildWorld, memo_type: str, count: str, fee: str) -> None:
    for built in world.the_built():
        memo = _change_memo(built)
        _expect_type(memo, memo_type)
        recipient = short_address_hash(built.recipient.default_subaddress())
        expect_equal("recipient hash", memo.recipient_hash.hex(), recipient.hex())
        expect_equal("recipients", memo.number_of_recipients, int(count))
        _check_outlay(memo, built, int(fee))


@then(r"destination memo fee (\d+) and outlay = value - change")
def _(world: BuildWorld, fee: str) -> None:
    for built in world.the_built():
        _check_outlay(_change_memo(built), built, int(fee))


def _check_outlay(memo: DestinationMemo, built: Built, fee: int) -> None:
    expect_equal("fee", memo.fee, fee)
    expect_equal("outlay", memo.total_outlay, built.plan.value - SPARE)


@then(r"burn memo 0x(0001) with the 64 bytes")
def _(world: BuildWorld, memo_type: str) -> None:
    for built in world.the_built():
        memo = memo_of(built.paid[0], BURN_ADDRESS_VIEW_PRIVATE)
        _expect_type(memo, memo_type)
        expect_equal("data", memo.data.hex(), BURN_DATA.hex())


@then(r"main memo fee (\d+) outlay (\d+) id (\d+); change memo fee (\d+) outlay (\d+) id (\d+)")
def _(world: BuildWorld, *texts: str) -> None:
    world.outcomes.expect_all("ok")
    expect(bool(world.merged), "nothing was merged")
    for memos in world.merged:
        found = []
        for memo in memos:
            assert isinstance(memo, DefragmentationMemo)
            found += [memo.fee, memo.total_outlay, memo.defragmentation_id]
        expect_equal("memos", found, [int(text) for text in texts])


@then(
    r"funding memo matches the gift TxOut key, note and fee; code unblinds (\d+); one-time key "
    r"spends it; sender/cancellation memos carry fee, note/index"
)
def _(world: BuildWorld, gift: str) -> None:
    """All of it is checked where the gift is played through."""
    world.outcomes.expect_all("ok")
    expect_equal("gift", world.values["gift"], int(gift))


@then(r"build still succeeds")
def _(world: BuildWorld) -> None:
    try:
        world.in_use().build()
    except TransactionError as error:
        expect(False, f"cannot be built any more: {error}")


@then(OUTCOME)
def _(world: BuildWorld, expected: str) -> None:
    world.outcomes.expect_all(expected)


run_building = runs("transaction", r"scenarios/builder[^/]*\.jsonl")(BUILDING.run)
