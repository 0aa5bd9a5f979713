"""Membership proofs of all ring members: the stage that needs the ledger.

A client's proof shows the ledger as it was when the last index was the proof's `highest_index`. The
ledger supplies, for each ring member, its current proof of the output at that index; put back to
its own index it gives the root of then. So old proofs stay good. [docs/protocol/transaction.md#8.1]
"""

from collections.abc import Sequence

from mcnode.transaction.membership_proof import (
    MembershipProofError,
    RangeError,
    RootHashMismatch,
    check_membership_proof,
    compute_implied_root,
    derive_proof_at_index,
)
from mcnode.transaction.messages import Tx, TxIn, TxOutMembershipProof
from mcnode.transaction.validation.errors import (
    InvalidLedgerContext,
    InvalidTxOutMembershipProof,
    MembershipProofValidationError,
    MissingTxOutMembershipProof,
)


def membership_proof_highest_indices(tx: Tx) -> tuple[int, ...]:
    """The indices whose current proofs validation needs: by input, then by ring member."""
    return tuple(proof.highest_index for tx_in in tx.prefix.inputs for proof in tx_in.proofs)


def check_membership_proofs(
    inputs: Sequence[TxIn], root_proofs: Sequence[TxOutMembershipProof]
) -> None:
    """Check that every ring member is in the ledger.

    `root_proofs` are the ledger's current proofs of `membership_proof_highest_indices`, in that
    order.

    Raises:
        TransactionValidationError: the first rule that is broken.
    """
    for input_index, tx_in in enumerate(inputs):
        if len(tx_in.ring) != len(tx_in.proofs):
            raise MissingTxOutMembershipProof(input_index, len(tx_in.proofs), len(tx_in.ring))
    pairs = [
        (member, proof)
        for tx_in in inputs
        for member, proof in zip(tx_in.ring, tx_in.proofs, strict=True)
    ]
    if len(pairs) != len(root_proofs):
        raise InvalidLedgerContext(f"{len(root_proofs)} root proofs for {len(pairs)} members")
    check_ranges(root_proofs)
    roots: dict[int, bytes] = {}
    for (member, proof), root_proof in zip(pairs, root_proofs, strict=True):
        root_hash = roots.get(id(root_proof))
        if root_hash is None:
            root_hash = roots[id(root_proof)] = root_hash_at_own_index(root_proof)
        try:
            check_membership_proof(member, proof, root_hash)
        except RootHashMismatch as error:
            raise InvalidTxOutMembershipProof(error) from error
        except MembershipProofError as error:
            raise MembershipProofValidationError(error) from error


def check_ranges(proofs: Sequence[TxOutMembershipProof]) -> None:
    """Raise `MembershipProofValidationError` if some element's range is reversed."""
    for proof in proofs:
        for element in proof.elements:
            if element.range.from_ > element.range.to:
                raise MembershipProofValidationError(RangeError(element.range))


def root_hash_at_own_index(root_proof: TxOutMembershipProof) -> bytes:
    """The 32-byte root hash of the ledger when the output of this proof was its last.

    Raises:
        InvalidLedgerContext: the proof cannot be put back, or implies no root.
    """
    try:
        return compute_implied_root(derive_proof_at_index(root_proof)).hash
    except MembershipProofError as error:
        raise InvalidLedgerContext(str(error)) from error
