"""Cases that other files refer to by id."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcnode.conformance.vectors import MismatchError, VectorFile, read_unpacked

Case = dict[str, Any]


class Cases:
    """Cases by id, from several files; a file that comes first counts first."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths
        self._by_id: dict[str, Case] = {}
        for path in reversed(paths):
            for line in read_unpacked(path).splitlines():
                if line.strip():
                    case = json.loads(line)
                    self._by_id[case["id"]] = case

    def get(self, name: str) -> Case:
        """The case with this id.

        Raises:
            MismatchError: no file has it.
        """
        if name not in self._by_id:
            looked = ", ".join(map(str, self._paths)) or "no file"
            raise MismatchError(f"base case {name} is in none of: {looked} (--context)")
        return self._by_id[name]


def cases_beside(file: VectorFile, stem: str) -> Cases:
    """All cases in files `stem*.jsonl`, beside a file and in the same place of each context."""
    return _cases(tuple(_related_files(file, stem)))


@functools.lru_cache(maxsize=8)
def _cases(paths: tuple[Path, ...]) -> Cases:
    return Cases(paths)


def _related_files(file: VectorFile, stem: str) -> Iterator[Path]:
    folder = Path(file.name).parent
    places = [file.path.parent]
    places += [context / file.area / folder for context in file.context_dirs]
    for place in places:
        yield from sorted(place.glob(f"{stem}*.jsonl*"))
