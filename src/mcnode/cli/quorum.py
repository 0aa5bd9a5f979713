"""`mcnode quorum`: questions to quorum sets before a network runs on them. [docs/quorum.md]"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from mcnode.cli.quorum_forms import export, graph
from mcnode.cli.quorum_options import (
    GROUPINGS,
    input_options,
    json_option,
    load,
    print_json,
    show_notes,
    time_limit_option,
)

if TYPE_CHECKING:
    from mcnode.quorum.model import FederatedSystem, Grouping

EXIT_SPLIT = 1
EXIT_NO_QUORUM = 2
EXIT_FINDINGS = 1
EXIT_NOT_USABLE = 4
SHOWN_SETS = 20


class _WrongUsage(click.UsageError):
    exit_code: ClassVar[int] = EXIT_NOT_USABLE


class _QuorumGroup(click.Group):
    """Wrong usage and unusable files must not look like a verdict, which 1 and 2 are."""

    def invoke(self, ctx: click.Context) -> Any:
        from mcnode.quorum.errors import QuorumInputError

        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _WrongUsage(error.format_message(), error.ctx) from error
        except QuorumInputError as error:
            if "--debug" in sys.argv:
                raise
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_QuorumGroup)
def quorum() -> None:
    """Quorum sets, before a network runs on them: can it split, can it halt, through whom?

    FILE is any of these, told apart by content; several of the first three make one system:

    \b
      network.json, .toml        a node's network file; HOST:PORT=FILE says whose it is
      info.json                  what a node tells about itself (/info, config_json)
      insecure-mca://host:port/  the same, asked from a running node
      DIRECTORY                  the network files in it
      nodes.json                 a list of many nodes, as stellarbeat writes it

    Exit status: 3 when a node or the solver is not there or the time is over, 4 when a file or an
    option is not usable; 0, 1 and 2 as each command says.
    """


def _groupings(system: "FederatedSystem", chosen: tuple[str, ...]) -> "list[Grouping | None]":
    """What was asked for, or nodes and every grouping that says something else."""
    from mcnode.quorum.model import Grouping

    if chosen:
        return [None if each == "node" else Grouping(each) for each in chosen]
    return [None, *system.groupings()]


@quorum.command()
@input_options
@time_limit_option
@json_option
def check(
    sources: tuple[str, ...],
    mapping: Path | None,
    assume: str,
    *,
    time_limit: float,
    as_json: bool,
) -> None:
    """Decide whether two quorums can be disjoint: then the network can split.

    Status 0: every two quorums share a node; 1: a split is possible, two disjoint quorums are
    printed; 2: there is no quorum at all.
    """
    from mcnode.cli.quorum_input import Search
    from mcnode.cli.quorum_output import show_check
    from mcnode.quorum.intersection import Verdict
    from mcnode.quorum.summary import check_system

    system = load(sources, mapping, assume)
    with Search(time_limit) as search:
        found = check_system(system, search.bounds())
    if as_json:
        print_json(found.to_json())
    else:
        show_notes(system)
        show_check(found)
    statuses = {Verdict.SPLIT: EXIT_SPLIT, Verdict.NO_QUORUM: EXIT_NO_QUORUM}
    sys.exit(statuses.get(found.intersection.verdict, 0))


@quorum.command()
@input_options
@json_option
def lint(sources: tuple[str, ...], mapping: Path | None, assume: str, *, as_json: bool) -> None:
    """Look at each set by itself: thresholds, duplicates, own ids, whom it depends on.

    Status 0: no error (there may be warnings); 1: there are errors, a node would not start.
    """
    from mcnode.cli.quorum_output import finding_json, show_findings
    from mcnode.quorum.lint import has_errors, lint_system

    system = load(sources, mapping, assume)
    findings = lint_system(system)
    if as_json:
        print_json([finding_json(finding) for finding in findings])
    else:
        show_notes(system)
        show_findings(findings)
    sys.exit(EXIT_FINDINGS if has_errors(findings) else 0)


@quorum.command()
@input_options
@click.option(
    "--by",
    "chosen",
    multiple=True,
    type=click.Choice(GROUPINGS),
    help="What fails or lies as a whole; may be repeated. Default: node, and what is known.",
)
@click.option("--show", default=SHOWN_SETS, show_default=True, type=click.IntRange(min=0),
              help="Sets listed of each kind.")  # fmt: skip
@time_limit_option
@json_option
def sets(
    sources: tuple[str, ...],
    mapping: Path | None,
    assume: str,
    *,
    chosen: tuple[str, ...],
    show: int,
    time_limit: float,
    as_json: bool,
) -> None:
    """Find minimal quorums, blocking sets (they can halt it), splitting sets, the top tier."""
    from mcnode.cli.quorum_input import Search
    from mcnode.cli.quorum_output import show_sets
    from mcnode.quorum.compiled import CompiledSystem
    from mcnode.quorum.summary import find_sets

    system = load(sources, mapping, assume)
    compiled = CompiledSystem(system)
    found = []
    for grouping in _groupings(system, chosen):
        with Search(time_limit) as search:
            found.append(find_sets(compiled, grouping, search.bounds))
    if as_json:
        print_json({"notes": system.notes, "by": [each.to_json(show) for each in found]})
        return
    show_notes(system)
    for each in found:
        show_sets(system, each, show)


@quorum.command()
@input_options
@click.option("--drop-organisation", multiple=True, metavar="NAME", help="It leaves.")
@click.option("--drop", multiple=True, metavar="NODE", help="It leaves; nobody lists it any more.")
@click.option("--stop", multiple=True, metavar="NODE", help="It is silent; others still list it.")
@click.option(
    "--add-organisation",
    multiple=True,
    metavar="NAME=NODE,NODE[/N]",
    help="It joins every set; N of its nodes speak for it.",
)
@click.option(
    "--threshold",
    multiple=True,
    metavar="[NODE[#2]=]N",
    help="Of every node, of one, or of one's member 2.",
)
@time_limit_option
@json_option
def whatif(
    sources: tuple[str, ...],
    mapping: Path | None,
    assume: str,
    *,
    time_limit: float,
    as_json: bool,
    **edits: tuple[str, ...],
) -> None:
    """Show what would change, if: before and after. Edits are made in the order of this help.

    Status as that of `check`, of what would be.
    """
    from mcnode.cli.quorum_input import Search
    from mcnode.cli.quorum_output import show_comparison
    from mcnode.quorum.intersection import Verdict
    from mcnode.quorum.summary import figures

    before = after = load(sources, mapping, assume)
    made = _edits(edits)
    if not made:
        raise click.UsageError("nothing to change: see --help for the edits")
    for edit in made:
        after = edit(after)
    with Search(time_limit) as search:
        old, new = figures(before, search.bounds), figures(after, search.bounds)
    if as_json:
        print_json({"before": old.to_json(), "after": new.to_json()})
    else:
        show_notes(before)
        show_comparison(old, new)
    statuses = {Verdict.SPLIT: EXIT_SPLIT, Verdict.NO_QUORUM: EXIT_NO_QUORUM}
    sys.exit(statuses.get(new.verdict, 0))


def _edits(given: dict[str, tuple[str, ...]]) -> list[Any]:
    from mcnode.quorum import whatif as edits

    makers = {
        "drop_organisation": edits.drop_group,
        "drop": edits.drop_node,
        "stop": edits.stop_node,
        "add_organisation": edits.add_organisation,
        "threshold": edits.set_threshold,
    }
    return [make(text) for name, make in makers.items() for text in given[name]]


@quorum.command()
@input_options
@click.option("--for", "node", metavar="NODE", help="The set for this node's file, without itself.")
@time_limit_option
@json_option
def suggest(
    sources: tuple[str, ...],
    mapping: Path | None,
    assume: str,
    *,
    node: str | None,
    time_limit: float,
    as_json: bool,
) -> None:
    """Make a quorum set from organisations in tiers, with the reasons and what it withstands.

    FILE is a list of organisations ([[organisations]] with name, tier and nodes), or a system whose
    nodes have organisations.
    """
    from mcnode.cli.quorum_input import Search, load_text
    from mcnode.cli.quorum_output import show_suggestion
    from mcnode.quorum.export import network_set
    from mcnode.quorum.reader import parse_document
    from mcnode.quorum.suggest import organisations_of, read_organisations
    from mcnode.quorum.suggest import suggest as make
    from mcnode.quorum.summary import figures

    path = Path(sources[0])
    text = load_text(path) if len(sources) == 1 and path.is_file() else "[]"
    document = parse_document(text, sources[0])
    if isinstance(document, dict) and "organisations" in document:
        organisations = read_organisations(text, sources[0])
        known = None
    else:
        known = load(sources, mapping, assume)
        organisations = organisations_of(known)
    made = make(organisations)
    system = made.system()
    wanted = made.quorum_set
    if node is not None:
        wanted = made.for_node((known or system).find(node).id)
    with Search(time_limit) as search:
        found = figures(system, search.bounds)
    if as_json:
        print_json(
            {
                "quorum_set": network_set(wanted),
                "reasons": made.reasons,
                "if_all_nodes_take_it": found.to_json(),
            }
        )
    else:
        show_suggestion(made, network_set(wanted), found)


quorum.add_command(graph)
quorum.add_command(export)
