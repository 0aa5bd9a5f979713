"""Transactions that no honest builder makes, each from an honest one."""

import dataclasses
import os

from mcnode import _native
from mcnode.crypto.commitment import commit
from mcnode.crypto.fog_hint import fake_onetime_hint
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.transaction.amounts import open_masked_amount
from mcnode.transaction.messages import Amount, Tx
from mcnode.transaction.ring_ct.rings import OnetimeKeySigner
from mcnode.transaction.ring_ct.signing import make_signing_data
from mcnode.transaction.tx_out import create_tx_out
from support.world import BLOCK_VERSION

replace = dataclasses.replace


def flip_bit(data, position=0):
    """The bytes with one bit changed."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def with_signature(tx, **changes):
    """The transaction with another signature part."""
    return replace(tx, signature=replace(tx.signature, **changes))


def with_input_proofs(tx, change):
    """The transaction with `change(proof)` in place of each membership proof of its one input."""
    [tx_in] = tx.prefix.inputs
    tx_in = replace(tx_in, proofs=tuple(map(change, tx_in.proofs)))
    return replace(tx, prefix=replace(tx.prefix, inputs=(tx_in,)))


def sign_unbalanced(purse, output, values, *, debt=None):
    """A payment of any `values` to Bob, fully signed.

    With `debt`, the last value is hidden as -`debt` instead: the commitment is to the negative
    number, so that sums may balance, while the range proof is made for the value as given.
    """
    unsigned = purse.builder(output).build_unsigned()
    recipient = purse.world.bob.default_subaddress()
    made = []
    for number, value in enumerate(values):
        tx_out, secret = create_tx_out(
            BLOCK_VERSION,
            Amount(value, 0),
            recipient,
            RistrettoPrivate.random(os.urandom),
            fake_onetime_hint(os.urandom),
        )
        opened = open_masked_amount(tx_out.masked_amount, secret.to_bytes())
        if debt is not None and number == len(values) - 1:
            negative = _native.point_subtract(
                commit(0, opened.blinding, 0), commit(debt, bytes(32), 0)
            )
            masked = replace(tx_out.masked_amount, commitment=negative)
            tx_out = replace(tx_out, masked_amount=masked)
        made.append((tx_out, opened))
    made.sort(key=lambda pair: pair[0].public_key)
    prefix = replace(unsigned.prefix, outputs=tuple(tx_out for tx_out, _ in made))
    data = make_signing_data(
        BLOCK_VERSION,
        prefix,
        unsigned.rings,
        [opened for _, opened in made],
        os.urandom,
        conserves_value=False,
    )
    return Tx(prefix, data.sign(unsigned.rings, OnetimeKeySigner(), os.urandom), b"")
