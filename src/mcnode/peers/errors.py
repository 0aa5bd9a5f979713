"""What can go wrong between nodes. [docs/protocol/service.md#12.6]"""

from collections.abc import Sequence

from mcnode.errors import InvalidError, UnavailableError


class PeerUnreachable(UnavailableError):
    """A call ended with a status other than OK; the session with the peer is given up."""

    def __init__(self, peer: str, status: str, text: str) -> None:
        super().__init__(f"gRPC failure: {peer}: {status} {text}".rstrip())


class PeerAttestationFailed(UnavailableError):
    """No session with the peer: other rules, another enclave, or nobody there."""

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(f"Attestation failure: {peer}: {reason}")


class TxHashesNotInCache(UnavailableError):
    """The peer does not have some of the transactions that it named."""

    def __init__(self, peer: str, tx_hashes: Sequence[bytes]) -> None:
        names = ", ".join(tx_hash.hex() for tx_hash in tx_hashes)
        super().__init__(f"Tx hashes not in cache: {peer}: {names}")
        self.tx_hashes = tuple(tx_hashes)


class RequestTooLarge(InvalidError):
    """More blocks were asked for than one call can carry."""

    def __init__(self, count: int) -> None:
        super().__init__(f"Request range too large: {count} blocks, limit {2**32 - 1}")
