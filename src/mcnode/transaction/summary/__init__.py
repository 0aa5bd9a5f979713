"""Summaries of transactions, for signers that cannot see the whole.

[docs/protocol/transaction.md#14]
"""
