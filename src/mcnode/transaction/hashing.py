"""The named digests of transactions. [docs/protocol/transaction.md#3.1]"""

import dataclasses

from mcnode.codec.digest import digest32
from mcnode.transaction.messages import (
    InputRules,
    MintConfigTxPrefix,
    MintTxPrefix,
    Tx,
    TxIn,
    TxOut,
    TxPrefix,
)


def tx_hash(tx: Tx) -> bytes:
    """The 32 bytes by which consensus knows a transaction; proofs and signatures included."""
    return digest32("mobilecoin-tx", tx)


def tx_hash_display(hash_: bytes) -> str:
    """The short form of a transaction hash for people: its first 6 bytes in hex."""
    return hash_[:6].hex()


def tx_prefix_hash(prefix: TxPrefix) -> bytes:
    """The 32-byte hash that signatures bind; membership proofs included."""
    return digest32("mobilecoin-tx-prefix", prefix)


def tx_out_hash(tx_out: TxOut) -> bytes:
    """The 32-byte hash of an output, as in the ledger."""
    return digest32("mobilecoin-txout", tx_out)


def input_rules_digest(rules: InputRules) -> bytes:
    """The 32-byte digest that a transaction summary shows for an input with rules."""
    return digest32("mc-input-rules", rules)


def tx_in_signed_digest(tx_in: TxIn) -> bytes | None:
    """The 32 bytes that the ring signature of an input with rules signs, without rules None.

    Proofs are left out: whoever adds the input to a transaction refreshes them.
    """
    if tx_in.input_rules is None:
        return None
    return digest32("mc-input-rules-digest", dataclasses.replace(tx_in, proofs=()))


def mint_tx_prefix_hash(prefix: MintTxPrefix) -> bytes:
    """The 32 bytes that minters sign."""
    return digest32("mc_mint_tx_prefix", prefix)


def mint_config_tx_prefix_hash(prefix: MintConfigTxPrefix) -> bytes:
    """The 32 bytes that governors sign."""
    return digest32("mc_mint_config_tx_prefix", prefix)
