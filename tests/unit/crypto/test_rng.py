"""Seeded generators against published streams."""

import pytest

from mcnode.crypto.rng import ChaCha12Rng, Hc128Rng, random_scalar

HC128_ZERO = "82001573a003fd3b7fd72ffb0eaf63aac62f12deb629dca72785a66268ec758b"
CHACHA12_ZERO = "9bf49a6a0755f953811fce125f2683d50429c3bb49e074147e0089a52eae155f"


@pytest.mark.parametrize(
    ("generator", "stream"), [(Hc128Rng, HC128_ZERO), (ChaCha12Rng, CHACHA12_ZERO)]
)
def test_known_streams(generator: type[Hc128Rng], stream: str) -> None:
    assert generator(bytes(32))(32).hex() == stream


@pytest.mark.parametrize("generator", [Hc128Rng, ChaCha12Rng])
def test_whole_words_are_consumed(generator: type[Hc128Rng]) -> None:
    whole = generator(bytes(32))(16)
    draw = generator(bytes(32))
    assert (draw(3), draw(5)) == (whole[:3], whole[4:9])
    draw = generator(bytes(32))
    assert draw.next_u32() == int.from_bytes(whole[:4], "little")
    assert draw.next_u64() == int.from_bytes(whole[4:12], "little")


def test_scalars_take_64_bytes() -> None:
    counts: list[int] = []

    def draw(count: int) -> bytes:
        counts.append(count)
        return bytes([255]) * count

    assert random_scalar(draw) != bytes(32)
    assert counts == [64]


def test_limits() -> None:
    with pytest.raises(ValueError, match="limit 16777216"):
        Hc128Rng(bytes(32))((1 << 24) + 1)
    with pytest.raises(ValueError, match="expected exactly 32 bytes"):
        ChaCha12Rng(bytes(31))
