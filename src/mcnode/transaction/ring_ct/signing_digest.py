"""What ring signatures sign, by block version. [docs/protocol/transaction.md#3.2]"""

from collections.abc import Sequence

from mcnode.codec.digest import List, Primitive, Transcript
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import tx_prefix_hash
from mcnode.transaction.messages import TxPrefix, TxSummary
from mcnode.transaction.summary.tx_summary import make_tx_summary


def mlsag_signing_message(
    block_version: BlockVersion,
    prefix: TxPrefix,
    pseudo_output_commitments: Sequence[bytes],
    range_proof_bytes: bytes,
    range_proofs: Sequence[bytes],
) -> bytes:
    """The message of every ring signature of an input without rules.

    32 bytes from block version 2; below, the extended message itself.

    Raises:
        ZipExact: from block version 3, if there is not one commitment per input.
    """
    prefix_hash = tx_prefix_hash(prefix)
    if not block_version.signs_extended_message_digest:
        return b"".join((prefix_hash, *pseudo_output_commitments, range_proof_bytes))
    digest = extended_message_digest(
        prefix_hash, pseudo_output_commitments, range_proof_bytes, range_proofs
    )
    if not block_version.signs_tx_summary:
        return digest
    return extended_message_and_tx_summary_digest(
        digest, make_tx_summary(prefix, pseudo_output_commitments)
    )


def extended_message_digest(
    prefix_hash: bytes,
    pseudo_output_commitments: Sequence[bytes],
    range_proof_bytes: bytes,
    range_proofs: Sequence[bytes],
) -> bytes:
    """32 bytes over the prefix hash and what proves the amounts. Empty proofs are left out."""
    transcript = Transcript("mc_extended_message")
    transcript.append_node("message", Primitive("bytes", prefix_hash))
    transcript.append_node(
        "pseudo_output_commitments",
        List([Primitive("ristretto", commitment) for commitment in pseudo_output_commitments]),
    )
    transcript.append_optional("range_proof_bytes", Primitive("bytes", range_proof_bytes))
    transcript.append_optional(
        "range_proofs", List([Primitive("bytes", proof) for proof in range_proofs])
    )
    return transcript.digest()


def extended_message_and_tx_summary_digest(extended_message: bytes, tx_summary: TxSummary) -> bytes:
    """32 bytes over the digest of the extended message and the summary that signers see."""
    transcript = Transcript("mc_extended_message_and_tx_summary")
    transcript.append_node("extended_message", Primitive("bytes", extended_message))
    transcript.append_node("tx_summary", tx_summary)
    return transcript.digest()
