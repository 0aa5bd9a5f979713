"""Figures of speed and size, printed by `make bench`."""
