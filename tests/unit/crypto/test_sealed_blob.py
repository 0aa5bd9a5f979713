"""Sealed blobs open for the same program, mode and purpose only."""

import dataclasses

import pytest

from mcnode.crypto.sealed_blob import BLOB_BYTES_MAX, PLAINTEXT_BYTES_MAX, SealedBlobError, Sealer
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

SEALER = Sealer(bytes(range(16)), 1, bytes([7]) * 32, b"block-signing-key")
SEED = bytes(range(32))


def test_round_trip_and_layout() -> None:
    blob = SEALER.seal(random_bytes, SEED)
    assert blob[:5] == b"MCS1\x01"
    assert len(blob) == 4 + 1 + 16 + 12 + len(SEED) + 16
    assert SEALER.unseal(blob) == SEED
    assert SEALER.seal(random_bytes, SEED) != blob
    assert SEED not in blob


@pytest.mark.parametrize(
    "change",
    [
        {"sealing_key": bytes(16)},
        {"mode": 2},
        {"measurement": bytes(32)},
        {"purpose": b"another"},
    ],
)
def test_everything_binds(change: dict[str, object]) -> None:
    blob = SEALER.seal(random_bytes, SEED)
    with pytest.raises(SealedBlobError):
        dataclasses.replace(SEALER, **change).unseal(blob)  # type: ignore[arg-type]


def test_every_changed_byte_is_refused() -> None:
    blob = SEALER.seal(random_bytes, SEED)
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(SealedBlobError):
            SEALER.unseal(bytes(changed))


def test_lengths() -> None:
    blob = SEALER.seal(random_bytes, b"")
    for length in (0, 4, len(blob) - 1):
        with pytest.raises(SealedBlobError, match=f"{length} bytes, needs {len(blob)}"):
            SEALER.unseal(blob[:length])
    with pytest.raises(SealedBlobError):
        SEALER.unseal(b"MCS1" + bytes(BLOB_BYTES_MAX))
    with pytest.raises(SealedBlobError, match="limit 65536"):
        SEALER.seal(random_bytes, bytes(PLAINTEXT_BYTES_MAX + 1))


def test_sealing_key_does_not_show() -> None:
    assert SEALER.sealing_key.hex() not in repr(SEALER)
    assert "sealing_key" not in repr(SEALER)
