"""The ledger: database, archive, sync."""
