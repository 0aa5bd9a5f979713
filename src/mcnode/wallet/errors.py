"""What a wallet cannot do, and what to do about it."""

from mcnode.errors import InvalidError, UnavailableError


class WalletFileError(InvalidError):
    """The wallet file cannot be used."""


class WalletExists(WalletFileError):
    """There is a file already; a wallet is never overwritten."""


class InsufficientFunds(InvalidError):
    """The account does not hold enough."""

    def __init__(self, needed: int, available: int, token_id: int) -> None:
        super().__init__(
            f"insufficient funds of token {token_id}: needs {needed}, spendable {available}"
        )
        self.needed = needed
        self.available = available


class InsufficientFundsFragmentedUtxos(InvalidError):
    """There is enough, but in more outputs than one transaction may spend."""

    def __init__(self, needed: int, in_one: int, inputs_max: int) -> None:
        super().__init__(
            f"needs {needed}, the {inputs_max} largest outputs hold {in_one}; "
            "merge outputs first by paying yourself"
        )


class InsufficientTxOuts(InvalidError):
    """The ledger has too few outputs to hide among."""

    def __init__(self, found: int, needed: int) -> None:
        super().__init__(f"ledger has {found} outputs, rings need {needed} distinct ones")


class TokenCannotPayFees(InvalidError):
    """The network names no minimum fee for the token."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"token cannot be used to pay fees: {token_id}")


class AnotherNetwork(InvalidError):
    """The node and the archives have different blocks."""

    def __init__(self, index: int) -> None:
        super().__init__(
            f"the node has another block {index} than the archives: check --node and --archive"
        )


class NodeBehindArchives(UnavailableError):
    """The node has not reached the blocks that the archives hold."""

    def __init__(self, node_index: int, own_index: int) -> None:
        super().__init__(f"node is at block {node_index}, archives at {own_index}; try again")


class PaymentExpired(InvalidError):
    """The tombstone block passed without the payment being in a block; nothing was spent."""

    def __init__(self, tombstone_block: int) -> None:
        super().__init__(f"payment expired at block {tombstone_block}; nothing was spent")


class PaymentTimeout(UnavailableError):
    """The payment is not final yet."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"payment not final after {timeout_s:g} s; sync later to see")
