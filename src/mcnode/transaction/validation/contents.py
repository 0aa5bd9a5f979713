"""Fee, tombstone, memos, token ids and order of outputs. [docs/protocol/transaction.md#8]"""

from collections.abc import Sequence

from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MAX_TOMBSTONE_BLOCKS, TOKEN_ID_LENGTH, U64_MAX
from mcnode.transaction.messages import RingMLSAG, TxIn, TxOut
from mcnode.transaction.validation.errors import (
    DuplicateKeyImages,
    DuplicateOutputPublicKey,
    MaskedTokenIdNotAllowed,
    MemosNotAllowed,
    MissingMaskedTokenId,
    MissingMemo,
    TombstoneBlockExceeded,
    TombstoneBlockTooFar,
    TxFeeError,
    UnknownMaskedAmountVersion,
    UnsortedOutputs,
)


def check_masked_amounts_exist(inputs: Sequence[TxIn], outputs: Sequence[TxOut]) -> None:
    """Raise `UnknownMaskedAmountVersion` for a ring member or output without masked amount."""
    for input_index, tx_in in enumerate(inputs):
        for member in tx_in.ring:
            if member.masked_amount is None:
                raise UnknownMaskedAmountVersion(f"the ring of input {input_index}")
    for output_index, tx_out in enumerate(outputs):
        if tx_out.masked_amount is None:
            raise UnknownMaskedAmountVersion(f"output {output_index}")


def check_fee(fee: int, minimum_fee: int) -> None:
    """Raise `TxFeeError` if the fee is below the minimum; both in units of the fee token."""
    if fee < minimum_fee:
        raise TxFeeError(fee, minimum_fee)


def check_key_images_are_unique(ring_signatures: Sequence[RingMLSAG]) -> None:
    """Raise `DuplicateKeyImages` if two ring signatures have the same key image."""
    seen = set()
    for ring_signature in ring_signatures:
        if ring_signature.key_image in seen:
            raise DuplicateKeyImages(ring_signature.key_image)
        seen.add(ring_signature.key_image)


def check_output_public_keys_are_unique(outputs: Sequence[TxOut]) -> None:
    """Raise `DuplicateOutputPublicKey` if two outputs have the same public key."""
    seen = set()
    for tx_out in outputs:
        if tx_out.public_key in seen:
            raise DuplicateOutputPublicKey(tx_out.public_key)
        seen.add(tx_out.public_key)


def check_tombstone(current_block_index: int, tombstone_block: int) -> None:
    """Check that a transaction is neither expired nor valid for too long.

    `current_block_index` is that of the block being built. The sum with the longest life wraps at
    2**64, as the network's does.

    Raises:
        TombstoneBlockExceeded: the tombstone block is not above the current one.
        TombstoneBlockTooFar: it is more than 20,160 blocks above.
    """
    if current_block_index >= tombstone_block:
        raise TombstoneBlockExceeded(tombstone_block, current_block_index)
    if tombstone_block > (current_block_index + MAX_TOMBSTONE_BLOCKS) & U64_MAX:
        raise TombstoneBlockTooFar(tombstone_block, current_block_index)


def check_outputs_fit_block_version(outputs: Sequence[TxOut], block_version: BlockVersion) -> None:
    """Check the memo, then the masked token id of each output in turn.

    Raises:
        MissingMemo, MemosNotAllowed: memos are there from block version 1, not below.
        MissingMaskedTokenId, MaskedTokenIdNotAllowed: token ids have 8 bytes from 2, none below.
    """
    for output_index, tx_out in enumerate(outputs):
        if block_version.has_memos and tx_out.e_memo is None:
            raise MissingMemo(output_index)
        if not block_version.has_memos and tx_out.e_memo is not None:
            raise MemosNotAllowed(output_index)
        if tx_out.masked_amount is None:
            raise UnknownMaskedAmountVersion(f"output {output_index}")
        length = len(tx_out.masked_amount.masked_token_id)
        if block_version.has_masked_token_ids and length != TOKEN_ID_LENGTH:
            raise MissingMaskedTokenId(output_index, length)
        if not block_version.has_masked_token_ids and length != 0:
            raise MaskedTokenIdNotAllowed(output_index, length)


def check_outputs_are_sorted(outputs: Sequence[TxOut]) -> None:
    """Raise `UnsortedOutputs` unless outputs ascend strictly by public key."""
    for output_index in range(1, len(outputs)):
        if outputs[output_index - 1].public_key >= outputs[output_index].public_key:
            raise UnsortedOutputs(output_index)
