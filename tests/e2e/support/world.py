"""Funded accounts, the ledger that every chain of the tests starts from, and payments out of it."""

import functools
import os
from pathlib import Path

from mcnode.account.key_files import sample_accounts
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import SampleLedger, make_sample_blocks
from mcnode.network.bootstrap import SAMPLE_KEYS_SEED, SAMPLE_LEDGER_SEED
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import InputCredentials, TransactionBuilder
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, RING_SIZE
from mcnode.transaction.messages import Amount
from mcnode.wallet.scanner import Scanner

BLOCK_VERSION = BlockVersion(4)
TOMBSTONE = 100
ONE_MOB = 10**12
ACCOUNT_COUNT, OUTPUTS_PER_ACCOUNT = 2, 60


class World:
    """Two accounts, and an origin block that pays both. No node has its ledger open."""

    def __init__(self, directory):
        self.origin = Path(directory) / "origin"
        accounts = sample_accounts(SAMPLE_KEYS_SEED, ACCOUNT_COUNT)
        self.alice, self.bob = (keys.account_key() for keys in accounts)
        recipients = [account.default_subaddress() for account in (self.alice, self.bob)]
        sample = SampleLedger(recipients, OUTPUTS_PER_ACCOUNT, 1, 0, SAMPLE_LEDGER_SEED)
        with LedgerDB.create(self.origin, durable=False) as ledger:
            for block_data in make_sample_blocks(sample):
                ledger.append_block_data(block_data)
            ledger.flush()
        self.ledger = LedgerDB.open(self.origin, read_only=True)

    def close(self):
        self.ledger.close()

    @functools.cached_property
    def alices_outputs(self):
        """What the origin block pays Alice."""
        tx_outs = self.ledger.get_tx_outs(0, self.ledger.num_txos())
        return tuple(Scanner(self.alice).scan(tx_outs, 0, 0))

    def purse(self):
        """All of Alice's outputs, none spent: for one chain."""
        return Purse(self)


class Purse:
    """Hands out Alice's outputs of one chain, each once, and pays Bob from them."""

    def __init__(self, world):
        self.world = world
        self._unspent = iter(world.alices_outputs)

    def take(self):
        """An output that nothing was paid from yet."""
        return next(self._unspent)

    def credentials(self, output, *, ring_size=RING_SIZE):
        """The output among its successors in the origin block."""
        ledger = self.world.ledger
        count = ledger.num_txos()
        indices = [(output.tx_out_index + step) % count for step in range(ring_size)]
        key = recover_onetime_private_key(
            RistrettoPublic(output.public_key),
            self.world.alice.view_private,
            self.world.alice.subaddress_spend_private(output.subaddress_index),
        )
        return InputCredentials.create(
            [ledger.get_tx_out_by_index(index) for index in indices],
            ledger.get_tx_out_proof_of_memberships(indices),
            0,
            key,
            self.world.alice.view_private,
        )

    def builder(
        self,
        output,
        *,
        value=ONE_MOB,
        fee=MINIMUM_FEE_MOB,
        tombstone=TOMBSTONE,
        ring_size=RING_SIZE,
        block_version=BLOCK_VERSION,
    ):
        """A payment to Bob of `value`, the rest back to Alice."""
        builder = TransactionBuilder(block_version, Amount(fee, MOB), os.urandom)
        builder.add_input(self.credentials(output, ring_size=ring_size))
        builder.add_output(Amount(value, MOB), self.world.bob.default_subaddress())
        builder.add_change_output(Amount(output.value - value - fee, MOB), self.world.alice)
        builder.set_tombstone_block(tombstone)
        return builder

    def payment(self, output=None, **changes):
        """A signed payment, by default of an output not used yet."""
        return self.builder(self.take() if output is None else output, **changes).build()
