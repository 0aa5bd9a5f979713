"""Byzantine nodes. Each runs the honest code too, so that it knows what is worth lying about.

silent       says nothing, answers nothing
equivocate   tells one half of its peers one thing and the other half another
twins        two instances with one identity, each hearing other peers (made by the world)
stale        says old things again, its own and those of others
mutate       says things at random; passes others' statements on with a change and their name
flood        invents transactions and votes for thousands of values
externalize  claims that slots are decided
"""

import dataclasses
import functools
from collections import deque
from typing import Any

from mcnode.blockchain.block import Block, make_block
from mcnode.blockchain.contents import BlockContents
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.scp import Msg
from mcnode.scp.types import Nominate, NominatePayload
from mcnode.scp.values_of import values_of
from mcnode.simulation.draws import Draws
from mcnode.simulation.host import Host
from mcnode.simulation.ledger import BLOCK_VERSION, make_tx
from mcnode.simulation.lies import Values, false_externalize, lie_about, lists_of
from mcnode.simulation.trace import BAD_SIGNATURE

REMEMBERED = 60
"""Statements, lists and values to make lies of."""
PERIOD_US = 700_000
FLOOD_VALUES = 300
FLOOD_TXS = 5
_FIRST_FLOOD_TX = 1 << 40


class ByzantineHost(Host):
    """The base of them: hears everything, remembers some of it."""

    is_honest = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.draws = Draws(self.world.seed, f"byzantine {self.instance}")
        self.heard: deque[ConsensusMsg] = deque(maxlen=REMEMBERED)
        self.lists: deque[Values] = deque(maxlen=REMEMBERED)
        self.values: deque[ConsensusValue] = deque(maxlen=REMEMBERED)
        self._alternatives: dict[tuple[bytes, bool], ConsensusMsg] = {}

    def boot(self) -> None:
        """Start, and begin to misbehave."""
        super().boot()
        self.world.timeline.after(PERIOD_US, self.alive(self._period))

    def _period(self) -> None:
        self.misbehave()
        self.world.timeline.after(PERIOD_US, self.alive(self._period))

    def misbehave(self) -> None:
        """What it does now and then, unasked."""

    def take_statement(self, msg: ConsensusMsg, received_from: str) -> None:
        """Remember it, then handle it as everybody does."""
        if msg.signature != BAD_SIGNATURE:
            self._learn(msg)
        super().take_statement(msg, received_from)

    def _say(self, msg: ConsensusMsg) -> None:
        self._learn(msg)
        super()._say(msg)

    def _learn(self, msg: ConsensusMsg) -> None:
        self.heard.append(msg)
        for values in lists_of(msg.scp_msg.topic):
            if values not in self.lists:
                self.lists.append(values)
                if len(values) > 1:
                    self.lists.append(values[:1])
                    self.lists.append(values[1:])
        for value in sorted(set(values_of(msg.scp_msg.topic))):
            if value not in self.values:
                self.values.append(value)

    def lie(self, msg: ConsensusMsg) -> ConsensusMsg:
        """Another statement in the place of one of its own."""
        topic = lie_about(msg.scp_msg.topic, self.lists, self.values, self.draws)
        scp_msg = dataclasses.replace(msg.scp_msg, topic=topic)
        return self.world.sealer.seal(scp_msg, msg.prev_block_id)

    def say_to_some(self, scp_msg: Msg[ConsensusValue]) -> None:
        """Say something to about half of the peers, past the lanes."""
        prev_block_id = self.ledger.block_id(scp_msg.slot_index - 1) or bytes(32)
        msg = self.world.sealer.seal(scp_msg, prev_block_id)
        for name in self.peers:
            if self.draws.chance(0.5):
                self.transmit(name, msg)

    def own_msg(self, topic: Any, slot_index: int) -> Msg[ConsensusValue]:
        """A statement of its own."""
        return Msg(self.node_id, slot_index, self.quorum_set, topic)


class Silent(ByzantineHost):
    """Takes everything and says nothing."""

    def transmit(self, name: str, msg: ConsensusMsg) -> int | None:
        """As if it were sent."""
        return 1000

    def push_tx(self, tx: Any) -> None:
        """Keeps it to itself."""


