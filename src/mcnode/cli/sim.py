"""`mcnode sim`: whole networks under virtual time. [docs/simulation.md]"""

import dataclasses
import json
import shlex
import time
from pathlib import Path
from typing import Any

import click

from mcnode.cli.parameters import together
from mcnode.cli.sim_exhaustive import exhaustive
from mcnode.errors import InvalidError
from mcnode.network.topology import TOPOLOGIES, Topology
from mcnode.scp import Timing
from mcnode.simulation.faults import (
    SECOND_US,
    duration_text,
    faults_text,
    parse_duration,
    parse_faults,
)
from mcnode.simulation.run import SimConfig, SimResult, simulate
from mcnode.simulation.topology import SimNetwork, from_positions, from_quorum_set, mesh

MINUTE_US = 60 * SECOND_US
EXIT_FOUND = 1


class BadArguments(InvalidError):
    """Options that contradict each other."""


_network_options = together(
    click.option(
        "--topology",
        "topology_name",
        type=click.Choice(list(TOPOLOGIES)),
        help="A shape of `mcnode network up`.",
    ),
    click.option(
        "--network-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A node's network file; everybody is taken to use its quorum set and timers.",
    ),
    click.option("--nodes", type=click.IntRange(1), help="A mesh of that many nodes."),
    click.option("--threshold", type=click.IntRange(0), help="How many of the others each needs."),
)
_fault_options = together(
    click.option("--faults", default="standard", show_default=True, help="See docs/simulation.md."),
    click.option(
        "--tx-interval",
        default="2s",
        show_default=True,
        help="Mean time between clients' transactions; 0s for none.",
    ),
)
_seed = click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="The same seed gives the same run.",
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object per result.")


@click.group()
def sim() -> None:
    """Whole networks of nodes under virtual time: any run replays from its seed.

    \b
      mcnode sim run --seed 7                 one network, mixed faults, one minute
      mcnode sim sweep --seeds 0..99          a hundred of them, on all processors
      mcnode sim latency --links 0ms,50ms     how long a payment takes, by timers
      mcnode sim exhaustive                   every order of events of a small slot
    """


sim.add_command(exhaustive)


def _network(
    topology_name: str | None, network_file: Path | None, nodes: int | None, threshold: int | None
) -> SimNetwork | None:
    """The network that the options name; None without any."""
    if sum(each is not None for each in (topology_name, network_file, nodes)) > 1:
        raise BadArguments("give one of --topology, --network-file and --nodes")
    if topology_name is not None:
        return _from_topology(TOPOLOGIES[topology_name])
    if network_file is not None:
        from mcnode.consensus.config.documents import load_document
        from mcnode.consensus.config.network_file import parse_network

        config = parse_network(load_document(network_file))
        return from_quorum_set(str(network_file), config.quorum_set, config.timing)
    if nodes is None:
        return None
    from mcnode.simulation.sweep import quorum_for

    return mesh(nodes, quorum_for(nodes) - 1 if threshold is None else threshold)


def _from_topology(topology: Topology) -> SimNetwork:
    number = {name: position for position, name in enumerate(topology.node_names)}
    return from_positions(
        topology.name,
        [{number[peer]: push for peer, push in node.peers.items()} for node in topology.nodes],
        [node.threshold for node in topology.nodes],
        [[number[member] for member in node.members] for node in topology.nodes],
    )


@sim.command()
@_network_options
@_fault_options
@_seed
@click.option("--minutes", default=1.0, show_default=True, help="Virtual, of faults and load.")
@click.option("--trace", type=click.Path(path_type=Path), help="Write every event to this file.")
@_json
def run(
    *,
    topology_name: str | None,
    network_file: Path | None,
    nodes: int | None,
    threshold: int | None,
    faults: str,
    tx_interval: str,
    seed: int,
    minutes: float,
    trace: Path | None,
    as_json: bool,
) -> int:
    """Run one network, by default five nodes; exit status 1 when a check fails."""
    network = _network(topology_name, network_file, nodes, threshold)
    config = SimConfig(
        network or _from_topology(TOPOLOGIES["dense5"]),
        seed,
        parse_faults(faults),
        active_us=round(minutes * MINUTE_US),
        tx_interval_us=parse_duration(tx_interval),
        keep_trace=trace is not None,
    )
    begin = time.perf_counter()
    result = simulate(config)
    elapsed_s = time.perf_counter() - begin
    if trace is not None:
        trace.write_text("".join(f"{line}\n" for line in result.trace_tail), encoding="ascii")
    if as_json:
        click.echo(json.dumps({**result.to_json(), "wall_seconds": round(elapsed_s, 3)}))
    else:
        _show(config, result, elapsed_s)
    return EXIT_FOUND if result.finding else 0


