"""What happened, in order, as text; its hash tells whether two runs were the same."""

import hashlib
from collections import deque

from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import Ballot, Msg, NodeID, QuorumSet
from mcnode.scp.types import (
    Commit,
    Externalize,
    Topic,
    nomination_of,
    prepare_of,
)

TAIL_LINES = 200
"""Kept to show what led to a violation."""
_FLUSH_LINES = 512


class Trace:
    """Lines go into a hash as they come; the last ones stay readable, all of them on request."""

    def __init__(self, *, keep_all: bool = False) -> None:
        self._hash = hashlib.sha256()
        self._waiting: list[str] = []
        self.count = 0
        self.tail: deque[str] = deque(maxlen=None if keep_all else TAIL_LINES)

    def add(self, line: str) -> None:
        """The next thing that happened; one line of ASCII."""
        self.count += 1
        self._waiting.append(line)
        if len(self._waiting) >= _FLUSH_LINES:
            self._flush()

    def _flush(self) -> None:
        self._hash.update(("\n".join(self._waiting) + "\n").encode() if self._waiting else b"")
        self.tail.extend(self._waiting)
        self._waiting.clear()

    def hexdigest(self) -> str:
        """SHA-256 over all lines, each ended by a newline."""
        self._flush()
        return self._hash.hexdigest()


def values_text(values: tuple[ConsensusValue, ...]) -> str:
    """Values as the first six bytes of each hash."""
    return ",".join(
        value.content[:6].hex() if isinstance(value.content, bytes) else "?" for value in values
    )


def _ballot_text(ballot: Ballot[ConsensusValue] | None) -> str:
    return "-" if ballot is None else f"{ballot.counter}:{values_text(ballot.values)}"


def topic_text(topic: Topic[ConsensusValue]) -> str:
    """A topic in full."""
    parts = [type(topic).__name__]
    nomination, prepare = nomination_of(topic), prepare_of(topic)
    if nomination is not None:
        parts.append(f"X={values_text(nomination.voted)} Y={values_text(nomination.accepted)}")
    if prepare is not None:
        parts.append(
            f"B={_ballot_text(prepare.ballot)} P={_ballot_text(prepare.prepared)} "
            f"PP={_ballot_text(prepare.prepared_prime)} "
            f"CN={prepare.commit_counter} HN={prepare.high_counter}"
        )
    if isinstance(topic, Commit):
        parts.append(
            f"B={_ballot_text(topic.ballot)} PN={topic.prepared_counter} "
            f"CN={topic.commit_counter} HN={topic.high_counter}"
        )
    if isinstance(topic, Externalize):
        parts.append(f"C={_ballot_text(topic.commit)} HN={topic.high_counter}")
    return " ".join(parts)


def _quorum_set_text(quorum_set: QuorumSet[NodeID]) -> str:
    members = ",".join(
        _quorum_set_text(member)
        if isinstance(member, QuorumSet)
        else "-"
        if member is None
        else member.responder_id
        for member in quorum_set.members
    )
    return f"{quorum_set.threshold}[{members}]"


GOOD_SIGNATURE, BAD_SIGNATURE = b"", b"forged"
"""Whether the author made the statement: nobody can make anybody else's."""


class Sealer:
    """Puts statements into envelopes. A canonical text stands for the bytes on the wire."""

    def __init__(self) -> None:
        self._set_texts: dict[int, tuple[QuorumSet[NodeID], str]] = {}

    def seal(
        self,
        scp_msg: Msg[ConsensusValue],
        prev_block_id: bytes,
        signature: bytes = GOOD_SIGNATURE,
    ) -> ConsensusMsg:
        """The envelope around a statement."""
        quorum_set = scp_msg.quorum_set
        known = self._set_texts.get(id(quorum_set))
        if known is None:  # the set is kept beside its text, so that its id stays its own
            known = self._set_texts[id(quorum_set)] = (quorum_set, _quorum_set_text(quorum_set))
        payload = (
            f"{scp_msg.sender_id.responder_id} {scp_msg.slot_index} {prev_block_id[:6].hex()} "
            f"{known[1]} {topic_text(scp_msg.topic)} {signature.decode()}"
        ).encode()
        return ConsensusMsg(scp_msg, prev_block_id, signature, payload)


def short_hash(payload: bytes) -> str:
    """Eight digits that stand for a payload in the trace."""
    return hashlib.blake2b(payload, digest_size=4).hexdigest()
