"""Ring signatures and range proofs: `python -m bench.proofs`.

Times are medians in milliseconds on one thread, after one warm-up call.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mcnode.crypto.commitment import commit
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.range_proof import RangeClaim, check_range_proof, check_range_proofs, prove
from mcnode.crypto.ring_signature import RingMember, RingSecrets, check_ring_signature, sign
from mcnode.crypto.rng import ChaCha12Rng, random_scalar

RING_SIZE = 11
TOKEN_ID = 0
Row = tuple[str, float]


def median_ms(function: Callable[[], object], repeats: int = 15) -> float:
    """The median time of a call, in milliseconds."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def ring_signatures() -> Iterator[Row]:
    rng = ChaCha12Rng(bytes(32))
    ring = [
        RingMember(
            RistrettoPrivate(random_scalar(rng)).public_key().to_bytes(),
            commit(number, random_scalar(rng), TOKEN_ID),
        )
        for number in range(RING_SIZE)
    ]
    private, blinding, value = RistrettoPrivate(random_scalar(rng)), random_scalar(rng), 10**12
    ring[3] = RingMember(private.public_key().to_bytes(), commit(value, blinding, TOKEN_ID))
    secrets = RingSecrets(3, private, value, TOKEN_ID, blinding, random_scalar(rng))
    output = commit(value, secrets.output_blinding, TOKEN_ID)
    message = bytes(32)
    signature = sign(message, ring, secrets, rng)
    yield "MLSAG sign, ring of 11", median_ms(lambda: sign(message, ring, secrets, os.urandom))
    yield (
        "MLSAG verify, ring of 11",
        median_ms(lambda: check_ring_signature(message, ring, output, signature)),
    )


def claim(count: int, rng: ChaCha12Rng) -> RangeClaim:
    """A proof over so many values."""
    values = [10**12 + number for number in range(count)]
    blindings = [random_scalar(rng) for _ in values]
    commitments = [
        commit(value, blinding, TOKEN_ID) for value, blinding in zip(values, blindings, strict=True)
    ]
    return RangeClaim(prove(values, blindings, TOKEN_ID, rng), commitments, TOKEN_ID)


def range_proofs() -> Iterator[Row]:
    rng = ChaCha12Rng(bytes(32))
    for count in (1, 2, 4, 8, 32):
        values, blindings = [10**12] * count, [random_scalar(rng) for _ in range(count)]
        proving = median_ms(lambda: prove(values, blindings, TOKEN_ID, os.urandom), 7)  # noqa: B023
        yield f"range proof prove, {count} values", proving
        one = claim(count, rng)
        yield f"range proof verify, {count} values", median_ms(lambda: check_range_proof(*one))  # noqa: B023
    batch = [claim(4, rng) for _ in range(64)]
    whole = median_ms(lambda: check_range_proofs(batch), 7)
    yield "range proof verify, 4 values, each of a batch of 64", whole / len(batch)


def rows() -> Iterator[Row]:
    """All measurements of this topic."""
    yield from ring_signatures()
    yield from range_proofs()


def machine() -> str:
    """The processor's name as the system gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    print(machine())
    for name, value in rows():
        print(f"{name:55} {value:9.3f} ms")
