"""Quorum sets, searches, leaders and the order of messages."""

from collections.abc import Callable, Iterable
from typing import Any

from mcnode.blockchain.quorum_set import MetadataQuorumSet, metadata_quorum_set, quorum_set_of
from mcnode.codec.cbor import from_bytes, to_bytes
from mcnode.codec.digest import digest32
from mcnode.codec.protobuf import Order, decode, encode
from mcnode.conformance.scp_notation import NODES, ballot, node_id, topic, write_ballot
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto.keys import Ed25519Private
from mcnode.scp import NodeID, QuorumSet, Topic, compare_topics
from mcnode.scp.debug import quorum_set_to_json
from mcnode.scp.digest import quorum_set_node
from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.leaders import neighbour_number, neighbours, next_leader, priority, weights
from mcnode.scp.msg_rules import check_topic
from mcnode.scp.nomination import Nomination
from mcnode.scp.search import LOCAL, QuorumSearch
from mcnode.scp.statements import (
    CommitRange,
    accepts_commit,
    accepts_prepared,
    votes_or_accepts_commit,
    votes_or_accepts_prepared,
)
from mcnode.scp.types import ballot_counter_of, nomination_of
from mcnode.scp.wire import quorum_set_shape

_QUORUM_SET = quorum_set_shape()


# -- leaders -------------------------------------------------------------------------------------


@runs("scp", r"test_node_ids[^/]*\.jsonl")
def test_node_ids(file: VectorFile, report: Report) -> None:
    """The nodes that all other files speak of."""
    for case in file.json_lines():
        with report.case(case["index"]):
            found = node_id(case["index"])
            expect_equal("responder id", found.responder_id, case["responder_id"])
            expect_equal("public key", found.public_key.hex(), case["public_key"])
            seed = bytes.fromhex(case["private_seed"])
            signer = Ed25519Private(seed).public_key()
            expect_equal("key of the seed", signer.to_bytes(), found.public_key)


@runs("scp", r"leader_hashes[^/]*\.jsonl")
def leader_hashes(file: VectorFile, report: Report) -> None:
    """Neighbour and priority numbers."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            node = NodeID("", bytes.fromhex(case["public_key"]))
            place = int(case["slot_index"]), case["round"], node
            expect_equal("neighbour", f"{neighbour_number(*place):064x}", case["neighbor_hash"])
            expect_equal("priority", f"{priority(*place):064x}", case["priority_hash"])


@runs("scp", r"leader_rounds[^/]*\.jsonl")
def leader_rounds(file: VectorFile, report: Report) -> None:
    """Neighbours and leaders, round by round."""
    for case in file.json_lines():
        with report.case(case["name"]):
            local, slot_index = NODES[case["local"]], int(case["slot_index"])
            found = weights(local, NODES.quorum_set(case["quorum_set"]))
            written = {str(NODES.numbers([n])[0]): f"{weight:064x}" for n, weight in found.items()}
            expected = {node: weight["weight256"] for node, weight in case["weights"].items()}
            expect_equal("weights", written, expected)
            leaders: set[NodeID] = set()
            for each in case["rounds"]:
                near = neighbours(slot_index, each["round"], found)
                expect_equal("neighbours", NODES.numbers(near), sorted(each["neighbors"]))
                leader = next_leader(slot_index, each["round"], local, found, leaders)
                expect_equal("added", leader, NODES[each["added_leader"]])
                leaders.add(leader)
                expect_equal("leaders", NODES.numbers(leaders), sorted(each["leaders"]))


@runs("scp", r"genuine[^/]*/leaders[^/]*\.jsonl")
def genuine_leaders(file: VectorFile, report: Report) -> None:
    """Leader sets of the network's own software."""
    for case in file.json_lines():
        with report.case(case["id"]):
            local, quorum_set = NODES[case["self"]], NODES.quorum_set(case["qs"])
            for number, *weight in case["weights"]:
                expect_equal(f"weight of {number}", [*quorum_set.weight(NODES[number])], weight)
            search = QuorumSearch(local, quorum_set)
            nomination = Nomination(int(case["slot"]), local, quorum_set, search)
            for expected in case["leaders_by_round"]:
                expect_equal("leaders", NODES.numbers(nomination.leaders), expected)
                nomination.next_round()


# -- quorum sets ---------------------------------------------------------------------------------


@runs("scp", r"genuine[^/]*/quorum_sets[^/]*\.jsonl")
def quorum_sets(file: VectorFile, report: Report) -> None:
    """Equality, order, validity and every encoding."""
    for case in file.json_lines():
        with report.case(case["id"]):
            sides = {side: NODES.quorum_set(case[side]) for side in "ab"}
            _check_pair(sides["a"], sides["b"], case)
            for side, quorum_set in sides.items():
                _check_set(quorum_set, case, side)


