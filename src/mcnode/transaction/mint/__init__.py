"""Validation of mint and mint configuration transactions. [docs/protocol/transaction.md#10]"""

from mcnode.transaction.mint.config_tx import validate_mint_config_tx
from mcnode.transaction.mint.mint_tx import validate_mint_tx

__all__ = ["validate_mint_config_tx", "validate_mint_tx"]
