"""The trusted half of a consensus node: every call, thread-safe. [docs/protocol/enclave.md#2.5]

This is the only object that ever holds transactions in the clear. Its methods mirror
`mcnode.enclave.interface.ConsensusEnclave`, without the `async`.
"""

import dataclasses
import os
import sys
import threading
from collections.abc import Sequence
from typing import Final

from mcnode.account.public_address import PublicAddress
from mcnode.attest.messages import DcapEvidence
from mcnode.attest.sealed_data import SealedData, SealedDataError
from mcnode.blockchain.block import Block
from mcnode.blockchain.signature import sign_block
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.rng import RandomBytes
from mcnode.crypto.sealed_blob import SealedBlobError, Sealer
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.errors import AlreadyInit, IntelSealing, NotInitialized, Signature
from mcnode.enclave.interface import (
    Accepted,
    Connected,
    EnclaveMessage,
    EnclaveMode,
    EnclaveStarted,
    FeePublicKey,
    FormBlockInputs,
    FormedBlock,
    PendingEvidence,
    TxContext,
    WellFormedTx,
)
from mcnode.enclave.trusted.block_former import BlockFormer, BlockInputs, TxWithProofs
from mcnode.enclave.trusted.constants import MeasuredConstants
from mcnode.enclave.trusted.evidence_keeper import EvidenceKeeper
from mcnode.enclave.trusted.handshakes import Handshakes, ResponderIds
from mcnode.enclave.trusted.platform import Platform
from mcnode.enclave.trusted.tx_desk import CheckRequest, TxDesk
from mcnode.errors import McNodeError
from mcnode.transaction.messages import TxOutMembershipElement, TxOutMembershipProof

SEALING_PURPOSE: Final = b"block-signing-key"
_MODE_BYTES: Final = {EnclaveMode.SIM: 0, EnclaveMode.GRAMINE: 1}


@dataclasses.dataclass(frozen=True, slots=True)
class _Initialized:
    """What `enclave_init` settles for the life of the process."""

    config: BlockchainConfig
    ids: ResponderIds
    signing_key: Ed25519Private
    block_former: BlockFormer


