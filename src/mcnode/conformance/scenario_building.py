"""Scenarios of building transactions: what is given, and what is done."""

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import (
    PublicAddress,
    burn_address,
)
from mcnode.conformance.scenario_building_world import (
    BUILDING,
    BURN_DATA,
    SPARE,
    BuildWorld,
    Built,
    memo_of,
)
from mcnode.conformance.scenario_gifts import play_gift
from mcnode.conformance.scenario_text import number
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import (
    BurnRedemptionMemoBuilder,
    DefragmentationMemoBuilder,
    GiftCodeFundingMemoBuilder,
    RthMemoBuilder,
)
from mcnode.transaction.constants import MOB, RING_SIZE
from mcnode.transaction.memo import (
    SenderCredential,
)
from mcnode.transaction.messages import Amount

given, when = BUILDING.given, BUILDING.when

# -- given: a plain payment ----------------------------------------------------------------------


@given(r"versions ([\d,]+) token 0 and (\d) with tokens ([\d,]+)")
def _(world: BuildWorld, versions: str, version: str, tokens: str) -> None:
    plain = [(int(each), MOB) for each in versions.split(",")]
    others = [(int(version), int(token)) for token in tokens.rstrip(",").split(",")]
    world.plan.versions = plain + others


@given(r"one input of (\d+e\d+|\d+)")
def _(world: BuildWorld, value: str) -> None:
    world.plan.value = number(value)


@given(r"(?:with )?fee (\d+)")
def _(world: BuildWorld, fee: str) -> None:
    world.plan.fee = int(fee)


@given(r"recipient with fog")
def _(world: BuildWorld) -> None:
    world.plan.recipient_has_fog = True


@given(r"(?:key|fog) expiry (\d+)")
def _(world: BuildWorld, block: str) -> None:
    world.plan.recipient_has_fog = True
    world.plan.fog_expiry = int(block)


@given(r"tombstone set to (\d+)")
def _(world: BuildWorld, block: str) -> None:
    world.plan.tombstone = int(block)


@given(r"input (\d+) and output (\d+)(?= with fee)")
def _(world: BuildWorld, value: str, output: str) -> None:
    """In units of 10^9, as the other scenarios write out."""
    world.plan.value, world.output_value = (int(each) * 10**9 for each in (value, output))


@given(r"any built Tx")
def _(world: BuildWorld) -> None:
    world.plan.versions = [(version, MOB) for version in range(5)]
    world.has_change = True


# -- given: history memos ------------------------------------------------------------------------


@given(r"RTH builder with credential and destination memo")
def _(world: BuildWorld) -> None:
    _use_rth(world, world.fixture.sender, has_destination_memo=True)


@given(r"RTH with credential, request id (\d+), destination disabled")
def _(world: BuildWorld, request: str) -> None:
    _use_rth(world, world.fixture.sender, payment_request_id=int(request))


@given(r"RTH without credential, destination enabled, request id (\d+)")
def _(world: BuildWorld, request: str) -> None:
    _use_rth(world, None, has_destination_memo=True, payment_request_id=int(request))


@given(r"RTH with custom sender credential of another account")
def _(world: BuildWorld) -> None:
    _use_rth(world, AccountKey.random(world.fixture.random_bytes))


@given(r"RTH, change output written")
def _(world: BuildWorld) -> None:
    _use_rth(world, world.fixture.sender, has_destination_memo=True)
    builder = world.start()
    builder.add_input(world.fixture.credentials(0))
    left = world.fixture.owned[0].amount.value - builder.fee.value
    builder.add_output(Amount(left - SPARE, MOB), world.fixture.recipient.default_subaddress())
    builder.add_change_output(Amount(SPARE, MOB), world.fixture.sender)


@given(r"fee set to (\d+)x minimum before outputs")
def _(world: BuildWorld, factor: str) -> None:
    world.plan.fee_factor = int(factor)


@given(r"burn address as recipient, v(\d), RTH memos")
def _(world: BuildWorld, version: str) -> None:
    _use_rth(world, world.fixture.sender, has_destination_memo=True)
    world.plan.versions = [(int(version), MOB)]
    world.pays_burn_address = True


