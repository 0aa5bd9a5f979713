"""Transactions: messages, building, validation."""