def _check_pair(left: QuorumSet[NodeID], right: QuorumSet[NodeID], case: dict[str, Any]) -> None:
    expect_equal("equal", left == right, case["equal"])
    if "equal_hash" in case:
        expect_equal("equal hash", hash(left) == hash(right), case["equal_hash"])
    order = "Less" if left < right else "Greater" if right < left else "Equal"
    expect_equal("order", order, case["cmp"])


def _check_set(quorum_set: QuorumSet[NodeID], case: dict[str, Any], side: str) -> None:
    recorded = metadata_quorum_set(quorum_set)
    checks: dict[str, Callable[[], object]] = {
        "cbor": lambda: to_bytes(_QUORUM_SET, quorum_set).hex(),
        "digest32": lambda: digest32("quorum_set", quorum_set_node(quorum_set)).hex(),
        "prost": lambda: encode(recorded, Order.PROST).hex(),
        "json": lambda: quorum_set_to_json(quorum_set),
        "nodes": lambda: NODES.numbers(quorum_set.nodes()),
        "valid": quorum_set.is_valid,
        "sorted": lambda: _write_set(quorum_set.sorted()),
    }
    for name, found in checks.items():
        key = f"{name}_{side}"
        if key in case:
            expect_equal(key, found(), case[key])
    if f"cbor_{side}" in case:
        again = from_bytes(_QUORUM_SET, bytes.fromhex(case[f"cbor_{side}"]))
        expect_equal("cbor read", again.members, quorum_set.members)
    if f"prost_{side}" in case:
        read = decode(MetadataQuorumSet, bytes.fromhex(case[f"prost_{side}"]))
        expect_equal("prost read", quorum_set_of(read).members, quorum_set.members)
    expect_equal(
        "digest as recorded",
        digest32("quorum_set", recorded).hex(),
        digest32("quorum_set", quorum_set_node(quorum_set)).hex(),
    )


def _write_set(quorum_set: QuorumSet[NodeID]) -> list[Any]:
    members = [
        _write_set(member) if isinstance(member, QuorumSet) else NODES.numbers([member])[0]
        for member in quorum_set.members
        if member is not None
    ]
    return [quorum_set.threshold, members]


# -- searches ------------------------------------------------------------------------------------


class _Search:
    """A local node that holds one message, with its quorum set, of each of some peers."""

    def __init__(self, local: int, quorum_set: Any, sets_of_senders: dict[int, Any]) -> None:
        self._search = QuorumSearch(NODES[local], NODES.quorum_set(quorum_set))
        self._senders = 0
        waiting = {NODES[n]: NODES.quorum_set(written) for n, written in sets_of_senders.items()}
        for node in self._search.named_nodes():  # grows with each set that names further ones
            bit = self._search.bit_of(node)
            if node in waiting and bit is not None:
                self._senders |= bit
                if bit != LOCAL:
                    self._search.set_peer(bit, waiting[node])

    def _bits(self, numbers: Iterable[int]) -> int:
        bits = (self._search.bit_of(NODES[number]) or 0 for number in numbers)
        return self._senders & sum(bits)

    def quorum(self, numbers: Iterable[int]) -> list[int]:
        """The greatest quorum among these senders and the local node."""
        return NODES.numbers(self._search.nodes(self._search.quorum(self._bits(numbers))))

    def is_blocking(self, numbers: Iterable[int]) -> bool:
        """Whether these senders block."""
        return self._search.is_blocking(self._bits(numbers))


@runs("scp", r"quorum_search[^/]*\.jsonl")
def quorum_search(file: VectorFile, report: Report) -> None:
    """Searches by a function: a greatest quorum holds whatever a first-fit search found."""
    for case in file.json_lines():
        with report.case(case["name"]):
            sets = {int(number): written for number, written in case["messages_from"].items()}
            search = _Search(case["local"], case["local_quorum_set"], sets)
            true_for = case["predicate_true_for"]
            _check_function(search, true_for, case["expect_quorum"], case["expect_blocking_set"])


def _check_function(
    search: _Search, true_for: list[int], quorum: list[int], blocking: list[int]
) -> None:
    found = search.quorum(true_for)
    expect_equal("is there a quorum", bool(found), bool(quorum))
    expect(set(quorum) <= set(found), f"quorum {found} lacks some of {quorum}")
    expect_equal("is it blocking", search.is_blocking(true_for), bool(blocking))


@runs("scp", r"genuine[^/]*/quorum_search[^/]*\.jsonl")
def genuine_quorum_search(file: VectorFile, report: Report) -> None:
    """Searches by function, and by statements whose narrowed results must hold exactly."""
    more = 0
    for case in file.json_lines():
        with report.case(case["id"]):
            more += _genuine_search(case)
    report.notes.append(f"{more} searches find a quorum or blocking set that a greedy one missed")


