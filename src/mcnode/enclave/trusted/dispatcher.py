"""From a call's message to the trusted enclave and back, on the worker threads."""

import collections
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from mcnode.enclave.boundary import (
    CALLS,
    BoundaryError,
    Call,
    EnclaveInitRequest,
    FormBlockRequest,
    MinimumFeeResponse,
    Nothing,
    OpaqueBytes,
    TxContexts,
    TxIsWellFormedRequest,
    TxsForPeerRequest,
    form_block_inputs,
    unpack_proofs,
)
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.interface import EnclaveMessage, EnclaveStarted, FormedBlock, WellFormedTx
from mcnode.enclave.trusted.enclave import TrustedEnclave
from mcnode.enclave.trusted.tx_desk import CheckRequest
from mcnode.enclave.trusted.workers import WorkerPool

Outcome = Callable[[Any, BaseException | None], None]
"""Called on a worker thread with a call's response message, or None and its error."""

_SESSION_OF: Final[dict[Call, Callable[[Any], Hashable]]] = {
    Call.CLIENT_CLOSE: lambda request: request.data,
    Call.CLIENT_DISCARD_MESSAGE: lambda request: request.channel_id,
    Call.CLIENT_TX_PROPOSE: lambda request: request.channel_id,
    Call.PEER_CLOSE: lambda request: request.data,
    Call.PEER_TX_PROPOSE: lambda request: request.channel_id,
    Call.TXS_FOR_PEER: lambda request: request.session,
}
"""Calls whose order within a session counts."""


CHECKS_TAKEN_MAX: Final = 32
"""Transactions judged together: more make a range proof hardly cheaper, and the first one would
wait for the last."""


class _WaitingChecks:
    """Transactions that wait to be checked, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: collections.deque[tuple[TxIsWellFormedRequest, Outcome]] = (
            collections.deque()
        )
        self._lock = threading.Lock()

    def add(self, request: TxIsWellFormedRequest, outcome: Outcome) -> None:
        """One more."""
        with self._lock:
            self._waiting.append((request, outcome))

    def take(self, worker_count: int) -> list[tuple[TxIsWellFormedRequest, Outcome]]:
        """One worker's share of what waits, so that the others are not left without work."""
        with self._lock:
            share = min(CHECKS_TAKEN_MAX, -(-len(self._waiting) // worker_count))
            return [self._waiting.popleft() for _ in range(share)]


class Dispatcher:
    """Runs calls; those of one session in the order of submission."""

    def __init__(self, enclave: TrustedEnclave, pool: WorkerPool) -> None:
        self._enclave = enclave
        self._pool = pool
        self._checks = _WaitingChecks()
        self._handlers: dict[Call, Callable[[Any], Any]] = {
            Call.ENCLAVE_INIT: self._enclave_init,
            Call.GET_MINIMUM_FEE: lambda r: MinimumFeeResponse(enclave.get_minimum_fee(r.token_id)),
            Call.GET_IDENTITY: lambda _: OpaqueBytes(enclave.get_identity()),
            Call.GET_SIGNER: lambda _: OpaqueBytes(enclave.get_signer()),
            Call.GET_FEE_RECIPIENT: lambda _: enclave.get_fee_recipient(),
            Call.GET_MINTING_TRUST_ROOT: lambda _: OpaqueBytes(enclave.get_minting_trust_root()),
            Call.BEGIN_ATTESTATION: lambda _: enclave.begin_attestation(),
            Call.VERIFY_ATTESTATION_EVIDENCE: _giving_nothing(enclave.verify_attestation_evidence),
            Call.GET_ATTESTATION_EVIDENCE: lambda _: enclave.get_attestation_evidence(),
            Call.CLIENT_ACCEPT: lambda r: enclave.client_accept(r.data),
            Call.CLIENT_CLOSE: lambda r: _giving_nothing(enclave.client_close)(r.data),
            Call.CLIENT_DISCARD_MESSAGE: _giving_nothing(enclave.client_discard_message),
            Call.CLIENT_TX_PROPOSE: enclave.client_tx_propose,
            Call.PEER_INIT: lambda r: OpaqueBytes(enclave.peer_init(r.responder_id)),
            Call.PEER_ACCEPT: lambda r: enclave.peer_accept(r.data),
            Call.PEER_CONNECT: lambda r: enclave.peer_connect(r.responder_id, r.auth_response),
            Call.PEER_CLOSE: lambda r: _giving_nothing(enclave.peer_close)(r.data),
            Call.PEER_TX_PROPOSE: lambda r: TxContexts(enclave.peer_tx_propose(r)),
            Call.TXS_FOR_PEER: self._txs_for_peer,
            Call.FORM_BLOCK: self._form_block,
        }

    def submit(self, call: Call, request: Any, outcome: Outcome) -> None:
        """Run a call on some worker; its outcome is reported there."""
        if call is Call.TX_IS_WELL_FORMED:
            self._checks.add(request, outcome)
            self._pool.submit(self._check_waiting, CALLS[call].lane)
            return
        session_of = _SESSION_OF.get(call)
        strand = None if session_of is None else session_of(request)
        handler = self._handlers[call]

        def job() -> None:
            try:
                response = handler(request)
            except BaseException as error:  # also a native panic is this call's, not the thread's
                outcome(None, error)
            else:
                outcome(response, None)

        self._pool.submit(job, CALLS[call].lane, strand)

    def close(self) -> None:
        """Forget what waits and end the workers."""
        self._pool.close()

    def _enclave_init(self, request: EnclaveInitRequest) -> EnclaveStarted:
        return self._enclave.enclave_init(
            request.peer_responder_id,
            request.client_responder_id,
            request.sealed_key,
            BlockchainConfig.from_message(request.config),
        )

    def _check_waiting(self) -> None:
        """Check a share of the transactions that wait; there is one such job for each of them."""
        taken = self._checks.take(self._pool.count)
        requests: list[CheckRequest] = []
        outcomes: list[Outcome] = []
        for request, outcome in taken:
            try:
                proofs = unpack_proofs(request.proofs)
            except BoundaryError as error:
                outcome(None, error)
                continue
            requests.append(CheckRequest(request.locally_encrypted_tx, request.block_index, proofs))
            outcomes.append(outcome)
        for outcome, verdict in zip(outcomes, self._verdicts(requests), strict=True):
            if isinstance(verdict, BaseException):
                outcome(None, verdict)
            else:
                outcome(verdict, None)

    def _verdicts(self, requests: list[CheckRequest]) -> Sequence[WellFormedTx | BaseException]:
        """On each transaction; what breaks us on one of them must not hit the others."""
        if not requests:
            return []
        try:
            return self._enclave.txs_are_well_formed(requests)
        except BaseException as error:  # also a native panic is this call's, not the thread's
            if len(requests) == 1:
                return [error]
            return [self._verdicts([request])[0] for request in requests]

    def _txs_for_peer(self, request: TxsForPeerRequest) -> EnclaveMessage:
        return self._enclave.txs_for_peer(
            request.well_formed_encrypted_txs, request.aad, request.session
        )

    def _form_block(self, request: FormBlockRequest) -> FormedBlock:
        return self._enclave.form_block(
            request.parent_block, form_block_inputs(request), request.root_element
        )


def _giving_nothing(call: Callable[[Any], None]) -> Callable[[Any], Nothing]:
    def handler(request: Any) -> Nothing:
        call(request)
        return Nothing()

    return handler
