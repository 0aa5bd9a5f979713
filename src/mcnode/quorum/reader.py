"""Reading values out of a parsed document, with the place of a fault in its message."""

import json
import tomllib
from typing import Any

from mcnode.quorum.errors import SystemFormatError
from mcnode.scp.quorum_set import QuorumSet

TEXT_BYTES_MAX = 16 * 1024 * 1024
"""A list of a whole public network has some 2 MB."""

PARSE_DEPTH_MAX = 32
"""Levels of a quorum set that are read at all; the lint complains about fewer."""


def parse_document(text: str, place: str) -> Any:
    """A JSON or TOML text as plain values; which of the two it is shows by its first character.

    Raises:
        SystemFormatError: it is neither, or too long.
    """
    if len(text) > TEXT_BYTES_MAX:
        raise SystemFormatError(f"{place}: {len(text)} characters, limit {TEXT_BYTES_MAX}")
    stripped = text.lstrip("\ufeff \t\r\n")
    try:
        if stripped.startswith(("{", "[{")) or _is_json_list(stripped):
            return json.loads(stripped)
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SystemFormatError(f"{place}: neither JSON nor TOML: {error}") from error


def _is_json_list(text: str) -> bool:
    """A TOML file may begin with `[table]`; a JSON list goes on with a table or ends."""
    return text.startswith("[") and text[1:].lstrip()[:1] in ("{", "]", "")


def table(value: Any, place: str) -> dict[str, Any]:
    """The value as a table."""
    if not isinstance(value, dict):
        raise SystemFormatError(f"{place}: {type(value).__name__} where a table is expected")
    return value


def items(value: Any, place: str) -> list[Any]:
    """The value as a list."""
    if not isinstance(value, list):
        raise SystemFormatError(f"{place}: {type(value).__name__} where a list is expected")
    return value


def text_of(value: Any, place: str) -> str:
    """The value as a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise SystemFormatError(f"{place}: {type(value).__name__} where a text is expected")
    return value


def optional_text(value: Any, place: str) -> str | None:
    """The value as a text, None when it is absent or empty."""
    return None if value in (None, "") else text_of(value, place)


def threshold_of(value: Any, place: str) -> int:
    """A threshold, u32."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise SystemFormatError(f"{place}: {value!r} is no threshold (0 to 4294967295)")
    return value


def network_quorum_set(value: Any, place: str, depth: int = 1) -> QuorumSet[str]:
    """A quorum set as network files write it. [docs/protocol/service.md#4]"""
    if depth > PARSE_DEPTH_MAX:
        raise SystemFormatError(f"{place}: more than {PARSE_DEPTH_MAX} levels")
    found = table(value, place)
    members: list[str | QuorumSet[str] | None] = []
    for number, member in enumerate(items(found.get("members"), f"{place}.members")):
        at = f"{place}.members[{number}]"
        if member is None:
            members.append(None)
            continue
        kind, args = table(member, at).get("type"), member.get("args")
        if kind == "InnerSet":
            members.append(network_quorum_set(args, f"{at}.args", depth + 1))
        elif kind == "Node":
            named = args.get("responder_id") if isinstance(args, dict) else args
            members.append(text_of(named, f"{at}.args"))
        else:
            raise SystemFormatError(f"{at}: type is {kind!r}, must be Node or InnerSet")
    return QuorumSet(threshold_of(found.get("threshold"), f"{place}.threshold"), tuple(members))


def stellarbeat_quorum_set(value: Any, place: str, depth: int = 1) -> QuorumSet[str]:
    """A quorum set as lists of the stellarbeat kind write it: validators, then inner sets."""
    if depth > PARSE_DEPTH_MAX:
        raise SystemFormatError(f"{place}: more than {PARSE_DEPTH_MAX} levels")
    found = table(value, place)
    validators = items(found.get("validators", []), f"{place}.validators")
    inner = items(found.get("innerQuorumSets", []), f"{place}.innerQuorumSets")
    members: list[str | QuorumSet[str] | None] = [
        text_of(each, f"{place}.validators[{number}]") for number, each in enumerate(validators)
    ]
    members += [
        stellarbeat_quorum_set(each, f"{place}.innerQuorumSets[{number}]", depth + 1)
        for number, each in enumerate(inner)
    ]
    return QuorumSet(threshold_of(found.get("threshold"), f"{place}.threshold"), tuple(members))
