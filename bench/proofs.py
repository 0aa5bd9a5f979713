"""Ring signatures and range proofs, on one thread."""

import os
from collections.abc import Callable, Iterable

from bench.harness import Benchmark
from mcnode.crypto.commitment import commit
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.range_proof import RangeClaim, check_range_proof, check_range_proofs, prove
from mcnode.crypto.ring_signature import RingMember, RingSecrets, check_ring_signature, sign
from mcnode.crypto.rng import ChaCha12Rng, random_scalar

RING_SIZE = 11
BATCH = 64
TOKEN_ID = 0
RANGE_PROOF_BARS = {1: "0.84", 2: "", 4: "2.28", 8: "4.0", 16: "", 32: "13.5"}
"""Verification by the network's software on a like processor, by count of values."""


def ring_signatures() -> Iterable[Benchmark]:
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
    yield Benchmark(
        "MLSAG verify, ring of 11",
        "ms",
        "< 1.1 (network 1.9)",
        lambda: check_ring_signature(message, ring, output, signature),
    )
    yield Benchmark(
        "MLSAG sign, ring of 11",
        "ms",
        "2.05 (network's)",
        lambda: sign(message, ring, secrets, os.urandom),
    )


def make_claim(count: int, rng: ChaCha12Rng) -> RangeClaim:
    values = [10**12 + number for number in range(count)]
    blindings = [random_scalar(rng) for _ in values]
    commitments = [
        commit(value, blinding, TOKEN_ID) for value, blinding in zip(values, blindings, strict=True)
    ]
    return RangeClaim(prove(values, blindings, TOKEN_ID, rng), commitments, TOKEN_ID)


def prover(count: int, rng: ChaCha12Rng) -> Callable[[], bytes]:
    values, blindings = [10**12] * count, [random_scalar(rng) for _ in range(count)]
    return lambda: prove(values, blindings, TOKEN_ID, os.urandom)


def verifier(count: int, rng: ChaCha12Rng) -> Callable[[], None]:
    claim = make_claim(count, rng)
    return lambda: check_range_proof(*claim)


def range_proofs() -> Iterable[Benchmark]:
    rng = ChaCha12Rng(bytes(32))
    for count, bar in RANGE_PROOF_BARS.items():
        name = f"range proof verify, {count} values"
        yield Benchmark(name, "ms", f"{bar} (network's)" if bar else "", verifier(count, rng))
    for count, bar in ((1, ""), (2, ""), (4, "<= 24 (network 24.7)"), (32, "")):
        name = f"range proof prove, {count} values"
        yield Benchmark(name, "ms", bar, prover(count, rng), repeat=3, runs=5)
    batch = [make_claim(4, rng) for _ in range(BATCH)]
    yield Benchmark(
        f"range proof verify, 4 values, one of {BATCH}",
        "ms",
        "< 0.285 (an eighth of the network's)",
        lambda: check_range_proofs(batch),
        repeat=1,
        per_call=BATCH,
    )


def benchmarks() -> Iterable[Benchmark]:
    yield from ring_signatures()
    yield from range_proofs()