def _show(config: SimConfig, result: SimResult, elapsed_s: float) -> None:
    virtual_s = result.virtual_us / SECOND_US
    click.echo(f"network     {config.network.name}, seed {config.seed}")
    click.echo(f"faults      {faults_text(result.faults)}")
    click.echo(
        f"time        {virtual_s:.1f} virtual s in {elapsed_s:.2f} s, {result.events} events"
    )
    click.echo(f"blocks      {result.blocks}")
    click.echo(f"trace_hash  {result.trace_hash}")
    click.echo(f"verdict     {result.finding or 'every check holds'}")
    if result.finding:
        click.echo("\n".join(result.trace_tail[-30:]))


def _parse_seeds(text: str) -> range:
    first, dots, last = text.partition("..")
    if not (first.isdecimal() and (last.isdecimal() if dots else not last)):
        raise BadArguments(f"seeds are {text!r}, needs something like 0..99")
    return range(int(first), int(last or first) + 1)


@sim.command()
@_network_options
@_fault_options
@click.option("--seeds", default="0..99", show_default=True, help="First and last, or one.")
@click.option(
    "--jobs", default=2, show_default=True, type=click.IntRange(1), help="Processes at a time."
)
@click.option("--minutes", default=0.25, show_default=True, help="Virtual, of faults and load.")
@click.option("--keep-going", is_flag=True, help="Do not stop at the first finding.")
@_json
def sweep(
    *,
    topology_name: str | None,
    network_file: Path | None,
    nodes: int | None,
    threshold: int | None,
    faults: str,
    tx_interval: str,
    seeds: str,
    jobs: int,
    minutes: float,
    keep_going: bool,
    as_json: bool,
) -> int:
    """Run many seeds; the first finding is made short and comes with a command that replays it.

    Without a network each seed has a mesh of 4 to 10 nodes of its own. --json ends with an object
    about all seeds.
    """
    from mcnode.simulation.sweep import Sweep, run_sweep

    plan = Sweep(
        _network(topology_name, network_file, nodes, threshold),
        parse_faults(faults),
        round(minutes * MINUTE_US),
        parse_duration(tx_interval),
    )
    wanted = _parse_seeds(seeds)
    found: list[SimResult] = []
    begin = shown = time.perf_counter()
    done, virtual_us = 0, 0
    for result in run_sweep(plan, wanted, jobs):
        done, virtual_us = done + 1, virtual_us + result.virtual_us
        if as_json:
            click.echo(json.dumps(result.to_json()))
        if result.finding is not None:
            found.append(result)
            click.echo(f"seed {result.seed}: {result.finding}", err=True)
            if not keep_going:
                break
        if time.perf_counter() - shown > 5:
            shown = time.perf_counter()
            rate = done / (shown - begin)
            click.echo(f"{done} of {len(wanted)} seeds, {rate:.1f}/s", err=True)
    elapsed_s = time.perf_counter() - begin
    summary: dict[str, Any] = {
        "seeds": done,
        "findings": len(found),
        "failing_seeds": [result.seed for result in found],
        "virtual_hours": round(virtual_us / 3600 / SECOND_US, 2),
        "wall_seconds": round(elapsed_s, 1),
    }
    if found:
        summary["first"] = _shorten(plan.config(found[0].seed), found[0])
    if as_json:
        click.echo(json.dumps(summary))
    else:
        _show_sweep(summary)
    return EXIT_FOUND if found else 0


def _shorten(config: SimConfig, result: SimResult) -> dict[str, Any]:
    from mcnode.simulation.minimise import minimise

    short = minimise(config, result)
    return {
        **short.result.to_json(),
        "runs": short.runs,
        "faults_before": len(result.faults),
        "faults_after": len(short.config.faults),
        "replay": replay_command(short.config),
    }


