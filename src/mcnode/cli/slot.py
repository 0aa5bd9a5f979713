"""`mcnode slot`: the slots that a node has recorded, read, walked and replayed."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.slot_walk import walk

if TYPE_CHECKING:
    from mcnode.slots.library import Entry, Unreadable
    from mcnode.slots.names import Names
    from mcnode.slots.replay import Step

EXIT_DIFFERS = 1

_from = click.option(
    "--from",
    "place",
    envvar="MC_LEDGER_PATH",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="Directory of a node's ledger, of a debug dump, or a .slot file.",
)
_attempt = click.option(
    "--attempt", type=click.IntRange(min=0), help="After restarts within the slot; default: last."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_number = click.argument("number", type=click.IntRange(min=0), required=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def slot() -> None:
    """How a node agreed on its last blocks: who said what, and what it waited for.

    A node keeps its last slots in the folder `slots` of its ledger's directory; directories of
    --scp-debug-dump are read too. Without a number the newest slot is taken.

    \b
      mcnode slot list   --from LEDGER      outcome and duration of each
      mcnode slot show 7 --from LEDGER      slot 7 from beginning to end
      mcnode slot step 7 --from LEDGER      walk through it, forwards and backwards
      mcnode slot replay --from LEDGER      does it happen again the same way?
    """


@slot.command("list")
@_from
@_json
def list_slots(place: Path, as_json: bool) -> None:
    """List the slots with outcome and duration."""
    from mcnode.slots.json_form import entry_json
    from mcnode.slots.library import read_all

    entries, unreadable = read_all(place)
    _warn(unreadable)
    if as_json:
        click.echo(json.dumps([entry_json(entry) for entry in entries], indent=2))
        return
    click.echo(f"{'slot':>10}  {'began (UTC)':<23}  {'duration':>10}  {'events':>6}  outcome")
    for entry in entries:
        click.echo(_line(entry))


def _warn(unreadable: "list[Unreadable]") -> None:
    for each in unreadable:
        click.echo(f"unreadable: {each.path}: {each.reason}", err=True)


def _line(entry: "Entry") -> str:
    from mcnode.slots.text import moment_text, outcome_text

    record = entry.record
    number = str(record.start.slot_index) + (f".{entry.attempt}" if entry.attempt else "")
    duration = "-" if record.duration_ms is None else f"{record.duration_ms} ms"
    began = moment_text(record.start.unix_ms) or "-"
    return (
        f"{number:>10}  {began:<23}  {duration:>10}  {len(record.events):>6}  "
        f"{outcome_text(record)}"
    )


@slot.command()
@_number
@_from
@_attempt
@_json
def show(number: int | None, place: Path, attempt: int | None, as_json: bool) -> None:
    """Show who said what when, what that changed, and where the time went."""
    from mcnode.slots.text import header, legend_lines, stage_lines, stages, timeline

    entry, steps, names = _replayed(place, number, attempt)
    record = entry.record
    found = stages(record, steps, names)
    if as_json:
        click.echo(json.dumps(_show_json(entry, steps, names), indent=2))
        return
    lines = [*header(record, names), "", *timeline(record, steps, names)]
    if found:
        lines += ["", "where the time went", *stage_lines(found)]
    lines += ["", *legend_lines(names)]
    click.echo("\n".join(lines))


def _show_json(entry: "Entry", steps: "list[Step]", names: "Names") -> dict[str, Any]:
    from mcnode.slots.json_form import entry_json, legend_json, stage_json, step_json
    from mcnode.slots.text import stages

    record = entry.record
    return {
        **entry_json(entry),
        "quorum_set": names.quorum_set(record.start.quorum_set),
        "steps": [step_json(record, step, names) for step in steps],
        "stages": [stage_json(stage) for stage in stages(record, steps, names)],
        "values": legend_json(names),
    }


@slot.command()
@_number
@_from
@_attempt
@click.option("--to", type=click.IntRange(min=0), help="Print this step and end.")
@_json
def step(
    number: int | None, place: Path, attempt: int | None, to: int | None, as_json: bool
) -> None:
    """Walk through a slot: state and missing votes after each event.

    Keys: n or space forwards, p or b backwards, g first, G last, a number and Enter to go there,
    q to end. With --to or --json, or when there is no terminal, one step is printed: the last one
    unless --to names another.
    """
    from mcnode.slots.json_form import step_json
    from mcnode.slots.text import step_lines

    entry, steps, names = _replayed(place, number, attempt)
    record = entry.record
    if to is not None and to >= len(steps):
        raise click.BadParameter(f"slot has steps 0 to {len(steps) - 1}, not {to}")
    if to is None and not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        walk([list(step_lines(record, each, names)) for each in steps])
        return
    chosen = steps[-1 if to is None else to]
    if as_json:
        click.echo(json.dumps(step_json(record, chosen, names), indent=2))
    else:
        click.echo("\n".join(step_lines(record, chosen, names)))


@slot.command()
@_number
@_from
@_attempt
@_json
@click.pass_context
def replay(
    ctx: click.Context, number: int | None, place: Path, attempt: int | None, as_json: bool
) -> None:
    """Feed recorded inputs to a fresh slot and compare all that it does.

    Without a number, every slot there is. Exit status 1, and the first difference, if one does not
    replay identically or cannot be read.
    """
    from mcnode.slots.library import read_all, read_slot
    from mcnode.slots.replay import replay as replay_record

    unreadable: list[Unreadable] = []
    if number is None:
        entries, unreadable = read_all(place)
        _warn(unreadable)
    else:
        entries = [read_slot(place, number, attempt)]
    results: list[dict[str, Any]] = []
    for entry in entries:
        steps = list(replay_record(entry.record))
        differing = next((each for each in steps if each.difference is not None), None)
        results.append(
            {
                "slot_index": entry.record.start.slot_index,
                "attempt": entry.attempt,
                "steps": len(steps) - 1,
                "breaks_off": entry.record.breaks_off,
                "first_difference": None
                if differing is None
                else {"step": differing.number, "what": differing.difference},
            }
        )
    if as_json:
        click.echo(json.dumps(results, indent=2))
    else:
        for result in results:
            click.echo(_replay_line(result))
    if unreadable or any(result["first_difference"] for result in results):
        ctx.exit(EXIT_DIFFERS)


def _replay_line(result: dict[str, Any]) -> str:
    name = f"slot {result['slot_index']}"
    found = result["first_difference"]
    if found is not None:
        return f"{name}: differs at step {found['step']} of {result['steps']}: {found['what']}"
    line = f"{name}: {result['steps']} steps replay identically"
    return line + (f"; {result['breaks_off']}" if result["breaks_off"] else "")


@slot.command()
@_number
@_from
@_attempt
@click.option(
    "--to",
    "directory",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A new directory.",
)
def dump(number: int | None, place: Path, attempt: int | None, directory: Path) -> None:
    """Write a slot in the network's own format, that of --scp-debug-dump."""
    from mcnode.slots.dump import write_dump

    entry, steps, _ = _replayed(place, number, attempt)
    write_dump(directory, entry.record, steps)
    click.echo(f"slot {entry.record.start.slot_index} is in {directory}")


def _replayed(
    place: Path, number: int | None, attempt: int | None
) -> "tuple[Entry, list[Step], Names]":
    from mcnode.slots.library import read_slot
    from mcnode.slots.names import Names
    from mcnode.slots.replay import replay as replay_record

    entry = read_slot(place, number, attempt)
    return entry, list(replay_record(entry.record)), Names.of_record(entry.record)
