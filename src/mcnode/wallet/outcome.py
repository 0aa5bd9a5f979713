"""What became of a payment, and what its submission says of it."""

from typing import Final

from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.connection.errors import TxRefused
from mcnode.errors import McNodeError
from mcnode.wallet.errors import (
    PaymentExpired,
    PaymentRefused,
    PaymentSuperseded,
    SubmissionUnclear,
)
from mcnode.wallet.records import Payment, PaymentState

_IN_LEDGER_ALREADY: Final = frozenset(
    {ProposeTxResult.ContainsSpentKeyImage, ProposeTxResult.ContainsExistingOutputPublicKey}
)


def final_or_raise(payment: Payment) -> Payment:
    """The payment, if it is final.

    Raises:
        PaymentExpired, PaymentRefused, PaymentSuperseded: it never will be.
    """
    match payment.state:
        case PaymentState.EXPIRED:
            raise PaymentExpired(payment.tombstone_block)
        case PaymentState.REFUSED:
            raise PaymentRefused(payment.reason)
        case PaymentState.SUPERSEDED:
            raise PaymentSuperseded
    return payment


def is_settled_by_ledger(error: McNodeError) -> bool:
    """Whether a failed submission leaves it to later blocks what became of the payment."""
    if isinstance(error, TxRefused):
        return error.result in _IN_LEDGER_ALREADY
    return isinstance(error, SubmissionUnclear)
