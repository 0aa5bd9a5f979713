"""Sets of Ed25519 signers with a threshold, and their signatures. [docs/protocol/crypto.md#8]"""

from mcnode.codec.schema import (
    ED25519_PUBLIC,
    ED25519_SIGNATURE,
    UINT32,
    field,
    message,
    repeated,
)


@message
class MultiSig:
    """Signatures of any of the members of a signer set, in any order."""

    signatures: tuple[bytes, ...] = repeated(1, ED25519_SIGNATURE)


@message
class SignerSet:
    """Public keys and nested sets, `threshold` of which must have signed."""

    individual_signers: tuple[bytes, ...] = repeated(1, ED25519_PUBLIC, digest="signers")
    multi_signers: "tuple[SignerSet, ...]" = repeated(3, "SignerSet")
    threshold: int = field(2, UINT32)
