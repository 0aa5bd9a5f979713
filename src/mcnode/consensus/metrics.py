"""What a node counts, under the names that operators' dashboards know.
[docs/protocol/service.md#14]

`NodeMetrics` holds every family of one node in a registry of its own; `NodeMetrics.text` writes the
text format. The library's own writer would add `_total` to the names of counters, which the
network's programs do not.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from mcnode.consensus.byzantine_ledger import Snapshot

GRPC_DURATION_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
MESSAGE_SIZE_BUCKETS: Final = tuple(float(1 << power) for power in range(6, 24, 2))
PENDING_VALUE_BUCKETS: Final = (*range(1, 11), 15, 20, 25, 30, 45, 60)
OPERATION_BUCKETS: Final = GRPC_DURATION_BUCKETS

VALIDATION_ERROR_LABELS_MAX: Final = 100
"""Kinds of validation error that get a counter of their own; a label must not grow with what
strangers send."""

_COMMON_SERVICES: Final = ("admin.", "build_info.", "grpc.health.v1.")


def method_label(path: str) -> str | None:
    """The label of a gRPC path: `/a.B/C` is `a.B.C`. None for a text that is no such path."""
    if not path.startswith("/"):
        return None
    parts = path[1:].split("/")
    return ".".join(parts) if len(parts) > 1 and all(parts) else None


class OpMetrics:
    """One group of families in which `op` tells the measured thing apart."""

    def __init__(self, name: str, registry: CollectorRegistry) -> None:
        self._counter = Counter(name, f"Counters for {name}", ["op"], registry=registry)
        self._gauge = Gauge(f"{name}_gauge", f"Gauges for {name}", ["op"], registry=registry)
        self._peer_counter = Counter(
            f"{name}_peer_counter",
            f"Peer counters for {name}",
            ["op", "remote_responder_id"],
            registry=registry,
        )
        self._peer_gauge = Gauge(
            f"{name}_peer_gauge",
            f"Peer gauges for {name}",
            ["op", "remote_responder_id"],
            registry=registry,
        )
        self._duration = Histogram(
            f"{name}_duration",
            f"Durations for {name}",
            ["op"],
            buckets=OPERATION_BUCKETS,
            registry=registry,
        )

    def count(self, op: str, by: int = 1) -> None:
        """Add to a counter."""
        self._counter.labels(op).inc(by)

    def gauge(self, op: str, value: float) -> None:
        """Set a gauge."""
        self._gauge.labels(op).set(value)

    def count_for_peer(self, op: str, responder_id: str) -> None:
        """Add one to a peer's counter."""
        self._peer_counter.labels(op, responder_id).inc()

    def gauge_for_peer(self, op: str, responder_id: str, value: float) -> None:
        """Set a peer's gauge."""
        self._peer_gauge.labels(op, responder_id).set(value)

    def observe(self, op: str, duration_s: float) -> None:
        """Add a duration."""
        self._duration.labels(op).observe(duration_s)