def replay_command(config: SimConfig) -> str:
    """The command line that does a run again."""
    network = config.network
    quorum = network.quorum_size()
    if quorum is not None and network == mesh(network.size, quorum - 1, network.name):
        where = ["--nodes", str(network.size), "--threshold", str(quorum - 1)]
    elif network.name in TOPOLOGIES:
        where = ["--topology", network.name]
    else:
        where = ["--network-file", network.name]
    rest = {
        "--seed": str(config.seed),
        "--minutes": repr(config.active_us / MINUTE_US),
        "--tx-interval": duration_text(config.tx_interval_us),
        "--faults": faults_text(config.faults),
    }
    return shlex.join(["mcnode", "sim", "run", *where, *(w for pair in rest.items() for w in pair)])


def _show_sweep(summary: dict[str, Any]) -> None:
    click.echo(
        f"{summary['seeds']} seeds, {summary['virtual_hours']} virtual hours in "
        f"{summary['wall_seconds']} s: {summary['findings']} findings"
    )
    first = summary.get("first")
    if first is not None:
        finding = first["finding"]
        click.echo(f"{finding['kind']}: {finding['text']}")
        click.echo(
            f"made short in {first['runs']} runs: {first['faults_after']} faults of "
            f"{first['faults_before']}"
        )
        click.echo(f"trace_hash {first['trace_hash']}")
        click.echo(f"replay: {first['replay']}")


@sim.command()
@_network_options
@click.option("--links", default="0ms,50ms,200ms", show_default=True, help="One-way latencies.")
@click.option("--nomination", help="Base intervals to compare. Default: the network file's, or 1s.")
@click.option("--ballot", help="Base intervals to compare. Default: the network file's, or 1s.")
@click.option("--minutes", default=2.0, show_default=True, help="Virtual, for each line.")
@click.option("--faults", default="none", show_default=True, help="See docs/simulation.md.")
@_seed
@_json
def latency(
    *,
    topology_name: str | None,
    network_file: Path | None,
    nodes: int | None,
    threshold: int | None,
    links: str,
    nomination: str | None,
    ballot: str | None,
    minutes: float,
    faults: str,
    seed: int,
    as_json: bool,
) -> None:
    """How long payments take, from submission to the block at the node that took them in."""
    network = _network(topology_name, network_file, nodes, threshold)
    network = network or _from_topology(TOPOLOGIES["dense5"])
    if not as_json:
        click.echo("link      nomination  ballot    payments  p50        p99")
    for link in map(parse_duration, links.split(",")):
        for nomination_us in _intervals(nomination, network.timing.nomination_base_ms):
            for ballot_us in _intervals(ballot, network.timing.ballot_base_ms):
                timing = Timing(nomination_us // 1000, ballot_us // 1000)
                config = SimConfig(
                    dataclasses.replace(network, timing=timing),
                    seed,
                    parse_faults(f"latency={duration_text(link)},{faults}"),
                    active_us=round(minutes * MINUTE_US),
                    check_slots=False,
                )
                result = simulate(config)
                if result.finding is not None:
                    click.echo(f"{duration_text(link)} links: {result.finding}", err=True)
                waits = sorted(result.waits_s)
                micros = (link, nomination_us, ballot_us)
                click.echo((_latency_json if as_json else _latency_line)(micros, waits))


def _intervals(text: str | None, usual_ms: int) -> list[int]:
    if text is None:
        return [1000 * usual_ms]
    return [parse_duration(each) for each in text.split(",")]


def _latency_line(micros: tuple[int, int, int], waits_s: list[float]) -> str:
    link, nomination, ballot = map(duration_text, micros)
    quantiles = [_quantile_ms(waits_s, share) for share in (0.5, 0.99)]
    p50, p99 = ("-" if each is None else f"{each} ms" for each in quantiles)
    return f"{link:<9} {nomination:<11} {ballot:<9} {len(waits_s):<9} {p50:<10} {p99}"


def _latency_json(micros: tuple[int, int, int], waits_s: list[float]) -> str:
    link, nomination, ballot = (each / 1000 for each in micros)
    return json.dumps(
        {
            "link_ms": link,
            "nomination_ms": nomination,
            "ballot_ms": ballot,
            "payments": len(waits_s),
            "p50_ms": _quantile_ms(waits_s, 0.5),
            "p99_ms": _quantile_ms(waits_s, 0.99),
        }
    )


def _quantile_ms(ascending_s: list[float], share: float) -> int | None:
    if not ascending_s:
        return None
    return round(ascending_s[min(len(ascending_s) - 1, int(len(ascending_s) * share))] * 1000)
