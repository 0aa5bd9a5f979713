"""Swaps: an output offered for something else, and offers taken. [docs/protocol/transaction.md#13]

An offer is a signed contingent input. Whoever takes it builds the transaction and pays the fee; the
two never meet, and neither can cheat: the ledger takes all of it or nothing.
"""

import dataclasses
from typing import Final

from mcnode.codec import protobuf
from mcnode.errors import BugError, InvalidError
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.builder import EmptyMemoBuilder, SignedContingentInputBuilder
from mcnode.transaction.builder.errors import BuilderFogError
from mcnode.transaction.constants import MOB
from mcnode.transaction.messages import Amount, SignedContingentInput
from mcnode.transaction.sci import (
    ContingentAmounts,
    balance_sheet,
    validate_contingent_input,
    with_membership_proofs,
)
from mcnode.transaction.sci.consume import check_taken_whole
from mcnode.wallet.codes import parse_code, to_code
from mcnode.wallet.draft import BuildContext, BuiltPayment, Draft
from mcnode.wallet.errors import FogNotSupported, InvalidAmount
from mcnode.wallet.payments import check_value
from mcnode.wallet.records import Offer, OfferState, OwnedOutput, PaymentKind
from mcnode.wallet.rings import make_credentials
from mcnode.wallet.selection import InputChoice, SmallestFirst

CODE_NAME: Final = "swap"


class NoSingleOutput(InvalidError):
    """An offer is one output, and none holds enough."""

    def __init__(self, wanted: int, largest: int, token_id: int) -> None:
        super().__init__(
            f"an offer of {wanted} of token {token_id} needs one output of that much, the largest "
            f"has {largest}; merge outputs first, or pay yourself"
        )


class OfferNotOpen(InvalidError):
    """An offer of this wallet cannot be taken back any more."""

    def __init__(self, state: OfferState) -> None:
        super().__init__(f"offer is {state.value}, must be open")


class OfferTaken(InvalidError):
    """What is offered was spent."""

    def __init__(self, block_index: int) -> None:
        super().__init__(f"offer was taken or taken back in block {block_index}")


class OfferExpired(InvalidError):
    """No later block can hold a transaction that takes the offer."""

    def __init__(self, tombstone_block: int, next_block: int) -> None:
        super().__init__(f"offer ended before block {tombstone_block}, the next is {next_block}")


