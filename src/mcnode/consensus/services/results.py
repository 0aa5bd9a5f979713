"""The one table from our errors to what a caller sees. [docs/protocol/service.md#8.3]

A transaction that breaks a rule is not a failed call: the call succeeds and its answer carries a
result code and a text. Everything else becomes a gRPC status.
"""

import grpc

from mcnode.api.gen.consensus_client_pb2 import MintValidationResult, MintValidationResultCode
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.api.rpc import StatusError
from mcnode.blockchain.errors import ConversionError
from mcnode.connection.auth_token import AuthenticationError
from mcnode.connection.chain_id import ChainIdMismatch
from mcnode.consensus.config.errors import ConfigError
from mcnode.consensus.tx_manager import NotInCache, TxCacheFull, transaction_error
from mcnode.enclave.errors import (
    AttestError,
    EnclaveError,
    EnclaveGoneError,
    FeeMapDigestMismatch,
    NotFound,
)
from mcnode.errors import InvalidError, McNodeError
from mcnode.ledger.errors import LedgerError, StorageUnavailable
from mcnode.transaction.input_rules import (
    MaxTombstoneBlockExceeded,
    MissingRequiredOutput,
    RevealedTxOutInRule,
)
from mcnode.transaction.mint.errors import (
    InvalidBlockVersion,
    InvalidNonceLength,
    InvalidTokenId,
    MintValidationError,
    NoGovernors,
)
from mcnode.transaction.revealed_tx_out import InvalidAmountSharedSecret, RevealedTxOutConversion
from mcnode.transaction.validation.errors import InputRule, TransactionValidationError

UNKNOWN_SESSION = "Attested AKE error: Connection not found by node ID or session"
"""The network's words for a channel id that no session has."""


def over_capacity() -> StatusError:
    """Too much waits for a block. New each time: a raised error keeps its traceback alive."""
    return StatusError(grpc.StatusCode.UNAVAILABLE, "Temporarily over capacity")


def not_serving() -> StatusError:
    """The node is starting, catching up or stopping."""
    return StatusError(grpc.StatusCode.UNAVAILABLE, "Temporarily not serving requests")


def propose_tx_result(error: InvalidError) -> ProposeTxResult.ValueType | None:
    """The result code of a broken transaction rule; None for an error that is no such rule."""
    error = transaction_error(error)
    if isinstance(error, FeeMapDigestMismatch):
        return ProposeTxResult.FeeMapDigestMismatch
    if isinstance(error, InputRule):
        return _input_rule_result(error)
    if isinstance(error, TransactionValidationError):
        return ProposeTxResult.Value(type(error).__name__)
    return None


def propose_tx_text(error: InvalidError) -> str:
    """What the sender of a refused transaction reads."""
    error = transaction_error(error)
    return error.wire_text if isinstance(error, FeeMapDigestMismatch) else str(error)


def _input_rule_result(error: InputRule) -> ProposeTxResult.ValueType:
    match error.reason:
        case MissingRequiredOutput():
            return ProposeTxResult.InputRuleMissingRequiredOutput
        case MaxTombstoneBlockExceeded():
            return ProposeTxResult.InputRuleMaxTombstoneBlockExceeded
        case RevealedTxOutInRule(reason=InvalidAmountSharedSecret()):
            return ProposeTxResult.InputRuleInvalidAmountSharedSecret
        case RevealedTxOutInRule(reason=RevealedTxOutConversion()):
            return ProposeTxResult.InputRuleTxOutConversion
        case RevealedTxOutInRule():
            return ProposeTxResult.InputRuleAmount
        case _:
            return ProposeTxResult.InputRulePartialFill


def mint_validation_result(error: MintValidationError) -> MintValidationResult:
    """The answer to a mint or mint configuration transaction that breaks a rule."""
    return MintValidationResult(
        code=MintValidationResultCode.Value(error.name or type(error).__name__),
        block_version=error.block_version if isinstance(error, InvalidBlockVersion) else 0,
        token_id=error.token_id if isinstance(error, InvalidTokenId | NoGovernors) else 0,
        nonce_length=error.length if isinstance(error, InvalidNonceLength) else 0,
    )


def client_status(error: McNodeError) -> StatusError:
    """The status of a failed call on the client listener."""
    match error:
        case StatusError():
            return error
        case ChainIdMismatch():
            return StatusError(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        case AuthenticationError():
            return StatusError(grpc.StatusCode.UNAUTHENTICATED, str(error))
        case TxCacheFull():
            return over_capacity()
        case EnclaveGoneError():
            return not_serving()
        case AttestError():
            return StatusError(grpc.StatusCode.PERMISSION_DENIED, "Permission Denied (attestation)")
        case LedgerError() | StorageUnavailable():
            return StatusError(grpc.StatusCode.INTERNAL, f"Ledger error: {error}")
        case NotInCache():
            return StatusError(grpc.StatusCode.INTERNAL, f"tx manager error: {error}")
        case EnclaveError():
            return StatusError(
                grpc.StatusCode.INTERNAL, f"Internal error: Enclave error: `{error}`"
            )
        case ConfigError():
            return StatusError(
                grpc.StatusCode.INTERNAL, f"Internal error: Configuration error `{error}`"
            )
        case _:
            what = type(error).__name__ if isinstance(error, ConversionError) else error
            return StatusError(
                grpc.StatusCode.INTERNAL, f"Internal error: Invalid argument `{what}`"
            )


def peer_tx_propose_status(error: McNodeError) -> StatusError:
    """The status of a failed `PeerTxPropose`."""
    if isinstance(error, AttestError):
        reason = UNKNOWN_SESSION if isinstance(error, NotFound) else error
        return StatusError(
            grpc.StatusCode.PERMISSION_DENIED,
            f"peer_tx_propose: Enclave-related error `{reason}`.",
        )
    return StatusError(grpc.StatusCode.INTERNAL, f"peer_tx_propose: {error}")