def _genuine_search(case: dict[str, Any]) -> int:
    sets = {m["s"]: case["qs"][m["s"] - 1] for m in case["msgs"]}
    search = _Search(case["self"], case["qs"][case["self"] - 1], sets)
    for number, weight in enumerate(case["weight"], start=1):
        local_set = NODES.quorum_set(case["qs"][case["self"] - 1])
        expect_equal("weight", [*local_set.weight(NODES[number])], weight)
    func = case["func"]
    _check_function(search, case["true_for"], func["quorum"], func["blocking"])
    topics = {m["s"]: topic(m) for m in case["msgs"]}
    return sum(
        _check_candidates(search, topics, case[kind], supports)
        for kind, supports in _SUPPORTS.items()
        if kind in case
    )


def _supports_value(stated: Topic[Any], value: Any, accepts: bool) -> bool:
    nomination = nomination_of(stated)
    if nomination is None:
        return False
    return value in nomination.accepted or (not accepts and value in nomination.voted)


def _supports_ballot(stated: Topic[Any], written: Any, accepts: bool) -> bool:
    wanted = ballot(written)
    said = accepts_prepared(stated) if accepts else votes_or_accepts_prepared(stated)
    return any(b.values == wanted.values and b.counter >= wanted.counter for b in said)


def _supports_range(stated: Topic[Any], written: Any, accepts: bool) -> bool:
    values, low, high = written
    said = accepts_commit(stated) if accepts else votes_or_accepts_commit(stated)
    return (
        said is not None
        and said.values == tuple(values)
        and said.counters.low <= low
        and high <= said.counters.high
    )


_SUPPORTS: dict[str, Callable[[Topic[Any], Any, bool], bool]] = {
    "values": _supports_value,
    "ballots": _supports_ballot,
    "ranges": _supports_range,
}


def _check_candidates(
    search: _Search,
    topics: dict[int, Topic[Any]],
    case: dict[str, Any],
    supports: Callable[[Topic[Any], Any, bool], bool],
) -> int:
    """What the greedy search narrowed to is supported by a quorum or blocking set indeed.

    Returns how many of the two it missed although some candidate has one.
    """
    missed = 0
    for key, result, accepts, is_enough in (
        ("quorum_va", "res_q", False, lambda numbers: bool(search.quorum(numbers))),
        ("blocking_acc", "res_b", True, search.is_blocking),
    ):

        def holds(candidate: Any, accepts: bool = accepts, is_enough: Any = is_enough) -> bool:
            return bool(
                is_enough(n for n, stated in topics.items() if supports(stated, candidate, accepts))
            )

        if case[key]:
            for candidate in case[result]:
                expect(holds(candidate), f"{key}: {candidate} does not hold")
        else:
            missed += any(holds(candidate) for candidate in case["cand"])
    return missed


# -- messages ------------------------------------------------------------------------------------


@runs("scp", r"genuine[^/]*/message_order[^/]*\.jsonl")
def message_order(file: VectorFile, report: Report) -> None:
    """The total order of topics, their validity, and what they imply."""
    for case in file.json_lines():
        with report.case(case["id"]):
            left, right = topic(case["a"]), topic(case["b"])
            order = ("Equal", "Greater", "Less")[compare_topics(left, right)]
            expect_equal("order", order, case["cmp"])
            expect_equal("equal", left == right, case["eq"])
            expect_equal("validity", _first_error(left), case["a_valid_error"])
            expect_equal("counter", ballot_counter_of(left), case["bN"])
            _check_implied(left, case)


def _first_error(stated: Topic[Any]) -> str | None:
    try:
        check_topic(stated)
    except InvalidMsgError as error:
        return str(error).split(":")[0]
    return None


def _check_implied(stated: Topic[Any], case: dict[str, Any]) -> None:
    nomination = nomination_of(stated)
    voted = None if nomination is None else sorted({*nomination.voted, *nomination.accepted})
    accepted = None if nomination is None else list(nomination.accepted)
    wanted = set(case["values"])
    expect_equal("va_nominated", _among(voted, wanted), case["va_nominated"])
    expect_equal("a_nominated", _among(accepted, wanted), case["a_nominated"])
    for key, found in (
        ("va_prepared", votes_or_accepts_prepared(stated)),
        ("a_prepared", accepts_prepared(stated)),
    ):
        expect_equal(key, [write_ballot(b) for b in sorted(set(found))], case[key])
    if case["a"].get("CN", 0) <= case["a"].get("HN", 0):
        for commit_key, said in (
            ("va_commit", votes_or_accepts_commit(stated)),
            ("a_commit", accepts_commit(stated)),
        ):
            expect_equal(commit_key, _within(said, case["x"], case["range"]), case[commit_key])


def _among(values: list[Any] | None, wanted: set[Any]) -> list[Any] | None:
    return None if values is None else [value for value in values if value in wanted]


def _within(said: CommitRange[Any] | None, values: list[Any], limits: list[int]) -> Any:
    """The part of a stated range that lies in `limits`, for one list."""
    if said is None or said.values != tuple(values):
        return None
    low, high = max(said.counters.low, limits[0]), min(said.counters.high, limits[1])
    return [low, high] if low <= high else None
