"""One class for each rule about minting. [docs/protocol/transaction.md#10]"""

from mcnode.transaction.constants import MAX_TOMBSTONE_BLOCKS, MINT_NONCE_LENGTH
from mcnode.transaction.errors import TransactionError


class MintValidationError(TransactionError):
    """A mint or mint configuration transaction may not enter the ledger."""


class InvalidBlockVersion(MintValidationError):
    """The block version has no mint transactions, or is unknown."""

    def __init__(self, block_version: int) -> None:
        super().__init__(
            f"block version is {block_version}, minting needs 2 to 4",
            f"BlockVersion({block_version})",
        )
        self.block_version = block_version


class InvalidTokenId(MintValidationError):
    """Token 0 cannot be minted, and all parts must be about one token."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"token id does not fit: {token_id}", f"TokenId({token_id})")
        self.token_id = token_id


class InvalidSignerSet(MintValidationError):
    """A signer set can never be satisfied, or is nested below block version 3."""

    def __init__(self, config_index: int) -> None:
        super().__init__(f"signer set is not valid in mint configuration {config_index}")


class InvalidNonceLength(MintValidationError):
    """The nonce is not 64 bytes."""

    def __init__(self, length: int) -> None:
        super().__init__(f"nonce has {length} bytes, needs {MINT_NONCE_LENGTH}", length)
        self.length = length


class MintTombstoneBlockExceeded(MintValidationError):
    """The tombstone block has been reached."""

    name = "TombstoneBlockExceeded"

    def __init__(self, tombstone_block: int, current_block_index: int) -> None:
        super().__init__(
            f"tombstone block is {tombstone_block}, must be above {current_block_index}"
        )


class MintTombstoneBlockTooFar(MintValidationError):
    """The tombstone block is more than 20,160 blocks ahead."""

    name = "TombstoneBlockTooFar"

    def __init__(self, tombstone_block: int, current_block_index: int) -> None:
        super().__init__(
            f"tombstone block is {tombstone_block}, limit "
            f"{current_block_index + MAX_TOMBSTONE_BLOCKS}"
        )


class InvalidSignature(MintValidationError):
    """Too few of the signers that are asked for have signed."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"multi-signature is not valid: {reason}")
        self.reason = reason


class AmountExceedsMintLimit(MintValidationError):
    """The amount is above the limit of the mint configuration."""

    def __init__(self, amount: int, limit: int) -> None:
        super().__init__(f"amount to mint is {amount}, limit {limit}")
        self.amount = amount
        self.limit = limit


class MintingToFogNotSupported(MintValidationError):
    """A fog hint is given below block version 3."""

    def __init__(self, block_version: int) -> None:
        super().__init__(f"fog hints need block version 3, found one at {block_version}")


class NoGovernors(MintValidationError):
    """Nobody governs this token."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"token has no governors: {token_id}", f"TokenId({token_id})")
        self.token_id = token_id


class NonceAlreadyUsed(MintValidationError):
    """The nonce has been used with this token."""

    def __init__(self, nonce: bytes, token_id: int) -> None:
        super().__init__(f"nonce was used with token {token_id} already: {nonce.hex()}")


class NoMatchingMintConfig(MintValidationError):
    """No active mint configuration allows this mint transaction."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"no mint configuration of token {token_id} allows this")
        self.token_id = token_id
