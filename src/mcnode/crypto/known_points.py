"""Points kept while transactions are judged, so that each is decoded and hashed once.

A commitment is looked at up to four times in one transaction, and transactions of a batch may share
ring members. What is kept is dropped with the batch: if it outlived it, the time of a later
judgement would tell what rings an earlier transaction had, which is nobody's business.
"""

from typing import Final

from mcnode._native import KnownPoints

__all__ = ["KNOWN_POINTS_MAX", "KnownPoints", "known_points"]

KNOWN_POINTS_MAX: Final = 16_384
"""Of each kind, decoded and hashed: all rings of 46 transactions of 16 inputs; 4 MB."""


def known_points() -> KnownPoints:
    """An empty memory for one batch."""
    return KnownPoints(KNOWN_POINTS_MAX)
