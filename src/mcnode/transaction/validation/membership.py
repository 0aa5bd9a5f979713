"""Membership proofs of all ring members: the stage that needs the ledger.

A client's proof shows the ledger as it was when the last index was the proof's `highest_index`. The
ledger supplies, for each ring member, its current proof of the output at that index; put back to
its own index it gives the root of then. So old proofs stay good. [docs/protocol/transaction.md#8.1]
"""

from collections.abc import Sequence

from mcnode.errors import BugError
from mcnode.transaction.membership_proof import (
    MembershipProofError,
    RangeError,
    RootHashMismatch,
    check_folded_proof,
    derive_packed,
    first_reversed_range,
    fold_packed,
    pack_elements,
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
    packed_roots = [(proof.index, pack_elements(proof)) for proof in root_proofs]
    roots = RootsByProof(packed_roots)
    implied = fold_packed([(proof.index, pack_elements(proof)) for _, proof in pairs])
    for position, ((member, proof), packed_root, implied_root) in enumerate(
        zip(pairs, packed_roots, implied, strict=True)
    ):
        root_hash = roots.root_hash(packed_root)
        try:
            check_folded_proof(member, proof, implied_root, root_hash)
        except RootHashMismatch as error:
            raise InvalidTxOutMembershipProof(error, _place(inputs, position)) from error
        except MembershipProofError as error:
            raise MembershipProofValidationError(error, _place(inputs, position)) from error


def _place(inputs: Sequence[TxIn], position: int) -> str:
    """The input and member whose proof stands at `position` of all."""
    for input_index, tx_in in enumerate(inputs):
        if position < len(tx_in.ring):
            return f"input {input_index}, member {position}"
        position -= len(tx_in.ring)
    raise BugError(f"no ring member {position} places behind the last")


class RootsByProof:
    """Roots of the ledger as it was at the index of each root proof.

    Most ring members share a highest index, so equal proofs are put back and folded once.
    """

    def __init__(self, packed_proofs: Sequence[tuple[int, bytes]]) -> None:
        """Take root proofs as index and packed elements.

        Raises:
            MembershipProofValidationError: some element's range is reversed.
        """
        distinct = dict.fromkeys(packed_proofs)
        for proof in distinct:
            reversed_range = first_reversed_range(proof[1])
            if reversed_range is not None:
                place = f"root proof {packed_proofs.index(proof)}"
                raise MembershipProofValidationError(RangeError(reversed_range), place)
        self._hashes: dict[tuple[int, bytes], bytes] = {}

    def root_hash(self, packed_proof: tuple[int, bytes]) -> bytes:
        """The 32-byte root hash of the ledger when the output of this proof was its last.

        Raises:
            InvalidLedgerContext: the proof cannot be put back, or implies no root.
        """
        known = self._hashes.get(packed_proof)
        if known is not None:
            return known
        index, rows = packed_proof
        try:
            derived = derive_packed(index, rows)
            found = fold_packed([(index, derived)])[0].root().hash
        except MembershipProofError as error:
            raise InvalidLedgerContext(str(error)) from error
        self._hashes[packed_proof] = found
        return found
