"""Lint and analysis of quorum sets."""
