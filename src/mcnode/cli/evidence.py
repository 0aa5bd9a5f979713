"""`mcnode evidence`: what nodes signed that contradicts itself. [docs/equivocation.md]"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mcnode.peers.evidence import Evidence

EXIT_BROKEN = 1

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group()
def evidence() -> None:
    """Nodes that contradicted themselves, with both statements that they signed.

    A node keeps what it finds in the folder `equivocations` of its ledger's directory, one JSON
    document each. A document proves itself: send the file to whomever it concerns.

    \b
      mcnode evidence list --from LEDGER     what this node has found
      mcnode evidence list --from LEDGER --json > all.json
      mcnode evidence show FILE              both statements, their signatures checked
    """


@evidence.command("list")
@click.option(
    "--from",
    "place",
    envvar="MC_LEDGER_PATH",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Directory of a node's ledger, or one with documents.",
)
@_json
def list_evidence(place: Path, as_json: bool) -> int:
    """List the documents by slot; with --json in full. Exit status 1 if one proves nothing."""
    from mcnode.consensus.evidence_folder import EVIDENCE_FOLDER, read_documents

    folder = place / EVIDENCE_FOLDER
    found, broken = read_documents(folder if folder.is_dir() else place)
    if as_json:
        click.echo(json.dumps([_document(each, path) for path, each in found], indent=2))
    else:
        for path, each in found:
            click.echo(f"slot {each.slot_index}: {_name(each)} {each.reason}  {path.name}")
        if not found:
            click.echo("no node has contradicted itself, as far as this one has heard")
    for path, reason in broken:
        click.echo(f"proves nothing: {path}: {reason}", err=True)
    return EXIT_BROKEN if broken else 0


def _name(found: "Evidence") -> str:
    """What the author calls itself; the document may come from anybody, and go to a terminal."""
    return found.author.responder_id.encode("unicode_escape").decode("ascii")


def _document(found: "Evidence", path: Path) -> dict[str, Any]:
    return {"file": str(path), **found.to_json()}


@evidence.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_json
def show(file: Path, as_json: bool) -> None:
    """Check a document from anywhere and print what its author said twice."""
    from mcnode.peers.evidence import read_evidence
    from mcnode.slots.names import Names, describe_value
    from mcnode.slots.text import moment_text, topic_text

    found = read_evidence(file.read_text(encoding="utf-8", errors="replace"))
    if as_json:
        click.echo(json.dumps(_document(found, file), indent=2))
        return
    author, names = found.author, Names(found.author)
    click.echo(f"node      {_name(found)}")
    click.echo(f"key       {author.public_key.hex()}, both signatures hold")
    click.echo(f"slot      {found.slot_index}")
    click.echo(f"seen      {moment_text(found.seen_ms) or '-'}")
    click.echo(f"reason    {found.reason}")
    for number, msg in enumerate((found.one, found.other), 1):
        click.echo(f"said {number}    on block {msg.prev_block_id.hex()}")
        click.echo(f"          {topic_text(msg.scp_msg.topic, names)}")
    for value in names.values_named():
        click.echo(f"{names.value(value):<9} {describe_value(value)}")
