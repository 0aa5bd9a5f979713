"""The wallet as a library: see the package's page for ten lines that send a payment."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from mcnode.account.account_key import AccountKey
from mcnode.account.key_files import parse_key_json
from mcnode.account.mnemonic import account_key_from_mnemonic, mnemonic_from_entropy
from mcnode.account.printable import parse_printable_address
from mcnode.account.public_address import PublicAddress
from mcnode.connection.attested import Accepted
from mcnode.errors import McNodeError
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.constants import MOB
from mcnode.transaction.messages import SignedContingentInput, Tx
from mcnode.wallet.cipher import Passphrase
from mcnode.wallet.draft import Account, BuildContext, BuiltPayment, Order
from mcnode.wallet.errors import (
    ArchivesUnavailable,
    NothingRead,
    PaymentTimeout,
    SettingsError,
)
from mcnode.wallet.in_thread import in_thread
from mcnode.wallet.known import KnownFacts
from mcnode.wallet.ledger_copy import (
    Progress,
    ReportProgress,
    check_same_network,
    fetch_new_blocks,
)
from mcnode.wallet.nodes import Connect, Nodes, connect_attested
from mcnode.wallet.offline import SyncedOutput
from mcnode.wallet.outcome import final_or_raise, is_settled_by_ledger
from mcnode.wallet.payments import PaymentOrder
from mcnode.wallet.records import OwnedOutput, Payment, PaymentState
from mcnode.wallet.scanner import BlockScan
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.store import WalletStore
from mcnode.wallet.stored_account import stored_account
from mcnode.wallet.swaps import OfferTerms, make_offer
from mcnode.wallet.terms import fetch_terms
from mcnode.wallet.view_only import payment_of_signed

T = TypeVar("T")

ENTROPY_BYTES: Final = 32
"""Of a new mnemonic: 24 words."""
ACCOUNTS_END: Final = 1 << 31
"""Accounts of a mnemonic are hardened children of a key: there are as many."""
_SETTINGS = "network"
_POLL_FIRST_S, _POLL_FACTOR, _POLL_MAX_S = 0.05, 1.2, 0.25
"""How often `wait_final` looks: a local network is done in a fraction of a second, and a look that
finds nothing opens a file or two."""


def parse_account(secret: str, account_index: int = 0) -> AccountKey:
    """The account of a mnemonic, which has many, or of the text of a key file, which has one.

    Raises:
        InvalidMnemonic, KeyFileError: it is neither; the message does not repeat it.
        SettingsError: another account than 0 is asked of a key file, or above 2^31 - 1.
    """
    if not 0 <= account_index < ACCOUNTS_END:
        raise SettingsError(f"account is {account_index}, limit {ACCOUNTS_END - 1}")
    if not secret.lstrip().startswith("{"):
        return account_key_from_mnemonic(secret, account_index)
    if account_index:
        raise SettingsError(f"account is {account_index}, a key file has only account 0")
    return parse_key_json(secret)


def _ignore(_progress: Progress) -> None:
    pass


class Wallet(KnownFacts):
    """One account on one network. Use `create`, `import_` or `open`, and `close` at the end.

    Methods that read archives or talk to nodes are asynchronous; their work is done in threads.
    """

    def __init__(
        self,
        store: WalletStore,
        settings: WalletSettings,
        *,
        passphrase: Passphrase = None,
        connect: Connect | None = None,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(store, settings, passphrase)
        self._connect = connect
        self._unix_time = unix_time
        self._scan = BlockScan(self._account)
        self._nodes: Nodes | None = None
        self._sync_lock = asyncio.Lock()
        self._pay_lock = asyncio.Lock()

    # ---- making and opening ---------------------------------------------------------------------

    @classmethod
    def create(
        cls, path: Path | str, settings: WalletSettings, *, passphrase: str | None = None
    ) -> tuple[Self, str]:
        """A wallet with a new account, and its mnemonic of 24 words, which is not stored.

        Raises:
            WalletExists, WalletFileError: the file cannot be made.
            PassphraseNeeded, EncryptionMissing: it cannot be encrypted.
        """
        mnemonic = mnemonic_from_entropy(os.urandom(ENTROPY_BYTES))
        return cls.import_(path, settings, mnemonic, passphrase=passphrase), mnemonic

    @classmethod
    def import_(
        cls,
        path: Path | str,
        settings: WalletSettings,
        account: Account | str,
        *,
        passphrase: str | None = None,
    ) -> Self:
        """A wallet for an account: keys, a mnemonic, or the text of a key file.

        With a `ViewAccountKey` it can see and not spend: see `view_only`. With a passphrase, the
        whole file is encrypted.

        Raises:
            InvalidMnemonic, KeyFileError: the text is neither.
            WalletExists, WalletFileError: the file cannot be made.
            PassphraseNeeded, EncryptionMissing: it cannot be encrypted.
        """
        keys = parse_account(account) if isinstance(account, str) else account
        stored = [stored_account(keys), (_SETTINGS, settings.to_json())]
        return cls(WalletStore.create(Path(path), stored, passphrase), settings)

    @classmethod
    def open(
        cls,
        path: Path | str,
        settings: WalletSettings | None = None,
        *,
        passphrase: Passphrase = None,
        connect: Connect | None = None,
        unix_time: Callable[[], float] = time.time,
    ) -> Self:
        """An existing wallet, with its stored settings unless others are given.

        Args:
            passphrase: of an encrypted wallet, or a function that asks for it.
            connect, unix_time: injected for tests.

        Raises:
            WalletFileError: the file cannot be used.
            PassphraseNeeded, WrongPassphrase, EncryptionMissing: it is encrypted.
        """
        store = WalletStore.open(Path(path), passphrase)
        try:
            used = settings or WalletSettings.from_json(store.setting(_SETTINGS) or "")
            return cls(store, used, passphrase=passphrase, connect=connect, unix_time=unix_time)
        except BaseException:
            store.close()
            raise

    def save_settings(self, settings: WalletSettings) -> None:
        """Use other settings for the next opening of the file."""
        self._store.set_setting(_SETTINGS, settings.to_json())

    async def close(self) -> None:
        """End connections and close files."""
        nodes, self._nodes = self._nodes, None
        if nodes is not None:
            await nodes.close()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
        self._store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # ---- reading the blockchain -----------------------------------------------------------------

    async def sync(self, report: ReportProgress = _ignore) -> int:
        """Read new blocks and note what they mean; returns `num_blocks`.

        They come from the archives, or from a node's ledger on this machine. When interrupted at
        any moment, the next one goes on where this one was.

        Raises:
            SettingsError: neither an archive nor a node's ledger is set.
            LedgerPathMissing, NotALedger, VersionIncompatible: there is no such ledger of a node.
            ArchivesUnavailable: no archive answers.
            AnotherNetwork: archives, ledger copy and wallet file do not belong together.
            InvalidBlockReceived, LedgerError: an archive serves broken blocks.
        """
        return await self._sync(report, check_network=True)

    async def fetch_height(self) -> int:
        """How many blocks a node says there are: what a progress bar may count up to.

        Raises:
            SettingsError, NoNodeAvailable: no node is set, or none answers.
        """
        info = await self._open_nodes().ask(lambda node: node.fetch_block_info())
        return info.block_index + 1

    async def _sync(self, report: ReportProgress, *, check_network: bool) -> int:
        async with self._sync_lock:
            return await in_thread(lambda stop: self._sync_in_thread(report, check_network, stop))

    def _sync_in_thread(
        self, report: ReportProgress, check_network: bool, stop: threading.Event
    ) -> int:
        ledger = self.ledger
        if self.settings.node_ledger is None:
            fetcher = self.settings.fetcher()
            if check_network:
                check_same_network(ledger, fetcher)
            fetch_new_blocks(ledger, fetcher, report, stop)
        self._scan.run(self._store, ledger, report, stop)
        return self.num_blocks

    # ---- paying ---------------------------------------------------------------------------------

    async def send(
        self,
        recipient: PublicAddress | str,
        value: int,
        *,
        token_id: int = MOB,
        fee: int | None = None,
    ) -> Payment:
        """Pay `value` smallest units to an address; returns when a node has taken the payment.

        The blocks known so far decide what can be spent: `sync` first. Raises as `prepare` and
        `submit`.
        """
        built = await self.prepare(recipient, value, token_id=token_id, fee=fee)
        await self.submit(built)
        return built.payment

    async def prepare(
        self,
        recipient: PublicAddress | str,
        value: int,
        *,
        token_id: int = MOB,
        fee: int | None = None,
    ) -> BuiltPayment:
        """Build a payment and note it, so that nothing else takes its inputs; nothing is sent.

        Raises:
            PrintableError: the recipient is no address.
            NothingRead: `sync` first.
            NoNodeAvailable: no node says what it charges.
            AnotherNetwork: the node is not on the network of the archives.
            As `PaymentOrder.build`.
        """
        address = parse_printable_address(recipient) if isinstance(recipient, str) else recipient
        return await self.prepare_order(PaymentOrder(address, value, token_id, fee))

    async def carry_out(self, order: Order) -> Payment:
        """Build what an order asks for and hand it in; raises as `prepare_order` and `submit`."""
        built = await self.prepare_order(order)
        await self.submit(built)
        return built.payment

    async def prepare_order(self, order: Order) -> BuiltPayment:
        """Build a transaction and note it, so that nothing else takes its inputs.

        Raises:
            NothingRead: `sync` first.
            NoNodeAvailable: no node says what it charges.
            AnotherNetwork: the node is not on the network of the archives.
            As `order.build`.
        """

        def build(context: BuildContext) -> BuiltPayment:
            built = order.build(context)
            self._store.add_payment(built.payment, built.key_images, built.own_outputs)
            return built

        return await self.with_terms(build)

    async def offer(self, terms: OfferTerms) -> SignedContingentInput:
        """Sign an offer to swap and reserve its output; nothing is sent.

        `swaps.offer_code` makes it one word of text.

        Raises:
            As `prepare_order` and `make_offer`.
        """
        sci, _ = await self.with_terms(lambda context: make_offer(context, terms))
        return sci

    async def with_terms(self, work: Callable[[BuildContext], T]) -> T:
        """Ask a node for its terms, and do `work` in a thread, while nothing else is built.

        Raises as `prepare_order`, and what `work` raises.
        """
        ledger = self.ledger
        if not ledger.num_blocks():
            raise NothingRead
        head = ledger.get_latest_block()
        terms = await self._open_nodes().ask(lambda node: fetch_terms(node, head))
        context = BuildContext(self._account, ledger, self._store, terms, int(self._unix_time()))
        async with self._pay_lock:
            return await in_thread(lambda _stop: work(context))

    def outputs_without_key_image(self) -> list[OwnedOutput]:
        """Outputs that a view-only wallet cannot see being spent, until its signer tells how."""
        return [output for output in self._store.outputs() if output.key_image is None]

    def add_key_images(self, told: Sequence[SyncedOutput]) -> int:
        """Note what a signer told; returns how many outputs can now be spent or are spent."""
        spent = self.ledger.find_spent_key_images([each.key_image for each in told])
        return self._store.set_key_images(
            {each.public_key: (each.key_image, spent.get(each.key_image)) for each in told}
        )

    def note_signed(self, unsigned: UnsignedTx, tx: Tx) -> BuiltPayment:
        """Note a transaction that was signed elsewhere, before it is submitted.

        Raises:
            NotWhatWasAsked: it is not the one that was to be signed.
            InputsTaken: something else spends its inputs.
        """
        made_at = int(self._unix_time())
        built = payment_of_signed(self._account, unsigned, tx, made_at=made_at)
        self._store.add_payment(built.payment, built.key_images, built.own_outputs)
        return built

    async def submit(self, built: BuiltPayment) -> Accepted:
        """Hand in a prepared payment.

        Raises:
            TxRefused: it breaks a rule. The inputs are free again, unless the ledger has them or
                the payment already: then the next `sync` settles it.
            EvidenceRefused, CallRefused, NoNodeAvailable: no node saw it; they are free again.
            SubmissionUnclear: a node may have taken it; they stay reserved, see `wait_final`.
        """
        try:
            return await self._open_nodes().submit(built.tx)
        except McNodeError as error:
            if not is_settled_by_ledger(error):
                self._store.mark_refused(built.payment.tx_hash, str(error))
            raise

    def _open_nodes(self) -> Nodes:
        if self._nodes is None:
            connect = self._connect or connect_attested(
                self.settings.chain_id, self.settings.enclave.to_trust()
            )
            self._nodes = Nodes(self.settings.node_uris(), connect)
        return self._nodes

    async def wait_final(self, payment: Payment, timeout_s: float) -> Payment:
        """Read blocks until a payment is in one; returns it with its block.

        Raises:
            PaymentTimeout: it is not, so far.
            PaymentExpired, PaymentRefused, PaymentSuperseded: it never will be.
            As `sync`.
        """

        def is_settled() -> bool:
            return self.payment(payment.tx_hash).state is not PaymentState.SUBMITTED

        if not await self.wait_until(is_settled, timeout_s):
            raise PaymentTimeout(timeout_s, self.num_blocks - 1)
        return final_or_raise(self.payment(payment.tx_hash))

    async def wait_until(self, condition: Callable[[], object], timeout_s: float) -> bool:
        """Read new blocks until a condition holds; returns whether it does.

        Archives that are away for a while are waited for.

        Raises:
            ArchivesUnavailable: they are still away at the end.
            As `sync`.
        """
        poll_s = _POLL_FIRST_S
        deadline = time.monotonic() + timeout_s
        check_network = True
        while True:
            failure = None
            try:
                await self._sync(_ignore, check_network=check_network)
                check_network = False
            except ArchivesUnavailable as error:
                failure = error
            if failure is None and condition():
                return True
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                if failure is not None:
                    raise failure
                return False
            await asyncio.sleep(min(poll_s, remaining_s))
            poll_s = min(poll_s * _POLL_FACTOR, _POLL_MAX_S)
