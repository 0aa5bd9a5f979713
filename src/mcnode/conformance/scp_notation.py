"""The notation that the agreement vectors share, read into the product's types.

Nodes are numbers, quorum sets `[threshold, members]` or `{threshold, members}`, ballots `[N, X]` or
`{N, X}`, topics either `{"t": "NP", ...}` (traces) or `{"NominatePrepare": [...]}` (scenarios).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.rng import Hc128Rng
from mcnode.errors import InvalidError
from mcnode.scp import Ballot, NodeID, QuorumSet, Topic
from mcnode.scp.types import (
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
)


def node_id(number: int) -> NodeID:
    """Test node `number`: its key comes from HC-128 seeded with the number."""
    seed = Hc128Rng(number.to_bytes(4) + bytes(28))(32)
    return NodeID(f"node{number}.test.com:8443", Ed25519Private(seed).public_key().to_bytes())


class Nodes:
    """Test nodes by number, made when first asked for."""

    def __init__(self) -> None:
        self._ids: dict[int, NodeID] = {}
        self._numbers: dict[NodeID, int] = {}

    def __getitem__(self, number: int) -> NodeID:
        if number not in self._ids:
            made = self._ids[number] = node_id(number)
            self._numbers[made] = number
        return self._ids[number]

    def numbers(self, nodes: Iterable[NodeID]) -> list[int]:
        """The numbers of nodes made here, ascending."""
        return sorted(self._numbers[node] for node in nodes)

    def quorum_set(self, written: Any) -> QuorumSet[NodeID]:
        """A quorum set in either form."""
        if isinstance(written, dict):
            written = [written["threshold"], written["members"]]
        threshold, members = written
        return QuorumSet(
            threshold,
            tuple(self[m] if isinstance(m, int) else self.quorum_set(m) for m in members),
        )


NODES = Nodes()


def ballot(written: Any) -> Ballot[Any]:
    """A ballot in either form."""
    counter, values = (written["N"], written["X"]) if isinstance(written, dict) else written
    return Ballot(counter, tuple(values))


def optional_ballot(written: Any) -> Ballot[Any] | None:
    """A ballot or null."""
    return None if written is None else ballot(written)


def write_ballot(found: Ballot[Any] | None) -> Any:
    """The `[N, X]` form."""
    return None if found is None else [found.counter, list(found.values)]


def _nomination(written: dict[str, Any]) -> NominatePayload[Any]:
    return NominatePayload(tuple(sorted(written["X"])), tuple(sorted(written["Y"])))


def _prepare(written: dict[str, Any]) -> PreparePayload[Any]:
    return PreparePayload(
        ballot(written["B"]),
        optional_ballot(written.get("P")),
        optional_ballot(written.get("PP")),
        written.get("CN", 0),
        written.get("HN", 0),
    )


def _commit(written: dict[str, Any]) -> Commit[Any]:
    return Commit(ballot(written["B"]), written["PN"], written["CN"], written["HN"])


_SHORT: dict[str, Callable[[dict[str, Any]], Topic[Any]]] = {
    "N": lambda w: Nominate(_nomination(w)),
    "NP": lambda w: NominatePrepare(_nomination(w), _prepare(w)),
    "P": lambda w: Prepare(_prepare(w)),
    "C": _commit,
    "E": lambda w: Externalize(ballot(w["C"]), w["HN"]),
}


def topic(written: dict[str, Any]) -> Topic[Any]:
    """A topic in the form of the traces."""
    return _SHORT[written["t"]](written)


_LONG = {"Nominate": "N", "Prepare": "P", "Commit": "C", "Externalize": "E"}


def long_topic(written: dict[str, Any]) -> Topic[Any]:
    """A topic in the form of the scenarios."""
    ((name, payload),) = written.items()
    if name == "NominatePrepare":
        return NominatePrepare(_nomination(payload[0]), _prepare(payload[1]))
    return _SHORT[_LONG[name]](payload)


def combine(rule: str) -> Callable[[Sequence[Any]], list[Any]]:
    """One of the combine callbacks of the traces: sort, desc, trunc:k, fail_over:k."""
    name, _, limit = rule.partition(":")

    def combined(values: Sequence[Any]) -> list[Any]:
        ascending = sorted(set(values), reverse=name == "desc")
        if name == "trunc":
            return ascending[: int(limit)]
        if name == "fail_over" and len(ascending) > int(limit):
            raise InvalidError(f"{len(ascending)} values to combine, limit {limit}")
        return ascending

    return combined


def validate_except(bad: Iterable[Any]) -> Callable[[Any], None]:
    """A validity callback that refuses just these values."""
    refused = frozenset(bad)

    def validate(value: Any) -> None:
        if value in refused:
            raise InvalidError(f"value {value} is one of {len(refused)} refused")

    return validate
