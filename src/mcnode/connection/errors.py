"""What calls to a node's client API can end with. [docs/protocol/service.md#15]

`may_retry` is the network's own rule: a failed call or handshake may be tried again, a refusal may
not, except the one that says that the node's ledger was a block behind.
"""

import grpc
import grpc.aio

from mcnode.api.gen.consensus_client_pb2 import MintValidationResultCode
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.errors import InvalidError, UnavailableError

_REFUSALS = {
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
}
"""Statuses that the same call would get again."""


class CallFailed(UnavailableError):
    """A call ended with a status other than OK; the session with the node is given up."""

    def __init__(self, target: object, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{target}: {code.name}: {details}".removesuffix(": "))
        self.code = code
        self.details = details


class CallRefused(InvalidError):
    """The node does not serve such calls: other chain id, no or bad token, unknown method."""

    def __init__(self, target: object, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{target}: {code.name}: {details}".removesuffix(": "))
        self.code = code
        self.details = details


class HandshakeFailed(UnavailableError):
    """The node's answer cannot be read: altered, or the node has another responder id."""

    def __init__(self, target: object, reason: object) -> None:
        super().__init__(f"{target}: attested handshake failed: {reason}")


class EvidenceRefused(InvalidError):
    """What the node presents does not prove the enclave that is wanted."""

    def __init__(self, target: object, reason: object) -> None:
        super().__init__(f"{target}: attestation evidence refused: {reason}")


class TxRefused(InvalidError):
    """The node answered that a transaction breaks a rule."""

    def __init__(self, result: int, err_msg: str, block_count: int) -> None:
        self.result = result
        """A number of `ProposeTxResult`."""
        self.name = _enum_name(ProposeTxResult.Name, result)
        self.err_msg = err_msg
        """The node's own words."""
        self.block_count = block_count
        super().__init__(f"{self.name}: {err_msg}".removesuffix(": "))


class MintTxRefused(InvalidError):
    """The node answered that a minting transaction breaks a rule."""

    def __init__(self, code: int, block_count: int) -> None:
        self.code = code
        """A number of `MintValidationResultCode`."""
        self.name = _enum_name(MintValidationResultCode.Name, code)
        self.block_count = block_count
        super().__init__(self.name)


def _enum_name(name_of: object, number: int) -> str:
    """The name of an enum's number; later releases may have more."""
    try:
        return str(name_of(number))  # type: ignore[operator]
    except ValueError:
        return f"result {number}"


def call_error(target: object, error: grpc.aio.AioRpcError) -> CallFailed | CallRefused:
    """The error of ours for a gRPC status."""
    code, details = error.code(), error.details() or ""
    refused = code in _REFUSALS
    return (CallRefused if refused else CallFailed)(target, code, details)


def may_retry(error: Exception) -> bool:
    """Whether the same call may succeed soon."""
    if isinstance(error, TxRefused):
        return error.result == ProposeTxResult.LedgerTxOutIndexOutOfBounds
    return isinstance(error, UnavailableError)
