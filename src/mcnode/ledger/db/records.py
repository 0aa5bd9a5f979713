"""Values of sub-databases that are messages of their own. [docs/protocol/ledger.md#4.2]"""

from mcnode.codec.schema import COMPRESSED_RISTRETTO, TEXT, UINT64, field, message, repeated
from mcnode.transaction.messages import MintConfig, MintConfigTx, MintTx, ValidatedMintConfigTx

FORMAT_VERSION = 20220921
"""The only format this program opens; older ones are migrated first."""
CREATED_BY = "7.0.0"
"""The network release whose format is written, as that release signs its own files."""


@message
class DatabaseVersion:
    """Format version and the release that wrote it."""

    database_format_version: int = field(1, UINT64)
    created_by_crate_version: str = field(2, TEXT)


@message
class KeyImageList:
    """Key images of one block, in the block's order."""

    key_images: tuple[bytes, ...] = repeated(1, COMPRESSED_RISTRETTO)


@message
class TxOutsByBlock:
    """Where a block's outputs lie in the sequence of all outputs."""

    first_tx_out_index: int = field(1, UINT64)
    num_tx_outs: int = field(2, UINT64)


@message
class ActiveMintConfig:
    """A mint configuration and how much was minted under it."""

    mint_config: MintConfig = field(1, MintConfig)
    total_minted: int = field(2, UINT64)


@message
class ActiveMintConfigs:
    """A token's configurations in force, with the transaction that set them."""

    configs: tuple[ActiveMintConfig, ...] = repeated(1, ActiveMintConfig)
    mint_config_tx: MintConfigTx = field(2, MintConfigTx)


@message
class ValidatedMintConfigTxList:
    """Mint configuration transactions of one block."""

    list: tuple[ValidatedMintConfigTx, ...] = repeated(1, ValidatedMintConfigTx)


@message
class MintTxList:
    """Mint transactions of one block."""

    list: tuple[MintTx, ...] = repeated(1, MintTx)
