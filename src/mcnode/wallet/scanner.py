"""Finding an account's outputs in blocks. [docs/protocol/transaction.md#18]"""

import threading
from collections.abc import Iterable, Sequence

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key, scan_outputs
from mcnode.crypto.ring_signature import key_image
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.messages import TxOut
from mcnode.transaction.tx_out import ViewKeyMatchError, decrypt_memo, view_key_match
from mcnode.wallet.errors import AnotherNetwork
from mcnode.wallet.ledger_copy import BATCH_BLOCKS, BATCH_OUTPUTS, Progress, ReportProgress
from mcnode.wallet.records import OwnedOutput, ScannedBlock
from mcnode.wallet.store import WalletStore
from mcnode.wallet.watching import ALWAYS, WatchedRange, all_indices


class Scanner:
    """Recognises the outputs of one account, at some of its subaddresses."""

    def __init__(
        self, account: AccountKey | ViewAccountKey, indices: Iterable[int] = ALWAYS
    ) -> None:
        self._account = account
        indices = list(indices)
        seeing = account if isinstance(account, ViewAccountKey) else account.view_account_key()
        spend_publics = seeing.subaddress_spend_publics(indices)
        self._subaddress_of = dict(zip(spend_publics, indices, strict=True))

    def scan(
        self, tx_outs: Sequence[TxOut], first_index: int, block_index: int
    ) -> list[OwnedOutput]:
        """Those of a block's outputs that are ours; `first_index` is the first one's in the ledger.

        An output to us whose amount does not open was made to look like ours: it is left out.
        """
        keys = [(tx_out.public_key, tx_out.target_key) for tx_out in tx_outs]
        found = []
        for position, scanned in enumerate(scan_outputs(self._account.view_private, keys)):
            if scanned is None:
                continue
            subaddress_index = self._subaddress_of.get(scanned.spend_public)
            if subaddress_index is None:
                continue
            try:
                found.append(
                    self._open(
                        tx_outs[position], subaddress_index, first_index + position, block_index
                    )
                )
            except ViewKeyMatchError:
                continue
        return found

    def _open(
        self, tx_out: TxOut, subaddress_index: int, tx_out_index: int, block_index: int
    ) -> OwnedOutput:
        viewed = view_key_match(tx_out, self._account.view_private)
        return OwnedOutput(
            public_key=tx_out.public_key,
            tx_out_index=tx_out_index,
            block_index=block_index,
            subaddress_index=subaddress_index,
            value=viewed.amount.value,
            token_id=viewed.amount.token_id,
            key_image=self._key_image(tx_out, subaddress_index),
            memo=decrypt_memo(tx_out, viewed.shared_secret),
        )

    def _key_image(self, tx_out: TxOut, subaddress_index: int) -> bytes | None:
        if isinstance(self._account, ViewAccountKey):
            return None
        onetime_key = recover_onetime_private_key(
            RistrettoPublic(tx_out.public_key),
            self._account.view_private,
            self._account.subaddress_spend_private(subaddress_index),
        )
        return key_image(onetime_key)

    def scan_block(self, ledger: LedgerDB, index: int) -> ScannedBlock:
        """What block `index` of a ledger holds for the account."""
        block, contents = ledger.get_block(index), ledger.get_block_contents(index)
        first = block.cumulative_txo_count - len(contents.outputs)
        return ScannedBlock(
            index,
            block.id,
            self.scan(contents.outputs, first, index),
            contents.key_images,
            [output.public_key for output in contents.outputs],
        )


class BlockScan:
    """Looks through new blocks for an account, and through old ones for new subaddresses."""

    def __init__(self, account: AccountKey | ViewAccountKey) -> None:
        self._account = account
        self._scanners: dict[tuple[int, ...], Scanner] = {}

    def run(
        self,
        store: WalletStore,
        ledger: LedgerDB,
        report: ReportProgress,
        stop: threading.Event,
    ) -> None:
        """Note what the blocks hold that the wallet file has not seen, until `stop` is set.

        Raises:
            AnotherNetwork: the last block that the wallet file has seen is not the ledger's.
        """
        following, end = store.next_block(), ledger.num_blocks()
        if 0 < following <= end and ledger.block_id(following - 1) != store.last_block_id():
            raise AnotherNetwork(
                following - 1, f"the wallet {store.path}", f"the copy in {ledger.path}"
            )
        ranges = store.watched()
        behind = [each for each in ranges if each.next_block < following]
        if behind and following <= end:
            self._catch_up(behind, store, ledger, report, stop)
        numbers = [each.number for each in ranges]
        scanner = self._scanner(ranges)
        while following < end and not stop.is_set():
            batch = _scan_batch(scanner, ledger, following, end)
            following += len(batch)
            store.record_blocks(batch, numbers)
            report(Progress("scan", following, end))

    def _catch_up(
        self,
        behind: Sequence[WatchedRange],
        store: WalletStore,
        ledger: LedgerDB,
        report: ReportProgress,
        stop: threading.Event,
    ) -> None:
        scanner = Scanner(self._account, [index for each in behind for index in each.indices])
        numbers = [each.number for each in behind]
        at, end = min(each.next_block for each in behind), store.next_block()
        while at < end and not stop.is_set():
            batch = _scan_batch(scanner, ledger, at, end)
            at += len(batch)
            received = [output for block in batch for output in block.received]
            images = [each.key_image for each in received if each.key_image is not None]
            store.record_missed(received, ledger.find_spent_key_images(images), numbers, at)
            report(Progress("scan for new subaddresses", at, end))

    def _scanner(self, ranges: Sequence[WatchedRange]) -> Scanner:
        """Made anew only when subaddresses were added: its keys take a while to compute."""
        key = tuple(each.number for each in ranges)
        if key not in self._scanners:
            self._scanners = {key: Scanner(self._account, all_indices(ranges))}
        return self._scanners[key]


def _scan_batch(scanner: Scanner, ledger: LedgerDB, first: int, end: int) -> list[ScannedBlock]:
    """Consecutive blocks from `first` on, as many as are held in memory at once."""
    batch: list[ScannedBlock] = []
    outputs = 0
    while first + len(batch) < end and len(batch) < BATCH_BLOCKS and outputs < BATCH_OUTPUTS:
        batch.append(scanner.scan_block(ledger, first + len(batch)))
        outputs += len(batch[-1].output_public_keys)
    return batch
