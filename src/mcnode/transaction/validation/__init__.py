"""Validation of transactions: one file per group of rules. [docs/protocol/transaction.md#8]"""

from mcnode.transaction.validation.checks import CHECKS, ValidationSubject
from mcnode.transaction.validation.membership import (
    check_membership_proofs,
    membership_proof_highest_indices,
)
from mcnode.transaction.validation.validate import Candidate, validate, validate_batch

__all__ = [
    "CHECKS",
    "Candidate",
    "ValidationSubject",
    "check_membership_proofs",
    "membership_proof_highest_indices",
    "validate",
    "validate_batch",
]
