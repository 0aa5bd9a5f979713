"""Scan, balance, pay, swap, mint: the wallet as a library.

Ten lines that send a payment, with a wallet file made by `mcnode wallet new` or `import`:

    import asyncio
    from mcnode.wallet import Wallet

    async def pay(address: str, picomob: int) -> None:
        async with Wallet.open("wallet.db") as wallet:
            await wallet.sync()
            payment = await wallet.send(address, picomob)
            final = await wallet.wait_final(payment, timeout_s=60)
            print("in block", final.final_in_block, "left", wallet.balance())

    asyncio.run(pay(ADDRESS, 1_500_000_000_000))

All values are whole numbers of a token's smallest unit: 1 MOB is 10^12. What can go wrong is in
`mcnode.wallet.errors`. The notebook `docs/wallet.ipynb` shows everything at work.
"""

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcnode.account.account_key import AccountKey as AccountKey
    from mcnode.account.account_key import ViewAccountKey as ViewAccountKey
    from mcnode.transaction.messages import Amount as Amount
    from mcnode.wallet.amounts import format_amount as format_amount
    from mcnode.wallet.amounts import parse_amount as parse_amount
    from mcnode.wallet.gifts import CancelGiftOrder as CancelGiftOrder
    from mcnode.wallet.gifts import FundGiftOrder as FundGiftOrder
    from mcnode.wallet.gifts import RedeemGiftOrder as RedeemGiftOrder
    from mcnode.wallet.gifts import parse_gift_code as parse_gift_code
    from mcnode.wallet.history import HistoryEntry as HistoryEntry
    from mcnode.wallet.ledger_copy import Progress as Progress
    from mcnode.wallet.minting.config_file import MintConfigTxFile as MintConfigTxFile
    from mcnode.wallet.minting.config_file import MinterConfig as MinterConfig
    from mcnode.wallet.minting.session import MintingSession as MintingSession
    from mcnode.wallet.minting.session import minted_in_block as minted_in_block
    from mcnode.wallet.payments import BurnOrder as BurnOrder
    from mcnode.wallet.payments import MergeOrder as MergeOrder
    from mcnode.wallet.payments import PaymentOrder as PaymentOrder
    from mcnode.wallet.records import Balance as Balance
    from mcnode.wallet.records import Offer as Offer
    from mcnode.wallet.records import OwnedOutput as OwnedOutput
    from mcnode.wallet.records import Payment as Payment
    from mcnode.wallet.records import PaymentKind as PaymentKind
    from mcnode.wallet.records import PaymentState as PaymentState
    from mcnode.wallet.selection import FewestInputs as FewestInputs
    from mcnode.wallet.selection import SmallestFirst as SmallestFirst
    from mcnode.wallet.selection import TheseInputs as TheseInputs
    from mcnode.wallet.settings import WalletSettings as WalletSettings
    from mcnode.wallet.swaps import CancelOfferOrder as CancelOfferOrder
    from mcnode.wallet.swaps import FillOrder as FillOrder
    from mcnode.wallet.swaps import OfferTerms as OfferTerms
    from mcnode.wallet.swaps import offer_code as offer_code
    from mcnode.wallet.swaps import parse_offer_code as parse_offer_code
    from mcnode.wallet.trust import TrustedEnclave as TrustedEnclave
    from mcnode.wallet.wallet import Wallet as Wallet

_HOMES = MappingProxyType(
    {
        "mcnode.account.account_key": ("AccountKey", "ViewAccountKey"),
        "mcnode.transaction.messages": ("Amount",),
        "mcnode.wallet.amounts": ("format_amount", "parse_amount"),
        "mcnode.wallet.gifts": (
            "CancelGiftOrder",
            "FundGiftOrder",
            "RedeemGiftOrder",
            "parse_gift_code",
        ),
        "mcnode.wallet.history": ("HistoryEntry",),
        "mcnode.wallet.ledger_copy": ("Progress",),
        "mcnode.wallet.minting.config_file": ("MintConfigTxFile", "MinterConfig"),
        "mcnode.wallet.minting.session": ("MintingSession", "minted_in_block"),
        "mcnode.wallet.payments": ("BurnOrder", "MergeOrder", "PaymentOrder"),
        "mcnode.wallet.records": (
            "Balance",
            "Offer",
            "OwnedOutput",
            "Payment",
            "PaymentKind",
            "PaymentState",
        ),
        "mcnode.wallet.selection": ("FewestInputs", "SmallestFirst", "TheseInputs"),
        "mcnode.wallet.settings": ("WalletSettings",),
        "mcnode.wallet.swaps": (
            "CancelOfferOrder",
            "FillOrder",
            "OfferTerms",
            "offer_code",
            "parse_offer_code",
        ),
        "mcnode.wallet.trust": ("TrustedEnclave",),
        "mcnode.wallet.wallet": ("Wallet",),
    }
)
"""Where each name is from. They are imported when first used: a command that only prints an amount
need not wait for the network's code."""
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the names are those above


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
