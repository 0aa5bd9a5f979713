"""Why a contingent input is refused. [docs/protocol/transaction.md#13]"""

from mcnode.transaction.errors import TransactionError


class ContingentInputError(TransactionError):
    """A contingent input is not what it claims to be."""


class WrongNumberOfGlobalIndices(ContingentInputError):
    """There is not one ledger index for each ring member."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"{found} global indices for {expected} ring members")


class MissingRules(ContingentInputError):
    """The input has no rules."""

    def __init__(self) -> None:
        super().__init__("input has no rules")


class ContingentTxOutConversion(ContingentInputError):
    """A ring member has no masked amount."""

    name = "TxOutConversion"

    def __init__(self) -> None:
        super().__init__("ring member has no masked amount", "UnknownMaskedAmountVersion")


class ContingentRingSignature(ContingentInputError):
    """The ring signature over the input does not verify."""

    name = "RingSignature"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"ring signature: {reason}", reason)
        self.reason = reason


class WrongNumberOfRequiredOutputAmounts(ContingentInputError):
    """There is not one amount for each required output."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"{found} amounts for {expected} required outputs")


class RequiredOutputMismatch(ContingentInputError):
    """A required output is worth something else than claimed."""

    def __init__(self, position: int) -> None:
        super().__init__(f"claimed amount is not that of required output {position}")


class ContingentRevealedTxOut(ContingentInputError):
    """A partial-fill output's amount does not open."""

    name = "RevealedTxOut"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"amount cannot be revealed: {reason}", reason)
        self.reason = reason


class MinPartialFillValueExceedsPartialChange(ContingentInputError):
    """The minimum fill is more than there is to fill."""

    def __init__(self, minimum: int, change: int) -> None:
        super().__init__(f"minimum fill is {minimum}, limit {change}")


class ZeroPartialFillChange(ContingentInputError):
    """The partial-fill change has no value."""

    def __init__(self) -> None:
        super().__init__("partial-fill change is 0, needs at least 1")


class ZeroPartialFillOutput(ContingentInputError):
    """A partial-fill output has no value."""

    def __init__(self, position: int) -> None:
        super().__init__(f"partial-fill output {position} is 0, needs at least 1")


class MissingPartialFillChange(ContingentInputError):
    """There are partial-fill rules, but no partial-fill change."""

    def __init__(self) -> None:
        super().__init__("partial-fill rules without partial-fill change")


class PartialFillValueTooLarge(ContingentInputError):
    """More is to be filled than there is."""

    def __init__(self, value: int, limit: int) -> None:
        super().__init__(f"fill value is {value}, limit {limit}")


class BlockVersionMismatch(ContingentInputError):
    """The input was signed for another block version than the transaction is built for."""

    def __init__(self, builder: int, contingent_input: int) -> None:
        super().__init__(
            f"contingent input is for block version {contingent_input}, must be {builder}",
            f"BlockVersion({builder})",
            f"BlockVersion({contingent_input})",
        )


class ContingentFeatureNotSupported(ContingentInputError):
    """The block version lacks partial fills."""

    name = "FeatureNotSupportedAtBlockVersion"

    def __init__(self, block_version: int, feature: str) -> None:
        super().__init__(
            f"not supported at block version {block_version}: {feature}",
            block_version,
            f'"{feature}"',
        )


class MissingProofs(ContingentInputError):
    """There is not one membership proof for each ring member: fetch them by the global indices."""

    def __init__(self, ring_size: int, found: int) -> None:
        super().__init__(f"{found} membership proofs for {ring_size} ring members")


class PartialFillInputNotAllowedHere(ContingentInputError):
    """An input that can be filled in part is added without saying which part."""

    def __init__(self) -> None:
        super().__init__("input can be filled in part; say how much")


class TokenIdMismatch(ContingentInputError):
    """The change is given in another token than the rules say."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"token of the change is {found}, must be {expected}")


class ChangeLimitExceeded(ContingentInputError):
    """Less than the minimum would be filled."""

    def __init__(self, change: int, limit: int) -> None:
        super().__init__(f"change is {change}, limit {limit}")
