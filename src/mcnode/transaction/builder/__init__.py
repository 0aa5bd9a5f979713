"""Building transactions. [docs/protocol/transaction.md#12]"""
