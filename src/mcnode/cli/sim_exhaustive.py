"""`mcnode sim exhaustive`: every order of events of a small slot. [docs/simulation.md]"""

import json
import time

import click


@click.command()
@click.option(
    "--nodes", default=3, show_default=True, type=click.IntRange(2, 5), help="How many there are."
)
@click.option(
    "--threshold",
    default=2,
    show_default=True,
    type=click.IntRange(0),
    help="How many others each needs.",
)
@click.option(
    "--start",
    type=click.Choice(["nomination", "ballots"]),
    default="nomination",
    show_default=True,
    help="From proposals, or from ballots that the nodes have begun at odds.",
)
@click.option(
    "--rounds",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Nomination timers fire up to this round.",
)
@click.option(
    "--ballots",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="Ballot timers fire up to this counter.",
)
@click.option(
    "--depth", default=1000, show_default=True, type=click.IntRange(1), help="Events in a row."
)
@click.option("--states", default=500_000, show_default=True, help="Give up beyond so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def exhaustive(
    *,
    nodes: int,
    threshold: int,
    start: str,
    rounds: int,
    ballots: int,
    depth: int,
    states: int,
    as_json: bool,
) -> None:
    """Every order of events of one slot, with losses; two values are at stake.

    It ends when there is no new state left, or at a limit; it says which.
    """
    from mcnode.simulation.exhaustive import Exhaustive, Start, two_values
    from mcnode.simulation.local_steps import Bounds
    from mcnode.simulation.topology import mesh

    network = mesh(nodes, threshold)
    search = Exhaustive(network, two_values(network), Bounds(rounds, ballots), Start(start))
    begin, reached, some, everybody = time.perf_counter(), 0, 0, 0
    for level in search.levels(depth, states):
        reached, some, everybody = (
            level.depth,
            some + level.some_decided,
            everybody + level.all_decided,
        )
        if not as_json:
            click.echo(
                f"depth {level.depth:>3}: {level.new_states} new states by {level.events} events, "
                f"{level.all_decided} of them decided, {time.perf_counter() - begin:.1f} s"
            )
    summary = {
        "network": network.name,
        "is_complete": search.is_complete,
        "depth": reached,
        "states": search.states,
        "events": search.events,
        "two_or_more_decided": some,
        "all_decided": everybody,
        "outcomes": sorted(map(list, search.outcomes)),
        "node_states": search.node_states,
        "statements": search.statements,
        "pairs": search.pairs,
        "wall_seconds": round(time.perf_counter() - begin, 1),
    }
    if as_json:
        click.echo(json.dumps(summary))
        return
    reach = "all there are" if search.is_complete else f"complete to depth {reached}"
    click.echo(
        f"{network.name}: {search.states} states, {reach}; every invariant holds in each.\n"
        f"Two nodes or more have decided in {some}, all in {everybody}; outcomes "
        f"{summary['outcomes']}.\n{search.node_states} states of nodes, {search.statements} "
        f"statements, {search.pairs} pairs held against each other"
    )
