"""Limits and fixed sizes of transactions. [docs/protocol/transaction.md#1]"""

from typing import Final

MAX_TRANSACTIONS_PER_BLOCK: Final = 5000
RING_SIZE: Final = 11
"""One real output and ten mixins."""
MAX_INPUTS: Final = 16
MAX_OUTPUTS: Final = 16
MAX_TOMBSTONE_BLOCKS: Final = 20_160
"""How far beyond the current block a transaction may still be valid: two weeks of 60 s blocks."""

MOB: Final = 0
"""Token id of the token that fees are paid in by default."""
MINIMUM_FEE_MOB: Final = 400_000_000
"""Default minimum fee in picoMOB."""
TOTAL_MOB: Final = 250_000_000
PICOMOB_PER_MOB: Final = 10**12
SMALLEST_MINIMUM_FEE_LOG2: Final = 7
"""Minimum fees are multiples of 2**7; priority is the fee in such parts of the minimum."""

TOKEN_ID_LENGTH: Final = 8
"""Bytes of a masked token id."""
ENCRYPTED_FOG_HINT_LENGTH: Final = 84
MEMO_PAYLOAD_LENGTH: Final = 66
HASH_LENGTH: Final = 32

MINT_NONCE_LENGTH: Final = 64
MAX_MINT_TXS_PER_BLOCK: Final = 10
MAX_MINT_CONFIG_TXS_PER_BLOCK: Final = 10

U64_MAX: Final = 2**64 - 1
