"""Catching up with the network: what is safe to trust, then fetch, check and append."""

from mcnode.ledger.sync.errors import LedgerSyncError, NoSafeBlocks, NoTransactionData
from mcnode.ledger.sync.network_state import NetworkState
from mcnode.ledger.sync.service import HeaderPeer, LedgerSync

__all__ = [
    "HeaderPeer",
    "LedgerSync",
    "LedgerSyncError",
    "NetworkState",
    "NoSafeBlocks",
    "NoTransactionData",
]
