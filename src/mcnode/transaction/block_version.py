"""Block versions and the features that each switches on. [docs/protocol/transaction.md#1.1]"""

import dataclasses

from mcnode.errors import InvalidError

MAX_BLOCK_VERSION = 4


class UnsupportedBlockVersion(InvalidError):
    """A block version above the highest one this program knows."""

    def __init__(self, value: int) -> None:
        super().__init__(f"unsupported block version {value}, highest is {MAX_BLOCK_VERSION}")
        self.value = value
        self.limit = MAX_BLOCK_VERSION


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class BlockVersion:
    """A version 0 to 4. Version 4 switches on nothing that 3 does not.

    Raises:
        UnsupportedBlockVersion: the number is not one of these.
    """

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= MAX_BLOCK_VERSION:
            raise UnsupportedBlockVersion(self.value)

    def __int__(self) -> int:
        return self.value

    def __str__(self) -> str:
        return str(self.value)

    @property
    def has_memos(self) -> bool:
        """Every output carries an encrypted memo, below none does."""
        return self.value >= 1

    @property
    def has_masked_token_ids(self) -> bool:
        """Every output carries a masked token id, below only token 0 exists."""
        return self.value >= 2

    @property
    def has_mint_transactions(self) -> bool:
        """Blocks may hold mint and mint configuration transactions."""
        return self.value >= 2

    @property
    def signs_extended_message_digest(self) -> bool:
        """Ring signatures sign a 32-byte digest, below the extended message itself."""
        return self.value >= 2

    @property
    def sorts_outputs(self) -> bool:
        """Outputs must ascend by public key."""
        return self.value >= 3

    @property
    def mints_to_fog_addresses(self) -> bool:
        """Mint transactions may carry a fog hint."""
        return self.value >= 3

    @property
    def mixes_token_ids(self) -> bool:
        """One transaction may move several tokens, with one range proof for each."""
        return self.value >= 3

    @property
    def has_input_rules(self) -> bool:
        """Inputs may carry rules (signed contingent inputs)."""
        return self.value >= 3

    @property
    def masks_amounts_v2(self) -> bool:
        """New outputs have version 2 amounts; needed for partial fills."""
        return self.value >= 3

    @property
    def requires_block_metadata(self) -> bool:
        """Every block comes with signed metadata."""
        return self.value >= 3

    @property
    def signs_tx_summary(self) -> bool:
        """Ring signatures also sign the summary of the transaction."""
        return self.value >= 3

    @property
    def has_nested_multisigs(self) -> bool:
        """Signer sets of mint configurations may hold nested sets."""
        return self.value >= 3


def parse_block_version(text: str) -> BlockVersion:
    """A block version from decimal text.

    Raises:
        InvalidError: the text is not a number.
        UnsupportedBlockVersion: the number is above the highest version.
    """
    if not text.isascii() or not text.isdecimal():
        raise InvalidError(f"block version {text!r} is not a decimal number")
    return BlockVersion(int(text))


LATEST_BLOCK_VERSION = BlockVersion(MAX_BLOCK_VERSION)
