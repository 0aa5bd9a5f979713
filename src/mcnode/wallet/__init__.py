"""Scan, balance, send: the wallet as a library."""
