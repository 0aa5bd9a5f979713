"""Making payments. [docs/protocol/transaction.md#18]

`make_payment` needs nothing of the network but what is handed to it, and takes some tens of
milliseconds of one core: run it in a thread.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Final

from mcnode.account.account_key import AccountKey
from mcnode.account.printable import to_printable
from mcnode.account.public_address import PublicAddress
from mcnode.blockchain.block import Block
from mcnode.connection.attested import BlockInfo
from mcnode.crypto.rng import RandomBytes
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import RthMemoBuilder, TransactionBuilder
from mcnode.transaction.builder.errors import BuilderFogError
from mcnode.transaction.constants import MOB, U64_MAX
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.hashing import tx_hash
from mcnode.transaction.memo import SenderCredential
from mcnode.transaction.messages import Amount, Tx
from mcnode.wallet.errors import (
    AnotherNetwork,
    FeeBelowMinimum,
    FogNotSupported,
    InvalidAmount,
    MinimumFeeTooHigh,
    NodeBehindArchives,
    TokenCannotPayFees,
)
from mcnode.wallet.nodes import NodeClient
from mcnode.wallet.records import OwnedOutput, Payment
from mcnode.wallet.rings import make_credentials
from mcnode.wallet.selection import select_inputs

TOMBSTONE_BLOCKS: Final = 50
"""How many blocks a payment may wait; the network's own wallet waits as long."""
ARCHIVE_LAG_MAX: Final = 50
"""How many blocks beyond the archives a node's height is believed: what it says is not attested."""
UNASKED_FEE_MAX: Final = 10_000_000_000
"""0.01 MOB, 25 times the usual minimum: more is not paid on a node's word alone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """What is wanted. Value and fee in the token's smallest unit; without a fee, the minimum."""

    recipient: PublicAddress
    value: int
    token_id: int
    fee: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.value <= U64_MAX:
            raise InvalidAmount(f"amount is {self.value}, must be 1 to {U64_MAX}")


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What the network asks for now."""

    minimum_fees: FeeMap
    block_version: BlockVersion
    tombstone_block: int

    def fee_of(self, order: Order) -> int:
        """The fee of an order.

        Raises:
            TokenCannotPayFees: the network takes no fees in the token.
            FeeBelowMinimum: the order names less than the minimum.
            MinimumFeeTooHigh: the order names none, and the minimum is above 0.01 MOB.
        """
        minimum = self.minimum_fees.get(order.token_id)
        if minimum is None:
            raise TokenCannotPayFees(order.token_id)
        if order.fee is not None and order.fee < minimum:
            raise FeeBelowMinimum(order.fee, minimum)
        if order.fee is not None:
            return order.fee
        if order.token_id == MOB and minimum > UNASKED_FEE_MAX:
            raise MinimumFeeTooHigh(minimum, UNASKED_FEE_MAX)
        return minimum


@dataclasses.dataclass(frozen=True, slots=True)
class BuiltPayment:
    """A signed transaction, and how the wallet remembers it."""

    tx: Tx = dataclasses.field(repr=False)
    payment: Payment
    key_images: tuple[bytes, ...]


async def fetch_terms(node: NodeClient, head: Block) -> Terms:
    """Ask a node for its terms, and see that it has the last block of our copy of the ledger.

    Raises:
        NodeBehindArchives: it does not have it yet.
        AnotherNetwork: it has another one.
        FeeMapError, UnsupportedBlockVersion: the node says something that no node should.
    """
    info = await node.fetch_block_info()
    if info.block_index < head.index:
        raise NodeBehindArchives(_name(node), info.block_index, head.index)
    headers = await node.fetch_blocks(head.index, 1)
    if not headers or headers[0].index != head.index:
        raise NodeBehindArchives(_name(node), info.block_index, head.index)
    if headers[0].id != head.id:
        raise AnotherNetwork(head.index, "the archives", _name(node))
    return _terms(info, head)


def _name(node: NodeClient) -> str:
    return str(getattr(node, "uri", "the node"))


def _terms(info: BlockInfo, head: Block) -> Terms:
    return Terms(
        FeeMap(info.minimum_fees),
        BlockVersion(max(head.version, info.network_block_version)),
        min(info.block_index, head.index + ARCHIVE_LAG_MAX) + 1 + TOMBSTONE_BLOCKS,
    )


def make_payment(
    account: AccountKey,
    ledger: LedgerDB,
    spendable: Sequence[OwnedOutput],
    order: Order,
    terms: Terms,
    *,
    made_at: int,
    random_bytes: RandomBytes = os.urandom,
) -> BuiltPayment:
    """Choose inputs and rings, add change and memos, prove and sign.

    Raises:
        TokenCannotPayFees, FeeBelowMinimum, MinimumFeeTooHigh: as `Terms.fee_of`.
        InsufficientFunds, InsufficientFundsFragmentedUtxos, InsufficientTxOuts: as their names say.
        FogNotSupported: recipient or sender has a fog server.
        TxBuilderError: the parts do not make a transaction.
    """
    fee = terms.fee_of(order)
    inputs = select_inputs(spendable, order.value + fee, order.token_id)
    memo_builder = RthMemoBuilder(SenderCredential.from_account(account), has_destination_memo=True)
    builder = TransactionBuilder(
        terms.block_version,
        Amount(fee, order.token_id),
        random_bytes,
        memo_builder=memo_builder,
    )
    builder.set_fee_map(terms.minimum_fees)
    builder.set_tombstone_block(terms.tombstone_block)
    for credentials in make_credentials(account, inputs, ledger):
        builder.add_input(credentials)
    change = sum(output.value for output in inputs) - order.value - fee
    try:
        paid = builder.add_output(Amount(order.value, order.token_id), order.recipient)
        rest = (
            builder.add_change_output(Amount(change, order.token_id), account) if change else None
        )
    except BuilderFogError as error:
        raise FogNotSupported from error
    tx = builder.build()
    payment = Payment(
        tx_hash=tx_hash(tx),
        recipient=to_printable(order.recipient),
        value=order.value,
        token_id=order.token_id,
        fee=fee,
        tombstone_block=builder.tombstone_block,
        output_public_key=paid.tx_out.public_key,
        change_public_key=None if rest is None else rest.tx_out.public_key,
        made_at=made_at,
    )
    return BuiltPayment(tx, payment, tuple(output.key_image for output in inputs))