def _use_rth(
    world: BuildWorld,
    account: AccountKey | None,
    *,
    has_destination_memo: bool = False,
    payment_request_id: int | None = None,
) -> None:
    world.credential_of = account
    world.has_change = True
    world.memos = RthMemoBuilder(
        None if account is None else SenderCredential.from_account(account),
        has_destination_memo=has_destination_memo,
        payment_request_id=payment_request_id,
    )


# -- given: burn redemption, defragmentation, gift codes -----------------------------------------


@given(r"burn redemption builder, one burn output present")
def _(world: BuildWorld) -> None:
    world.memos = BurnRedemptionMemoBuilder(BURN_DATA)
    world.start().add_output(Amount(1, MOB), burn_address())


@given(r"burn redemption builder with destination memo, no burn output")
def _(world: BuildWorld) -> None:
    world.memos = BurnRedemptionMemoBuilder(BURN_DATA, has_destination_memo=True)


@given(r"burn redemption builder, fee token (\d+), burn in token (\d+)")
def _(world: BuildWorld, fee_token: str, token: str) -> None:
    world.memos = BurnRedemptionMemoBuilder(BURN_DATA, has_destination_memo=True)
    builder = world.start(fee_token_id=int(fee_token))
    builder.add_output(Amount(1, int(token)), burn_address())


@given(r"burn redemption, fee (\d+), input (\d+), burn (\d+), no change")
def _(world: BuildWorld, fee: str, value: str, burnt: str) -> None:
    world.memos = BurnRedemptionMemoBuilder(BURN_DATA)
    world.plan.fee, world.plan.value, world.output_value = int(fee), int(value), int(burnt)
    world.pays_burn_address = True


@given(r"gift funding builder without output")
def _(world: BuildWorld) -> None:
    world.memos = GiftCodeFundingMemoBuilder("")


@given(r"gift funding builder after output and change")
def _(world: BuildWorld) -> None:
    world.memos = GiftCodeFundingMemoBuilder("")
    builder = world.start()
    builder.add_gift_code_output(Amount(1, MOB), world.fixture.sender)
    builder.add_change_output(Amount(1, MOB), world.fixture.sender)


@given(r"gift code flow, token (\d+), funding (\d+) -> (\d+), fee (\d+), note")
def _(world: BuildWorld, *numbers: str) -> None:
    world.values = dict(zip(("token", "value", "gift", "fee"), map(int, numbers), strict=True))


@given(
    r"defrag builder (?:default id|id (\d+)), fee (\d+), input (\d+), output (\d+), change (\d+)",
)
def _(world: BuildWorld, *numbers: str | None) -> None:
    names = ("id", "fee", "input", "output", "change")
    world.values = dict(zip(names, (int(each or 0) for each in numbers), strict=True))


@given(r"defrag builder id (\d+), same amounts")
def _(world: BuildWorld, defragmentation_id: str) -> None:
    """The amounts are those of the case before, which merges 432 with a fee of 3."""
    world.values = {"id": int(defragmentation_id), "fee": 3, "input": 432, "output": 429}
    world.values["change"] = 0


@given(r"defrag builder, fee (\d+)")
def _(world: BuildWorld, fee: str) -> None:
    world.memos = DefragmentationMemoBuilder()
    builder = world.start(fee=int(fee))
    builder.add_output(Amount(1, MOB), world.fixture.sender.default_subaddress())


@given(r"defrag builder after outputs")
def _(world: BuildWorld) -> None:
    world.memos = DefragmentationMemoBuilder()
    builder = world.start()
    builder.add_output(Amount(1, MOB), world.fixture.sender.default_subaddress())
    builder.add_change_output(Amount(0, MOB), world.fixture.sender)


@given(r"defrag builder, fee token (\d+), change token other")
def _(world: BuildWorld, token: str) -> None:
    world.memos = DefragmentationMemoBuilder()
    builder = world.start(fee_token_id=int(token))
    builder.add_output(Amount(1, int(token)), world.fixture.sender.default_subaddress())
    world.token_id = int(token) + 1


# -- given: several tokens -----------------------------------------------------------------------


@given(
    r"v(\d)\+, inputs of token 0 and token (\d+) \((\d+)\), fee in token 0, token \2 passed "
    r"through, change in token 0"
)
def _(world: BuildWorld, version: str, token: str, value: str) -> None:
    world.plan.versions = [(each, MOB) for each in range(int(version), 5)]
    world.token_id, world.mixed_value = int(token), int(value)
    world.variations = [(0, MOB)]


