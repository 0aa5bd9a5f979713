"""Whether a transaction may enter the ledger. [docs/protocol/transaction.md#8]

The first broken rule decides; `CHECKS` has them all in their order.
"""

import dataclasses
from collections.abc import Sequence

from mcnode.crypto.known_points import KnownPoints, known_points
from mcnode.crypto.range_proof import RangeClaim, judge_range_proofs
from mcnode.transaction.block_version import BlockVersion, UnsupportedBlockVersion
from mcnode.transaction.checks import run_checks
from mcnode.transaction.messages import Tx, TxOutMembershipProof
from mcnode.transaction.validation.checks import CHECKS, SHARED_FROM, ValidationSubject
from mcnode.transaction.validation.errors import Ledger, TransactionValidationError


def validate(
    tx: Tx,
    current_block_index: int,
    block_version: int | BlockVersion,
    root_proofs: Sequence[TxOutMembershipProof],
    minimum_fee: int,
    *,
    signature_is_checked: bool = False,
) -> None:
    """Check everything about a transaction but what is spent or known already.

    Args:
        tx: the transaction.
        current_block_index: index of the block being built.
        block_version: of the block being built, 0 to 4.
        root_proofs: the ledger's current proofs of the outputs at
            `membership_proof_highest_indices(tx)`, in that order.
        minimum_fee: in the smallest unit of the fee token.
        signature_is_checked: the caller knows that these bytes passed the signature check at this
            block version before; the check depends on nothing else and is not repeated.

    Raises:
        TransactionValidationError: the first rule that is broken.
    """
    candidate = Candidate(
        tx, current_block_index, block_version, root_proofs, minimum_fee, signature_is_checked
    )
    run_checks(CHECKS, candidate.subject())


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """One transaction of a batch; the fields are the arguments of `validate`."""

    tx: Tx
    current_block_index: int
    block_version: int | BlockVersion
    root_proofs: Sequence[TxOutMembershipProof]
    minimum_fee: int
    signature_is_checked: bool = False

    def subject(self, known: KnownPoints | None = None) -> ValidationSubject:
        """The transaction as its checks see it, `known` being the points of its batch.

        Raises:
            Ledger: there is no such block version.
        """
        try:
            version = BlockVersion(int(self.block_version))
        except UnsupportedBlockVersion as error:
            raise Ledger(f"Invalid block version: {error.value}") from error
        return ValidationSubject(
            self.tx,
            version,
            self.current_block_index,
            self.root_proofs,
            self.minimum_fee,
            self.signature_is_checked,
            known,
        )


def validate_batch(
    candidates: Sequence[Candidate],
) -> list[TransactionValidationError | None]:
    """The verdict on each transaction, the same that `validate` gives: None, or the error.

    All range proofs are judged together, which costs much less than one by one; a bad one spoils
    nothing but its own transaction. Ring members in common are decoded and hashed once; they are
    forgotten with the batch.
    """
    known = known_points()
    verdicts: list[TransactionValidationError | None] = [None] * len(candidates)
    open_subjects: list[tuple[int, ValidationSubject]] = []
    for place, candidate in enumerate(candidates):
        try:
            subject = candidate.subject(known)
            run_checks(CHECKS[:SHARED_FROM], subject)
        except TransactionValidationError as error:
            verdicts[place] = error
        else:
            open_subjects.append((place, subject))
    _judge_range_proofs([subject for _, subject in open_subjects], known)
    for place, subject in open_subjects:
        try:
            run_checks(CHECKS[SHARED_FROM:], subject)
        except TransactionValidationError as error:
            verdicts[place] = error
    return verdicts


def _judge_range_proofs(subjects: Sequence[ValidationSubject], known: KnownPoints) -> None:
    """Give each subject the verdicts on its own range proofs."""
    unchecked = [s.signature for s in subjects if not s.signature_is_checked]
    claims: list[RangeClaim] = [claim for each in unchecked for claim in each.range_claims]
    verdicts = judge_range_proofs(claims, known)
    begin = 0
    for each in unchecked:
        end = begin + len(each.range_claims)
        each.range_verdicts = verdicts[begin:end]
        begin = end
