"""Block metadata: who holds a block final, signed. [docs/protocol/ledger.md#1.5]"""

from mcnode.attest.messages import DcapEvidence, VerificationReport
from mcnode.blockchain.errors import InvalidSignature
from mcnode.blockchain.quorum_set import MetadataQuorumSet
from mcnode.codec.digest import digest32
from mcnode.codec.schema import (
    ED25519_PUBLIC,
    ED25519_SIGNATURE,
    HASH32,
    RESPONDER_ID,
    field,
    message,
    oneof,
)
from mcnode.crypto.errors import KeyFormatError, SignatureError
from mcnode.crypto.keys import Ed25519Private, Ed25519Public


@message
class BlockMetadataContents:
    """What a node says about a block.

    The evidence hashes as `verification_report` whichever kind it is, which keeps the signatures
    over older metadata valid.
    """

    block_id: bytes = field(1, HASH32)
    quorum_set: MetadataQuorumSet = field(2, MetadataQuorumSet)
    attestation_evidence: VerificationReport | DcapEvidence | None = oneof(
        {3: VerificationReport, 5: DcapEvidence}, digest="verification_report"
    )
    responder_id: str = field(4, RESPONDER_ID)


@message
class BlockMetadata:
    """Contents with the signature of the node's message-signing key."""

    contents: BlockMetadataContents = field(1, BlockMetadataContents)
    node_key: bytes = field(2, ED25519_PUBLIC)
    signature: bytes = field(3, ED25519_SIGNATURE)


def metadata_digest(contents: BlockMetadataContents) -> bytes:
    """The 32 bytes that a metadata signature signs."""
    return digest32("block_metadata", contents)


def sign_metadata(contents: BlockMetadataContents, signing_key: Ed25519Private) -> BlockMetadata:
    """Sign `contents` with a node's message-signing key."""
    return BlockMetadata(
        contents=contents,
        node_key=signing_key.public_key().to_bytes(),
        signature=signing_key.sign(metadata_digest(contents)),
    )


def check_metadata_signature(metadata: BlockMetadata) -> None:
    """Verify the signature; that the metadata is about some given block is not looked at.

    Raises:
        InvalidSignature: it is not the node key's signature over the contents.
    """
    digest = metadata_digest(metadata.contents)
    try:
        Ed25519Public.from_bytes(metadata.node_key).verify(digest, metadata.signature)
    except (KeyFormatError, SignatureError) as error:
        raise InvalidSignature("metadata.signature", str(error)) from error
