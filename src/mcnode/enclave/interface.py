"""What the node may ask of the trusted process, and nothing else. [docs/protocol/enclave.md#2.5]

`ConsensusEnclave` is the whole seam between the two. The node hands over ciphertext, hashes,
headers and proofs, and gets back ciphertext and the small contexts below; transactions in the clear
exist only on the other side. Every call may raise an error of `mcnode.enclave.errors`, or
`EnclaveGoneError` when the trusted process has ended.

Two implementations exist: `mcnode.enclave.client.RemoteEnclave` talks to a process of its own,
`mcnode.enclave.in_process.InProcessEnclave` runs the same code in this process, for tests.

Messages of one session are decrypted, and encrypted, in the order in which the coroutines of the
calls start to run. Whoever passes them on must keep that order, because nonces are implicit.

Value types that cross the process boundary are declared messages; their defaults mean nothing.
"""

import abc
import dataclasses
import enum
from collections.abc import Sequence

from mcnode.attest.messages import (
    AttestationEvidence,
    Collateral,
    DcapEvidence,
    EnclaveReportDataContents,
    VerificationReport,
)
from mcnode.blockchain.block import Block
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.signature import BlockSignature
from mcnode.codec.schema import BYTES, OPTIONAL, TEXT, UINT64, field, message, oneof, repeated
from mcnode.enclave.config import BlockchainConfig
from mcnode.transaction.messages import (
    MintConfig,
    MintConfigTx,
    MintTx,
    TxOutMembershipElement,
    TxOutMembershipProof,
)


class EnclaveMode(enum.Enum):
    """How far the trusted process is to be trusted."""

    SIM = "sim"
    """An ordinary process with simulated evidence: no privacy from the machine's operator."""
    GRAMINE = "gramine"
    """Inside an SGX enclave, with evidence from the processor."""


@message
class EnclaveMessage:
    """One message of a channel; the same three fields as `attest.Message`."""

    aad: bytes = field(1, BYTES)
    channel_id: bytes = field(2, BYTES)
    """64 bytes: the session."""
    data: bytes = field(3, BYTES)


@message
class TxContext:
    """What the node learns of a transaction before it is checked."""

    locally_encrypted_tx: bytes = field(1, BYTES)
    tx_hash: bytes = field(2, BYTES)
    highest_indices: tuple[int, ...] = repeated(3, UINT64)
    """For each input and each of its membership proofs, the proof's highest index."""
    key_images: tuple[bytes, ...] = repeated(4, BYTES)
    output_public_keys: tuple[bytes, ...] = repeated(5, BYTES)


@message
class WellFormedTxContext:
    """What the node learns of a transaction that was checked."""

    priority: int = field(1, UINT64)
    tx_hash: bytes = field(2, BYTES)
    tombstone_block: int = field(3, UINT64)
    key_images: tuple[bytes, ...] = repeated(4, BYTES)
    highest_indices: tuple[int, ...] = repeated(5, UINT64)
    output_public_keys: tuple[bytes, ...] = repeated(6, BYTES)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Sorts transactions as a block takes them: highest priority first, then by content."""
        return (
            -self.priority,
            self.tx_hash,
            self.tombstone_block,
            self.key_images,
            self.highest_indices,
            self.output_public_keys,
        )


@message
class WellFormedTx:
    """A checked transaction in the cache: ciphertext of the trusted process, and its context."""

    well_formed_encrypted_tx: bytes = field(1, BYTES)
    context: WellFormedTxContext = field(2, WellFormedTxContext)


@dataclasses.dataclass(frozen=True, slots=True)
class EncryptedTxWithProofs:
    """A checked transaction with the ledger's proofs for its `highest_indices`, in that order."""

    well_formed_encrypted_tx: bytes
    membership_proofs: Sequence[TxOutMembershipProof]


@message
class MintTxWithConfig:
    """A mint transaction with the mint configuration that allows it."""

    mint_tx: MintTx = field(1, MintTx)
    mint_config_tx: MintConfigTx = field(2, MintConfigTx)
    mint_config: MintConfig = field(3, MintConfig)


@dataclasses.dataclass(frozen=True, slots=True)
class FormBlockInputs:
    """What a block is made of. The order counts: fee outputs depend on it."""

    well_formed_encrypted_txs_with_proofs: tuple[EncryptedTxWithProofs, ...] = ()
    mint_config_txs: tuple[MintConfigTx, ...] = ()
    mint_txs_with_config: tuple[MintTxWithConfig, ...] = ()


@message
class FormedBlock:
    """A new block. `signature.signed_at` is 0: the node fills it in."""

    block: Block = field(1, Block)
    contents: BlockContents = field(2, BlockContents)
    signature: BlockSignature = field(3, BlockSignature)


@message
class FeePublicKey:
    """Where fees go: two Ristretto public keys of 32 bytes."""

    spend_public_key: bytes = field(1, BYTES)
    view_public_key: bytes = field(2, BYTES)


@message
class EnclaveStarted:
    """What initialisation gives back."""

    sealed_block_signing_key: bytes = field(1, BYTES)
    """To be written to the node's file after every start."""
    target_features: tuple[str, ...] = repeated(2, TEXT)


@message
class PendingEvidence:
    """A fresh quote that still lacks collateral, except in simulated mode."""

    quote: bytes = field(1, BYTES)
    report_data: EnclaveReportDataContents = field(2, EnclaveReportDataContents)
    collateral: Collateral | None = field(3, Collateral, presence=OPTIONAL)


@message
class Accepted:
    """A handshake answered: the bytes to send back and the new session (64 bytes)."""

    auth_response: bytes = field(1, BYTES)
    session: bytes = field(2, BYTES)


