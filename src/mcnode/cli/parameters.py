"""Kinds of option values that several commands share."""

import binascii
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class Hex32(click.ParamType[bytes]):
    """32 bytes as 64 hexadecimal digits."""

    name = "hex"

    def convert(
        self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The bytes; anything else is refused with the number of digits found."""
        if isinstance(value, bytes):
            return value
        try:
            found = binascii.unhexlify(value)
        except (ValueError, binascii.Error):
            self.fail(f"{value!r} is not hexadecimal", param, ctx)
        if len(found) != 32:
            self.fail(f"{len(value)} hexadecimal digits, needs 64", param, ctx)
        return found


HEX32 = Hex32()
DIRECTORY = click.Path(path_type=Path, file_okay=False)
"""A directory that need not exist."""
EXISTING_DIRECTORY = click.Path(path_type=Path, file_okay=False, exists=True)
EXISTING_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*options: Decorator) -> Decorator:
    """Several options as one decorator, in the order of `--help`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
