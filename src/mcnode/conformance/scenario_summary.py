"""Scenarios of transaction summaries: what a signer is told of a payment or a swap."""

import re

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import short_address_hash
from mcnode.conformance.scenario_text import Language, UnreadableScenario, count_of
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import expect, expect_equal, runs
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import SignedContingentInputBuilder, TransactionBuilder
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, RING_SIZE
from mcnode.transaction.hashing import tx_prefix_hash
from mcnode.transaction.messages import Amount
from mcnode.transaction.ring_ct.signing_digest import extended_message_digest
from mcnode.transaction.sci import with_membership_proofs
from mcnode.transaction.summary.report import OURSELF, SWAP, Entity, Party, SummaryReport
from mcnode.transaction.summary.verifier import verify_tx_summary

_VALUE = 5 * MINIMUM_FEE_MOB
_CHANGE = MINIMUM_FEE_MOB
_TERM = re.compile(r"\s*([+-]?)\s*(\w+)")


class SummaryWorld:
    """A transaction of the sender (Bob), its numbers by name, and what the sender was told."""

    def __init__(self) -> None:
        self.fixture = TxFixture(tx_out_count=RING_SIZE)
        self.builder: TransactionBuilder | None = None
        self.recipients: list[tuple[AccountKey, int]] = []
        self.numbers: dict[str, int] = {}
        self.report = SummaryReport()
        self.digest = b""
        self.signed_digest = b""
        self.expected: list[tuple[Entity, int, int]] = []
        self.swap_gain = 0
        self.swap_goes_to: AccountKey | None = None

    def set_up(self, version: int, input_count: int, value: int, fee: int) -> TransactionBuilder:
        """A builder with so many inputs of the sender."""
        self.fixture = TxFixture(
            BlockVersion(version), tx_out_count=input_count * RING_SIZE, value=value
        )
        builder = self.fixture.builder(fee=fee)
        for number in range(input_count):
            first = number * RING_SIZE
            ring = range(first, first + RING_SIZE)
            builder.add_input(self.fixture.credentials(first, ring))
        self.builder = builder
        return builder

    def pay(self, account: AccountKey, value: int) -> None:
        """One output in token 0."""
        assert self.builder is not None
        self.builder.add_output(Amount(value, MOB), account.default_subaddress())
        self.recipients.append((account, value))

    def evaluate(self, text: str) -> int:
        """A sum of numbers and names, such as `(input - change)`."""
        inner, total, position = text.strip("()"), 0, 0
        while position < len(inner):
            term = _TERM.match(inner, position)
            if term is None:
                raise UnreadableScenario(text)
            name = term[2]
            value = int(name) if name.isdigit() else self.numbers[name]
            total += -value if term[1] == "-" else value
            position = term.end()
        return total


def _check_complete(world: SummaryWorld) -> None:
    found = sorted(world.report.balance_changes)
    expect_equal("balance changes", found, sorted(world.expected))


_summary: Language[SummaryWorld] = Language(SummaryWorld, _check_complete)
given, when, then = _summary.given, _summary.when, _summary.then


@given(r"v(\d), (\d+) inputs? of (\d+), (\d+) outputs? of (\d+)(?:, token 0)?")
def _(world: SummaryWorld, *numbers: str) -> None:
    version, inputs, value, outputs, worth = map(int, numbers)
    world.set_up(version, inputs, value, inputs * value - outputs * worth)
    for _ in range(outputs):
        world.pay(world.fixture.recipient, worth)


