"""Making the signature part of a transaction. [docs/protocol/transaction.md#6.2]

Randomness is drawn in a fixed order: blindings of pseudo-outputs by ring, range proofs by token,
ring signatures by ring. So the same random bytes give the same signature.
"""

import dataclasses
import functools
from collections.abc import Iterable, Sequence

from mcnode import _native
from mcnode.crypto import range_proof
from mcnode.crypto.commitment import check_balance, commit
from mcnode.crypto.range_proof import RangeProofError
from mcnode.crypto.ring_errors import RingSignatureError
from mcnode.crypto.ring_errors import ValueNotConserved as CommitmentsNotBalanced
from mcnode.crypto.rng import RandomBytes, random_scalar
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MOB
from mcnode.transaction.messages import SignatureRctBulletproofs, TxPrefix
from mcnode.transaction.ring_ct.errors import (
    AllRingsPresigned,
    IndexOutOfBounds,
    InvalidRingSize,
    MixedTransactionsNotAllowed,
    NoCommitmentsForTokenId,
    NoInputs,
    RangeProof,
    RingSignature,
    SignedInputRulesNotAllowed,
    Signer,
    TokenIdNotAllowed,
    ValueNotConserved,
)
from mcnode.transaction.ring_ct.rings import (
    InputRing,
    PresignedRing,
    RingSigner,
    SignableRing,
    SignerError,
)
from mcnode.transaction.ring_ct.signing_digest import mlsag_signing_message


@dataclasses.dataclass(frozen=True, slots=True)
class SigningData:
    """Everything of a signature but the ring signatures."""

    message: bytes
    """What the rings sign: 32 bytes from block version 2."""
    pseudo_outputs: tuple[OpenedAmount, ...] = dataclasses.field(repr=False)
    pseudo_output_commitments: tuple[bytes, ...]
    range_proof_bytes: bytes
    range_proofs: tuple[bytes, ...]
    pseudo_output_token_ids: tuple[int, ...]
    output_token_ids: tuple[int, ...]

    def sign(
        self, rings: Sequence[InputRing], signer: RingSigner, random_bytes: RandomBytes
    ) -> SignatureRctBulletproofs:
        """Sign each ring that is not presigned.

        Raises:
            Signer: the holder of the keys refuses.
            RingSignature: a ring cannot be signed.
        """
        ring_signatures = []
        for place, (ring, pseudo_output) in enumerate(zip(rings, self.pseudo_outputs, strict=True)):
            if isinstance(ring, PresignedRing):
                ring_signatures.append(ring.mlsag)
                continue
            try:
                ring_signatures.append(
                    signer.sign(self.message, ring, pseudo_output.blinding, random_bytes)
                )
            except SignerError as error:
                raise Signer(error) from error
            except RingSignatureError as error:
                raise RingSignature(error, f"input {place}") from error
        return SignatureRctBulletproofs(
            tuple(ring_signatures),
            self.pseudo_output_commitments,
            self.range_proof_bytes,
            self.range_proofs,
            self.pseudo_output_token_ids,
            self.output_token_ids,
        )


def make_signing_data(
    block_version: BlockVersion,
    prefix: TxPrefix,
    rings: Sequence[InputRing],
    outputs: Sequence[OpenedAmount],
    random_bytes: RandomBytes,
    *,
    conserves_value: bool = True,
) -> SigningData:
    """Hide the inputs' values anew and prove that all values are in range.

    `outputs` are the opened amounts of the prefix's outputs, in that order. With `conserves_value`
    off, a transaction that creates or destroys value is signed all the same; it will not validate.

    Raises:
        RingCtError: the first rule that is broken.
    """
    _check_tokens(block_version, prefix.fee_token_id, rings, outputs)
    _check_rings(rings)
    pseudo_outputs = _make_pseudo_outputs(rings, outputs, random_bytes)
    amounts = [*pseudo_outputs, *outputs]
    range_proof_bytes, range_proofs = b"", tuple[bytes, ...]()
    if block_version.mixes_token_ids:
        range_proofs = _prove_by_token(prefix.fee_token_id, amounts, random_bytes)
    else:
        range_proof_bytes = _prove(amounts, prefix.fee_token_id, random_bytes)
    commitments = tuple(_commitment(amount) for amount in pseudo_outputs)
    if conserves_value:
        _check_value_conserved(prefix, commitments, [_commitment(amount) for amount in outputs])
    return SigningData(
        mlsag_signing_message(block_version, prefix, commitments, range_proof_bytes, range_proofs),
        pseudo_outputs,
        commitments,
        range_proof_bytes,
        range_proofs,
        _token_ids(block_version, pseudo_outputs),
        _token_ids(block_version, outputs),
    )


