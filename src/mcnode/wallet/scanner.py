"""Finding an account's outputs in blocks."""

from collections.abc import Sequence

from mcnode.account.account_key import AccountKey
from mcnode.account.subaddress import (
    CHANGE_SUBADDRESS_INDEX,
    DEFAULT_SUBADDRESS_INDEX,
    GIFT_CODE_SUBADDRESS_INDEX,
)
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key, scan_outputs
from mcnode.crypto.ring_signature import key_image
from mcnode.transaction.messages import TxOut
from mcnode.transaction.tx_out import ViewKeyMatchError, decrypt_memo, view_key_match
from mcnode.wallet.records import OwnedOutput

SUBADDRESSES_WATCHED = 10
"""Subaddresses 0 to 9 besides the reserved ones."""


class Scanner:
    """Recognises the outputs of one account."""

    def __init__(self, account: AccountKey) -> None:
        self._account = account
        indices = [
            *range(DEFAULT_SUBADDRESS_INDEX, SUBADDRESSES_WATCHED),
            CHANGE_SUBADDRESS_INDEX,
            GIFT_CODE_SUBADDRESS_INDEX,
        ]
        spend_publics = account.view_account_key().subaddress_spend_publics(indices)
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
        onetime_key = recover_onetime_private_key(
            RistrettoPublic(tx_out.public_key),
            self._account.view_private,
            self._account.subaddress_spend_private(subaddress_index),
        )
        return OwnedOutput(
            public_key=tx_out.public_key,
            tx_out_index=tx_out_index,
            block_index=block_index,
            subaddress_index=subaddress_index,
            value=viewed.amount.value,
            token_id=viewed.amount.token_id,
            key_image=key_image(onetime_key),
            memo=decrypt_memo(tx_out, viewed.shared_secret),
        )
