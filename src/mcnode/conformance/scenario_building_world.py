"""What scenarios of building speak about: a plan, a builder in use, and what was built.

What a text says is collected in a plan; building follows it once for each version and token named.
"""

import dataclasses

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import (
    burn_address,
)
from mcnode.conformance.scenario_contingent import with_fog
from mcnode.conformance.scenario_text import Language, Outcomes
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import expect
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import (
    AddedOutput,
    FogPublicKey,
    MemoBuilder,
    TransactionBuilder,
)
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, RING_SIZE
from mcnode.transaction.memo import (
    Memo,
    parse_memo,
)
from mcnode.transaction.messages import Amount, Tx
from mcnode.transaction.tx_out import (
    decrypt_memo,
    view_key_match,
)

INGEST = RistrettoPrivate.from_wide(bytes([11]) * 64)
BURN_DATA = bytes(range(64))
SPARE = 1000
"""Left over as change where a scenario has change without naming a value."""


@dataclasses.dataclass
class Plan:
    """What a scenario says about a transaction before it is built."""

    versions: list[tuple[int, int]] = dataclasses.field(default_factory=lambda: [(4, MOB)])
    """Block version and token of the fee."""
    value: int = 10 * MINIMUM_FEE_MOB
    fee: int = MINIMUM_FEE_MOB
    fee_factor: int = 1
    recipient_has_fog: bool = False
    fog_expiry: int = 10_000
    tombstone: int = 100


@dataclasses.dataclass
class Built:
    """A transaction with what its sender kept."""

    fixture: TxFixture
    plan: Plan
    tx: Tx
    fee: int
    paid: list[AddedOutput]
    change: AddedOutput | None
    recipient: AccountKey


class BuildWorld:
    """A plan, a builder in use, what was built, and what was refused."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.memos: MemoBuilder | None = None
        self.credential_of: AccountKey | None = None
        self.builder: TransactionBuilder | None = None
        self.fixture = TxFixture(tx_out_count=RING_SIZE)
        self.pays_burn_address = False
        self.has_change = False
        self.values: dict[str, int] = {}
        self.output_value: int | None = None
        self.token_id = MOB
        self.variations: list[tuple[int, int]] = []
        self.mixed_value: int | None = None
        self.built: list[Built] = []
        self.merged: list[tuple[Memo, Memo]] = []
        self.outcomes = Outcomes()

    def start(self, *, fee_token_id: int = MOB, fee: int | None = None) -> TransactionBuilder:
        """A builder with the planned memos, for calls that are expected to be refused."""
        self.builder = self.fixture.builder(
            fee=self.plan.fee if fee is None else fee,
            fee_token_id=fee_token_id,
            memo_builder=self.memos,
        )
        return self.builder

    def in_use(self) -> TransactionBuilder:
        """The builder, started if it is not."""
        return self.start() if self.builder is None else self.builder

    def recipient(self, fixture: TxFixture) -> AccountKey:
        """Who is paid."""
        return with_fog(fixture.recipient) if self.plan.recipient_has_fog else fixture.recipient

    def build(self, version: int, token_id: int) -> Built:
        """Build as planned: one input, one payment, and the change if there is any."""
        plan = self.plan
        fixture = TxFixture(
            BlockVersion(version),
            value=plan.value,
            token_ids=(token_id,),
            tx_out_count=RING_SIZE,
            seed=bytes([version]) * 32,
        )
        builder = TransactionBuilder(
            fixture.block_version,
            Amount(plan.fee, token_id),
            fixture.random_bytes,
            fog_resolver=lambda _: FogPublicKey(INGEST.public_key(), plan.fog_expiry),
            memo_builder=self.memos,
        )
        builder.set_tombstone_block(plan.tombstone)
        builder.set_fee(plan.fee * plan.fee_factor)
        builder.add_input(fixture.credentials(0))
        recipient = self.recipient(fixture)
        address = burn_address() if self.pays_burn_address else recipient.default_subaddress()
        left = plan.value - builder.fee.value
        change_value = SPARE if self.has_change else 0
        value = left - change_value if self.output_value is None else self.output_value
        paid = builder.add_output(Amount(value, token_id), address)
        change = None
        if self.has_change:
            change = builder.add_change_output(Amount(change_value, token_id), fixture.sender)
        tx = builder.build()
        return Built(fixture, plan, tx, builder.fee.value, [paid], change, recipient)

    def build_all(self) -> None:
        """One transaction for each version and token."""
        for version, token_id in self.plan.versions:
            name = f"version {version}, token {token_id}"
            made = self.outcomes.note(name, self.build, version, token_id)
            if made is not None:
                self.built.append(made)

    def the_built(self) -> list[Built]:
        """What was built; raises `MismatchError` if nothing was."""
        expect(bool(self.built), f"nothing was built: {self.outcomes.all}")
        return self.built


def memo_of(output: AddedOutput, view_private: RistrettoPrivate) -> Memo:
    """The memo of an output, as its owner reads it."""
    viewed = view_key_match(output.tx_out, view_private)
    return parse_memo(decrypt_memo(output.tx_out, viewed.shared_secret))


BUILDING: Language[BuildWorld] = Language(BuildWorld)