@given(
    r"with the token-0 output off by (-?\d+), by ([+-]\d+), by ([+-]\d+) with token (\d+), or "
    r"exact amount with token (\d+)"
)
def _(world: BuildWorld, *texts: str) -> None:
    first, second, third, token, other = map(int, texts)
    world.variations = [(first, MOB), (second, MOB), (third, token), (0, other)]


def _build_mixed(world: BuildWorld, version: int, difference: int, token_id: int) -> Built:
    """Token 0 to somebody with change, the other token passed on whole."""
    assert world.mixed_value is not None
    amounts = [Amount(world.plan.value, MOB), Amount(world.mixed_value, world.token_id)]
    fixture = TxFixture(BlockVersion(version), tx_out_count=2 * RING_SIZE, amounts=amounts)
    builder = fixture.builder()
    builder.add_input(fixture.credentials(0, range(RING_SIZE)))
    builder.add_input(fixture.credentials(RING_SIZE, range(RING_SIZE, 2 * RING_SIZE)))
    recipient = fixture.recipient.default_subaddress()
    value = world.plan.value - builder.fee.value - SPARE + difference
    paid = [
        builder.add_output(Amount(value, token_id), recipient),
        builder.add_output(amounts[1], recipient),
    ]
    change = builder.add_change_output(Amount(SPARE, MOB), fixture.sender)
    tx = builder.build()
    return Built(fixture, world.plan, tx, builder.fee.value, paid, change, fixture.recipient)


# -- when ----------------------------------------------------------------------------------------


@when(r"build with (?:one output of the rest to a recipient|change)", r"inspect")
def _(world: BuildWorld) -> None:
    world.build_all()


@when(r"build; view-key match with 32x01", r"build\b")
def _(world: BuildWorld) -> None:
    if "id" in world.values:
        _merge(world)
    elif world.mixed_value is None:
        world.build_all()
    else:
        for version, _ in world.plan.versions:
            for difference, token_id in world.variations:
                name = f"version {version}, {difference:+} in token {token_id}"
                made = world.outcomes.note(name, _build_mixed, world, version, difference, token_id)
                if made is not None:
                    world.built.append(made)


def _merge(world: BuildWorld) -> None:
    values = world.values
    fixture = TxFixture(tx_out_count=RING_SIZE, value=values["input"])
    memos = DefragmentationMemoBuilder(values["id"])
    builder = fixture.builder(fee=values["fee"], memo_builder=memos)
    builder.add_input(fixture.credentials(0))
    merged = builder.add_output(Amount(values["output"], MOB), fixture.sender.default_subaddress())
    change = builder.add_change_output(Amount(values["change"], MOB), fixture.sender)
    world.outcomes.note("merge", builder.build)
    view = fixture.sender.view_private
    world.merged.append((memo_of(merged, view), memo_of(change, view)))


@when(r"set_fee")
def _(world: BuildWorld) -> None:
    world.outcomes.note("set_fee", world.in_use().set_fee, world.plan.fee + 1)


@when(r"add_change_output(?: again)?(?: in token (\d+))?(?:\((\d+)\))?")
def _(world: BuildWorld, token: str | None, value: str | None) -> None:
    token_id = world.token_id if token is None else int(token)
    amount = Amount(int(value or 1), token_id)
    world.outcomes.note("change", world.in_use().add_change_output, amount, world.fixture.sender)


@when(r"(?:second )?add_output( to burn address)?")
def _(world: BuildWorld, to_burn: str | None) -> None:
    own: PublicAddress = world.fixture.sender.default_subaddress()
    address = burn_address() if to_burn else own
    world.outcomes.note("output", world.in_use().add_output, Amount(1, MOB), address)


@when(r"fund, send code, redeem; or cancel")
def _(world: BuildWorld) -> None:
    values = world.values
    for is_taken_back in (False, True):
        play_gift(
            values["token"],
            values["value"],
            values["gift"],
            values["fee"],
            is_taken_back=is_taken_back,
        )
    world.outcomes.note("gift", lambda: None)
