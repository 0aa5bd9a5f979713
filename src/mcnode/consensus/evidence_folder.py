"""Documents of equivocations on disk: bounded, the oldest removed.

00000007.3f0a82c1d4e55b91.json    slot 7, the first sixteen digits of the author's key
"""

import json
from pathlib import Path
from typing import Final

from mcnode.peers.evidence import Evidence, EvidenceError, read_evidence

EVIDENCE_FOLDER: Final = "equivocations"
"""Beside the recorded slots, in the directory of the ledger."""
FILES_MAX: Final = 200
"""Documents kept; the oldest goes first."""
FILES_PER_AUTHOR_MAX: Final = 20
"""So that a node which lies in every slot does not wash away what is known of the others."""
BYTES_MAX: Final = 64 << 20
"""All documents together. One is some kilobytes, and up to six megabytes if somebody tries."""
KEY_DIGITS: Final = 16


class EvidenceFolder:
    """The documents on disk."""

    def __init__(self, directory: Path) -> None:
        """The directory is made with the first document."""
        self._directory = directory

    def keep(self, evidence: Evidence) -> Path:
        """Write a document, and remove the oldest beyond the limits.

        Raises:
            OSError: it cannot be written.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        digits = evidence.author.public_key.hex()[:KEY_DIGITS]
        path = self._directory / f"{evidence.slot_index:08d}.{digits}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(evidence.to_json(), indent=2) + "\n", encoding="ascii")
        part.replace(path)
        self._make_room(digits)
        return path

    def _make_room(self, digits: str) -> None:
        newest_first = sorted(
            ((path.stat(), path) for path in document_files(self._directory)),
            key=lambda entry: (entry[0].st_mtime_ns, entry[1].name),
            reverse=True,
        )
        count = of_author = size = 0
        for stat, path in newest_first:
            count, size = count + 1, size + stat.st_size
            of_author += f".{digits}." in path.name
            too_many = f".{digits}." in path.name and of_author > FILES_PER_AUTHOR_MAX
            if too_many or count > FILES_MAX or size > BYTES_MAX:
                path.unlink(missing_ok=True)


def document_files(directory: Path) -> list[Path]:
    """The documents in a directory, by slot; none if there is no such directory."""
    return sorted(directory.glob("*.json"))


def read_documents(directory: Path) -> tuple[list[tuple[Path, Evidence]], list[tuple[Path, str]]]:
    """Every document that proves something, and the files that do not, with the reason."""
    found: list[tuple[Path, Evidence]] = []
    broken: list[tuple[Path, str]] = []
    for path in document_files(directory):
        try:
            found.append((path, read_evidence(path.read_text(encoding="utf-8"))))
        except (OSError, UnicodeDecodeError, EvidenceError) as error:
            broken.append((path, str(error)))
    return found, broken