@message
class Connected:
    """A handshake finished: the new session (64 bytes) and what the peer presented."""

    session: bytes = field(1, BYTES)
    evidence: AttestationEvidence | None = oneof({3: VerificationReport, 4: DcapEvidence})


class ConsensusEnclave(abc.ABC):
    """The trusted process, as the node sees it. One coroutine per call."""

    @property
    @abc.abstractmethod
    def mode(self) -> EnclaveMode:
        """What the trusted process runs as; known before the first call."""

    @abc.abstractmethod
    async def enclave_init(
        self,
        peer_responder_id: str,
        client_responder_id: str,
        sealed_key: bytes | None,
        config: BlockchainConfig,
    ) -> EnclaveStarted:
        """Give the enclave its names and rules; must come first, and once.

        Raises:
            IntelSealing: the sealed key is not one of this enclave; remove the file for a new key.
            FeeMapInvalid, MissingGovernorsSignature, InvalidGovernorsSignature,
            NestedMultiSigGovernorsNotSupported: the configuration is not valid.
            AlreadyInit: it was initialised before.
        """

    @abc.abstractmethod
    async def get_minimum_fee(self, token_id: int) -> int | None:
        """The minimum fee of a token, None if it cannot pay fees."""

    @abc.abstractmethod
    async def get_identity(self) -> bytes:
        """The X25519 public key of all its channels, 32 bytes; new at each start."""

    @abc.abstractmethod
    async def get_signer(self) -> bytes:
        """The Ed25519 public key that signs blocks, 32 bytes."""

    @abc.abstractmethod
    async def get_fee_recipient(self) -> FeePublicKey:
        """Who gets the fees."""

    @abc.abstractmethod
    async def get_minting_trust_root(self) -> bytes:
        """The Ed25519 public key that signs governors maps, 32 bytes."""

    @abc.abstractmethod
    async def begin_attestation(self) -> PendingEvidence:
        """A fresh quote, to be completed and handed to `verify_attestation_evidence`."""

    @abc.abstractmethod
    async def verify_attestation_evidence(self, evidence: DcapEvidence) -> None:
        """Check evidence for a quote of this enclave; later handshakes then present it.

        Raises:
            InvalidState: no such quote is pending.
            Verify: the evidence does not verify.
        """

    @abc.abstractmethod
    async def get_attestation_evidence(self) -> DcapEvidence:
        """The evidence that handshakes present now.

        Raises:
            NoAttestationEvidenceAvailable: there is none yet.
        """

    @abc.abstractmethod
    async def client_accept(self, auth_request: bytes) -> Accepted:
        """Answer a client's handshake."""

    @abc.abstractmethod
    async def client_close(self, session: bytes) -> None:
        """Forget a session; an unknown one is no error."""

    @abc.abstractmethod
    async def client_discard_message(self, message: EnclaveMessage) -> None:
        """Decrypt and forget, so that the session stays in step.

        Raises:
            NotFound: unknown session.
            Cipher: the message does not decrypt.
        """

    @abc.abstractmethod
    async def client_tx_propose(self, message: EnclaveMessage) -> TxContext:
        """Take in a client's transaction.

        Raises:
            NotFound: unknown session.
            Cipher: the message does not decrypt.
            Serialization: the plaintext is no transaction.
            FeeMapDigestMismatch: the client assumed other fees.
        """

    @abc.abstractmethod
    async def peer_init(self, responder_id: str) -> bytes:
        """The first handshake message to a peer."""

    @abc.abstractmethod
    async def peer_accept(self, auth_request: bytes) -> Accepted:
        """Answer a peer's handshake, if its evidence verifies."""

    @abc.abstractmethod
    async def peer_connect(self, responder_id: str, auth_response: bytes) -> Connected:
        """Finish a handshake begun with `peer_init`, if the peer's evidence verifies.

        Raises:
            NotFound: none was begun; the pending one is used up even by a failure.
        """

    @abc.abstractmethod
    async def peer_close(self, session: bytes) -> None:
        """Forget a session; an unknown one is no error."""

    @abc.abstractmethod
    async def peer_tx_propose(self, message: EnclaveMessage) -> tuple[TxContext, ...]:
        """Take in transactions from a peer. Errors as for `client_tx_propose`."""

    @abc.abstractmethod
    async def tx_is_well_formed(
        self,
        locally_encrypted_tx: bytes,
        block_index: int,
        membership_proofs: Sequence[TxOutMembershipProof],
    ) -> WellFormedTx:
        """Check a transaction whole. `block_index` is the number of blocks minus one.

        Raises:
            CacheCipher: not a ciphertext of this process.
            InvalidLocalMembershipProof: the proofs are of different ledgers.
            MalformedTx: a rule is broken; carries the transaction error.
        """

    @abc.abstractmethod
    async def txs_for_peer(
        self, well_formed_encrypted_txs: Sequence[bytes], aad: bytes, session: bytes
    ) -> EnclaveMessage:
        """The transactions, encrypted for a peer.

        Raises:
            NotFound: unknown session.
            CacheCipher: not a ciphertext of this process.
        """

    @abc.abstractmethod
    async def form_block(
        self,
        parent_block: Block,
        inputs: FormBlockInputs,
        root_element: TxOutMembershipElement,
    ) -> FormedBlock:
        """The block that every honest node forms from these inputs, signed by this enclave.

        Raises:
            BlockVersionError, MalformedTx, MalformedMintingTx, InvalidLocalMembershipProof,
            InvalidLocalMembershipRootElement, FormBlock: see the names.
        """

    @abc.abstractmethod
    async def close(self) -> None:
        """End the session with the trusted process, which ends with it."""
