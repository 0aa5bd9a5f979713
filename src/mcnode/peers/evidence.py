"""Two signed statements of one node that no honest node makes both, as a document.

Anybody can check it: the statements are there as their author signed them, and the author's key is
in them. Nothing else is believed; what stands beside them is for people. [docs/equivocation.md]
"""

import base64
import binascii
import dataclasses
import json
from typing import Any

from mcnode.errors import InvalidError
from mcnode.peers.consensus_msg import ConsensusMsg, check_signature
from mcnode.scp import NodeID, SlotIndex
from mcnode.scp.contradiction import contradiction

FORMAT = "mcnode equivocation 1"


class EvidenceError(InvalidError):
    """A document that proves nothing."""


def equivocation(one: ConsensusMsg, other: ConsensusMsg) -> str | None:
    """What two statements of one author about one slot contradict each other in, if in anything."""
    if one.prev_block_id != other.prev_block_id:
        return "builds on two different blocks"
    return contradiction(one.scp_msg.topic, other.scp_msg.topic)


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """Statements as they came, each with its author's signature. `seen_ms` is Unix time."""

    one: ConsensusMsg
    other: ConsensusMsg
    reason: str
    seen_ms: int

    @property
    def author(self) -> NodeID:
        """Who signed both."""
        return self.one.scp_msg.sender_id

    @property
    def slot_index(self) -> SlotIndex:
        """What both are about."""
        return self.one.scp_msg.slot_index

    def to_json(self) -> dict[str, Any]:
        """The document."""
        return {
            "format": FORMAT,
            "responder_id": self.author.responder_id,
            "public_key": self.author.public_key.hex(),
            "slot_index": self.slot_index,
            "reason": self.reason,
            "seen_ms": self.seen_ms,
            "statements": [
                base64.b64encode(msg.payload).decode("ascii") for msg in (self.one, self.other)
            ],
        }


def read_evidence(text: str) -> Evidence:
    """A document, checked: both statements decode, hold together and contradict each other.

    Raises:
        EvidenceError: it is no such document, or proves nothing.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise EvidenceError(f"not a document of an equivocation: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise EvidenceError(f"not a document of an equivocation: needs format {FORMAT!r}")
    statements, seen_ms = document.get("statements"), document.get("seen_ms")
    if not isinstance(statements, list) or len(statements) != 2:
        raise EvidenceError("document needs 2 statements")
    one, other = map(_read_statement, statements)
    if one.scp_msg.sender_id != other.scp_msg.sender_id:
        raise EvidenceError("statements have 2 authors, needs 1")
    if one.scp_msg.slot_index != other.scp_msg.slot_index:
        raise EvidenceError("statements are about 2 slots, needs 1")
    reason = equivocation(one, other)
    if reason is None:
        raise EvidenceError("statements do not contradict each other: an honest node may make both")
    return Evidence(one, other, reason, seen_ms if isinstance(seen_ms, int) else 0)


def _read_statement(encoded: object) -> ConsensusMsg:
    try:
        payload = base64.b64decode(str(encoded), validate=True)
        msg = ConsensusMsg.from_bytes(payload)
        check_signature(msg)
    except (binascii.Error, InvalidError) as error:
        raise EvidenceError(f"statement of the document: {error}") from error
    return msg
