"""Verification of the signature part of a transaction. [docs/protocol/transaction.md#6.3]

The order of the checks decides which error a bad transaction gets, so it is part of the protocol.
"""

import functools
from collections.abc import Sequence
from typing import Final

from mcnode.crypto.commitment import check_balance, check_points
from mcnode.crypto.known_points import KnownPoints, known_points
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
from mcnode.transaction.checks import Check, run_checks
from mcnode.transaction.constants import MOB
from mcnode.transaction.hashing import tx_in_signed_digest
from mcnode.transaction.messages import Tx, TxOut
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


class SignatureSubject:
    """A transaction whose signature is judged, and what its checks have in common.

    Every ring member and output must have a masked amount. `known` are the points of a batch of
    transactions; without it the transaction has a memory of its own.
    """

    def __init__(
        self, tx: Tx, block_version: BlockVersion, known: KnownPoints | None = None
    ) -> None:
        self.prefix = tx.prefix
        self.signature = tx.signature
        self.block_version = block_version
        self.known = known_points() if known is None else known
        self.range_verdicts: Sequence[RangeProofError | None] | None = None
        """Verdicts on `range_claims`, if they have been judged along with other transactions."""

    @functools.cached_property
    def output_commitments(self) -> list[bytes]:
        """Those of the prefix's outputs, 32 bytes each."""
        return [commitment_of(tx_out) for tx_out in self.prefix.outputs]

    @functools.cached_property
    def token_ids(self) -> list[int]:
        """Every token in use, ascending."""
        of_values = (*self.signature.pseudo_output_token_ids, *self.signature.output_token_ids)
        return sorted({self.prefix.fee_token_id, *of_values})

    @functools.cached_property
    def range_claims(self) -> list[RangeClaim]:
        """What the range proofs are said to prove; pseudo-outputs come before outputs.

        Below block version 3 there is one proof over everything, in the token of the fee; from 3 on
        one for each token in use, by ascending token id.
        """
        signature = self.signature
        commitments = [*signature.pseudo_output_commitments, *self.output_commitments]
        if not self.block_version.mixes_token_ids:
            proof = signature.range_proof_bytes
            return [RangeClaim(proof, commitments, self.prefix.fee_token_id)]
        its_tokens = [*signature.pseudo_output_token_ids, *signature.output_token_ids]
        return [
            RangeClaim(
                proof,
                [c for c, its in zip(commitments, its_tokens, strict=True) if its == token_id],
                token_id,
            )
            for proof, token_id in zip(signature.range_proofs, self.token_ids, strict=True)
        ]


def check_signature(tx: Tx, block_version: BlockVersion) -> None:
    """Check ring signatures, range proofs and balance of a transaction.

    Every ring member and output must have a masked amount.

    Raises:
        RingCtError: the first rule that is broken.
    """
    run_checks(SIGNATURE_CHECKS, SignatureSubject(tx, block_version))


def _check_fee_token(subject: SignatureSubject) -> None:
    token_id = subject.prefix.fee_token_id
    if not subject.block_version.has_masked_token_ids and token_id != MOB:
        raise TokenIdNotAllowed(token_id)


def _check_some_ring_has_no_rules(subject: SignatureSubject) -> None:
    if all(tx_in.input_rules is not None for tx_in in subject.prefix.inputs):
        raise AllRingsPresigned


def _check_ring_signature_count(subject: SignatureSubject) -> None:
    expected, found = len(subject.prefix.inputs), len(subject.signature.ring_signatures)
    if found != expected:
        raise LengthMismatch("ring signatures", expected, found)


def _check_pseudo_output_count(subject: SignatureSubject) -> None:
    expected, found = len(subject.prefix.inputs), len(subject.signature.pseudo_output_commitments)
    if found != expected:
        raise LengthMismatch("pseudo-outputs", expected, found)


def _check_pseudo_output_token_ids(subject: SignatureSubject) -> None:
    found = len(subject.signature.pseudo_output_token_ids)
    if not subject.block_version.mixes_token_ids:
        if found:
            raise PseudoOutputTokenIdsNotAllowed(found)
    elif found != len(subject.signature.pseudo_output_commitments):
        raise MissingPseudoOutputTokenIds(found, len(subject.signature.pseudo_output_commitments))


def _check_output_token_ids(subject: SignatureSubject) -> None:
    found = len(subject.signature.output_token_ids)
    if not subject.block_version.mixes_token_ids:
        if found:
            raise OutputTokenIdsNotAllowed(found)
    elif found != len(subject.prefix.outputs):
        raise MissingOutputTokenIds(found, len(subject.prefix.outputs))


def _check_key_images_are_unique(subject: SignatureSubject) -> None:
    seen = set()
    for ring_signature in subject.signature.ring_signatures:
        if ring_signature.key_image in seen:
            raise DuplicateKeyImage(ring_signature.key_image)
        seen.add(ring_signature.key_image)


def _check_commitments(commitments: Sequence[bytes], what: str, known: KnownPoints) -> None:
    try:
        check_points(commitments, what, known)
    except RingSignatureError as error:
        raise RingSignature(error) from error


def _check_range_proof_count(subject: SignatureSubject) -> None:
    signature = subject.signature
    if not subject.block_version.mixes_token_ids:
        if signature.range_proofs:
            raise TooManyRangeProofs(len(signature.range_proofs))
        return
    if signature.range_proof_bytes:
        raise UnexpectedRangeProof(len(signature.range_proof_bytes))
    if len(signature.range_proofs) != len(subject.token_ids):
        raise MissingRangeProofs(len(subject.token_ids), len(signature.range_proofs))


