"""Who may decide who mints. [docs/protocol/transaction.md#10]"""

from mcnode.crypto.multisig import SignerSet, is_valid_signer_set
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import mint_config_tx_prefix_hash
from mcnode.transaction.messages import MintConfigTx, MintConfigTxPrefix
from mcnode.transaction.mint.common import (
    check_block_version,
    check_mint_tombstone,
    check_nonce,
    check_signers,
    check_token_id,
)
from mcnode.transaction.mint.errors import InvalidSignerSet, InvalidTokenId


def validate_mint_config_tx(
    tx: MintConfigTx,
    current_block_index: int | None,
    block_version: int | BlockVersion,
    governors: SignerSet,
) -> None:
    """Check new mint configurations against the governors of their token.

    `current_block_index` is that of the block being built, or None to validate again what is in the
    ledger already: then the tombstone is not looked at. No configurations at all are allowed; they
    end the minting of the token.

    Raises:
        MintValidationError: the first rule that is broken.
    """
    version = check_block_version(block_version)
    prefix = tx.prefix
    check_token_id(prefix.token_id)
    check_configs(prefix, version)
    check_nonce(prefix.nonce)
    if current_block_index is not None:
        check_mint_tombstone(current_block_index, prefix.tombstone_block)
    check_signers(governors, mint_config_tx_prefix_hash(prefix), tx.signature)


def check_configs(prefix: MintConfigTxPrefix, block_version: BlockVersion) -> None:
    """Check each configuration's token and signer set in turn.

    Raises:
        InvalidTokenId: a configuration is about another token.
        InvalidSignerSet: a set can never be satisfied, or is nested below block version 3.
    """
    for config_index, config in enumerate(prefix.configs):
        if config.token_id != prefix.token_id:
            raise InvalidTokenId(config.token_id)
        nested_allowed = block_version.has_nested_multisigs
        if not is_valid_signer_set(config.signer_set) or (
            config.signer_set.multi_signers and not nested_allowed
        ):
            raise InvalidSignerSet(config_index)
