"""`mcnode conformance`: run vector files against this build."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mcnode.conformance.run import Outcome

_FAILURES_SHOWN_MAX = 10


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--allow-unknown", is_flag=True, help="A file that no runner knows is no failure.")
@click.option(
    "--context",
    "contexts",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where to look for shared context and base cases that a set does not hold itself.",
)
def conformance(
    folders: tuple[Path, ...], as_json: bool, allow_unknown: bool, contexts: tuple[Path, ...]
) -> None:
    """Run every vector file found under FOLDERS and compare with what it expects.

    A file is recognised by its folder (crypto, transaction, ledger, scp, attest, service) and its
    name, anywhere below the named folders. Exit status 0: all passed; 1: a case failed or a file
    is unknown; 2: wrong call.

    Example: mcnode conformance tests/vectors
    """
    from mcnode.conformance.run import find_files, load_runners, run_file

    load_runners()
    outcomes = []
    for path in find_files(folders):
        outcome = run_file(path, contexts)
        outcomes.append(outcome)
        if not as_json:
            _print_outcome(outcome)
    _close(outcomes, as_json=as_json, allow_unknown=allow_unknown)


def _print_outcome(outcome: "Outcome") -> None:
    report = outcome.report
    if report is None:
        click.echo(f"unknown              {outcome.path}")
        return
    failed = len(report.failures)
    click.echo(f"{report.passed:6d} ok {failed:4d} failed  {outcome.path}")
    for note in report.notes:
        click.echo(f"         note: {note}")
    for failure in report.failures[:_FAILURES_SHOWN_MAX]:
        click.echo(f"         FAILED {failure}")
    if failed > _FAILURES_SHOWN_MAX:
        click.echo(f"         … and {failed - _FAILURES_SHOWN_MAX} more")


def _close(outcomes: Iterable["Outcome"], *, as_json: bool, allow_unknown: bool) -> None:
    files: list[dict[str, Any]] = [
        {
            "path": str(outcome.path),
            "known": outcome.report is not None,
            "passed": outcome.report.passed if outcome.report else 0,
            "failures": outcome.report.failures if outcome.report else [],
            "notes": outcome.report.notes if outcome.report else [],
        }
        for outcome in outcomes
    ]
    passed = sum(file["passed"] for file in files)
    failed = sum(len(file["failures"]) for file in files)
    unknown = sum(not file["known"] for file in files)
    if as_json:
        totals = {"passed": passed, "failed": failed, "unknown_files": unknown}
        click.echo(json.dumps({"files": files, **totals}, indent=2))
    else:
        if unknown:
            click.echo(f"{unknown} unknown files" + (" (allowed)" if allow_unknown else ""))
        click.echo(f"{passed} passed, {failed} failed")
    if failed or (unknown and not allow_unknown):
        sys.exit(1)
