"""Short names for what a slot is about, so that a person can read it.

A node is named by the first word of its host where that tells all apart, by its port where they all
run on one host, else by host and port; a value is
`v1`, `v2`, … in the order of appearance, with the hash in a legend; a list is its values, `v1…v100`
where they run on.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from mcnode.peers.consensus_value import ConsensusValue, ValueKind
from mcnode.scp import INFINITY, Ballot, NodeID, QuorumSet
from mcnode.slots.events import Heard, Proposed, SlotRecord

RUNS_SHOWN_MAX: Final = 3
"""Runs of values that a list is written with; a longer one is counted."""
_KIND_NAMES: Final = {
    ValueKind.TX_HASH: "tx",
    ValueKind.MINT_CONFIG_TX: "mint config",
    ValueKind.MINT_TX: "mint",
}


class Names:
    """Names of the nodes and values of one slot."""

    def __init__(self, local_id: NodeID, nodes: Iterable[NodeID] = ()) -> None:
        """Nodes that are not given are named by host and port."""
        self.local_id = local_id
        self._nodes = _node_names(tuple(nodes))
        self._values: dict[ConsensusValue, int] = {}

    @classmethod
    def of_record(cls, record: SlotRecord) -> "Names":
        """The names of a recorded slot; values proposed here come first."""
        names = cls(record.start.node_id, _nodes_of(record))
        for event in record.events:
            if isinstance(event.input, Proposed):
                for value in event.input.values:
                    names.value(value)
        return names

    def node(self, node: NodeID) -> str:
        """`node2`, `:8443` or `host:port`."""
        return self._nodes.get(node, node.responder_id)

    @property
    def width(self) -> int:
        """Characters of the longest name of a node."""
        return max(map(len, self._nodes.values()), default=0)

    def nodes(self, nodes: Iterable[NodeID]) -> str:
        """`node2, node3`."""
        return ", ".join(self.node(node) for node in nodes)

    def value(self, value: ConsensusValue) -> str:
        """`v7`."""
        return f"v{self._number(value)}"

    def values(self, values: Sequence[ConsensusValue]) -> str:
        """`v1…v4 v9`, or `100 values`."""
        runs: list[list[int]] = []
        for number in map(self._number, values):
            if runs and number == runs[-1][-1] + 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        if len(runs) > RUNS_SHOWN_MAX and len(values) > RUNS_SHOWN_MAX + 1:
            return f"{len(values)} values"
        return " ".join(map(_run, runs)) or "no value"

    def ballot(self, ballot: Ballot[ConsensusValue] | None) -> str:
        """`<2: v1 v2>`, or `-`."""
        if ballot is None or not ballot.counter:
            return "-"
        return f"<{counter_text(ballot.counter)}: {self.values(ballot.values)}>"

    def values_named(self) -> tuple[ConsensusValue, ...]:
        """Every value named so far, in the order of the names."""
        return tuple(self._values)

    def quorum_set(self, quorum_set: QuorumSet[NodeID]) -> str:
        """`3 of [node2, node3, 2 of [node4, node5]]`."""
        members = (
            self.quorum_set(member)
            if isinstance(member, QuorumSet)
            else "absent"
            if member is None
            else self.node(member)
            for member in quorum_set.members
        )
        return f"{quorum_set.threshold} of [{', '.join(members)}]"

    def _number(self, value: ConsensusValue) -> int:
        return self._values.setdefault(value, len(self._values) + 1)


def counter_text(counter: int) -> str:
    """A ballot counter; the one that stands for all as a word."""
    return "infinity" if counter == INFINITY else str(counter)


def describe_value(value: ConsensusValue) -> str:
    """`tx 0123abcd…`, in full."""
    kind = _KIND_NAMES[value.kind]
    if isinstance(value.content, bytes):
        return f"{kind} {value.content.hex()}"
    return f"{kind} {value.content.prefix.nonce.hex()}"


def _run(numbers: list[int]) -> str:
    if len(numbers) > 2:
        return f"v{numbers[0]}…v{numbers[-1]}"
    return " ".join(f"v{number}" for number in numbers)


def _nodes_of(record: SlotRecord) -> list[NodeID]:
    nodes = dict.fromkeys([record.start.node_id, *record.start.quorum_set.iter_nodes()])
    for event in record.events:
        if isinstance(event.input, Heard):
            nodes |= dict.fromkeys(msg.sender_id for msg in event.input.msgs)
    return list(nodes)


def _node_names(nodes: Sequence[NodeID]) -> dict[NodeID, str]:
    """The shortest kind of name that tells all apart."""
    hosts = [node.responder_id.rpartition(":")[0] for node in nodes]
    ports = [":" + node.responder_id.rpartition(":")[2] for node in nodes]
    first_words = [host.partition(".")[0] for host in hosts]
    candidates = [first_words, hosts]
    if len(set(hosts)) == 1 < len(nodes):
        candidates = [ports]
    for names in candidates:
        if len(set(names)) == len(nodes) and not any(name.isdigit() for name in names):
            return dict(zip(nodes, names, strict=True))
    return {node: node.responder_id for node in nodes}
