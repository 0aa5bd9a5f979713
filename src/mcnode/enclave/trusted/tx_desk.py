"""Transactions coming in, being checked, and going out to peers. [docs/protocol/enclave.md#2.5]"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from mcnode.codec import protobuf
from mcnode.codec.errors import DecodeError
from mcnode.crypto.rng import RandomBytes
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.errors import (
    FeeMapDigestMismatch,
    InvalidLocalMembershipProof,
    MalformedTx,
    Serialization,
)
from mcnode.enclave.interface import TxContext, WellFormedTx, WellFormedTxContext
from mcnode.enclave.trusted.tx_cache_cipher import EncodedTxList, OpenTx, TxCacheCipher
from mcnode.errors import McNodeError
from mcnode.transaction.constants import SMALLEST_MINIMUM_FEE_LOG2
from mcnode.transaction.membership_proof import MembershipProofError, compute_implied_root
from mcnode.transaction.messages import Tx, TxOutMembershipElement, TxOutMembershipProof
from mcnode.transaction.validation import (
    Candidate,
    membership_proof_highest_indices,
    validate_batch,
)
from mcnode.transaction.validation.errors import (
    InvalidLedgerContext,
    TokenNotYetConfigured,
    TransactionValidationError,
)

PEER_TXS_MAX: Final = 5_000
"""Transactions in one message of a peer: those of a whole block."""


class CheckRequest(NamedTuple):
    """A transaction to be validated."""

    locally_encrypted_tx: bytes
    block_index: int
    """Of the newest block."""
    proofs: Sequence[TxOutMembershipProof]
    """The ledger's current proofs of the indices that the transaction's proofs claim."""


class _Prepared(NamedTuple):
    opened: OpenTx
    candidate: Candidate


class TxDesk:
    """The two ciphers of the transaction cache, and what is done with them."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._received = TxCacheCipher(random_bytes)
        self._checked = TxCacheCipher(random_bytes)

    def take_from_client(self, plaintext: bytes, config: BlockchainConfig) -> TxContext:
        """A client's transaction.

        Raises:
            Serialization: the bytes are no transaction.
            FeeMapDigestMismatch: the client assumed other fees.
        """
        opened = OpenTx.from_bytes(plaintext)
        assumed = opened.tx.fee_map_digest
        if assumed and assumed != config.fee_map.canonical_digest():
            raise FeeMapDigestMismatch
        return self._context(opened, plaintext)

    def take_from_peer(self, plaintext: bytes) -> tuple[TxContext, ...]:
        """A peer's transactions.

        Raises:
            Serialization: the bytes are no list of transactions, or it is too long.
        """
        try:
            txs = protobuf.decode(EncodedTxList, plaintext).txs
        except DecodeError as error:
            raise Serialization(str(error)) from error
        if len(txs) > PEER_TXS_MAX:
            raise Serialization(f"peer sent {len(txs)} transactions, limit {PEER_TXS_MAX}")
        return tuple(self._context(OpenTx.from_bytes(encoded), encoded) for encoded in txs)

    def check(self, request: CheckRequest, config: BlockchainConfig) -> WellFormedTx:
        """Validate a transaction whole. [docs/protocol/enclave.md#2.6]

        Raises:
            MalformedTx: a rule is broken, or a proof implies no root.
            InvalidLocalMembershipProof: the proofs do not imply exactly one root.
            CacheCipher: not a ciphertext of a received transaction.
        """
        (verdict,) = self.check_all([request], config)
        if isinstance(verdict, McNodeError):
            raise verdict
        return verdict

    def check_all(
        self, requests: Sequence[CheckRequest], config: BlockchainConfig
    ) -> list[WellFormedTx | McNodeError]:
        """What `check` gives or raises for each, with the range proofs of all judged together."""
        prepared = [self._prepare(request, config) for request in requests]
        verdicts = iter(
            validate_batch([each.candidate for each in prepared if isinstance(each, _Prepared)])
        )
        return [
            self._close(each, next(verdicts)) if isinstance(each, _Prepared) else each
            for each in prepared
        ]

    def _prepare(
        self, request: CheckRequest, config: BlockchainConfig
    ) -> "_Prepared | McNodeError":
        """Open a transaction and make the checks that need the configuration."""
        try:
            roots = implied_roots(request.proofs)
            if len(roots) != 1:
                return InvalidLocalMembershipProof(len(roots))
            opened = self._received.open_tx(request.locally_encrypted_tx)
            minimum_fee = fee_token_minimum(opened.tx, config)
            _check_output_tokens(opened.tx, config)
        except TransactionValidationError as error:
            return MalformedTx(error)
        except McNodeError as error:
            return error
        version = config.block_version
        candidate = Candidate(opened.tx, request.block_index, version, request.proofs, minimum_fee)
        return _Prepared(opened, candidate)

    def _close(
        self, prepared: "_Prepared", verdict: TransactionValidationError | None
    ) -> WellFormedTx | McNodeError:
        if verdict is not None:
            return MalformedTx(verdict)
        opened = prepared.opened
        sealed = self._checked.seal(opened.tx_hash, protobuf.encode(opened.tx))
        return WellFormedTx(sealed, _well_formed_context(opened, prepared.candidate.minimum_fee))

    def open_checked(self, well_formed_encrypted_tx: bytes) -> OpenTx:
        """A transaction that passed `check` in this process.

        Raises:
            CacheCipher: not a ciphertext of a checked transaction.
        """
        return self._checked.open_tx(well_formed_encrypted_tx)

    def encode_for_peer(self, well_formed_encrypted_txs: Sequence[bytes]) -> bytes:
        """Checked transactions as a peer reads them.

        Raises:
            CacheCipher: not a ciphertext of a checked transaction.
        """
        txs = tuple(self._checked.open(sealed).encoded for sealed in well_formed_encrypted_txs)
        return protobuf.encode(EncodedTxList(txs))

    def _context(self, opened: OpenTx, encoded: bytes) -> TxContext:
        return TxContext(
            locally_encrypted_tx=self._received.seal(opened.tx_hash, encoded),
            tx_hash=opened.tx_hash,
            highest_indices=membership_proof_highest_indices(opened.tx),
            key_images=_key_images(opened.tx),
            output_public_keys=_output_public_keys(opened.tx),
        )