class OfferOfAnotherLedger(InvalidError):
    """The offer's ring is not what the ledger holds."""

    def __init__(self, index: int) -> None:
        super().__init__(
            f"output {index} of the ledger is not the offer's: it is of another network, or of "
            "blocks that are not read yet"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class OfferTerms:
    """What is offered for what."""

    offered: Amount
    wanted: Amount
    is_partial: bool = False
    """Whether a part may be taken for its share of what is wanted."""
    least: int = 0
    """The least part that may be taken, in the offered token."""
    num_blocks: int = 0
    """How many blocks on it may be taken; 0: until it is taken back."""

    def __post_init__(self) -> None:
        check_value(self.offered.value)
        check_value(self.wanted.value)
        if self.least > self.offered.value:
            raise InvalidAmount(f"least part is {self.least}, limit {self.offered.value}")


def make_offer(context: BuildContext, terms: OfferTerms) -> tuple[SignedContingentInput, Offer]:
    """Sign an offer and reserve its output; what is above the offered amount comes back.

    Raises:
        ViewOnlyWallet: the account's spend key is elsewhere.
        NoSingleOutput: no output holds enough.
        BlockVersionTooOld: the network is below block version 3.
        FogNotSupported: the account has a fog server.
    """
    account, offered = context.spender, terms.offered
    output = _choose_output(context, offered)
    [credentials] = make_credentials(account, [output], context.ledger)
    version = context.terms.block_version
    builder = SignedContingentInputBuilder(
        version, credentials, context.random_bytes, memo_builder=EmptyMemoBuilder()
    )
    if terms.num_blocks:
        builder.set_tombstone_block(context.ledger.num_blocks() + terms.num_blocks)
    own = []
    try:
        if terms.is_partial:
            builder.add_partial_fill_output(terms.wanted, account.default_subaddress())
            own.append(builder.add_partial_fill_change_output(offered, account))
            builder.set_min_partial_fill_value(terms.least)
        else:
            builder.add_required_output(terms.wanted, account.default_subaddress())
        rest = output.value - offered.value
        if rest:
            own.append(builder.add_required_change_output(Amount(rest, offered.token_id), account))
    except BuilderFogError as error:
        raise FogNotSupported from error
    sci = builder.build()
    assert output.key_image is not None and sci.tx_in.input_rules is not None
    offer = Offer(
        output.key_image,
        protobuf.encode(sci),
        offered,
        terms.wanted,
        sci.tx_in.input_rules.max_tombstone_block,
        context.made_at,
    )
    context.store.add_offer(offer, [added.tx_out.public_key for added in own])
    return sci, offer


def _choose_output(context: BuildContext, offered: Amount) -> OwnedOutput:
    """The smallest output that is enough."""
    spendable = context.store.spendable(offered.token_id)
    enough = [output for output in spendable if output.value >= offered.value]
    if not enough:
        largest = max((output.value for output in spendable), default=0)
        raise NoSingleOutput(offered.value, largest, offered.token_id)
    return min(enough, key=lambda output: (output.value, output.tx_out_index))


@dataclasses.dataclass(frozen=True, slots=True)
class OfferSheet:
    """What an offer means for who takes it."""

    sci: SignedContingentInput
    amounts: ContingentAmounts
    taken_in_block: int | None
    """As far as blocks are read."""
    tombstone_block: int
    """0: none."""
    least: int

    @property
    def is_partial(self) -> bool:
        """Whether a part can be taken."""
        return self.amounts.partial_fill_change is not None

    @property
    def most(self) -> int:
        """The largest part that can be taken; 0 for an offer that is only taken whole."""
        change = self.amounts.partial_fill_change
        return 0 if change is None else change.value

    def changes(self, part: int | None = None) -> dict[int, int]:
        """By token, what the taker pays (positive) or gets (negative), without the fee.

        Args:
            part: how much of the offered token is taken; None: all.

        Raises:
            InvalidAmount: the offer is only taken whole, or the part is below its least.
            PartialFillValueTooLarge: there is not as much.
        """
        if part is None:
            return balance_sheet(self.amounts, self.most)
        if not self.is_partial:
            raise InvalidAmount("the offer can only be taken whole")
        if not max(1, self.least) <= part:
            raise InvalidAmount(f"part is {part}, the offer wants at least {max(1, self.least)}")
        return balance_sheet(self.amounts, part)


def read_offer(payload: bytes) -> SignedContingentInput:
    """The offer of an encoded message. Raises `InvalidError`."""
    return protobuf.decode(SignedContingentInput, payload)


def offer_code(sci: SignedContingentInput) -> str:
    """An offer as one word of text: `swap:…`."""
    return to_code(CODE_NAME, protobuf.encode(sci))


def parse_offer_code(text: str) -> SignedContingentInput:
    """The reverse. Raises `CodeError`, or `InvalidError` for a code that holds something else."""
    return read_offer(parse_code(CODE_NAME, text))


def examine_offer(sci: SignedContingentInput, ledger: LedgerDB) -> OfferSheet:
    """Check an offer's signature and amounts, and look whether the ledger has its ring.

    Raises:
        ContingentInputError: the offer does not hold.
        OfferOfAnotherLedger: its ring is not in this ledger.
    """
    amounts = validate_contingent_input(sci)
    size = ledger.num_txos()
    for index, member in zip(sci.tx_out_global_indices, sci.tx_in.ring, strict=True):
        if index >= size or ledger.get_tx_out_by_index(index) != member:
            raise OfferOfAnotherLedger(index)
    rules = sci.tx_in.input_rules
    assert rules is not None
    return OfferSheet(
        sci,
        amounts,
        ledger.check_key_image(sci.mlsag.key_image),
        rules.max_tombstone_block,
        rules.min_partial_fill_value,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class FillOrder:
    """Take an offer, whole or in part, and pay the fee."""

    sci: SignedContingentInput
    part: int | None = None
    """How much of the offered token; None: all."""
    fee_token_id: int | None = None
    """None: the token that is paid."""
    fee: int | None = None
    choice: InputChoice = dataclasses.field(default_factory=SmallestFirst)

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign what the offer leaves to sign.

        Raises:
            OfferTaken, OfferExpired, OfferOfAnotherLedger: it is too late, or the wrong network.
            ContingentInputError: the offer does not hold.
            As `PaymentOrder.build`.
        """
        _ = context.spender
        sheet = examine_offer(self.sci, context.ledger)
        if sheet.taken_in_block is not None:
            raise OfferTaken(sheet.taken_in_block)
        next_block = context.ledger.num_blocks()
        if 0 < sheet.tombstone_block <= next_block:
            raise OfferExpired(sheet.tombstone_block, next_block)
        needs = sheet.changes(self.part)
        paid = _largest(needs, 1) or Amount(0, MOB)
        received = _largest(needs, -1)
        fee_token_id = paid.token_id if self.fee_token_id is None else self.fee_token_id
        fee = Amount(context.terms.fee_of(fee_token_id, self.fee), fee_token_id)
        draft = Draft(context, fee, EmptyMemoBuilder())
        self._add_offer(draft, context, sheet)
        needs[fee_token_id] = needs.get(fee_token_id, 0) + fee.value
        found_by = draft.settle(needs, self.choice, avoid=self.sci.tx_out_global_indices)
        return draft.finish(PaymentKind.SWAP_FILL, paid, found_by, received=received)

    def _add_offer(self, draft: Draft, context: BuildContext, sheet: OfferSheet) -> None:
        proofs = context.ledger.get_tx_out_proof_of_memberships(self.sci.tx_out_global_indices)
        sci = with_membership_proofs(self.sci, proofs)
        full = sheet.amounts.partial_fill_change
        if full is None:
            check_taken_whole(sci)
            draft.builder.add_presigned_input(sci)
            return
        left = full.value - (full.value if self.part is None else self.part)
        draft.builder.add_presigned_partial_fill_input(sci, Amount(left, full.token_id))


def fee_token_of(sci: SignedContingentInput) -> int:
    """The token in which the fee is paid unless said otherwise: the one that the offer asks for.

    Raises:
        ContingentInputError: the offer does not hold.
    """
    amounts = validate_contingent_input(sci)
    full = amounts.partial_fill_change
    paid = _largest(balance_sheet(amounts, 0 if full is None else full.value), 1)
    return MOB if paid is None else paid.token_id


def _largest(changes: dict[int, int], sign: int) -> Amount | None:
    """The token of which most is paid (sign 1) or got (sign -1)."""
    values = [(sign * value, token_id) for token_id, value in changes.items() if sign * value > 0]
    return Amount(*max(values)) if values else None


@dataclasses.dataclass(frozen=True, slots=True)
class CancelOfferOrder:
    """Take an own offer back by spending its output to oneself."""

    offer: Offer
    fee_token_id: int | None = None
    """None: the offered token."""
    fee: int | None = None

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign; raises `OfferNotOpen`, and as `PaymentOrder.build`."""
        _ = context.spender
        if self.offer.state is not OfferState.OPEN:
            raise OfferNotOpen(self.offer.state)
        output = _output_of(context, self.offer)
        token_id = output.token_id if self.fee_token_id is None else self.fee_token_id
        fee = Amount(context.terms.fee_of(token_id, self.fee), token_id)
        draft = Draft(context, fee, EmptyMemoBuilder())
        needs = {output.token_id: -output.value}
        needs[token_id] = needs.get(token_id, 0) + fee.value
        found_by = draft.settle(needs, SmallestFirst(), spending=[output])
        return draft.finish(PaymentKind.SWAP_CANCEL, self.offer.offered, found_by)


def _output_of(context: BuildContext, offer: Offer) -> OwnedOutput:
    for output in context.store.outputs():
        if output.key_image == offer.key_image:
            return output
    raise BugError("an offered output is not in the wallet file")
