"""Archived blocks as they may come from anybody: the published layout, no length enforced.

Our own messages cannot be decoded from archives directly: an absent part must be told from a zero
one, and each wrong length has an error of its own. `archive_conversion` checks these into ours.
Any order of fields is accepted. [docs/protocol/ledger.md#2.1]
"""

from mcnode.attest.messages import DcapEvidence, VerificationReport
from mcnode.codec.schema import (
    BYTES,
    FIXED64,
    OPTIONAL,
    TEXT,
    UINT32,
    UINT64,
    field,
    message,
    oneof,
    repeated,
)
from mcnode.transaction.messages import Range


@message
class WireBytes:
    """Every fixed-size value: ids, hashes, keys, signatures, hints and memos."""

    data: bytes = field(1, BYTES)


@message
class WireRootElement:
    """A node of the output tree."""

    range: Range = field(1, Range)
    hash: WireBytes = field(2, WireBytes)


@message
class WireBlock:
    """A header."""

    id: WireBytes = field(1, WireBytes)
    version: int = field(2, UINT32)
    parent_id: WireBytes = field(3, WireBytes)
    index: int = field(4, UINT64)
    cumulative_txo_count: int = field(5, UINT64)
    root_element: WireRootElement = field(6, WireRootElement)
    contents_hash: WireBytes = field(7, WireBytes)


@message
class WireMaskedAmountV1:
    """A version 1 amount."""

    commitment: WireBytes = field(1, WireBytes)
    masked_value: int = field(2, FIXED64)
    masked_token_id: bytes = field(3, BYTES)


@message
class WireMaskedAmountV2:
    """A version 2 amount."""

    commitment: WireBytes = field(1, WireBytes)
    masked_value: int = field(2, FIXED64)
    masked_token_id: bytes = field(3, BYTES)


@message
class WireTxOut:
    """An output."""

    masked_amount: WireMaskedAmountV1 | WireMaskedAmountV2 | None = oneof(
        {1: WireMaskedAmountV1, 6: WireMaskedAmountV2}
    )
    target_key: WireBytes = field(2, WireBytes)
    public_key: WireBytes = field(3, WireBytes)
    e_fog_hint: WireBytes = field(4, WireBytes)
    e_memo: WireBytes = field(5, WireBytes)


@message
class WireMultiSig:
    """Signatures of a signer set."""

    signatures: tuple[WireBytes, ...] = repeated(1, WireBytes)


@message
class WireSignerSet:
    """A signer set."""

    individual_signers: tuple[WireBytes, ...] = repeated(1, WireBytes)
    multi_signers: "tuple[WireSignerSet, ...]" = repeated(3, "WireSignerSet")
    threshold: int = field(2, UINT32)


@message
class WireMintTxPrefix:
    """A mint transaction before signing."""

    token_id: int = field(1, UINT64)
    amount: int = field(2, UINT64)
    view_public_key: WireBytes = field(3, WireBytes)
    spend_public_key: WireBytes = field(4, WireBytes)
    nonce: bytes = field(5, BYTES)
    tombstone_block: int = field(6, UINT64)
    e_fog_hint: WireBytes | None = field(7, WireBytes, presence=OPTIONAL)


@message
class WireMintTx:
    """A mint transaction."""

    prefix: WireMintTxPrefix = field(1, WireMintTxPrefix)
    signature: WireMultiSig = field(2, WireMultiSig)


@message
class WireMintConfig:
    """A mint configuration."""

    token_id: int = field(1, UINT64)
    signer_set: WireSignerSet = field(2, WireSignerSet)
    mint_limit: int = field(3, UINT64)


@message
class WireMintConfigTxPrefix:
    """Mint configurations before signing."""

    token_id: int = field(1, UINT64)
    configs: tuple[WireMintConfig, ...] = repeated(2, WireMintConfig)
    nonce: bytes = field(3, BYTES)
    tombstone_block: int = field(4, UINT64)
    total_mint_limit: int = field(5, UINT64)


@message
class WireMintConfigTx:
    """A mint configuration transaction."""

    prefix: WireMintConfigTxPrefix = field(1, WireMintConfigTxPrefix)
    signature: WireMultiSig = field(2, WireMultiSig)


@message
class WireValidatedMintConfigTx:
    """A mint configuration transaction with the governors that signed it."""

    mint_config_tx: WireMintConfigTx = field(1, WireMintConfigTx)
    signer_set: WireSignerSet = field(2, WireSignerSet)


@message
class WireBlockContents:
    """Contents."""

    key_images: tuple[WireBytes, ...] = repeated(1, WireBytes)
    outputs: tuple[WireTxOut, ...] = repeated(2, WireTxOut)
    validated_mint_config_txs: tuple[WireValidatedMintConfigTx, ...] = repeated(
        3, WireValidatedMintConfigTx
    )
    mint_txs: tuple[WireMintTx, ...] = repeated(4, WireMintTx)


@message
class WireBlockSignature:
    """A block signature."""

    signature: WireBytes = field(1, WireBytes)
    signer: WireBytes = field(2, WireBytes)
    signed_at: int = field(3, UINT64)


@message
class WireNode:
    """A node of a quorum set; its responder id is plain text here."""

    responder_id: str = field(1, TEXT)
    public_key: WireBytes = field(2, WireBytes)


@message
class WireQuorumSetMember:
    """A node or an inner set."""

    member: "WireNode | WireQuorumSet | None" = oneof({1: WireNode, 2: "WireQuorumSet"})


@message
class WireQuorumSet:
    """A quorum set."""

    threshold: int = field(1, UINT32)
    members: tuple[WireQuorumSetMember, ...] = repeated(2, WireQuorumSetMember)


@message
class WireBlockMetadataContents:
    """What a node says about a block."""

    block_id: WireBytes = field(1, WireBytes)
    quorum_set: WireQuorumSet = field(2, WireQuorumSet)
    attestation_evidence: VerificationReport | DcapEvidence | None = oneof(
        {3: VerificationReport, 5: DcapEvidence}
    )
    responder_id: str = field(4, TEXT)


@message
class WireBlockMetadata:
    """Signed block metadata."""

    contents: WireBlockMetadataContents = field(1, WireBlockMetadataContents)
    node_key: WireBytes = field(2, WireBytes)
    signature: WireBytes = field(3, WireBytes)


@message
class WireArchiveBlockV1:
    """A block with what is stored beside it."""

    block: WireBlock = field(1, WireBlock)
    block_contents: WireBlockContents = field(2, WireBlockContents)
    signature: WireBlockSignature | None = field(3, WireBlockSignature, presence=OPTIONAL)
    metadata: WireBlockMetadata | None = field(4, WireBlockMetadata, presence=OPTIONAL)


@message
class WireArchiveBlock:
    """An archive file of one block."""

    v1: WireArchiveBlockV1 | None = oneof({1: WireArchiveBlockV1})


@message
class WireArchiveBlocks:
    """A merged archive file."""

    blocks: tuple[WireArchiveBlock, ...] = repeated(1, WireArchiveBlock)