def implied_roots(proofs: Sequence[TxOutMembershipProof]) -> set[TxOutMembershipElement]:
    """The distinct roots that proofs imply; equal proofs should be one object, to be computed once.

    Raises:
        MalformedTx: a proof implies none.
    """
    distinct = {id(proof): proof for proof in proofs}
    try:
        return {compute_implied_root(proof) for proof in distinct.values()}
    except MembershipProofError as error:
        raise MalformedTx(InvalidLedgerContext(str(error))) from error


def fee_token_minimum(tx: Tx, config: BlockchainConfig) -> int:
    """The least fee that a transaction must pay.

    Raises:
        TokenNotYetConfigured: its fee token has none.
    """
    minimum = config.fee_map.get(tx.prefix.fee_token_id)
    if minimum is None:
        raise TokenNotYetConfigured(tx.prefix.fee_token_id)
    return minimum


def priority_of(fee: int, minimum_fee: int) -> int:
    """How eagerly a transaction is taken, comparable between tokens: in 128ths of the minimum."""
    return fee // (minimum_fee >> SMALLEST_MINIMUM_FEE_LOG2)


def _check_output_tokens(tx: Tx, config: BlockchainConfig) -> None:
    for token_id in tx.signature.output_token_ids:
        if token_id not in config.fee_map:
            raise TokenNotYetConfigured(token_id)


def _well_formed_context(opened: OpenTx, minimum_fee: int) -> WellFormedTxContext:
    prefix = opened.tx.prefix
    return WellFormedTxContext(
        priority=priority_of(prefix.fee, minimum_fee),
        tx_hash=opened.tx_hash,
        tombstone_block=prefix.tombstone_block,
        key_images=_key_images(opened.tx),
        highest_indices=membership_proof_highest_indices(opened.tx),
        output_public_keys=_output_public_keys(opened.tx),
    )


def _key_images(tx: Tx) -> tuple[bytes, ...]:
    return tuple(signature.key_image for signature in tx.signature.ring_signatures)


def _output_public_keys(tx: Tx) -> tuple[bytes, ...]:
    return tuple(output.public_key for output in tx.prefix.outputs)
