"""Sets of Ed25519 signers with a threshold, and their signatures. [docs/protocol/crypto.md#8]"""

from typing import Final

from mcnode.codec.schema import (
    ED25519_PUBLIC,
    ED25519_SIGNATURE,
    UINT32,
    field,
    message,
    repeated,
)
from mcnode.crypto.errors import InvalidPublicKey, SignatureError
from mcnode.crypto.keys import Ed25519Public

SIGNATURES_MAX: Final = 10
"""Each is tried with every signer, so the count bounds the work of a verification."""


@message
class MultiSig:
    """Signatures of any of the members of a signer set, in any order."""

    signatures: tuple[bytes, ...] = repeated(1, ED25519_SIGNATURE)


@message(rust_protobuf_order=(1, 3, 2))
class SignerSet:
    """Public keys and nested sets, `threshold` of which must have signed."""

    individual_signers: tuple[bytes, ...] = repeated(1, ED25519_PUBLIC, digest="signers")
    multi_signers: "tuple[SignerSet, ...]" = repeated(3, "SignerSet")
    threshold: int = field(2, UINT32)


def is_valid_signer_set(signer_set: SignerSet) -> bool:
    """Whether the threshold of this set and of every nested one can be met.

    Members that are named twice count twice here, though never in a verification.
    """
    members = len(signer_set.individual_signers) + len(signer_set.multi_signers)
    return 0 < signer_set.threshold <= members and all(
        is_valid_signer_set(nested) for nested in signer_set.multi_signers
    )


def check_multisig(signer_set: SignerSet, signed: bytes, multi_sig: MultiSig) -> tuple[bytes, ...]:
    """Refuse unless at least `threshold` distinct members signed; return the keys that did.

    A nested set is a member that signed when it passes this check itself, with all the signatures;
    one signature may serve in several sets. The result is sorted and without repetition.

    Raises:
        SignatureError: the set is not valid, there are more than 10 signatures, or too few match.
    """
    if not is_valid_signer_set(signer_set):
        raise SignatureError("signer set has a threshold that cannot be met or is 0")
    count = len(multi_sig.signatures)
    if count > SIGNATURES_MAX:
        raise SignatureError(f"multi-signature has {count} signatures, limit {SIGNATURES_MAX}")
    matcher = _Matcher(signed, tuple(sorted(set(multi_sig.signatures))))
    return tuple(sorted(matcher.matched_keys(signer_set)))


class _Matcher:
    """Which signers signed one message; remembers answers, as nested sets share signers."""

    def __init__(self, signed: bytes, signatures: tuple[bytes, ...]) -> None:
        self._signed = signed
        self._signatures = signatures
        self._answers: dict[bytes, bool] = {}

    def has_signed(self, signer: bytes) -> bool:
        if signer not in self._answers:
            self._answers[signer] = any(
                self._is_signature_of(signer, signature) for signature in self._signatures
            )
        return self._answers[signer]

    def _is_signature_of(self, signer: bytes, signature: bytes) -> bool:
        try:
            Ed25519Public(signer).verify(self._signed, signature)
        except (SignatureError, InvalidPublicKey):
            return False
        return True

    def matched_keys(self, signer_set: SignerSet) -> set[bytes]:
        matched = {s for s in set(signer_set.individual_signers) if self.has_signed(s)}
        count = len(matched)
        for nested in set(signer_set.multi_signers):
            try:
                matched |= self.matched_keys(nested)
            except SignatureError:
                continue
            count += 1
        if count < signer_set.threshold:
            raise SignatureError(
                f"{count} members of the signer set signed, needs {signer_set.threshold}"
            )
        return matched
