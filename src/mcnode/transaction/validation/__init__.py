"""Validation of transactions: one file per group of rules. [docs/protocol/transaction.md#8]"""

from mcnode.transaction.validation.membership import (
    check_membership_proofs,
    membership_proof_highest_indices,
)
from mcnode.transaction.validation.validate import check_contents, validate

__all__ = [
    "check_contents",
    "check_membership_proofs",
    "membership_proof_highest_indices",
    "validate",
]
