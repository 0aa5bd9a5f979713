"""Making, signing and joining minting transactions. [docs/protocol/service.md#16.2]"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from mcnode.account.public_address import PublicAddress
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import SIGNATURES_MAX, MultiSig
from mcnode.crypto.rng import RandomBytes
from mcnode.transaction.constants import MAX_TOMBSTONE_BLOCKS, MINT_NONCE_LENGTH
from mcnode.transaction.messages import (
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
)
from mcnode.wallet.minting.config_file import MintConfigTxFile
from mcnode.wallet.minting.errors import (
    NotSigned,
    PrefixesDiffer,
    TooManySignatures,
    TxCreationFailed,
    TxFileError,
)
from mcnode.wallet.minting.tx_file import MintingTx, kind_of, prefix_hash

Tx = TypeVar("Tx", MintConfigTx, MintTx)

_UNSIGNED: Final = MultiSig(())


def default_tombstone(last_block_index: int) -> int:
    """As late as a node with this last block accepts, less one for a node that is behind."""
    return last_block_index + MAX_TOMBSTONE_BLOCKS - 1


def make_mint_config_tx(
    file: MintConfigTxFile,
    *,
    nonce: bytes | None,
    tombstone_block: int | None,
    random_bytes: RandomBytes,
) -> MintConfigTx:
    """A mint configuration without signatures.

    Args:
        nonce, tombstone_block: go before what the file says; without either, the nonce is random.

    Raises:
        TxCreationFailed: the minters do not resolve, or nonce or tombstone are not usable.
    """
    tombstone = file.tombstone_block if tombstone_block is None else tombstone_block
    prefix = MintConfigTxPrefix(
        file.token_id,
        file.mint_configs(),
        _chosen_nonce(nonce or file.nonce, random_bytes),
        _required_tombstone(tombstone),
        file.total_mint_limit,
    )
    return MintConfigTx(prefix, _UNSIGNED)


def make_mint_tx(
    recipient: PublicAddress,
    token_id: int,
    amount: int,
    *,
    nonce: bytes | None,
    tombstone_block: int | None,
    random_bytes: RandomBytes,
) -> MintTx:
    """A mint of `amount` smallest units to `recipient`, without signatures.

    Raises:
        TxCreationFailed: the recipient has a fog server, or nonce or tombstone are not usable.
    """
    if recipient.has_fog:
        raise TxCreationFailed(
            f"the recipient is found through the fog server {recipient.fog_report_url}, whose "
            "reports this client does not fetch: name an address without one"
        )
    prefix = MintTxPrefix(
        token_id=token_id,
        amount=amount,
        view_public_key=recipient.view_public_key,
        spend_public_key=recipient.spend_public_key,
        nonce=_chosen_nonce(nonce, random_bytes),
        tombstone_block=_required_tombstone(tombstone_block),
    )
    return MintTx(prefix, _UNSIGNED)


def _chosen_nonce(nonce: bytes | None, random_bytes: RandomBytes) -> bytes:
    if not nonce:
        return random_bytes(MINT_NONCE_LENGTH)
    if len(nonce) != MINT_NONCE_LENGTH:
        raise TxCreationFailed(f"Nonce must be {MINT_NONCE_LENGTH} bytes, got {len(nonce)}")
    return nonce


def _required_tombstone(tombstone_block: int | None) -> int:
    if tombstone_block is None:
        raise TxCreationFailed("no tombstone block is given: set --tombstone")
    return tombstone_block


def signed(tx: Tx, keys: Iterable[Ed25519Private], signatures: Iterable[bytes] = ()) -> Tx:
    """The transaction with its signatures, those of `keys` and the given ones of 64 bytes.

    They are sorted, and equal ones are one. Whether they are the right ones is not looked at.
    """
    message = prefix_hash(tx)
    made: list[bytes] = [key.sign(message) for key in keys]
    every = {*tx.signature.signatures, *made, *signatures}
    return dataclasses.replace(tx, signature=MultiSig(tuple(sorted(every))))


def merged(kind: type[Tx], txs: Sequence[MintingTx]) -> Tx:
    """One transaction of the given kind with the signatures of all, fit to be submitted.

    Raises:
        TxFileError: there is none, or one of another kind.
        PrefixesDiffer: they do not say the same.
        NotSigned, TooManySignatures: no node could accept it.
    """
    of_kind = []
    for tx in txs:
        if not isinstance(tx, kind):
            raise TxFileError(f"a file holds a {kind_of(tx)}, needs a {kind.__name__}")
        of_kind.append(tx)
    if not of_kind:
        raise TxFileError(f"0 files are given, needs 1 with a {kind.__name__}")
    first = of_kind[0]
    if any(tx.prefix != first.prefix for tx in of_kind):
        raise PrefixesDiffer
    together = signed(first, (), (each for tx in of_kind for each in tx.signature.signatures))
    check_submittable(together)
    return together


def check_submittable(tx: MintingTx) -> None:
    """Refuse what no node would accept. Raises `NotSigned` or `TooManySignatures`."""
    count = len(tx.signature.signatures)
    if not count:
        raise NotSigned
    if count > SIGNATURES_MAX:
        raise TooManySignatures(count, SIGNATURES_MAX)
