"""What the commands of `mcnode quorum` have in common: their options, reading, writing."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from mcnode.cli.parameters import together

if TYPE_CHECKING:
    from mcnode.quorum.model import FederatedSystem
    from mcnode.quorum.sources import Assume

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
GROUPINGS = ("node", "organisation", "host", "country")

sources_argument = click.argument("sources", nargs=-1, required=True, metavar="FILE…")
mapping_option = click.option(
    "--mapping",
    type=FILE,
    help="JSON or TOML: which node belongs to which organisation, host and country.",
)
assume_option = click.option(
    "--assume",
    type=click.Choice(["same", "none"]),
    default="same",
    show_default=True,
    help="With one node's view: what the others ask for.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
time_limit_option = click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds after which each search ends.",
)
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write here, not to standard output."
)


input_options = together(sources_argument, mapping_option, assume_option)
"""The options of every command that reads a system."""


def load(sources: tuple[str, ...], mapping: Path | None, assume: str) -> "FederatedSystem":
    """The system in all of the sources. Raises `QuorumInputError` where one is not usable."""
    from mcnode.cli.quorum_input import load_system

    return load_system(sources, mapping, cast("Assume", assume))


def print_json(value: Any) -> None:
    """For programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_notes(system: "FederatedSystem") -> None:
    """What was assumed or left out, on standard error."""
    for note in system.notes:
        click.echo(f"note: {note}", err=True)


def write(text: str, output: Path | None) -> None:
    """Into a file, or to standard output.

    Raises:
        QuorumInputError: the file cannot be written.
    """
    from mcnode.quorum.errors import QuorumInputError

    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise QuorumInputError(f"cannot write {output}: {error.strerror}") from error
    click.echo(f"wrote {output}", err=True)
