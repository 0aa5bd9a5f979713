"""Every vector file that the project keeps, and, where it lies beside, the larger set too.

The larger set holds data that may not be copied here; when it is not beside the checkout the run
says so and tests what there is.
"""

from pathlib import Path

import pytest

from mcnode.conformance.run import find_files, load_runners, run_file
from mcnode.conformance.vectors import place, runner_for

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "tests" / "vectors"
BESIDE = ROOT.parent / "shared" / "vectors"

load_runners()


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder.resolve())) for path in find_files([folder])]


def _is_known(folder: Path, name: str) -> bool:
    placed = place(folder / name)
    return placed is not None and runner_for(*placed) is not None


@pytest.mark.parametrize("name", _names(OWN))
def test_every_kept_file_is_read_and_holds(name: str) -> None:
    outcome = run_file(OWN / name)
    assert outcome.report is not None, f"{name} is not read by any runner"
    assert not outcome.report.failures
    assert outcome.report.passed > 0


@pytest.mark.skipif(not BESIDE.exists(), reason="the larger set of vectors is not beside")
@pytest.mark.parametrize(
    "name",
    [n for n in _names(BESIDE) if _is_known(BESIDE, n)] if BESIDE.exists() else [],
)
def test_every_known_file_beside_holds(name: str) -> None:
    outcome = run_file(BESIDE / name)
    assert outcome.report is not None
    assert not outcome.report.failures
