"""Runners of vector files in the documented formats."""