def _check_range_proofs(subject: SignatureSubject) -> None:
    """All are judged together; the first token with a fault decides.

    So a token that nothing is moved in comes up in its turn.
    """
    claims, verdicts = subject.range_claims, subject.range_verdicts
    if verdicts is None:
        verdicts = judge_range_proofs(claims, subject.known)
    for claim, verdict in zip(claims, verdicts, strict=True):
        if not claim.commitments:
            raise NoCommitmentsForTokenId(claim.token_id)
        if isinstance(verdict, FormatError):
            raise RangeProofDeserialization(verdict, claim.token_id) from verdict
        if verdict is not None:
            network_text = f"ProofError: `{type(verdict).__name__}`"
            raise RangeProof(verdict, network_text, claim.token_id) from verdict


def _check_value_conserved(subject: SignatureSubject) -> None:
    inputs, prefix = subject.signature.pseudo_output_commitments, subject.prefix
    try:
        check_balance(
            inputs, subject.output_commitments, prefix.fee, prefix.fee_token_id, subject.known
        )
    except CommitmentsNotBalanced as error:
        raise ValueNotConserved from error


def _check_ring_signatures(subject: SignatureSubject) -> None:
    prefix, signature = subject.prefix, subject.signature
    shared_message = mlsag_signing_message(
        subject.block_version,
        prefix,
        signature.pseudo_output_commitments,
        signature.range_proof_bytes,
        signature.range_proofs,
    )
    signed = zip(
        prefix.inputs,
        signature.ring_signatures,
        signature.pseudo_output_commitments,
        strict=True,
    )
    for input_index, (tx_in, ring_signature, pseudo_output) in enumerate(signed):
        message = tx_in_signed_digest(tx_in) or shared_message
        try:
            check_ring_signature(
                message, ring_members(tx_in.ring), pseudo_output, ring_signature, subject.known
            )
        except RingSignatureError as error:
            raise RingSignature(error, f"input {input_index}") from error


def ring_members(ring: Sequence[TxOut]) -> list[RingMember]:
    """A ring as its signature sees it."""
    return [RingMember(member.target_key, commitment_of(member)) for member in ring]


_COUNTS = (
    "number of ring signatures",
    "number of pseudo-outputs",
    "token ids of pseudo-outputs",
    "token ids of outputs",
)
_POINTS = ("output commitments", "pseudo-output commitments")
RANGE_PROOFS = "range proofs"
"""The check whose work can be shared between transactions."""

SIGNATURE_CHECKS: Final[tuple[Check[SignatureSubject], ...]] = (
    Check(
        "fee token",
        _check_fee_token,
        lambda s: f"token {s.prefix.fee_token_id} at block version {s.block_version}",
    ),
    Check(
        "some input without rules",
        _check_some_ring_has_no_rules,
        lambda s: (
            f"{sum(tx_in.input_rules is None for tx_in in s.prefix.inputs)} of "
            f"{len(s.prefix.inputs)} inputs have none"
        ),
    ),
    Check(
        _COUNTS[0],
        _check_ring_signature_count,
        lambda s: f"{len(s.signature.ring_signatures)} for {len(s.prefix.inputs)} inputs",
    ),
    Check(
        _COUNTS[1],
        _check_pseudo_output_count,
        lambda s: f"{len(s.signature.pseudo_output_commitments)} for {len(s.prefix.inputs)} inputs",
    ),
    Check(
        _COUNTS[2],
        _check_pseudo_output_token_ids,
        lambda s: f"{list(s.signature.pseudo_output_token_ids)} at block version {s.block_version}",
    ),
    Check(
        _COUNTS[3],
        _check_output_token_ids,
        lambda s: f"{list(s.signature.output_token_ids)} at block version {s.block_version}",
    ),
    Check(
        "key images differ from each other",
        _check_key_images_are_unique,
        lambda s: ", ".join(ring.key_image.hex() for ring in s.signature.ring_signatures),
    ),
    Check(
        _POINTS[0],
        lambda s: _check_commitments(s.output_commitments, "output commitment", s.known),
        lambda s: f"{len(s.output_commitments)} points",
    ),
    Check(
        _POINTS[1],
        lambda s: _check_commitments(
            s.signature.pseudo_output_commitments, "pseudo-output commitment", s.known
        ),
        lambda s: f"{len(s.signature.pseudo_output_commitments)} points",
    ),
    Check(
        "number of range proofs",
        _check_range_proof_count,
        lambda s: (
            f"{len(s.signature.range_proofs)} by token for tokens {s.token_ids}, single one of "
            f"{len(s.signature.range_proof_bytes)} bytes"
        ),
    ),
    Check(
        RANGE_PROOFS,
        _check_range_proofs,
        lambda s: "; ".join(
            f"token {claim.token_id}: {len(claim.proof)} bytes for {len(claim.commitments)} values"
            for claim in s.range_claims
        ),
        needs=(*_COUNTS, "number of range proofs"),
    ),
    Check(
        "balance",
        _check_value_conserved,
        lambda s: (
            f"{len(s.signature.pseudo_output_commitments)} pseudo-outputs = "
            f"{len(s.output_commitments)} outputs + fee of {s.prefix.fee} in token "
            f"{s.prefix.fee_token_id}"
        ),
        needs=_POINTS,
    ),
    Check(
        "ring signatures",
        _check_ring_signatures,
        lambda s: (
            f"{len(s.signature.ring_signatures)} over rings of "
            f"{[len(tx_in.ring) for tx_in in s.prefix.inputs]}"
        ),
        needs=_COUNTS[:2],
    ),
)
"""In the network's order. [docs/protocol/transaction.md#6.3]"""
