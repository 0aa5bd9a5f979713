"""Block signatures, made by the trusted process. [docs/protocol/ledger.md#1.4]"""

from mcnode.blockchain.block import Block
from mcnode.blockchain.errors import InvalidSignature
from mcnode.codec.digest import digest32
from mcnode.codec.schema import ED25519_PUBLIC, ED25519_SIGNATURE, UINT64, field, message
from mcnode.crypto.errors import KeyFormatError, SignatureError
from mcnode.crypto.keys import Ed25519Private, Ed25519Public


@message
class BlockSignature:
    """An Ed25519 signature over a block. `signed_at` is not covered by it."""

    signature: bytes = field(1, ED25519_SIGNATURE)
    signer: bytes = field(2, ED25519_PUBLIC)
    signed_at: int = field(3, UINT64)
    """Unix seconds; 0 as it leaves the trusted process."""


def block_signature_digest(block: Block) -> bytes:
    """The 32 bytes that a block signature signs."""
    return digest32("block-sig", block)


def sign_block(block: Block, signing_key: Ed25519Private, signed_at: int = 0) -> BlockSignature:
    """Sign `block`; `signed_at` in Unix seconds."""
    return BlockSignature(
        signature=signing_key.sign(block_signature_digest(block)),
        signer=signing_key.public_key().to_bytes(),
        signed_at=signed_at,
    )


def check_block_signature(signature: BlockSignature, block: Block) -> None:
    """Verify `signature` over `block`.

    Raises:
        InvalidSignature: it is not the signer's signature over this block.
    """
    try:
        signer = Ed25519Public.from_bytes(signature.signer)
        signer.verify(block_signature_digest(block), signature.signature)
    except (KeyFormatError, SignatureError) as error:
        raise InvalidSignature("signature", f"not over block {block.index}: {error}") from error
