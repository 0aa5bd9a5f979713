"""Nodes that contradict themselves: found, counted, and kept with what they signed.

Only nodes that matter here are watched: those of our quorum set, those that the network file gives
a key to, and ourselves (another instance may run with our key). Strangers could invent keys without
end. Each statement is held against those of its author about the same slot that are nearest to it
in order; what is honest grows in that order, so nothing more distant can contradict it.
[docs/equivocation.md]
"""

import asyncio
import bisect
import functools
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from mcnode.consensus.evidence_folder import EvidenceFolder
from mcnode.consensus.metrics import OpMetrics
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.evidence import Evidence, equivocation
from mcnode.scp import SlotIndex, compare_topics

STATEMENTS_MAX: Final = 8
"""Held per author and slot: an ordinary slot makes about as many."""
HELD_BYTES_MAX: Final = 16 << 20
"""All statements held, as on the wire; the slot and author not heard for longest go first."""
SLOTS_AHEAD, SLOTS_BEHIND = 1, 1
"""Slots around the current one that statements are held of: what agreement itself listens to."""
WAITING_MAX: Final = 64
"""Pieces of evidence that wait for the disk; there is one per author and slot at most."""

_Held = list[ConsensusMsg]

log = structlog.get_logger("mcnode.consensus")


def _compare(one: ConsensusMsg, other: ConsensusMsg) -> int:
    return compare_topics(one.scp_msg.topic, other.scp_msg.topic)


_by_topic = functools.cmp_to_key(_compare)


class EquivocationWatch:
    """Takes every statement whose signature holds; says what contradicts an earlier one."""

    def __init__(self, names: Mapping[bytes, str], unix_time: Callable[[], float]) -> None:
        """`names`: the nodes that are watched, by key (32 bytes)."""
        self._names = dict(names)
        self._unix_time = unix_time
        self._held: OrderedDict[tuple[SlotIndex, bytes], _Held] = OrderedDict()
        self._held_bytes = 0
        self._found: set[tuple[SlotIndex, bytes]] = set()
        self.counts: Counter[str] = Counter()
        """Slots in which each node has contradicted itself, since the start, by name."""

    @property
    def held_bytes(self) -> int:
        """Bytes of all statements held, as on the wire."""
        return self._held_bytes

    def hear(self, msg: ConsensusMsg, current_slot: SlotIndex) -> Evidence | None:
        """Take a statement. At most one piece of evidence per author and slot."""
        scp_msg = msg.scp_msg
        key = (scp_msg.slot_index, scp_msg.sender_id.public_key)
        is_near = current_slot - SLOTS_BEHIND <= key[0] <= current_slot + SLOTS_AHEAD
        if key[1] not in self._names or not is_near or key in self._found:
            return None
        self._forget_before(current_slot - SLOTS_BEHIND)
        held = self._held.setdefault(key, [])
        self._held.move_to_end(key)
        place = bisect.bisect_left(held, _by_topic(msg), key=_by_topic)
        for near in held[max(0, place - 1) : place + 1]:
            reason = equivocation(near, msg)
            if reason is not None:
                self._drop(key)
                self._found.add(key)
                self.counts[self._names[key[1]]] += 1
                return Evidence(near, msg, reason, int(self._unix_time() * 1000))
        held.insert(place, msg)
        self._held_bytes += len(msg.payload)
        if len(held) > STATEMENTS_MAX:
            self._held_bytes -= len(held.pop(0).payload)
        while self._held_bytes > HELD_BYTES_MAX:
            self._drop(next(iter(self._held)))
        return None

    def _forget_before(self, slot_index: SlotIndex) -> None:
        for key in [key for key in self._held if key[0] < slot_index]:
            self._drop(key)
        self._found = {key for key in self._found if key[0] >= slot_index}

    def _drop(self, key: tuple[SlotIndex, bytes]) -> None:
        self._held_bytes -= sum(len(msg.payload) for msg in self._held.pop(key))


class EquivocationRecorder:
    """The watch of a running node: what it finds is counted, logged and kept."""

    def __init__(
        self,
        names: Mapping[bytes, str],
        folder: EvidenceFolder,
        metrics: OpMetrics,
        unix_time: Callable[[], float],
    ) -> None:
        """See `EquivocationWatch`."""
        self._watch = EquivocationWatch(names, unix_time)
        self._folder = folder
        self._metrics = metrics
        self._names = dict(names)
        self._waiting: asyncio.Queue[Evidence] = asyncio.Queue(WAITING_MAX)

    def hear(self, msg: ConsensusMsg, current_slot: SlotIndex) -> None:
        """Take a statement, of a peer or of this node. Never waits."""
        evidence = self._watch.hear(msg, current_slot)
        if evidence is None:
            return
        self._metrics.count("equivocations")
        self._metrics.count_for_peer("equivocations", self._names[evidence.author.public_key])
        if not self._waiting.full():
            self._waiting.put_nowait(evidence)

    async def run(self) -> None:
        """Write what was found, until cancelled."""
        while True:
            await asyncio.to_thread(self._keep, await self._waiting.get())

    def _keep(self, evidence: Evidence) -> None:
        """To disk and to the log. A disk that fails costs the document only."""
        name = self._names[evidence.author.public_key]
        kept_in = None
        try:
            kept_in = str(self._folder.keep(evidence))
        except OSError as error:
            log.error("evidence of an equivocation could not be kept", node=name, error=str(error))
        log.warning(
            "node contradicts itself: it lies, runs twice with one key, or restarted in this slot",
            node=name,
            slot_index=evidence.slot_index,
            reason=evidence.reason,
            evidence=kept_in,
        )

    def to_json(self) -> dict[str, Any]:
        """For `/info`: in how many slots nodes contradicted themselves, since the start."""
        counts = self._watch.counts
        return {"count": counts.total(), "nodes": dict(sorted(counts.items()))}