class NodeMetrics:
    """All families of one node."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives seconds, for the duration of calls; `unix_time` the time of day."""
        self._registry = CollectorRegistry()
        self._clock = clock
        self._unix_time = unix_time
        self.scp = OpMetrics("consensus_scp", self._registry)
        self._pending_value_processing_time = Histogram(
            "pending_value_processing_time",
            "Time from receiving a value until it is externalized (in seconds)",
            buckets=PENDING_VALUE_BUCKETS,
            registry=self._registry,
        )
        self._validation_errors = Counter(
            "consensus_service_tx_validation_errors",
            "Transactions refused, by reason",
            ["err"],
            registry=self._registry,
        )
        self._validation_error_labels: set[str] = set()
        self._requests: dict[str, Counter] = {}
        self._durations: dict[str, Histogram] = {}
        for name in ("consensus_service", "consensus_service_grpc"):
            self._requests[name] = Counter(
                f"{name}_num_req", "Number of requests", ["method"], registry=self._registry
            )
            self._durations[name] = Histogram(
                f"{name}_duration",
                "Duration for a request, in units of time",
                ["method"],
                buckets=GRPC_DURATION_BUCKETS,
                registry=self._registry,
            )
        self._errors = Counter(
            "consensus_service_grpc_num_error",
            "Number of errors",
            ["method"],
            registry=self._registry,
        )
        self._status_codes = Counter(
            "consensus_service_grpc_num_status_code",
            "Number of grpc status codes",
            ["method", "status_code"],
            registry=self._registry,
        )
        self._message_sizes = Histogram(
            "consensus_service_grpc_message_size",
            "Size of a message in bytes",
            ["message"],
            buckets=MESSAGE_SIZE_BUCKETS,
            registry=self._registry,
        )

    @property
    def registry(self) -> CollectorRegistry:
        """Where other rooms' families may be registered as well."""
        return self._registry

    def count(self, op: str) -> None:
        """Add one to a counter of `consensus_scp`."""
        self.scp.count(op)

    def evidence_refreshed(self) -> None:
        """New attestation evidence is in use."""
        self.scp.gauge("enclave_attestation_evidence_timestamp", int(self._unix_time()))

    def block_externalized(self, *, tx_count: int, waited_s: Sequence[float]) -> None:
        """A block of so many values was made; `waited_s`: how long those of our clients waited."""
        self.scp.count("tx_externalized_count", tx_count)
        self.scp.gauge("prev_slot_num_ext_vals", tx_count)
        self.scp.gauge("prev_slot_ended_at", int(self._unix_time() * 1000))
        for duration_s in waited_s:
            self._pending_value_processing_time.observe(duration_s)

    def show(self, snapshot: "Snapshot", *, tx_cache_entries: int, events_waiting: int) -> None:
        """Set the gauges of the slot under way."""
        slot = snapshot.slot
        gauges = {
            "cur_slot_num": snapshot.slot_index,
            "prev_slot_number": max(0, snapshot.slot_index - 1),
            "cur_num_pending_values": snapshot.pending_values,
            "cur_slot_phase": int(slot.phase),
            "cur_slot_num_voted_nominated": slot.voted_count,
            "cur_slot_num_accepted_nominated": slot.accepted_count,
            "cur_slot_num_confirmed_nominated": slot.confirmed_count,
            "cur_slot_nomination_round": slot.nomination_round,
            "cur_slot_ballot_counter": slot.ballot_counter,
            "byzantine_ledger_msg_queue_size": snapshot.queued_messages,
            "consensus_msgs_from_network_queue_size": events_waiting,
            "tx_cache_num_entries": tx_cache_entries,
        }
        for op, value in gauges.items():
            self.scp.gauge(op, value)

    def count_validation_error(self, kind: str) -> None:
        """A transaction was refused; `kind` is the name of the error's class."""
        known = self._validation_error_labels
        if kind not in known and len(known) >= VALIDATION_ERROR_LABELS_MAX:
            kind = "other"
        known.add(kind)
        self._validation_errors.labels(kind).inc()

    # The next two make it a `mcnode.api.rpc.CallObserver`.

    def call_started(self, path: str, request_bytes: int) -> object:
        """Count a call; the returned value goes back to `call_ended`."""
        label = method_label(path)
        if label is None:
            return None
        self._requests[_family(label)].labels(label).inc()
        self._message_sizes.labels(f"{label}.request").observe(request_bytes)
        return self._clock()

    def call_ended(self, path: str, started: object, code: grpc.StatusCode) -> None:
        """Count a call's outcome and its duration."""
        label = method_label(path)
        if label is None or not isinstance(started, float):
            return
        self._durations[_family(label)].labels(label).observe(self._clock() - started)
        failed = code is not grpc.StatusCode.OK
        self._errors.labels(label).inc(int(failed))
        self._status_codes.labels(label, f"{code.value[0]}-{code.name}").inc()

    def text(self) -> str:
        """Everything, in the text exposition format."""
        return registry_text(self._registry)


def _family(label: str) -> str:
    common = label.startswith(_COMMON_SERVICES)
    return "consensus_service_grpc" if common else "consensus_service"


def registry_text(registry: CollectorRegistry) -> str:
    """A registry's families, sorted by name, those without a sample left out."""
    families = sorted(registry.collect(), key=lambda family: family.name)
    return "".join(line for family in families for line in _family_lines(family))


def _family_lines(family: Metric) -> Iterator[str]:
    samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
    if not samples:
        return
    yield f"# HELP {family.name} {_escape_help(family.documentation)}\n"
    yield f"# TYPE {family.name} {family.type}\n"
    for sample in samples:
        name = sample.name
        if family.type == "counter":
            name = name.removesuffix("_total")
        yield f"{name}{_labels(sample)} {_number(sample.value)}\n"


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    pairs = ",".join(f'{name}="{_escape(value)}"' for name, value in sample.labels.items())
    return f"{{{pairs}}}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(floatToGoString(value))  # type: ignore[no-untyped-call]
