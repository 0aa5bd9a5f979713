"""The ledger's Prometheus metrics, by the network's names. [docs/protocol/ledger.md#4.6]"""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LABELS = ("op", "db_path")


class LedgerMetrics:
    """Counters and gauges of one registry; one object serves any number of ledgers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counter = Counter(
            "ledger_db_counter", "Blocks and outputs written", _LABELS, registry=registry
        )
        self._gauge = Gauge("ledger_db_gauge", "Size of the ledger", _LABELS, registry=registry)
        self._duration = Histogram(
            "ledger_db_duration", "Seconds per operation", _LABELS, registry=registry
        )

    def count_append(self, path: Path, num_blocks: int, num_txos: int, elapsed_s: float) -> None:
        """Count one append of `num_blocks` blocks with `num_txos` outputs in all."""
        self._counter.labels("blocks_written_count", str(path)).inc(num_blocks)
        self._counter.labels("txo_written_count", str(path)).inc(num_txos)
        self._duration.labels("append_block", str(path)).observe(elapsed_s)

    def set_sizes(self, path: Path, num_blocks: int, num_txos: int, file_bytes: int) -> None:
        """Set the gauges."""
        self._gauge.labels("num_blocks", str(path)).set(num_blocks)
        self._gauge.labels("num_txos", str(path)).set(num_txos)
        self._gauge.labels("db_file_size", str(path)).set(file_bytes)