@given(r"(one input|two recipients)( with| and) change")
def _(world: SummaryWorld, what: str, _joined: str) -> None:
    builder = world.set_up(4, 1, _VALUE, MINIMUM_FEE_MOB)
    left = _VALUE - MINIMUM_FEE_MOB - _CHANGE
    world.numbers = {"input": _VALUE, "change": _CHANGE, "fee": MINIMUM_FEE_MOB}
    if what == "one input":
        world.pay(world.fixture.recipient, left)
    else:
        world.numbers |= {"v1": left // 3, "v2": left - left // 3}
        world.pay(world.fixture.recipient, world.numbers["v1"])
        world.pay(AccountKey.random(world.fixture.random_bytes), world.numbers["v2"])
    builder.add_change_output(Amount(_CHANGE, MOB), world.fixture.sender)


@given(
    r"SCI: Alice offers MOB for (\d+) of token (\d+); Bob supplies (\d+) of token \2, change "
    r"(\d+), keeps MOB less fee"
)
def _(world: SummaryWorld, asked: str, token: str, supplied: str, change: str) -> None:
    token_id = int(token)
    amounts = [Amount(_VALUE, MOB)] * RING_SIZE + [Amount(int(supplied), token_id)] * RING_SIZE
    fixture = world.fixture = TxFixture(tx_out_count=2 * RING_SIZE, amounts=amounts)
    alice = fixture.recipient
    offer = SignedContingentInputBuilder(
        fixture.block_version, fixture.credentials(0, range(RING_SIZE)), fixture.random_bytes
    )
    offer.add_required_output(Amount(int(asked), token_id), alice.default_subaddress())
    sci = offer.build()
    proofs = [fixture.tree.proof(index) for index in sci.tx_out_global_indices]
    builder = world.builder = fixture.builder()
    builder.add_input(fixture.credentials(RING_SIZE, range(RING_SIZE, 2 * RING_SIZE)))
    builder.add_presigned_input(with_membership_proofs(sci, proofs))
    builder.add_change_output(Amount(int(change), token_id), fixture.sender)
    world.swap_gain = _VALUE - MINIMUM_FEE_MOB
    world.swap_goes_to = fixture.sender
    world.numbers = {"value": _VALUE, "fee": MINIMUM_FEE_MOB}


@given(r"but Bob sends the MOB to Charlie")
def _(world: SummaryWorld) -> None:
    world.swap_goes_to = AccountKey.random(world.fixture.random_bytes)


@when(r"verify_tx_summary(?: with (?:sender view key|Bob's key))?")
def _(world: SummaryWorld) -> None:
    assert world.builder is not None
    if world.swap_goes_to is not None:
        world.pay(world.swap_goes_to, world.swap_gain)
    unsigned = world.builder.build_unsigned()
    data = unsigned.make_signing_data(world.fixture.random_bytes)
    summary, unblinding = unsigned.summarize(data)
    message = extended_message_digest(
        tx_prefix_hash(unsigned.prefix),
        data.pseudo_output_commitments,
        data.range_proof_bytes,
        data.range_proofs,
    )
    world.digest, world.report = verify_tx_summary(
        message, summary, unblinding, world.fixture.sender.view_private
    )
    world.signed_digest = data.message


@then(r"digest equals the MLSAG signing digest")
def _(world: SummaryWorld) -> None:
    expect(bool(world.digest), "no digest")
    expect_equal("digest", world.digest.hex(), world.signed_digest.hex())


@then(r"fee (\d+)")
def _(world: SummaryWorld, fee: str) -> None:
    expect_equal("fee", (world.report.network_fee, world.report.fee_token_id), (int(fee), MOB))


@then(r"each recipient \+ its value")
def _(world: SummaryWorld) -> None:
    for account, value in world.recipients:
        world.expected.append((_address(account), MOB, value))


@then(
    r"(Ourself|recipient(?: address)?|Address\(charlie\)|Swap)(?:/(MOB|\d+))? ([+-]) ?"
    r"(\([^()]*\)|\w+)"
)
def _(world: SummaryWorld, who: str, token: str | None, sign: str, amount: str) -> None:
    if who == "Ourself":
        entity = OURSELF
    elif who == "Swap":
        entity = SWAP
    else:
        entity = _address(world.recipients[-1][0])
    token_id = MOB if token in (None, "MOB") else count_of(token or "")
    value = world.evaluate(amount)
    world.expected.append((entity, token_id, -value if sign == "-" else value))


def _address(account: AccountKey) -> Entity:
    return Entity(Party.ADDRESS, short_address_hash(account.default_subaddress()))


run_summary = runs("transaction", r"scenarios/summary[^/]*\.jsonl")(_summary.run)
