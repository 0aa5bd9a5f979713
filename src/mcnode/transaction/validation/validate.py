"""Whether a transaction may enter the ledger. [docs/protocol/transaction.md#8]

The first broken rule decides, so the order of the stages is part of the protocol.
"""

from collections.abc import Sequence

from mcnode.transaction.block_version import BlockVersion, UnsupportedBlockVersion
from mcnode.transaction.messages import Tx, TxOutMembershipProof
from mcnode.transaction.ring_ct.errors import RingCtError
from mcnode.transaction.ring_ct.verification import check_signature
from mcnode.transaction.validation.contents import (
    check_fee,
    check_key_images_are_unique,
    check_masked_amounts_exist,
    check_output_public_keys_are_unique,
    check_outputs_are_sorted,
    check_outputs_fit_block_version,
    check_tombstone,
)
from mcnode.transaction.validation.errors import InvalidTransactionSignature, Ledger
from mcnode.transaction.validation.input_rules import check_all_input_rules
from mcnode.transaction.validation.membership import check_membership_proofs
from mcnode.transaction.validation.structure import check_structure


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
    try:
        version = BlockVersion(int(block_version))
    except UnsupportedBlockVersion as error:
        raise Ledger(f"Invalid block version: {error.value}") from error
    check_structure(tx.prefix)
    check_membership_proofs(tx.prefix.inputs, root_proofs)
    check_contents(
        tx,
        current_block_index,
        version,
        minimum_fee,
        signature_is_checked=signature_is_checked,
    )


def check_contents(
    tx: Tx,
    current_block_index: int,
    block_version: BlockVersion,
    minimum_fee: int,
    *,
    signature_is_checked: bool = False,
) -> None:
    """Check rules 8 to 17: signature, fee, tombstone, outputs, input rules.

    Raises:
        TransactionValidationError: the first rule that is broken.
    """
    prefix = tx.prefix
    check_masked_amounts_exist(prefix.inputs, prefix.outputs)
    if not signature_is_checked:
        check_transaction_signature(tx, block_version)
    check_fee(prefix.fee, minimum_fee)
    check_key_images_are_unique(tx.signature.ring_signatures)
    check_output_public_keys_are_unique(prefix.outputs)
    check_tombstone(current_block_index, prefix.tombstone_block)
    check_outputs_fit_block_version(prefix.outputs, block_version)
    if block_version.sorts_outputs:
        check_outputs_are_sorted(prefix.outputs)
    check_all_input_rules(prefix, block_version)


def check_transaction_signature(tx: Tx, block_version: BlockVersion) -> None:
    """Check ring signatures, range proofs and balance.

    Raises:
        InvalidTransactionSignature: carries the reason.
    """
    try:
        check_signature(tx, block_version)
    except RingCtError as error:
        raise InvalidTransactionSignature(error) from error
