"""Signed contingent inputs: spend one output, if such and such is in the transaction too.

`builder.SignedContingentInputBuilder` makes them, `builder.TransactionBuilder` takes them; to take
one back, spend its output. [docs/protocol/transaction.md#13]
"""

from mcnode.transaction.sci.balance_sheet import balance_sheet
from mcnode.transaction.sci.consume import with_membership_proofs
from mcnode.transaction.sci.validate import ContingentAmounts, validate_contingent_input

__all__ = [
    "ContingentAmounts",
    "balance_sheet",
    "validate_contingent_input",
    "with_membership_proofs",
]
