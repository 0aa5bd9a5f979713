"""Why a signer refuses a summary. [docs/protocol/transaction.md#14]"""

from mcnode.transaction.errors import TransactionError


class SummaryError(TransactionError):
    """A summary is not what the unblinding data say it is."""


class UnexpectedOutput(SummaryError):
    """There are more outputs than announced."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more outputs than announced, limit {limit}")


class StillExpectingMoreOutputs(SummaryError):
    """Inputs begin before all outputs are seen."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"{found} outputs seen, needs {expected} before the inputs")


class UnexpectedInput(SummaryError):
    """There are more inputs than announced."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more inputs than announced, limit {limit}")


class StillExpectingMoreInputs(SummaryError):
    """The end comes before all inputs are seen."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"{found} inputs seen, needs {expected}")


class MissingMaskedAmount(SummaryError):
    """An output has no masked amount."""

    def __init__(self) -> None:
        super().__init__("output has no masked amount")


class SummaryKeyError(SummaryError):
    """The public key of an output is no point."""

    name = "Key"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"public key of an output: {reason}", reason)


class SummaryAmountError(SummaryError):
    """An own output's amount has no such form, or the expected one cannot be made."""

    name = "Amount"

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"amount of an output: {reason}", reason)


class MissingTxPrivateKey(SummaryError):
    """An output to an address comes without the key that made it."""

    def __init__(self) -> None:
        super().__init__("output to an address without its private key")


class AddressVerificationFailed(SummaryError):
    """An output is not what the address, amount and key would make."""

    def __init__(self) -> None:
        super().__init__("output is not the one that address, amount and key make")


class MissingDataRequiredToVerifyTxOutRecipient(SummaryError):
    """An output is neither own, nor to an address, nor part of a swap."""

    def __init__(self) -> None:
        super().__init__("nothing says to whom an output goes")


class AmountVerificationFailed(SummaryError):
    """A commitment does not hide the amount that is claimed."""

    def __init__(self) -> None:
        super().__init__("commitment does not hide the claimed amount")


class BufferOverflow(SummaryError):
    """There are more balance changes than a report holds."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"too many balance changes, limit {limit}")


class NumericOverflow(SummaryError):
    """A balance change does not fit into 64 bits with a sign."""

    def __init__(self, value: int) -> None:
        super().__init__(f"balance change does not fit: {value}, limit {2**63 - 1}")


class SummaryBlockVersion(SummaryError):
    """The block version is unknown."""

    name = "BlockVersion"

    def __init__(self, value: int, limit: int) -> None:
        super().__init__(
            f"block version is {value}, limit {limit}",
            f"UnsupportedBlockVersion({value}, {limit})",
        )
