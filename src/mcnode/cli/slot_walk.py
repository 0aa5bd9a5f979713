"""A walk through pages of text with single keys."""

from collections.abc import Callable, Sequence

import click

FORWARDS = frozenset({"n", " ", "j", "\x1b[C", "\x1b[B"})
BACKWARDS = frozenset({"p", "b", "k", "\x1b[D", "\x1b[A"})
QUIT = frozenset({"q", "\x03", "\x04", "\x1b"})
HELP = "n/space forwards  p/b backwards  g first  G last  NUMBER Enter go there  q end"


def next_position(position: int, key: str, typed: str, count: int) -> tuple[int | None, str]:
    """Where a key leads, and the digits typed so far; None: the walk ends."""
    if key in QUIT:
        return None, ""
    if key.isdigit():
        return position, typed + key
    if key in "\r\n" and typed:
        return min(int(typed[:9]), count - 1), ""
    if key in FORWARDS or key in "\r\n":
        return min(position + 1, count - 1), ""
    if key in BACKWARDS:
        return max(position - 1, 0), ""
    if key in ("g", "G"):
        return (0 if key == "g" else count - 1), ""
    return position, ""


def walk(
    pages: Sequence[Sequence[str]],
    read_key: Callable[[], str] = click.getchar,
    clear: Callable[[], None] = click.clear,
) -> None:
    """Show one page at a time until the reader ends."""
    position: int | None = 0
    typed = ""
    shown: int | None = None
    while position is not None:
        if position != shown:
            clear()
            click.echo("\n".join([*pages[position], "", HELP]))
            shown = position
        try:
            key = read_key()
        except (KeyboardInterrupt, EOFError):
            return
        for each in [key] if key.startswith("\x1b") else key:  # what was typed fast comes at once
            if position is not None:
                position, typed = next_position(position, each, typed, len(pages))
