"""What a block holds, and its hash. [docs/protocol/ledger.md#1.3]"""

from mcnode.codec.digest import digest32
from mcnode.codec.schema import COMPRESSED_RISTRETTO, message, repeated
from mcnode.transaction.messages import MintTx, TxOut, ValidatedMintConfigTx


@message
class BlockContents:
    """Spent key images, new outputs and minting. Empty lists are left out of the hash."""

    key_images: tuple[bytes, ...] = repeated(1, COMPRESSED_RISTRETTO)
    outputs: tuple[TxOut, ...] = repeated(2, TxOut)
    validated_mint_config_txs: tuple[ValidatedMintConfigTx, ...] = repeated(
        3, ValidatedMintConfigTx
    )
    mint_txs: tuple[MintTx, ...] = repeated(4, MintTx)


def contents_hash(contents: BlockContents) -> bytes:
    """The 32-byte hash that a header carries for these contents."""
    return digest32("block_contents", contents)
