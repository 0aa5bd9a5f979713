"""Vector files, where they are found, and the registry of what can be run.

A runner is registered for an area (a folder name such as `crypto`, found anywhere in a file's path)
and a pattern on the path below that folder, compression endings left out::

    @runs("crypto", r"mlsag\\.jsonl")
    def mlsag(file: VectorFile, report: Report) -> None:
        for number, case in enumerate(file.json_lines()):
            with report.case(case.get("name", number)):
                expect_equal("key image", made.hex(), case["key_image"])
"""

import contextlib
import dataclasses
import gzip
import json
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from mcnode.errors import McNodeError

AREAS = ("crypto", "transaction", "ledger", "scp", "attest", "service")
_COMPRESSED = {".gz", ".zst"}
_DECOMPRESSED_BYTES_MAX = 1 << 30
"""A vector file that unpacks to more is refused: no documented one comes near."""


class MismatchError(McNodeError):
    """A case's outcome is not the expected one."""


def expect(condition: bool, what: str) -> None:
    """Raise `MismatchError(what)` unless `condition` holds."""
    if not condition:
        raise MismatchError(what)


def expect_equal(what: str, found: object, expected: object) -> None:
    """Raise `MismatchError` naming both values unless they are equal."""
    if found != expected:
        raise MismatchError(f"{what}: found {found!r}, expected {expected!r}")


@dataclasses.dataclass(frozen=True, slots=True)
class VectorFile:
    """One file of cases. `area` and `name` are its place, `context_dirs` where to look besides."""

    path: Path
    area: str
    name: str
    """Path below the area folder, `/` between parts, without a compression ending."""
    context_dirs: tuple[Path, ...] = ()

    def read_bytes(self) -> bytes:
        """The content, unpacked if the file is compressed."""
        return read_unpacked(self.path)

    def json(self) -> Any:
        """The content as one JSON value."""
        return json.loads(self.read_bytes())

    def json_lines(self) -> Iterator[Any]:
        """One JSON value per non-empty line."""
        for line in self.read_bytes().splitlines():
            if line.strip():
                yield json.loads(line)

    def sibling(self, relative: str) -> Path:
        """A file that this one refers to: beside it first, then in the same place of each context.

        `relative` leaves out a compression ending.

        Raises:
            MismatchError: it is nowhere.
        """
        found = self.siblings(relative)
        if not found:
            looked = ", ".join(str(place.parent) for place in self._places(relative))
            raise MismatchError(
                f"{relative} is not beside the file; looked in {looked} (--context)"
            )
        return found[0]

    def siblings(self, relative: str) -> list[Path]:
        """Every file that `sibling` could mean, in its order; none when it is nowhere."""
        candidates = (
            candidate
            for place in self._places(relative)
            for candidate in (place, *(place.with_name(place.name + e) for e in _COMPRESSED))
        )
        return [candidate for candidate in candidates if candidate.exists()]

    def _places(self, relative: str) -> list[Path]:
        folder = Path(self.name).parent
        contexts = [context / self.area / folder / relative for context in self.context_dirs]
        return [self.path.parent / relative, *contexts]


def read_unpacked(path: Path) -> bytes:
    """The bytes of a plain, gzip or zstd file.

    Raises:
        MismatchError: it unpacks to more than 1 GiB.
    """
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            data = reader.read(_DECOMPRESSED_BYTES_MAX + 1)
    if len(data) > _DECOMPRESSED_BYTES_MAX:
        raise MismatchError(f"{path} unpacks to more than {_DECOMPRESSED_BYTES_MAX} bytes")
    return data


@dataclasses.dataclass(slots=True)
class Report:
    """What one file's run gave."""

    passed: int = 0
    failures: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    """Facts worth printing, such as cases that differ by a known defect, with counts."""

    @contextlib.contextmanager
    def case(self, name: object) -> Iterator[None]:
        """Count one case: passed unless the block raises."""
        failures_before = len(self.failures)
        with self.guard(name):
            yield
        if len(self.failures) == failures_before:
            self.passed += 1

    @contextlib.contextmanager
    def guard(self, name: object) -> Iterator[None]:
        """Turn what the block raises into a failure called `name`; count nothing otherwise."""
        try:
            yield
        except MismatchError as error:
            self.failures.append(f"{name}: {error}")
        except Exception as error:  # a runner's crash is that case's failure, not the run's end
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.failures.append(
                f"{name}: {type(error).__name__}: {error} ({where.name}:{where.lineno})"
            )


Runner = Callable[[VectorFile, Report], None]
_runners: list[tuple[str, re.Pattern[str], Runner]] = []


def runs(area: str, pattern: str) -> Callable[[Runner], Runner]:
    """Register a runner for files of `area` whose name matches `pattern` whole."""
    if area not in AREAS:
        raise ValueError(f"{area} is not one of {AREAS}")

    def register(runner: Runner) -> Runner:
        _runners.append((area, re.compile(pattern), runner))
        return runner

    return register


def runner_for(area: str, name: str) -> Runner | None:
    """The first registered runner whose pattern matches, or None."""
    for its_area, pattern, runner in _runners:
        if its_area == area and pattern.fullmatch(name):
            return runner
    return None


def place(path: Path) -> tuple[str, str] | None:
    """(area, name) of a file from its path, or None when no area folder is on it."""
    parts = path.parts
    for position in range(len(parts) - 2, -1, -1):
        if parts[position] in AREAS:
            below = "/".join(parts[position + 1 :])
            suffix = Path(below).suffix
            return parts[position], below.removesuffix(suffix) if suffix in _COMPRESSED else below
    return None
