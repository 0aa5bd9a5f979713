"""What a peer's message or a configuration can do wrong."""

from mcnode.errors import InvalidError


class InvalidMsgError(InvalidError):
    """A message breaks a structural rule; its sender is at fault. [docs/protocol/scp.md#2.6]"""


class InvalidQuorumSetError(InvalidError):
    """A quorum set cannot be satisfied as written, or is larger than any honest one."""
