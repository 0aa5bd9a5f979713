"""How `mcnode quorum` shows its answers to people."""

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mcnode.quorum.compiled import bits
from mcnode.quorum.export import to_json
from mcnode.quorum.intersection import Verdict
from mcnode.quorum.lint import Finding, Severity
from mcnode.quorum.model import FederatedSystem
from mcnode.quorum.summary import Check, Figures, SetsByUnit

if TYPE_CHECKING:
    from mcnode.quorum.minimal import MinimalSets
    from mcnode.quorum.suggest import Suggestion

PLACES_SHOWN = 4

_VERDICTS = {
    Verdict.INTERSECTING: "intersecting: every two quorums share a node",
    Verdict.SPLIT: "SPLIT: two quorums share no node, the network can fork",
    Verdict.NO_QUORUM: "NO QUORUM: the network cannot agree on anything",
}


def show_check(found: Check) -> None:
    """The verdict, the size, the witness."""
    click.echo(_VERDICTS[found.intersection.verdict])
    count = "quorums not counted" if found.quorum_count is None else f"{found.quorum_count} quorums"
    able = found.system.core.bit_count()
    click.echo(f"{len(found.system)} nodes, {able} of them decide, {count}")
    for number, side in enumerate(found.intersection.witness or (), 1):
        names = _names(found.system.system, [found.system.ids[each] for each in bits(side)])
        click.echo(f"  quorum {number} ({side.bit_count()} nodes): {', '.join(names)}")


def _names(system: FederatedSystem, ids: Iterable[str]) -> list[str]:
    return [system.label(each) for each in ids]


def finding_json(finding: Finding) -> dict[str, str]:
    """For programs."""
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "place": finding.place,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def show_findings(findings: Sequence[Finding]) -> None:
    """Errors first; what is said about several places is said once."""
    merged: dict[tuple[Severity, str, str], list[str]] = {}
    for finding in findings:
        key = finding.severity, finding.message, finding.remedy
        merged.setdefault(key, []).append(finding.place)
    for severity in Severity:
        for (found, message, remedy), places in merged.items():
            if found is severity:
                shown = ", ".join(places[:PLACES_SHOWN])
                if len(places) > PLACES_SHOWN:
                    shown += f" and {len(places) - PLACES_SHOWN} more"
                click.echo(f"{severity.value}: {shown}: {message}")
                click.echo(f"    {remedy}")
    counts = [
        f"{sum(finding.severity is severity for finding in findings)} {severity.value}s"
        for severity in Severity
    ]
    click.echo(", ".join(counts))


def show_sets(system: FederatedSystem, found: SetsByUnit, shown: int) -> None:
    """One paragraph per kind of set."""
    click.echo("by node" if found.grouping is None else f"by {found.grouping.value}")
    _show_kind(system, "minimal quorums", "", found.quorums, shown)
    _show_kind(system, "minimal blocking sets", " (can halt it)", found.blocking, shown)
    _show_kind(system, "minimal splitting sets", " (can split it by lying)", found.splitting, shown)
    tier, is_whole = found.top_tier
    text = ", ".join(_names(system, tier)) or "nobody"
    click.echo(f"  top tier{'' if is_whole else ' (at least)'}: {len(tier)}: {text}")


def _show_kind(
    system: FederatedSystem, title: str, meaning: str, found: "MinimalSets", shown: int
) -> None:
    if found.is_complete:
        count = f"{found.count:,}"
    else:
        count = f"{found.count:,} and more (search ended; all of {found.searched_size} or fewer)"
    sizes = ", ".join(f"{count:,} of {size}" for size, count in sorted(found.sizes().items()))
    if not found.shapes and not found.is_complete:
        none = f"none of {found.searched_size} or fewer" if found.searched_size >= 0 else "none yet"
        count = f"{none}; larger ones were not reached"
        if found.example is not None:
            count = f"{none}; the search ended, one of {found.example.bit_count()} is known"
    click.echo(f"  {title}{meaning}: {count}{f': {sizes}' if sizes else ''}")
    examples = () if found.example is None else (found.example,)
    for mask in itertools.islice(itertools.chain(found, examples), shown):
        names = _names(system, found.units.named(mask))
        click.echo(f"    {{{', '.join(names)}}}")
    if 0 < shown < found.count:
        click.echo(f"    … {found.count - shown:,} more")


def show_comparison(before: Figures, after: Figures) -> None:
    """A table; what changes is marked."""
    rows = [("", "before", "after", "")]
    old, new = before.to_json(), after.to_json()
    for title in dict.fromkeys([*old, *new]):
        left, right = old.get(title, "-"), new.get(title, "-")
        rows.append((title, left, right, "" if left == right else "<"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for title, left, right, mark in rows:
        line = f"{title:<{widths[0]}}  {left:>{widths[1]}}  {right:>{widths[2]}}  {mark}"
        click.echo(line.rstrip())


def show_suggestion(made: "Suggestion", quorum_set: dict[str, Any], found: Figures) -> None:
    """The set on standard output as a piece of a network file; the rest as comments around it."""
    for reason in made.reasons:
        click.echo(reason, err=True)
    click.echo(to_json({"quorum_set": quorum_set}), nl=False)
    click.echo("if all these nodes take it:", err=True)
    for title, value in found.rows:
        click.echo(f"  {title}: {value}", err=True)
