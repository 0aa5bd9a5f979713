"""Catching up with the network: what is safe to trust, then fetch, check and append."""
