"""Where random bytes come from. [docs/protocol/crypto.md#25]

No function of the core draws randomness by itself: what needs it takes a `RandomBytes`, a callable
from a count to that many bytes. Programs inject `os.urandom`; fixtures and the key tools inject
one of the deterministic generators, whose streams are part of known results.
"""

from collections.abc import Callable
from typing import TypeAlias

from mcnode._native import ChaCha12Rng, Hc128Rng, scalar_from_wide

RandomBytes: TypeAlias = Callable[[int], bytes]

SEED_BYTES = 32
WIDE_BYTES = 64
"""Drawn for a scalar or a point, so that the reduction leaves no visible bias."""

__all__ = ["SEED_BYTES", "WIDE_BYTES", "ChaCha12Rng", "Hc128Rng", "RandomBytes", "random_scalar"]


def random_scalar(random_bytes: RandomBytes) -> bytes:
    """A uniform canonical scalar, 32 bytes, from 64 random ones."""
    return scalar_from_wide(random_bytes(WIDE_BYTES))
