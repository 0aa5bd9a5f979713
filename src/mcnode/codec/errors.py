"""Errors of reading and writing messages."""

from collections.abc import Sequence

from mcnode.errors import InvalidError


class DecodeError(InvalidError):
    """Bytes are not an encoding of the message that was asked for.

    The text is the one that the network's own software shows; `path` lists `Message.field` from
    the innermost message outwards. [docs/protocol/messages.md#3]
    """

    def __init__(self, path: Sequence[str], description: str) -> None:
        self.path = tuple(path)
        self.description = description
        super().__init__(
            "failed to decode Protobuf message: " + "".join(f"{p}: " for p in path) + description
        )

    def __reduce__(self) -> tuple[type["DecodeError"], tuple[tuple[str, ...], str]]:
        return type(self), (self.path, self.description)


class EncodeError(InvalidError):
    """A Python value does not fit the field that it is in. `path` as in `DecodeError`."""

    def __init__(self, path: Sequence[str], description: str) -> None:
        self.path = tuple(path)
        self.description = description
        super().__init__(
            "message cannot be written: " + "".join(f"{p}: " for p in path) + description
        )

    def __reduce__(self) -> tuple[type["EncodeError"], tuple[tuple[str, ...], str]]:
        return type(self), (self.path, self.description)
