"""Checks that mint and mint configuration transactions share."""

from mcnode.crypto.errors import SignatureError
from mcnode.crypto.multisig import MultiSig, SignerSet, check_multisig
from mcnode.transaction.block_version import BlockVersion, UnsupportedBlockVersion
from mcnode.transaction.constants import MINT_NONCE_LENGTH, MOB
from mcnode.transaction.mint.errors import (
    InvalidBlockVersion,
    InvalidNonceLength,
    InvalidSignature,
    InvalidTokenId,
    MintTombstoneBlockExceeded,
    MintTombstoneBlockTooFar,
)
from mcnode.transaction.validation.contents import check_tombstone
from mcnode.transaction.validation.errors import TombstoneBlockExceeded, TombstoneBlockTooFar


def check_block_version(block_version: int | BlockVersion) -> BlockVersion:
    """The block version; raises `InvalidBlockVersion` unless it is 2 to 4."""
    try:
        version = BlockVersion(int(block_version))
    except UnsupportedBlockVersion as error:
        raise InvalidBlockVersion(error.value) from error
    if not version.has_mint_transactions:
        raise InvalidBlockVersion(version.value)
    return version


def check_token_id(token_id: int) -> None:
    """Raise `InvalidTokenId` for token 0."""
    if token_id == MOB:
        raise InvalidTokenId(token_id)


def check_nonce(nonce: bytes) -> None:
    """Raise `InvalidNonceLength` unless the nonce has 64 bytes."""
    if len(nonce) != MINT_NONCE_LENGTH:
        raise InvalidNonceLength(len(nonce))


def check_mint_tombstone(current_block_index: int, tombstone_block: int) -> None:
    """Raise `MintTombstoneBlockExceeded` or `MintTombstoneBlockTooFar`."""
    try:
        check_tombstone(current_block_index, tombstone_block)
    except TombstoneBlockExceeded as error:
        raise MintTombstoneBlockExceeded(tombstone_block, current_block_index) from error
    except TombstoneBlockTooFar as error:
        raise MintTombstoneBlockTooFar(tombstone_block, current_block_index) from error


def check_signers(signer_set: SignerSet, prefix_hash: bytes, signature: MultiSig) -> None:
    """Raise `InvalidSignature` unless enough of the set signed the 32-byte prefix hash."""
    try:
        check_multisig(signer_set, prefix_hash, signature)
    except SignatureError as error:
        raise InvalidSignature(error) from error
