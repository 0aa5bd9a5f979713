"""Reading and hashing a transaction; a peer's message."""

import json
from collections.abc import Iterable
from pathlib import Path

from bench.harness import Benchmark
from mcnode.codec.digest import decode_and_digest32, digest32, digest32_encoded
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.vectors import read_unpacked
from mcnode.transaction.messages import Tx

VECTORS = Path(__file__).parent.parent / "tests/vectors/transaction/genuine"
CONTEXT = "mobilecoin-tx"


def two_in_two_out() -> bytes:
    """A signed transaction of two inputs and two outputs, rings of 11."""
    [path] = VECTORS.glob("transactions.jsonl*")
    cases = map(json.loads, read_unpacked(path).splitlines())
    case = next(case for case in cases if case["shape"] in ([2, 2], "2x2"))
    return bytes.fromhex(case["tx"])


def benchmarks() -> Iterable[Benchmark]:
    data = two_in_two_out()
    tx = decode(Tx, data)
    yield Benchmark(
        "decode and hash a 2-in-2-out transaction",
        "ms",
        "<= 0.5, then <= 0.3",
        lambda: decode_and_digest32(Tx, CONTEXT, data),
    )
    yield Benchmark(
        "  hash it from its bytes",
        "ms",
        "0.28 (the network's)",
        lambda: digest32_encoded(Tx, CONTEXT, data),
    )
    yield Benchmark("  hash the object", "ms", "", lambda: digest32(CONTEXT, tx))
    yield Benchmark("  decode it", "ms", "", lambda: decode(Tx, data))
    yield Benchmark("  encode it", "ms", "", lambda: encode(tx))
