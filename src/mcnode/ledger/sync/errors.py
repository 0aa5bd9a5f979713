"""Errors of catching up; all may be gone at the next attempt. [docs/protocol/ledger.md#5.2]"""

from mcnode.errors import UnavailableError


class LedgerSyncError(UnavailableError):
    """An attempt to catch up brought nothing, or less than it should."""


class NoSafeBlocks(LedgerSyncError):
    """No block that enough peers agree on."""


class NoTransactionData(LedgerSyncError):
    """No archive gave the contents of even the first block."""
