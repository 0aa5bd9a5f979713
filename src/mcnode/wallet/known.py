"""What a wallet knows without asking anybody: as of its last synchronisation."""

import json
import threading
from pathlib import Path

from mcnode.account.printable import parse_printable_address, to_printable
from mcnode.account.subaddress import DEFAULT_SUBADDRESS_INDEX
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.messages import SignedContingentInput
from mcnode.wallet.cipher import Passphrase
from mcnode.wallet.draft import Account, require_spender
from mcnode.wallet.errors import SettingsError
from mcnode.wallet.export import history_json, write_history_csv
from mcnode.wallet.gifts import GivenGift, list_gifts
from mcnode.wallet.history import HistoryEntry, Notes, make_history
from mcnode.wallet.ledger_copy import open_copy
from mcnode.wallet.receipts import CheckedReceipt, check_receipt
from mcnode.wallet.records import Balance, Offer, OwnedOutput, Payment
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.store import WalletStore
from mcnode.wallet.stored_account import has_sealed_keys, load_account, save_unsealed
from mcnode.wallet.swaps import OfferSheet, examine_offer
from mcnode.wallet.watching import WatchedRange, check_watched


class KnownFacts:
    """Balances, history, addresses, labels, offers, gifts of one account. See `Wallet`."""

    def __init__(
        self, store: WalletStore, settings: WalletSettings, passphrase: Passphrase = None
    ) -> None:
        self._store = store
        self._account = load_account(store, passphrase)
        self.settings = settings
        self._ledger: LedgerDB | None = None
        self._opening = threading.Lock()

    @property
    def account(self) -> Account:
        """The keys: handle with care."""
        return self._account

    @property
    def is_encrypted(self) -> bool:
        """Whether the file cannot be read without its passphrase."""
        return self._store.is_encrypted

    def set_passphrase(self, passphrase: str | None) -> None:
        """Encrypt the file with a passphrase, or with None store it as it is.

        Raises:
            PassphraseNeeded, EncryptionMissing, WalletBusy: as `WalletFile.change_passphrase`.
        """
        self._store.change_passphrase(passphrase)
        if has_sealed_keys(self._store):
            save_unsealed(self._store, self._account)

    def address(self, subaddress_index: int = DEFAULT_SUBADDRESS_INDEX) -> str:
        """The printable address to be paid at. Raises `SubaddressNotWatched`."""
        check_watched(self._store.watched(), subaddress_index)
        return to_printable(self._account.subaddress(subaddress_index))

    def balance(self) -> dict[int, Balance]:
        """By token id, as of the last `sync`; values in the token's smallest unit."""
        return self._store.balances()

    def balance_by_subaddress(self) -> dict[int, dict[int, Balance]]:
        """By subaddress and token id, as of the last `sync`: what came in there and is unspent."""
        return self._store.balances_by_subaddress()

    def history(self) -> list[HistoryEntry]:
        """Payments received and sent, oldest first, as of the last `sync`."""
        store = self._store
        notes = Notes(store.payments(), store.own_outputs(), store.offers(), store.contacts())
        return make_history(self._account, store.outputs(), notes)

    def export_history(self, path: Path | str) -> int:
        """Write the history to a `.csv` or `.json` file; returns how many entries it has.

        Raises:
            SettingsError: the name ends in something else.
            OSError: the file cannot be written.
        """
        path, entries = Path(path), self.history()
        if path.suffix not in (".csv", ".json"):
            raise SettingsError(f"history cannot be written to {path}: name a .csv or .json file")
        with path.open("w", encoding="utf-8", newline="") as file:
            if path.suffix == ".csv":
                write_history_csv(entries, self.labels(), file)
            else:
                json.dump(history_json(entries, self.labels()), file, indent=2)
        return len(entries)

    def labels(self) -> dict[int, str]:
        """The names of subaddresses."""
        return self._store.labels()

    def set_label(self, subaddress_index: int, label: str) -> None:
        """Name a subaddress. Raises `SubaddressNotWatched`."""
        check_watched(self._store.watched(), subaddress_index)
        self._store.set_label(subaddress_index, label)

    def contacts(self) -> dict[str, str]:
        """Names of other people's printable addresses."""
        return self._store.contacts()

    def set_contact(self, address: str, name: str) -> None:
        """Name somebody's address: then a memo can prove that they sent a payment.

        An empty name forgets it.

        Raises:
            PrintableError: it is no address.
        """
        self._store.set_contact(to_printable(parse_printable_address(address)), name)

    def watch(self, first: int, count: int = 1) -> None:
        """Look for payments to more subaddresses than 0 to 9; the next `sync` searches all blocks.

        Raises:
            SettingsError: an index is reserved, or there would be more than 100,000.
        """
        self._store.watch(first, count)

    def watched(self) -> list[WatchedRange]:
        """The subaddresses that were added by `watch`, as ranges."""
        return self._store.watched()

    def offers(self) -> list[Offer]:
        """Offers to swap, oldest first, as of the last `sync`."""
        return self._store.offers()

    def gifts(self) -> list[GivenGift]:
        """Gifts of this account with their codes, oldest first, as of the last `sync`.

        Raises:
            ViewOnlyWallet: the codes need the spend key.
        """
        return list_gifts(require_spender(self._account), self._store.outputs(), self.ledger)

    def outputs(self) -> list[OwnedOutput]:
        """Every output ever received, in order of the ledger: coins, spent or not."""
        return self._store.outputs()

    def spendable(self, token_id: int) -> list[OwnedOutput]:
        """What a payment of the token can choose from: unspent, and nothing has reserved it."""
        return self._store.spendable(token_id)

    def examine_offer(self, sci: SignedContingentInput) -> OfferSheet:
        """What somebody's offer means for who takes it, and whether it is still there.

        Raises:
            ContingentInputError, OfferOfAnotherLedger: it does not hold, or not here.
        """
        return examine_offer(sci, self.ledger)

    def check_receipt(self, payload: bytes) -> CheckedReceipt:
        """Whether somebody paid this account, as of the last `sync`; see `receipts`."""
        return check_receipt(payload, self._account, self._store.outputs(), self.ledger)

    @property
    def ledger(self) -> LedgerDB:
        """The blocks, the own copy or a node's, opened when first asked for; `close` closes it."""
        with self._opening:
            if self._ledger is None:
                self._ledger = self._open_ledger()
            return self._ledger

    def _open_ledger(self) -> LedgerDB:
        node_ledger = self.settings.node_ledger
        if node_ledger is not None:
            return LedgerDB.open(node_ledger, read_only=True, durable=False)
        beside = self._store.path.with_name(self._store.path.name + ".ledger")
        return open_copy(self.settings.ledger_copy or beside)

    def payment(self, tx_hash: bytes) -> Payment:
        """How far a payment is, as of the last `sync`. Raises `PaymentUnknown`."""
        return self._store.payment(tx_hash)

    @property
    def num_blocks(self) -> int:
        """How many blocks the wallet has looked at."""
        return self._store.next_block()
