"""The notebook does what it shows."""

import tempfile
from pathlib import Path

import pytest

from mcnode.network.local import open_network
from mcnode.network.plan import PLAN_FILE
from support.notebook import code_cells, read_notebook, run_cells, shown_output

NOTEBOOK = Path(__file__).parents[2] / "docs" / "wallet.ipynb"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty directory for temporary files; networks in it are stopped at the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    for plan in tmp_path.glob(f"*/*/{PLAN_FILE}"):
        open_network(plan.parent).stop()


def test_wallet_notebook(place):
    """Cell by cell on real nodes, and nothing is left of it."""
    cells = code_cells(read_notebook(NOTEBOOK))
    assert cells and all(shown_output(cell) for cell in cells)
    for cell, printed in run_cells(cells):
        assert printed == shown_output(cell), cell["id"]
    assert list(place.iterdir()) == []
