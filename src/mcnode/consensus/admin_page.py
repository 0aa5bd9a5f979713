"""The overview page of a node: how it stands, whether its network can split, what it waits for.

Everything comes from the answer to GetInfo. All of it is escaped and may be of any shape: a node's
texts are not ours, and it passes on what its peers announce. [docs/protocol/service.md#13]
"""

import html
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mcnode.api.gen.admin_pb2 import GetInfoResponse
from mcnode.errors import InvalidError, UnavailableError
from mcnode.quorum.bounds import Bounds
from mcnode.quorum.model import Grouping
from mcnode.quorum.sources import SourceText, read_system
from mcnode.quorum.summary import check_system
from mcnode.quorum.svg import draw

PICTURE_PATH: Final = "/quorum.svg"

PICTURE_S: Final = 3.0
"""For one picture at most; a browser asks for it with every look at the page."""

_VERDICTS: Final = {
    "intersecting": "every two quorums share a node",
    "split": "THE NETWORK CAN SPLIT: two quorums share no node",
    "no quorum": "THERE IS NO QUORUM: the network cannot agree on anything",
}

_STATUS: Final = {
    "block_height": "Blocks",
    "blocks_behind": "Blocks behind",
    "sync_status": "Sync",
    "warning": "Warning",
}


def json_or_text(text: str) -> object:
    """A node's JSON, or the text as it is where it is none."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def page(info: GetInfoResponse) -> str:
    """The whole document."""
    config = json_or_text(info.config_json)
    facts = {
        "Name": info.name,
        "Id": info.id,
        **dict(_state(config)),
        "Build info": json.dumps(json_or_text(info.build_info_json), indent=2),
        "Config": json.dumps(config, indent=2),
    }
    rows = "".join(
        f"<dt>{html.escape(name)}</dt><dd><pre>{html.escape(text)}</pre></dd>"
        for name, text in facts.items()
    )
    picture = ""
    if _table(config, "quorum"):
        picture = f'<p><img src="{PICTURE_PATH}" alt="who listens to whom"></p>'
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
        f"<title>{html.escape(info.name)} {html.escape(info.id)}</title>"
        f"<h1>{html.escape(info.name)}</h1>{picture}<dl>{rows}</dl>"
        '<form method="post" action="/set-rust-log">'
        '<label>Log filter <input name="rust_log" size="60" '
        f'value="{html.escape(info.rust_log)}"></label> <button>Set</button></form>'
        '<p><a href="/info">info as JSON</a> <a href="/metrics">metrics</a></p></html>'
    )


def draw_quorums(info: GetInfoResponse) -> str:
    """What the node's own set and those it heard come to, as SVG. Takes up to `PICTURE_S`.

    Raises:
        InvalidError: the answer holds no quorum sets.
        UnavailableError: there are too many for the time.
    """
    system = read_system([SourceText(info.config_json, info.id)])
    end = time.monotonic() + PICTURE_S
    found = check_system(system, Bounds(lambda: time.monotonic() > end), count=False)
    grouping = Grouping.ORGANISATION if system.has_groups(Grouping.ORGANISATION) else None
    return draw(found.system, found.intersection, grouping, f"{len(system)} nodes")


def picture_or_reason(info: GetInfoResponse) -> tuple[str | None, str]:
    """The picture, or None and why there is none."""
    try:
        return draw_quorums(info), ""
    except (InvalidError, UnavailableError) as error:
        return None, str(error)


# -- the state in words ----------------------------------------------------------------------------


def _state(config: object) -> Iterator[tuple[str, str]]:
    status, quorum = _table(config, "status"), _table(config, "quorum")
    for key, title in _STATUS.items():
        if status.get(key) is not None:
            yield title, str(status[key])
    stuck = _table(status, "stuck_slot")
    if stuck:
        seconds = stuck.get("seconds_without_progress")
        head = f"slot {stuck.get('slot_index')} without progress for {seconds} s"
        yield "Stuck", "\n".join([head, *_texts(stuck.get("waiting_for"))])
    if quorum:
        yield "Quorums", "\n".join(_quorums(quorum))


def _quorums(quorum: Mapping[str, Any]) -> Iterator[str]:
    analysis = _table(quorum, "analysis")
    verdict = analysis.get("verdict")
    yield _VERDICTS.get(str(verdict), "not known until everybody has announced a quorum set")
    yield f"{analysis.get('nodes_heard', 0)} of {analysis.get('nodes_named', 0)} nodes were heard"
    for side in _list(analysis.get("disjoint_quorums")):
        yield f"a quorum by itself: {', '.join(_texts(side))}"
    for key, means in (
        ("smallest_blocking_set", "nodes that must stop to halt it"),
        ("smallest_splitting_set", "nodes that must lie to split it"),
    ):
        if analysis.get(key):
            yield f"{means}: {analysis[key]}"
    for finding in filter(None, (_as_table(each) for each in _list(quorum.get("lint")))):
        yield f"{finding.get('severity')}: {finding.get('message')}. {finding.get('remedy')}"


def _table(value: object, key: str) -> Mapping[str, Any]:
    return _as_table(_as_table(value).get(key))


def _as_table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(values: object) -> list[str]:
    return [str(each) for each in _list(values)]
