"""Whether tokens may be minted. [docs/protocol/transaction.md#10]

How much has been minted under a configuration before, whether the nonce is new, and which
configuration applies are questions to the ledger.
"""

from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import mint_tx_prefix_hash
from mcnode.transaction.messages import MintConfig, MintTx
from mcnode.transaction.mint.common import (
    check_block_version,
    check_mint_tombstone,
    check_nonce,
    check_signers,
    check_token_id,
)
from mcnode.transaction.mint.errors import (
    AmountExceedsMintLimit,
    InvalidTokenId,
    MintingToFogNotSupported,
)


def validate_mint_tx(
    tx: MintTx,
    current_block_index: int,
    block_version: int | BlockVersion,
    mint_config: MintConfig,
) -> None:
    """Check a mint transaction against the configuration that allows it.

    `current_block_index` is that of the block being built.

    Raises:
        MintValidationError: the first rule that is broken.
    """
    version = check_block_version(block_version)
    check_token_id(tx.prefix.token_id)
    check_nonce(tx.prefix.nonce)
    check_mint_tombstone(current_block_index, tx.prefix.tombstone_block)
    check_against_mint_config(tx, mint_config)
    if tx.prefix.e_fog_hint is not None and not version.mints_to_fog_addresses:
        raise MintingToFogNotSupported(version.value)


def check_against_mint_config(tx: MintTx, mint_config: MintConfig) -> None:
    """Check token, amount and signatures against a configuration.

    Raises:
        InvalidTokenId, AmountExceedsMintLimit, InvalidSignature: in this order.
    """
    prefix = tx.prefix
    if prefix.token_id != mint_config.token_id:
        raise InvalidTokenId(prefix.token_id)
    if prefix.amount > mint_config.mint_limit:
        raise AmountExceedsMintLimit(prefix.amount, mint_config.mint_limit)
    check_signers(mint_config.signer_set, mint_tx_prefix_hash(prefix), tx.signature)