def amount_of(ring: InputRing) -> OpenedAmount:
    """What a ring is worth."""
    return ring.pseudo_output if isinstance(ring, PresignedRing) else ring.amount


def _check_tokens(
    block_version: BlockVersion,
    fee_token_id: int,
    rings: Sequence[InputRing],
    outputs: Sequence[OpenedAmount],
) -> None:
    if not block_version.has_masked_token_ids and fee_token_id != MOB:
        raise TokenIdNotAllowed(fee_token_id)
    if block_version.mixes_token_ids:
        return
    for amount in (*map(amount_of, rings), *outputs):
        if amount.token_id != fee_token_id:
            raise MixedTransactionsNotAllowed(amount.token_id, fee_token_id)
    if any(isinstance(ring, PresignedRing) for ring in rings):
        raise SignedInputRulesNotAllowed


def _check_rings(rings: Sequence[InputRing]) -> None:
    if not rings:
        raise NoInputs
    signable = [ring for ring in rings if isinstance(ring, SignableRing)]
    if not signable:
        raise AllRingsPresigned
    size = len(signable[0].members)
    if size == 0:
        raise InvalidRingSize(0)
    for ring in signable:
        if len(ring.members) != size:
            raise InvalidRingSize(len(ring.members))
    for ring in signable:
        if not 0 <= ring.real_input_index < size:
            raise IndexOutOfBounds(ring.real_input_index, size)


def _make_pseudo_outputs(
    rings: Sequence[InputRing], outputs: Sequence[OpenedAmount], random_bytes: RandomBytes
) -> tuple[OpenedAmount, ...]:
    """New blindings for all rings, such that those of inputs and outputs sum to the same.

    Presigned rings keep theirs; the last signable ring gets what makes the sums equal.
    """
    last = max(place for place, ring in enumerate(rings) if isinstance(ring, SignableRing))
    blindings = [
        ring.pseudo_output.blinding
        if isinstance(ring, PresignedRing)
        else b""
        if place == last
        else random_scalar(random_bytes)
        for place, ring in enumerate(rings)
    ]
    others = [blinding for place, blinding in enumerate(blindings) if place != last]
    blindings[last] = _native.scalar_subtract(
        _sum(output.blinding for output in outputs), _sum(others)
    )
    return tuple(
        OpenedAmount(amount_of(ring).value, amount_of(ring).token_id, blinding)
        for ring, blinding in zip(rings, blindings, strict=True)
    )


def _sum(scalars: Iterable[bytes]) -> bytes:
    return functools.reduce(_native.scalar_add, scalars, bytes(32))


def _commitment(amount: OpenedAmount) -> bytes:
    return commit(amount.value, amount.blinding, amount.token_id)


def _prove(amounts: Sequence[OpenedAmount], token_id: int, random_bytes: RandomBytes) -> bytes:
    try:
        return range_proof.prove(
            [amount.value for amount in amounts],
            [amount.blinding for amount in amounts],
            token_id,
            random_bytes,
        )
    except RangeProofError as error:
        raise RangeProof(error, f"ProofError: `{type(error).__name__}`", token_id) from error


def _prove_by_token(
    fee_token_id: int, amounts: Sequence[OpenedAmount], random_bytes: RandomBytes
) -> tuple[bytes, ...]:
    proofs = []
    for token_id in sorted({fee_token_id, *(amount.token_id for amount in amounts)}):
        of_token = [amount for amount in amounts if amount.token_id == token_id]
        if not of_token:
            raise NoCommitmentsForTokenId(token_id)
        proofs.append(_prove(of_token, token_id, random_bytes))
    return tuple(proofs)


def _check_value_conserved(
    prefix: TxPrefix, inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> None:
    try:
        check_balance(inputs, outputs, prefix.fee, prefix.fee_token_id)
    except CommitmentsNotBalanced as error:
        raise ValueNotConserved from error


def _token_ids(block_version: BlockVersion, amounts: Sequence[OpenedAmount]) -> tuple[int, ...]:
    return tuple(a.token_id for a in amounts) if block_version.mixes_token_ids else ()
