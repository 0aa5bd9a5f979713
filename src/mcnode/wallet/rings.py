"""Hiding each spent output among others of the ledger. [docs/protocol/transaction.md#18]"""

import secrets
from collections.abc import Callable, Collection, Sequence

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.builder.input_credentials import InputCredentials
from mcnode.transaction.constants import RING_SIZE
from mcnode.wallet.errors import InsufficientTxOuts
from mcnode.wallet.records import OwnedOutput

RandomBelow = Callable[[int], int]
"""A uniform number from 0 to below the argument; `secrets.randbelow` outside of tests."""


def make_credentials(
    account: AccountKey | ViewAccountKey,
    inputs: Sequence[OwnedOutput],
    ledger: LedgerDB,
    random_below: RandomBelow = secrets.randbelow,
    *,
    avoid: Collection[int] = (),
) -> list[InputCredentials]:
    """One ring per input: the real output and ten others, drawn uniformly from the whole ledger.

    Without a spend key, the credentials name the subaddress instead of the one-time key. `avoid`
    are outputs that other rings of the transaction have.

    Raises:
        InsufficientTxOuts: the ledger is too small.
    """
    rings = choose_rings(
        [output.tx_out_index for output in inputs], ledger.num_txos(), random_below, avoid
    )
    flat = [index for ring in rings for index in ring]
    proofs = ledger.get_tx_out_proof_of_memberships(flat)
    tx_outs = [ledger.get_tx_out_by_index(index) for index in flat]
    credentials = []
    for position, output in enumerate(inputs):
        members = slice(position * RING_SIZE, (position + 1) * RING_SIZE)
        credentials.append(
            InputCredentials.create(
                tx_outs[members],
                proofs[members],
                rings[position].index(output.tx_out_index),
                _spend_key(account, output),
                account.view_private,
            )
        )
    return credentials


def _spend_key(account: AccountKey | ViewAccountKey, output: OwnedOutput) -> RistrettoPrivate | int:
    if isinstance(account, ViewAccountKey):
        return output.subaddress_index
    return recover_onetime_private_key(
        RistrettoPublic(output.public_key),
        account.view_private,
        account.subaddress_spend_private(output.subaddress_index),
    )


def choose_rings(
    real_indices: Sequence[int],
    ledger_size: int,
    random_below: RandomBelow,
    avoid: Collection[int] = (),
) -> list[list[int]]:
    """Rings of 11 output indices each; no index occurs twice over all rings, and none of `avoid`.

    Raises:
        InsufficientTxOuts: there are fewer outputs than the rings need.
    """
    needed = len(real_indices) * RING_SIZE + len(set(avoid).difference(real_indices))
    if ledger_size < needed:
        raise InsufficientTxOuts(ledger_size, needed)
    used = {*real_indices, *avoid}
    rings = []
    for real in real_indices:
        ring = [real]
        while len(ring) < RING_SIZE:
            candidate = random_below(ledger_size)
            if candidate not in used:
                used.add(candidate)
                ring.append(candidate)
        rings.append(ring)
    return rings