class TrustedEnclave:
    """See the module's text."""

    def __init__(
        self, platform: Platform, constants: MeasuredConstants, random_bytes: RandomBytes
    ) -> None:
        self._platform = platform
        self._constants = constants
        self._random_bytes = random_bytes
        self._evidence = EvidenceKeeper(platform, constants, random_bytes)
        self._handshakes = Handshakes(self._evidence, random_bytes)
        self._txs = TxDesk(random_bytes)
        self._initialized: _Initialized | None = None
        self._init_lock = threading.Lock()

    @property
    def mode(self) -> EnclaveMode:
        """What this process runs as."""
        return self._platform.mode

    def enclave_init(
        self,
        peer_responder_id: str,
        client_responder_id: str,
        sealed_key: bytes | None,
        config: BlockchainConfig,
    ) -> EnclaveStarted:
        """Check the configuration, open or make the signing key, and be ready."""
        with self._init_lock:
            config.check(self._constants.minting_trust_root())
            if self._initialized is not None:
                raise AlreadyInit
            sealer = self._sealer()
            if sealed_key is None:
                signing_key = Ed25519Private.random(self._random_bytes)
            else:
                signing_key = _unseal(sealer, sealed_key)
            ids = ResponderIds(client_responder_id, config.peer_responder_id(peer_responder_id))
            former = BlockFormer(config, self._fee_recipient())
            self._initialized = _Initialized(config, ids, signing_key, former)
            sealed = sealer.seal(self._random_bytes, signing_key.to_bytes())
            return EnclaveStarted(sealed, target_features())

    def get_minimum_fee(self, token_id: int) -> int | None:
        """The minimum fee of a token."""
        return self._state().config.fee_map.get(token_id)

    def get_identity(self) -> bytes:
        """The X25519 public key of the channels."""
        return self._handshakes.identity

    def get_signer(self) -> bytes:
        """The Ed25519 public key that signs blocks."""
        return self._state().signing_key.public_key().to_bytes()

    def get_fee_recipient(self) -> FeePublicKey:
        """The measured keys that fees go to."""
        recipient = self._fee_recipient()
        return FeePublicKey(recipient.spend_public_key, recipient.view_public_key)

    def get_minting_trust_root(self) -> bytes:
        """The measured key that signs governors maps."""
        return self._constants.minting_trust_root().to_bytes()

    def begin_attestation(self) -> PendingEvidence:
        """A fresh quote over both public keys."""
        return self._evidence.begin(self._handshakes.identity, self.get_signer())

    def verify_attestation_evidence(self, evidence: DcapEvidence) -> None:
        """Check completed evidence and present it from now on."""
        self._evidence.finish(evidence)

    def get_attestation_evidence(self) -> DcapEvidence:
        """What handshakes present."""
        return self._evidence.current()

    def client_accept(self, auth_request: bytes) -> Accepted:
        """Answer a client."""
        return self._handshakes.client_accept(self._state().ids, auth_request)

    def client_close(self, session: bytes) -> None:
        """Forget a client."""
        self._handshakes.client_close(session)

    def client_discard_message(self, message: EnclaveMessage) -> None:
        """Decrypt and forget."""
        self._handshakes.decrypt_from_client(message)

    def client_tx_propose(self, message: EnclaveMessage) -> TxContext:
        """Take in a client's transaction."""
        config = self._state().config
        return self._txs.take_from_client(self._handshakes.decrypt_from_client(message), config)

    def peer_init(self, responder_id: str) -> bytes:
        """Begin with a peer."""
        return self._handshakes.peer_init(self._state().config.peer_responder_id(responder_id))

    def peer_accept(self, auth_request: bytes) -> Accepted:
        """Answer a peer."""
        return self._handshakes.peer_accept(self._state().ids, auth_request)

    def peer_connect(self, responder_id: str, auth_response: bytes) -> Connected:
        """Finish with a peer."""
        suffixed = self._state().config.peer_responder_id(responder_id)
        return self._handshakes.peer_connect(suffixed, auth_response)

    def peer_close(self, session: bytes) -> None:
        """Forget a peer's channel."""
        self._handshakes.peer_close(session)

    def peer_tx_propose(self, message: EnclaveMessage) -> tuple[TxContext, ...]:
        """Take in a peer's transactions."""
        return self._txs.take_from_peer(self._handshakes.decrypt_from_peer(message))

    def tx_is_well_formed(
        self,
        locally_encrypted_tx: bytes,
        block_index: int,
        membership_proofs: Sequence[TxOutMembershipProof],
    ) -> WellFormedTx:
        """Validate a transaction whole."""
        request = CheckRequest(locally_encrypted_tx, block_index, membership_proofs)
        return self._txs.check(request, self._state().config)

    def txs_are_well_formed(
        self, requests: Sequence[CheckRequest]
    ) -> list[WellFormedTx | McNodeError]:
        """Several at once, which costs less: what `tx_is_well_formed` gives or raises for each."""
        return self._txs.check_all(requests, self._state().config)

    def txs_for_peer(
        self, well_formed_encrypted_txs: Sequence[bytes], aad: bytes, session: bytes
    ) -> EnclaveMessage:
        """Transactions, encrypted for a peer."""
        self._handshakes.check_peer_session(session)
        plaintext = self._txs.encode_for_peer(well_formed_encrypted_txs)
        return self._handshakes.encrypt_for_peer(plaintext, aad, session)

    def form_block(
        self, parent_block: Block, inputs: FormBlockInputs, root_element: TxOutMembershipElement
    ) -> FormedBlock:
        """The next block, signed."""
        state = self._state()
        txs = [
            TxWithProofs(self._txs.open_checked(tx.well_formed_encrypted_tx), tx.membership_proofs)
            for tx in inputs.well_formed_encrypted_txs_with_proofs
        ]
        block_inputs = BlockInputs(txs, inputs.mint_config_txs, inputs.mint_txs_with_config)
        block, contents = state.block_former.form(parent_block, block_inputs, root_element)
        return FormedBlock(block, contents, sign_block(block, state.signing_key))

    def _state(self) -> _Initialized:
        if self._initialized is None:
            raise NotInitialized
        return self._initialized

    def _fee_recipient(self) -> PublicAddress:
        spend, view = self._constants.fee_recipient()
        return PublicAddress(view.to_bytes(), spend.to_bytes())

    def _sealer(self) -> Sealer:
        return Sealer(
            sealing_key=self._platform.sealing_key(),
            mode=_MODE_BYTES[self.mode],
            measurement=self._platform.own_report_body().mr_enclave,
            purpose=SEALING_PURPOSE,
        )


def _unseal(sealer: Sealer, sealed_key: bytes) -> Ed25519Private:
    try:
        return Ed25519Private(sealer.unseal(sealed_key))
    except SealedBlobError as error:
        raise IntelSealing(_why_sealed(sealed_key, error)) from error
    except SignatureError as error:
        raise Signature(str(error)) from error


def _why_sealed(sealed_key: bytes, error: SealedBlobError) -> str:
    try:
        SealedData.from_bytes(sealed_key)
    except SealedDataError:
        return str(error)
    return "the key was sealed by an SGX enclave of another program; remove the file for a new key"


def target_features() -> tuple[str, ...]:
    """What the code of this process runs on, sorted."""
    return tuple(sorted({os.uname().machine, sys.implementation.name}))
