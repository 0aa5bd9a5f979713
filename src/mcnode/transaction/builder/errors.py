"""Why a transaction cannot be built. [docs/protocol/transaction.md#12]"""

from mcnode.transaction.errors import TransactionError


class TxBuilderError(TransactionError):
    """A transaction cannot be built from what was given."""


class NoInputs(TxBuilderError):
    """There is nothing to spend, or the real input lies just beyond its ring."""

    def __init__(self) -> None:
        super().__init__("nothing to spend")


class InvalidRingSize(TxBuilderError):
    """A ring is empty, shorter than the real index says, or of another size than its neighbour."""

    def __init__(self, count: int) -> None:
        super().__init__(f"ring has {count} members")
        self.count = count


class MissingMembershipProofs(TxBuilderError):
    """An input has another number of proofs than of ring members."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"{found} membership proofs for {expected} ring members")


class BlockVersionTooNew(TxBuilderError):
    """The block version is above what this program can build."""

    def __init__(self, block_version: int, limit: int) -> None:
        super().__init__(f"block version is {block_version}, limit {limit}", block_version, limit)


class BlockVersionTooOld(TxBuilderError):
    """The block version is below what this needs."""

    def __init__(self, block_version: int, needed: int) -> None:
        super().__init__(f"block version is {block_version}, needs {needed}", block_version, needed)


class FeatureNotSupportedAtBlockVersion(TxBuilderError):
    """The block version lacks a feature that is asked for."""

    def __init__(self, block_version: int, feature: str) -> None:
        super().__init__(
            f"not supported at block version {block_version}: {feature}",
            block_version,
            f'"{feature}"',
        )


class MixedTransactionsNotAllowed(TxBuilderError):
    """A token other than that of the fee is used below block version 3."""

    def __init__(self, fee_token_id: int, found: int) -> None:
        super().__init__(
            f"token is {found}, below block version 3 must be that of the fee, {fee_token_id}",
            f"TokenId({fee_token_id})",
            f"TokenId({found})",
        )


class SignedInputRulesNotAllowed(TxBuilderError):
    """A presigned input is used below block version 3."""

    def __init__(self) -> None:
        super().__init__("presigned inputs need block version 3")


class NewTx(TxBuilderError):
    """An output cannot be made."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"output cannot be made: {reason}", reason)
        self.reason = reason


class NewTxMemo(TransactionError):
    """The memo of a new output cannot be made."""

    name = "Memo"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"memo: {reason}", reason)
        self.reason = reason


class NewTxAmount(TransactionError):
    """The amount of a new output cannot be masked."""

    name = "Amount"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"amount: {reason}", reason)
        self.reason = reason


class BuilderMemoError(TxBuilderError):
    """The memo builder refuses a fee."""

    name = "Memo"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"memo: {reason}", reason)
        self.reason = reason


class BuilderFogError(TxBuilderError):
    """The recipient's fog server has no good key."""

    name = "FogPublicKey"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"fog public key: {reason}", reason)
        self.reason = reason


class BadAmount(TxBuilderError):
    """The amount of the output to spend does not open."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"amount of the real input: {reason}", reason)
        self.reason = reason


class RingSignatureFailed(TxBuilderError):
    """The transaction cannot be signed."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"transaction cannot be signed: {reason}", reason)
        self.reason = reason


class BuilderSignerError(TxBuilderError):
    """The holder of the keys refuses to sign a contingent input."""

    name = "Signer"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"contingent input cannot be signed: {reason}", reason)
        self.reason = reason


class AlreadyHavePartialFillChange(TxBuilderError):
    """A contingent input has one partial-fill change."""

    def __init__(self) -> None:
        super().__init__("second partial-fill change output, limit 1")


class MissingProofs(TxBuilderError):
    """The input to offer has another number of proofs than of ring members."""

    def __init__(self, ring_size: int, found: int) -> None:
        super().__init__(
            f"{found} membership proofs for {ring_size} ring members", ring_size, found
        )
