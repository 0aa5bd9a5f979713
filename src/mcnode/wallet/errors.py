"""What a wallet cannot do, and what to do about it."""

from collections.abc import Sequence

from mcnode.errors import InvalidError, McNodeError, UnavailableError


class WalletFileError(InvalidError):
    """The wallet file cannot be used."""


class WalletExists(WalletFileError):
    """There is a file already; a wallet is never overwritten."""


class PassphraseNeeded(InvalidError):
    """The wallet is encrypted, or is to be."""

    def __init__(self) -> None:
        super().__init__(
            "the wallet is encrypted with a passphrase: set MC_WALLET_PASSPHRASE, or run on a "
            "terminal"
        )


class EncryptionMissing(InvalidError):
    """The package that reads and writes encrypted files is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "encrypted wallets need the package sqlcipher3: pip install 'mcnode[encryption]'"
        )


class WrongPassphrase(InvalidError):
    """The passphrase does not open the wallet; or the wallet is damaged at its beginning."""

    def __init__(self) -> None:
        super().__init__("wrong passphrase")


class SettingsError(InvalidError):
    """A setting is missing or cannot be used."""


class SubaddressNotWatched(SettingsError):
    """Payments to a subaddress would not be seen."""

    def __init__(self, index: int) -> None:
        super().__init__(
            f"subaddress {index} is not watched: run `mcnode wallet watch {index}` first"
        )


class InvalidAmount(InvalidError):
    """An amount is no number, too precise, zero or above 64 bits."""


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
            "merge outputs first with `mcnode wallet merge`"
        )


class InsufficientTxOuts(InvalidError):
    """The ledger has too few outputs to hide among."""

    def __init__(self, found: int, needed: int) -> None:
        super().__init__(f"ledger has {found} outputs, rings need {needed} distinct ones")


class OptimizationNotBeneficial(InvalidError):
    """There is nothing to gain by merging outputs."""

    def __init__(self, found: int, needed: int, token_id: int) -> None:
        super().__init__(
            f"merging outputs of token {token_id} brings nothing: {found} can be spent, needs "
            f"{needed}, and the smallest must be worth more than the fee"
        )


class OutputNotSpendable(InvalidError):
    """An output that was asked for cannot be spent."""

    def __init__(self, public_key: bytes, token_id: int) -> None:
        super().__init__(
            f"output {public_key.hex()} cannot be spent: it is not of this account, not of token "
            f"{token_id}, reserved or spent"
        )


class ViewOnlyWallet(InvalidError):
    """The spend key is not in the wallet."""

    def __init__(self) -> None:
        super().__init__(
            "the wallet can only see: have the transaction signed where the spend key is, with "
            "`mcnode wallet view export` and `mcnode signer`"
        )


class InputsTaken(UnavailableError):
    """Another payment of this wallet took the same outputs in the same moment."""

    def __init__(self) -> None:
        super().__init__("another payment took the same outputs just now; try again")


class TokenCannotPayFees(InvalidError):
    """The network names no minimum fee for the token."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"token cannot be used to pay fees: {token_id}")


class FeeBelowMinimum(InvalidError):
    """The fee asked for is below what the network takes."""

    def __init__(self, fee: int, minimum: int) -> None:
        super().__init__(f"fee is {fee}, minimum {minimum}")


class MinimumFeeTooHigh(InvalidError):
    """A node names a minimum fee that nobody should pay unasked."""

    def __init__(self, minimum: int, limit: int) -> None:
        super().__init__(
            f"the node says that the minimum fee is {minimum}, limit {limit}; name the fee to agree"
        )


class NothingRead(InvalidError):
    """There is no block to build a payment on."""

    def __init__(self) -> None:
        super().__init__("0 blocks are read, needs 1: sync first")


class FogNotSupported(InvalidError):
    """Recipient or sender is found through a fog server."""

    def __init__(self) -> None:
        super().__init__("the address, or this account, uses a fog server: that cannot be paid yet")


class AnotherNetwork(InvalidError):
    """What is known and what is offered are different blockchains."""

    def __init__(self, index: int, known: str, offered: str) -> None:
        super().__init__(
            f"block {index} of {offered} is not that of {known}: they belong to different networks"
        )
        self.index = index


class NodeBehindArchives(UnavailableError):
    """The node has not reached the blocks that the archives hold."""

    def __init__(self, target: object, node_index: int, own_index: int) -> None:
        super().__init__(f"{target} is at block {node_index}, archives at {own_index}; try again")


class ArchivesUnavailable(UnavailableError):
    """No archive gave the block that it must have."""

    def __init__(self, index: int, reason: object) -> None:
        super().__init__(f"no archive has block {index} now: {reason}")


class NoNodeAvailable(UnavailableError):
    """No node could be asked."""

    def __init__(self, errors: Sequence[McNodeError]) -> None:
        reasons = "; ".join(map(str, errors))
        super().__init__(f"no node answers ({len(errors)} asked): {reasons}")
        self.errors = tuple(errors)


class SubmissionUnclear(UnavailableError):
    """A node may or may not have taken the payment before the connection failed."""

    def __init__(self, errors: Sequence[McNodeError]) -> None:
        reasons = "; ".join(map(str, errors))
        super().__init__(
            "unclear whether a node took the payment; its inputs stay reserved until it is final "
            f"or expires: {reasons}"
        )
        self.errors = tuple(errors)


class PaymentUnknown(InvalidError):
    """This wallet did not make such a payment."""

    def __init__(self, tx_hash: bytes) -> None:
        super().__init__(f"no payment with transaction hash {tx_hash.hex()}")


class PaymentExpired(InvalidError):
    """The tombstone block passed without the payment being in a block; nothing was spent."""

    def __init__(self, tombstone_block: int) -> None:
        super().__init__(f"payment expired at block {tombstone_block}; nothing was spent")


class PaymentRefused(InvalidError):
    """A node refused the payment; nothing was spent."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"payment was refused: {reason}")


class PaymentSuperseded(InvalidError):
    """Another payment of the same account spent the inputs first."""

    def __init__(self) -> None:
        super().__init__("another wallet of this account spent the inputs; this payment is void")


class PaymentTimeout(UnavailableError):
    """The payment is not final yet."""

    def __init__(self, timeout_s: float, own_index: int) -> None:
        super().__init__(
            f"payment not final after {timeout_s:g} s, archives are at block {own_index}; "
            "sync later to see"
        )
