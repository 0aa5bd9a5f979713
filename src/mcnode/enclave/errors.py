"""Errors of the trusted process, by the network's own names. [docs/protocol/enclave.md#2.5]

Errors below `AttestError` concern a session: the node answers them with PERMISSION_DENIED, and the
other side starts a new handshake. The rest concern a transaction, a block or the configuration.
They cross the process boundary by class name, text and attributes, so attributes are plain values
or errors themselves.
"""

from mcnode.errors import InvalidError, UnavailableError


class EnclaveGoneError(UnavailableError):
    """The trusted process has ended or its connection broke; nothing in it can be recovered.

    The node must stop (or start a new trusted process and every session anew).
    """


class EnclaveError(InvalidError):
    """The trusted process refused a call."""


class CacheCipher(EnclaveError):
    """A cached transaction is not a ciphertext of this process."""


class Serialization(EnclaveError):
    """A plaintext does not decode."""


class MalformedTx(EnclaveError):
    """A transaction breaks a rule; `error` says which."""

    def __init__(self, error: InvalidError) -> None:
        super().__init__(f"malformed transaction: {error}")
        self.error = error


class MalformedMintingTx(EnclaveError):
    """A mint or mint configuration transaction breaks a rule; `error` says which."""

    def __init__(self, error: InvalidError) -> None:
        super().__init__(f"malformed minting transaction: {error}")
        self.error = error


class InvalidLocalMembershipProof(EnclaveError):
    """The node's own proofs are not all of one ledger, or there are none."""

    def __init__(self, root_count: int) -> None:
        super().__init__(f"membership proofs imply {root_count} different roots, need 1")


class InvalidLocalMembershipRootElement(EnclaveError):
    """The node's proofs imply another root than the one it names."""

    def __init__(self) -> None:
        super().__init__("membership proofs imply another root than the given one")


class FormBlock(EnclaveError):
    """The inputs of a block do not go together."""


class Signature(EnclaveError):
    """A key or signature is not usable."""


class FeePublicAddress(EnclaveError):
    """The measured fee recipient is not a pair of public keys."""


class FeeMapInvalid(EnclaveError):
    """The minimum fees break a rule; `error` says which."""

    def __init__(self, error: InvalidError) -> None:
        super().__init__(f"fee map: {error}")
        self.error = error


class NotInitialized(EnclaveError):
    """A call came before `enclave_init`."""

    def __init__(self) -> None:
        super().__init__("enclave is not initialized")


class BlockVersionError(EnclaveError):
    """A block version does not allow what was asked."""


class IntelSealing(EnclaveError):
    """A sealed blob cannot be opened here."""


class MissingGovernorsSignature(EnclaveError):
    """There are governors but nobody signed for them."""

    def __init__(self) -> None:
        super().__init__("governors map is not signed")


class InvalidGovernorsSignature(EnclaveError):
    """The minting trust root did not sign this governors map."""

    def __init__(self) -> None:
        super().__init__("governors map is not signed by the minting trust root")


class ParseMintingTrustRootPublicKey(EnclaveError):
    """The measured minting trust root is not an Ed25519 public key."""


class FeeMapDigestMismatch(EnclaveError):
    """The sender of a transaction assumed other minimum fees than this node has."""

    wire_text = "Fee Map Digest Mismatch"
    """What the network answers in `err_msg`."""

    def __init__(self) -> None:
        super().__init__("fee map digest is not that of this node")


class NestedMultiSigGovernorsNotSupported(EnclaveError):
    """A token's governors have nested signer sets, which the block version does not know."""

    def __init__(self, token_id: int, block_version: int) -> None:
        super().__init__(
            f"governors of token {token_id} have nested signer sets, "
            f"not allowed at block version {block_version}"
        )
        self.token_id = token_id
        self.block_version = block_version


class AttestError(EnclaveError):
    """A session or handshake is at fault."""


class AlreadyInit(AttestError):
    """`enclave_init` came twice."""

    def __init__(self) -> None:
        super().__init__("enclave is already initialized")


class Kex(AttestError):
    """A handshake failed; `error` says why."""

    def __init__(self, error: InvalidError) -> None:
        super().__init__(f"key exchange: {error}")
        self.error = error


class Cipher(AttestError):
    """A message does not decrypt on its session."""


class Verify(AttestError):
    """Evidence does not verify; `error` says why."""

    def __init__(self, error: InvalidError) -> None:
        super().__init__(f"evidence: {error}")
        self.error = error


class InvalidState(AttestError):
    """Evidence names a nonce for which no quote is pending."""


class NoAttestationEvidenceAvailable(AttestError):
    """No evidence was verified yet."""

    def __init__(self) -> None:
        super().__init__("no attestation evidence available")


class Decode(AttestError):
    """Bytes of a handshake or evidence do not decode."""


class NotFound(AttestError):
    """No such session, or no such handshake under way."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")


class Quoting(AttestError):
    """The processor or its quoting enclave gave no quote."""
