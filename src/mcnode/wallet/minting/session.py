"""Minting from a program whose governors' or minters' keys are at hand.

Where keys are on several machines, make the transaction with `building`, have it signed there, and
`submit` it here. [docs/protocol/service.md#16.2]
"""

import os
from collections.abc import Iterable
from typing import TypeVar

from mcnode.account.printable import parse_printable_address
from mcnode.account.public_address import PublicAddress
from mcnode.connection.errors import MintTxRefused
from mcnode.connection.uri import CLIENT, parse_uri
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.rng import RandomBytes
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.messages import MintConfigTx, MintTx
from mcnode.wallet.minting.building import (
    check_submittable,
    default_tombstone,
    make_mint_config_tx,
    make_mint_tx,
    signed,
)
from mcnode.wallet.minting.client import ConnectNode, connect_node
from mcnode.wallet.minting.config_file import MintConfigTxFile
from mcnode.wallet.minting.errors import SubmissionRefused
from mcnode.wallet.minting.tx_file import MintingTx

Tx = TypeVar("Tx", MintConfigTx, MintTx)


class MintingSession:
    """Makes, signs and hands in minting transactions at one node; nothing is kept open.

    Args:
        node: `insecure-mc://host:port/` or `mc://host/`.
        chain_id: name of the network; empty: do not say.
        connect, random_bytes: injected for tests.

    Raises:
        UriError: the node's URI cannot be used.
    """

    def __init__(
        self,
        node: str,
        chain_id: str = "",
        *,
        connect: ConnectNode = connect_node,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._uri = parse_uri(node, CLIENT)
        self._chain_id = chain_id
        self._connect = connect
        self._random_bytes = random_bytes

    async def configure(
        self, config: MintConfigTxFile, governors: Iterable[Ed25519Private]
    ) -> MintConfigTx:
        """Say who may mint a token and how much; what was said before holds no longer.

        Raises:
            TxCreationFailed: the configuration cannot be used.
            As `submit`.
        """
        tombstone = config.tombstone_block
        tx = make_mint_config_tx(
            config,
            nonce=None,
            tombstone_block=await self._tombstone() if tombstone is None else tombstone,
            random_bytes=self._random_bytes,
        )
        return await self.submit(signed(tx, governors))

    async def mint(
        self,
        recipient: PublicAddress | str,
        amount: int,
        *,
        token_id: int,
        minters: Iterable[Ed25519Private],
    ) -> MintTx:
        """Make `amount` smallest units of a token, and give them to an address.

        Raises:
            PrintableError: the recipient is no address.
            TxCreationFailed: the recipient has a fog server.
            As `submit`.
        """
        address = parse_printable_address(recipient) if isinstance(recipient, str) else recipient
        tx = make_mint_tx(
            address,
            token_id,
            amount,
            nonce=None,
            tombstone_block=await self._tombstone(),
            random_bytes=self._random_bytes,
        )
        return await self.submit(signed(tx, minters))

    async def submit(self, tx: Tx) -> Tx:
        """Hand in a signed transaction; `minted_in_block` tells when it is final.

        Raises:
            NotSigned, TooManySignatures: no node could accept it.
            SubmissionRefused: the node says no, with the rule that it breaks.
            UnavailableError: the node does not answer.
        """
        check_submittable(tx)
        try:
            async with self._connect(self._uri, self._chain_id) as node:
                if isinstance(tx, MintConfigTx):
                    await node.propose_mint_config_tx(tx)
                else:
                    await node.propose_mint_tx(tx)
        except MintTxRefused as error:
            raise SubmissionRefused(error.name, error.code) from error
        return tx

    async def _tombstone(self) -> int:
        async with self._connect(self._uri, self._chain_id) as node:
            return default_tombstone((await node.fetch_block_info()).block_index)


def minted_in_block(tx: MintingTx, ledger: LedgerDB) -> int | None:
    """The block that holds a minting transaction, or None; `Wallet.ledger` is one to look in."""
    if isinstance(tx, MintConfigTx):
        return ledger.check_mint_config_tx_nonce(tx)
    return ledger.check_mint_tx_nonce(tx)
