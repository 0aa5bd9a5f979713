"""Ledgers for tests and local networks, the same bytes for the same seed.

[docs/protocol/ledger.md#10.2]

Every draw from the generator is part of the result, so the order of statements here is too: per
block the outputs, then a key image, then the seeds of the block's signature and metadata.
"""

import dataclasses
from collections.abc import Iterator, Sequence

from mcnode.account.public_address import PublicAddress
from mcnode.attest.messages import VerificationReport
from mcnode.blockchain.block import Block, make_child_block, make_origin_block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.metadata import BlockMetadata, BlockMetadataContents, sign_metadata
from mcnode.blockchain.quorum_set import (
    MetadataNode,
    MetadataQuorumSet,
    MetadataQuorumSetMember,
)
from mcnode.blockchain.signature import sign_block
from mcnode.crypto.fog_hint import fake_onetime_hint
from mcnode.crypto.keys import KEY_BYTES, Ed25519Private, RistrettoPrivate
from mcnode.crypto.ring_signature import key_image
from mcnode.crypto.rng import Hc128Rng
from mcnode.errors import InvalidError
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import Amount, TxOut
from mcnode.transaction.tx_out import create_tx_out

DEFAULT_SEED = bytes([33]) * 32
TOTAL_MOB = 250_000_000
PICOMOB_PER_MOB = 10**12
OUTPUTS_MIN = 16
"""Fewer cannot fill a ring of 11 and leave something to spend."""

_QUORUM_SET_NODES_MAX = 42
_CHAIN_ENTRIES = (2, 42)
_RESPONDER_ID = "test.mobilecoin.com:443"


class TooFewSampleOutputs(InvalidError):
    """A sample ledger with fewer outputs than any transaction needs."""

    def __init__(self, found: int) -> None:
        super().__init__(
            f"the ledger would have {found} outputs, needs {OUTPUTS_MIN}: raise --txs, --blocks "
            "or the number of keys"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class SampleLedger:
    """What to make: each of `recipients` gets `outputs_per_recipient` per block and token."""

    recipients: Sequence[PublicAddress]
    outputs_per_recipient: int = 100
    num_blocks: int = 1
    max_token_id: int = 0
    seed: bytes = DEFAULT_SEED
    block_version: BlockVersion | None = None
    """Of the outputs, and of all blocks but the first; by default 3 for several tokens, else 0."""

    @property
    def num_outputs(self) -> int:
        """Outputs over all blocks, recipients and tokens."""
        per_block = len(self.recipients) * self.outputs_per_recipient * (self.max_token_id + 1)
        return per_block * self.num_blocks

    @property
    def value_per_output(self) -> int:
        """In the smallest unit, the same for every token.

        Raises:
            TooFewSampleOutputs: there would be fewer than 16 outputs.
        """
        if self.num_outputs < OUTPUTS_MIN:
            raise TooFewSampleOutputs(self.num_outputs)
        return TOTAL_MOB // self.num_outputs * PICOMOB_PER_MOB


def sample_conf_json(sample: SampleLedger, key_images: int) -> str:
    """The note that the tool leaves beside its ledger: one line without line end."""
    return (
        f'{{ "NUM_KEYS": {len(sample.recipients)}, '
        f'"NUM_UTXOS_PER_ACCOUNT": {sample.outputs_per_recipient}, '
        f'"NUM_BLOCKS": {sample.num_blocks}, "NUM_EXTRA_KEY_IMAGES_PER_BLOCK": {key_images}, '
        '"GIT_COMMIT": "??????" }'
    )


def make_sample_blocks(sample: SampleLedger) -> Iterator[BlockData]:
    """The blocks of a sample ledger, from the origin on.

    Raises:
        TooFewSampleOutputs: there would be fewer than 16 outputs.
    """
    version = sample.block_version or BlockVersion(3 if sample.max_token_id else 0)
    return make_blocks(
        Hc128Rng(sample.seed),
        sample.recipients,
        outputs_per_recipient=sample.outputs_per_recipient,
        num_blocks=sample.num_blocks,
        num_tokens=sample.max_token_id + 1,
        value=sample.value_per_output,
        version=version,
    )


def make_blocks(
    rng: Hc128Rng,
    recipients: Sequence[PublicAddress],
    *,
    outputs_per_recipient: int,
    num_blocks: int,
    num_tokens: int,
    value: int,
    version: BlockVersion,
    parent: Block | None = None,
) -> Iterator[BlockData]:
    """Blocks in which every output of every token has the same value.

    They follow `parent`; without one the first is an origin block, which spends nothing.
    """
    for _ in range(num_blocks):
        outputs = tuple(
            make_sample_output(rng, version, Amount(value, token_id), recipient)
            for recipient in recipients
            for _ in range(outputs_per_recipient)
            for token_id in range(num_tokens)
        )
        if parent is None:
            block, contents = make_origin_block(outputs)
        else:
            contents = BlockContents((draw_key_image(rng),), outputs, (), ())
            block = make_child_block(parent, int(version), contents)
        signature = sign_block(block, Ed25519Private.random(rng), signed_at=block.index)
        yield BlockData(block, contents, signature, make_sample_metadata(rng, block.id))
        parent = block


def make_sample_output(
    rng: Hc128Rng, version: BlockVersion, amount: Amount, recipient: PublicAddress
) -> TxOut:
    """An output with a drawn private key and fog hint."""
    tx_private_key = RistrettoPrivate.random(rng)
    hint = fake_onetime_hint(rng)
    tx_out, _ = create_tx_out(version, amount, recipient, tx_private_key, hint)
    return tx_out


def draw_key_image(rng: Hc128Rng) -> bytes:
    """The key image of a one-time key that is a drawn 64-bit number."""
    number = rng.next_u64().to_bytes(KEY_BYTES, "little")
    return key_image(RistrettoPrivate(number))


def make_sample_metadata(rng: Hc128Rng, block_id: bytes) -> BlockMetadata:
    """Metadata of a made-up node with a drawn quorum set and an empty report."""
    node_key = Ed25519Private.random(rng)
    members = _draw_in_range(rng, 1, _QUORUM_SET_NODES_MAX)
    threshold = _draw_in_range(rng, 1, members)
    first, end = _CHAIN_ENTRIES
    chain_entries = _draw_in_range(rng, first, end - 1)
    contents = BlockMetadataContents(
        block_id=block_id,
        quorum_set=MetadataQuorumSet(
            threshold, tuple(MetadataQuorumSetMember(sample_node(n)) for n in range(members))
        ),
        attestation_evidence=VerificationReport(b"", (b"",) * chain_entries, "testing"),
        responder_id=_RESPONDER_ID,
    )
    return sign_metadata(contents, node_key)


def sample_node_key(number: int) -> Ed25519Private:
    """The message-signing key of test node `number`."""
    return Ed25519Private.random(Hc128Rng(number.to_bytes(4, "big") + bytes(28)))


def sample_node(number: int) -> MetadataNode:
    """Test node `number`."""
    public_key = sample_node_key(number).public_key().to_bytes()
    return MetadataNode(f"node{number}.test.com:8443", public_key)


def _draw_in_range(rng: Hc128Rng, low: int, high: int) -> int:
    """A number from `low` to `high`, both included, drawn as 32-bit words without bias.

    A word is multiplied by the width; words whose low half falls into the uneven rest are drawn
    again. [docs/protocol/ledger.md#10.2]
    """
    width = high - low + 1
    zone = (width << (32 - width.bit_length())) - 1
    while True:
        product = rng.next_u32() * width
        if product & 0xFFFFFFFF <= zone:
            return low + (product >> 32)
