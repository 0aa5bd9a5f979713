"""The ledger on disk: LMDB with the network's sub-databases."""

from mcnode.ledger.db.ledger_db import LedgerDB
from mcnode.ledger.db.metrics import LedgerMetrics

__all__ = ["LedgerDB", "LedgerMetrics"]