class Equivocating(ByzantineHost):
    """Two stories, one for each half of the peers; the halves change with every slot."""

    def transmit(self, name: str, msg: ConsensusMsg) -> int | None:
        """Its own statements depend on who gets them."""
        if msg.scp_msg.sender_id == self.node_id:
            side = (self.peers[name] * 7 + msg.scp_msg.slot_index * 3) % 5 < 2
            if side:
                key = (msg.payload, side)
                if key not in self._alternatives:
                    self._alternatives[key] = self.lie(msg)
                msg = self._alternatives[key]
        return super().transmit(name, msg)


class Stale(ByzantineHost):
    """Repeats what was said before."""

    def misbehave(self) -> None:
        """Some old statement for everybody who wants it."""
        if self.heard:
            old = self.draws.pick(self.heard)
            for name in self.peers:
                self.transmit(name, old)


class Mutating(ByzantineHost):
    """Says what comes to mind; the statements of others do not survive it."""

    def transmit(self, name: str, msg: ConsensusMsg) -> int | None:
        """A change in every third statement."""
        if self.draws.chance(0.35):
            if msg.scp_msg.sender_id == self.node_id:
                msg = self.lie(msg)
            else:
                lie = self.lie(msg)
                msg = self.world.sealer.seal(lie.scp_msg, msg.prev_block_id, BAD_SIGNATURE)
        return super().transmit(name, msg)

    def headers(self, first_index: int, count: int) -> list[Block]:
        """A chain that nobody agreed on."""
        parent = self.ledger.blocks[min(first_index, len(self.ledger.blocks)) - 1].block
        contents = BlockContents((bytes(32),), (), (), ())
        found = []
        for _ in range(min(count, 3)):
            parent = make_block(
                version=BLOCK_VERSION,
                parent_id=parent.id,
                index=parent.index + 1,
                cumulative_txo_count=parent.cumulative_txo_count + 1,
                root_element=parent.root_element,
                contents=contents,
            )
            found.append(parent)
        return found


class Flooding(ByzantineHost):
    """More than anybody can use."""

    def misbehave(self) -> None:
        """Broken transactions, and votes for values that do not exist, far into the future."""
        draws = self.draws
        for _ in range(FLOOD_TXS):
            number = _FIRST_FLOOD_TX + draws.below(1 << 30)
            tx = make_tx(number, spends=number, tombstone_block=10_000, is_well_formed=False)
            self.world.txs[tx.tx_hash] = tx
            for position in self.peers.values():
                self.world.carry(self, position, functools.partial(_take_tx, tx))
        invented = [tx_hash_value(draws.below(1 << 50).to_bytes(32)) for _ in range(FLOOD_VALUES)]
        slot_index = self.ledger.num_blocks() + draws.pick((0, 0, 0, 1, 5, 1000))
        known = [value for value in self.values if draws.chance(0.5)]
        values = known if draws.chance(0.5) else [*known, *invented]
        voted = tuple(sorted(set(values)))
        self.say_to_some(self.own_msg(Nominate(NominatePayload(voted)), slot_index))


def _take_tx(tx: Any, host: Host) -> None:
    host.take_tx(tx)


class Externalizing(ByzantineHost):
    """Everything is decided, it says."""

    def misbehave(self) -> None:
        """This slot or a later one, with some list that others have heard of."""
        if self.lists:
            slot_index = self.ledger.num_blocks() + self.draws.pick((0, 0, 0, 1, 2, 50))
            topic = false_externalize(self.draws.pick(self.lists), self.draws)
            self.say_to_some(self.own_msg(topic, slot_index))


class Twin(Host):
    """One of two instances with one identity; each of them is honest by itself."""

    is_honest = False


HOSTS: dict[str, type[Host]] = {
    "silent": Silent,
    "equivocate": Equivocating,
    "twins": Twin,
    "stale": Stale,
    "mutate": Mutating,
    "flood": Flooding,
    "externalize": Externalizing,
}
"""By name in a specification of faults."""
