"""Verification of the signature part of a transaction. [docs/protocol/transaction.md#6.3]

The order of the checks decides which error a bad transaction gets, so it is part of the protocol.
"""

from collections.abc import Sequence

from mcnode.crypto.commitment import check_balance, check_points
from mcnode.crypto.range_proof import (
    FormatError,
    RangeClaim,
    RangeProofError,
    judge_range_proofs,
)
from mcnode.crypto.ring_errors import RingSignatureError
from mcnode.crypto.ring_errors import ValueNotConserved as CommitmentsNotBalanced
from mcnode.crypto.ring_signature import RingMember, check_ring_signature
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MOB
from mcnode.transaction.hashing import tx_in_signed_digest
from mcnode.transaction.messages import SignatureRctBulletproofs, Tx, TxOut, TxPrefix
from mcnode.transaction.ring_ct.errors import (
    AllRingsPresigned,
    DuplicateKeyImage,
    LengthMismatch,
    MissingOutputTokenIds,
    MissingPseudoOutputTokenIds,
    MissingRangeProofs,
    NoCommitmentsForTokenId,
    OutputTokenIdsNotAllowed,
    PseudoOutputTokenIdsNotAllowed,
    RangeProof,
    RangeProofDeserialization,
    RingSignature,
    TokenIdNotAllowed,
    TooManyRangeProofs,
    UnexpectedRangeProof,
    ValueNotConserved,
)
from mcnode.transaction.ring_ct.signing_digest import mlsag_signing_message
from mcnode.transaction.tx_out import commitment_of


def check_signature(tx: Tx, block_version: BlockVersion) -> None:
    """Check ring signatures, range proofs and balance of a transaction.

    Every ring member and output must have a masked amount.

    Raises:
        RingCtError: the first rule that is broken.
    """
    prefix, signature = tx.prefix, tx.signature
    if not block_version.has_masked_token_ids and prefix.fee_token_id != MOB:
        raise TokenIdNotAllowed(prefix.fee_token_id)
    if all(tx_in.input_rules is not None for tx_in in prefix.inputs):
        raise AllRingsPresigned
    _check_counts(prefix, signature, block_version)
    _check_key_images_are_unique(signature)
    outputs = [commitment_of(tx_out) for tx_out in prefix.outputs]
    _check_commitments(outputs, "output commitment")
    _check_commitments(signature.pseudo_output_commitments, "pseudo-output commitment")
    if block_version.mixes_token_ids:
        _check_range_proofs_by_token(prefix, signature, outputs)
    else:
        _check_single_range_proof(prefix, signature, outputs)
    try:
        check_balance(signature.pseudo_output_commitments, outputs, prefix.fee, prefix.fee_token_id)
    except CommitmentsNotBalanced as error:
        raise ValueNotConserved from error
    _check_ring_signatures(prefix, signature, block_version)


def _check_counts(
    prefix: TxPrefix, signature: SignatureRctBulletproofs, block_version: BlockVersion
) -> None:
    ring_count = len(prefix.inputs)
    pseudo_output_count = len(signature.pseudo_output_commitments)
    if len(signature.ring_signatures) != ring_count:
        raise LengthMismatch("ring signatures", ring_count, len(signature.ring_signatures))
    if pseudo_output_count != ring_count:
        raise LengthMismatch("pseudo-outputs", ring_count, pseudo_output_count)
    pseudo_ids, output_ids = signature.pseudo_output_token_ids, signature.output_token_ids
    if block_version.mixes_token_ids:
        if len(pseudo_ids) != pseudo_output_count:
            raise MissingPseudoOutputTokenIds(len(pseudo_ids), pseudo_output_count)
        if len(output_ids) != len(prefix.outputs):
            raise MissingOutputTokenIds(len(output_ids), len(prefix.outputs))
    else:
        if pseudo_ids:
            raise PseudoOutputTokenIdsNotAllowed(len(pseudo_ids))
        if output_ids:
            raise OutputTokenIdsNotAllowed(len(output_ids))


def _check_key_images_are_unique(signature: SignatureRctBulletproofs) -> None:
    seen = set()
    for ring_signature in signature.ring_signatures:
        if ring_signature.key_image in seen:
            raise DuplicateKeyImage(ring_signature.key_image)
        seen.add(ring_signature.key_image)


def _check_commitments(commitments: Sequence[bytes], what: str) -> None:
    try:
        check_points(commitments, what)
    except RingSignatureError as error:
        raise RingSignature(error) from error


def _check_single_range_proof(
    prefix: TxPrefix, signature: SignatureRctBulletproofs, outputs: Sequence[bytes]
) -> None:
    """Below block version 3: one proof over everything, in the token of the fee."""
    if signature.range_proofs:
        raise TooManyRangeProofs(len(signature.range_proofs))
    commitments = [*signature.pseudo_output_commitments, *outputs]
    claim = RangeClaim(signature.range_proof_bytes, commitments, prefix.fee_token_id)
    _raise_verdict(judge_range_proofs([claim])[0])


def _check_range_proofs_by_token(
    prefix: TxPrefix, signature: SignatureRctBulletproofs, outputs: Sequence[bytes]
) -> None:
    """From block version 3: one proof for each token in use, by ascending token id.

    A proof covers the pseudo-outputs of its token, then the outputs. All are verified together; the
    first token with a fault decides, so a token that nothing is moved in comes up in its turn.
    """
    if signature.range_proof_bytes:
        raise UnexpectedRangeProof(len(signature.range_proof_bytes))
    token_ids = [*signature.pseudo_output_token_ids, *signature.output_token_ids]
    tokens = sorted({prefix.fee_token_id, *token_ids})
    if len(signature.range_proofs) != len(tokens):
        raise MissingRangeProofs(len(tokens), len(signature.range_proofs))
    commitments = [*signature.pseudo_output_commitments, *outputs]
    claims = [
        RangeClaim(
            proof,
            [
                commitment
                for commitment, its_token in zip(commitments, token_ids, strict=True)
                if its_token == token
            ],
            token,
        )
        for proof, token in zip(signature.range_proofs, tokens, strict=True)
    ]
    for claim, verdict in zip(claims, judge_range_proofs(claims), strict=True):
        if not claim.commitments:
            raise NoCommitmentsForTokenId(claim.token_id)
        _raise_verdict(verdict)


def _raise_verdict(verdict: RangeProofError | None) -> None:
    if isinstance(verdict, FormatError):
        raise RangeProofDeserialization(verdict) from verdict
    if verdict is not None:
        raise RangeProof(verdict, f"ProofError: `{type(verdict).__name__}`") from verdict


def _check_ring_signatures(
    prefix: TxPrefix, signature: SignatureRctBulletproofs, block_version: BlockVersion
) -> None:
    shared_message = mlsag_signing_message(
        block_version,
        prefix,
        signature.pseudo_output_commitments,
        signature.range_proof_bytes,
        signature.range_proofs,
    )
    for tx_in, ring_signature, pseudo_output in zip(
        prefix.inputs,
        signature.ring_signatures,
        signature.pseudo_output_commitments,
        strict=True,
    ):
        message = tx_in_signed_digest(tx_in) or shared_message
        try:
            check_ring_signature(message, ring_members(tx_in.ring), pseudo_output, ring_signature)
        except RingSignatureError as error:
            raise RingSignature(error) from error


def ring_members(ring: Sequence[TxOut]) -> list[RingMember]:
    """A ring as its signature sees it."""
    return [RingMember(member.target_key, commitment_of(member)) for member in ring]
