"""`mcnode quorum graph` and `export`: the system in another form. [docs/quorum.md#10]"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcnode.cli.quorum_options import (
    FILE,
    GROUPINGS,
    input_options,
    json_option,
    load,
    output_option,
    show_notes,
    time_limit_option,
    write,
)

if TYPE_CHECKING:
    from mcnode.quorum.model import FederatedSystem


@click.command()
@input_options
@click.option(
    "--by",
    "chosen",
    type=click.Choice(GROUPINGS),
    help="What boxes are drawn around. Default: organisations where they are known.",
)
@output_option
@time_limit_option
@json_option
def graph(
    sources: tuple[str, ...],
    mapping: Path | None,
    assume: str,
    *,
    chosen: str | None,
    output: Path | None,
    time_limit: float,
    as_json: bool,
) -> None:
    """Draw the system as SVG: who listens to whom, what they ask for, where it can split.

    With --json the same for other drawing programs: nodes, groups, sets and arrows.
    """
    from mcnode.cli.quorum_input import Search
    from mcnode.quorum.export import to_json
    from mcnode.quorum.graph_json import graph_json
    from mcnode.quorum.model import Grouping
    from mcnode.quorum.summary import check_system
    from mcnode.quorum.svg import draw

    system = load(sources, mapping, assume)
    grouping = Grouping.ORGANISATION if system.has_groups(Grouping.ORGANISATION) else None
    if chosen is not None:
        grouping = None if chosen == "node" else Grouping(chosen)
    with Search(time_limit) as search:
        found = check_system(system, search.bounds())
    if as_json:
        write(to_json(graph_json(found, grouping)), output)
        return
    quorums = "" if found.quorum_count is None else f", {found.quorum_count:,} quorums"
    headline = f"{len(system)} nodes{quorums}"
    show_notes(system)
    write(draw(found.system, found.intersection, grouping, headline), output)


@click.command()
@input_options
@click.option(
    "--to",
    "form",
    required=True,
    type=click.Choice(["stellarbeat", "network-json", "network-toml"]),
    help="The form to write.",
)
@click.option("--node", metavar="NODE", help="Write the network file of this node.")
@click.option("--base", type=FILE, help="A network file whose peers and archives are kept.")
@output_option
def export(
    sources: tuple[str, ...],
    mapping: Path | None,
    assume: str,
    *,
    form: str,
    node: str | None,
    base: Path | None,
    output: Path | None,
) -> None:
    """Write the system in another form: a stellarbeat list, or a node's network file.

    Without --node every node's file is written, into the directory --output. Peers' URIs and keys
    are not part of a quorum set: they come from --base, or have to be added.
    """
    from mcnode.quorum.export import stellarbeat_list, to_json

    system = load(sources, mapping, assume)
    show_notes(system)
    if form == "stellarbeat":
        write(to_json(stellarbeat_list(system)), output)
        return
    if node is not None:
        write(_network_text(system, node, base, form), output)
        return
    if output is None:
        raise click.UsageError("name the node with --node, or a directory for all with --output")
    for each in system:
        if each.quorum_set is not None:
            name = each.id.replace("/", "_").replace(":", "_")
            path = output / f"{name}.{form.removeprefix('network-')}"
            write(_network_text(system, each.id, base, form), path)


def _network_text(system: "FederatedSystem", node: str, base: Path | None, form: str) -> str:
    import dataclasses

    from mcnode.cli.quorum_input import load_text
    from mcnode.quorum.export import network_file, to_json, to_toml
    from mcnode.quorum.model import without_self
    from mcnode.quorum.reader import parse_document, table

    found = system.find(node)
    if found.quorum_set is not None:
        own = without_self(found.quorum_set, found.id)
        found = dataclasses.replace(found, quorum_set=own)
    kept = None
    if base is not None:
        kept = table(parse_document(load_text(base), str(base)), str(base))
    document = network_file(found, kept)
    return to_toml(document) if form == "network-toml" else to_json(document)
