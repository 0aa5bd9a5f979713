"""Finding an account's outputs in blocks. [docs/protocol/transaction.md#18]"""

import threading
from collections.abc import Sequence

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.account.subaddress import (
    CHANGE_SUBADDRESS_INDEX,
    DEFAULT_SUBADDRESS_INDEX,
    GIFT_CODE_SUBADDRESS_INDEX,
)
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

SUBADDRESSES_WATCHED = 10
"""Subaddresses 0 to 9 besides the reserved ones."""


class Scanner:
    """Recognises the outputs of one account."""

    def __init__(self, account: AccountKey | ViewAccountKey) -> None:
        self._account = account
        indices = [
            *range(DEFAULT_SUBADDRESS_INDEX, SUBADDRESSES_WATCHED),
            CHANGE_SUBADDRESS_INDEX,
            GIFT_CODE_SUBADDRESS_INDEX,
        ]
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


def scan_new_blocks(
    store: WalletStore,
    ledger: LedgerDB,
    scanner: Scanner,
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
    while following < end and not stop.is_set():
        batch: list[ScannedBlock] = []
        outputs = 0
        while following < end and len(batch) < BATCH_BLOCKS and outputs < BATCH_OUTPUTS:
            batch.append(scanner.scan_block(ledger, following))
            outputs += len(batch[-1].output_public_keys)
            following += 1
        store.record_blocks(batch)
        report(Progress("scan", following, end))
