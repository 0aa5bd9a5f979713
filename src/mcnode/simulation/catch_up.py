"""One attempt to catch up, by the rules of `mcnode.ledger.sync.planning`.

Headers come from all peers, contents from archives that have every block that anybody honest has
made. An attempt is over when every peer has answered or refused; one that hangs costs the timeout.
"""

from typing import TYPE_CHECKING

from mcnode.blockchain.block import Block
from mcnode.blockchain.errors import InvalidBlockId
from mcnode.ledger.sync.errors import NoSafeBlocks
from mcnode.ledger.sync.planning import check_headers, choose_headers, identify_safe_blocks
from mcnode.ledger.sync.service import ATTEMPT_TIMEOUT_S

if TYPE_CHECKING:
    from mcnode.simulation.host import Host

REFUSED_US = 170_000
"""All attempts at a peer that is down: it refuses at once, each time."""


class CatchUp:
    """One attempt of one node."""

    def __init__(self, host: "Host", blocks_max: int) -> None:
        self._host = host
        self._blocks_max = blocks_max
        self._answers: dict[str, list[Block]] = {}
        self._first = host.ledger.num_blocks()

    def start(self) -> None:
        """Ask everybody; what has come when the slowest is done is used."""
        host, timeline = self._host, self._host.world.timeline
        done_us = 0
        for name, position in host.peers.items():
            done_us = max(done_us, self._ask(name, position))
        timeline.after(done_us + 1, host.alive(self._finish))

    def _ask(self, name: str, position: int) -> int:
        """Ask one peer; how long that takes."""
        host, world = self._host, self._host.world
        if not world.is_anybody_up(position):
            return REFUSED_US
        if world.wires.is_cut(host.position, position) or world.is_mute(position):
            return int(ATTEMPT_TIMEOUT_S * 1e6)
        there = world.wires.latency_us(host.position, position)
        back = world.wires.latency_us(position, host.position)

        def arrive() -> None:
            other = world.instance_for(host, position)
            if other.is_up:
                self._answers[name] = other.headers(self._first, self._blocks_max)

        world.timeline.after(there, host.alive(arrive))
        return there + back

    def _finish(self) -> None:
        host = self._host
        succeeded = self._append() > 0
        host.world.trace.add(
            f"{host.world.timeline.now_us} {host.instance} sync to {host.ledger.num_blocks()}"
        )
        host.core.sync_finished(succeeded=succeeded, now=host.local_s())
        host.poke()

    def _append(self) -> int:
        host, world = self._host, self._host.world
        head = host.ledger.head()
        answers = {name: headers for name, headers in self._answers.items() if headers}
        for name, headers in list(answers.items()):
            try:
                check_headers(head, headers)
            except InvalidBlockId:
                del answers[name]
        try:
            chosen = choose_headers(answers, host.network.is_blocking_and_quorum)
        except NoSafeBlocks:
            return 0
        fetched = []
        for header in chosen:
            data = world.archive.get(header.id)
            if data is None:
                break
            fetched.append(data)
        safe = identify_safe_blocks(head, fetched, host.ledger.has_spent)
        for data in safe:
            host.append(data)
        return len(safe)
