"""Find the vector files under some folders, run each, and count."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import mcnode.conformance
from mcnode.conformance.vectors import Report, VectorFile, place, runner_for
from mcnode.errors import InvalidError

_INFRASTRUCTURE = {"run", "vectors"}


class NoVectorsError(InvalidError):
    """A named folder does not exist or holds no vector file."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """The run of one file; `report` is None for a file that no runner knows."""

    path: Path
    report: Report | None

    @property
    def is_unknown(self) -> bool:
        """No runner is registered for such a file."""
        return self.report is None


def load_runners() -> None:
    """Import every runner module, which registers what it can run."""
    for module in pkgutil.iter_modules(mcnode.conformance.__path__):
        if module.name not in _INFRASTRUCTURE:
            importlib.import_module(f"{mcnode.conformance.__name__}.{module.name}")


def find_files(folders: Iterable[Path]) -> Iterator[Path]:
    """Every file under the folders, sorted; documentation and hidden files are no vectors.

    Raises:
        NoVectorsError: a folder is not there, or nothing was found at all.
    """
    found: set[Path] = set()
    for folder in folders:
        if not folder.exists():
            raise NoVectorsError(f"{folder} does not exist; name a folder of vector files")
        candidates = [folder] if folder.is_file() else folder.rglob("*")
        found.update(
            path.resolve()
            for path in candidates
            if path.is_file() and path.suffix != ".md" and not path.name.startswith(".")
        )
    if not found:
        raise NoVectorsError("no vector file found in the named folders")
    yield from sorted(found)


def run_file(path: Path, context_dirs: tuple[Path, ...] = ()) -> Outcome:
    """Run one file with the runner registered for its place."""
    placed = place(path)
    runner = runner_for(*placed) if placed else None
    if placed is None or runner is None:
        return Outcome(path, None)
    area, name = placed
    report = Report()
    file = VectorFile(path, area, name, context_dirs)
    with report.guard("the file as a whole"):
        runner(file, report)
    return Outcome(path, report)
