"""Notebooks, run as Jupyter runs them: the code cells in order, in one namespace, with `await`.

What a cell prints must be what the notebook shows below it, so its cells print nothing that differs
from run to run. After a change, the outputs are written anew by

    python tests/e2e/support/notebook.py docs/wallet.ipynb
"""

import ast
import asyncio
import contextlib
import inspect
import io
import json
import sys
from pathlib import Path

CELL_IDS_MAX = 64


def read_notebook(path):
    """The notebook; its form is looked at as far as viewers need it."""
    notebook = json.loads(Path(path).read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["language_info"]["name"] == "python"
    cells = notebook["cells"]
    names = [cell["id"] for cell in cells]
    assert len(set(names)) == len(names), "cells need ids of their own"
    for cell in cells:
        assert 0 < len(cell["id"]) <= CELL_IDS_MAX
        assert cell["cell_type"] in ("markdown", "code")
        if cell["cell_type"] == "code":
            assert all(set(each) == {"name", "output_type", "text"} for each in cell["outputs"])
    return notebook


def code_cells(notebook):
    """Those that are run."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def shown_output(cell):
    """What the notebook shows below a cell."""
    return "".join("".join(each["text"]) for each in cell["outputs"])


def run_cells(cells):
    """What each cell prints, one after the other; raises what a cell raises, with its id."""
    namespace = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for cell in cells:
            printed = io.StringIO()
            source = "".join(cell["source"])
            last = ast.parse(source).body[-1]
            assert not isinstance(last, ast.Expr) or isinstance(last.value, ast.Call | ast.Await), (
                f"cell {cell['id']} ends in a value, which is shown by notebooks only: print it"
            )
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compile(source, f"<cell {cell['id']}>", "exec", flags=flags, dont_inherit=True)
            with contextlib.redirect_stdout(printed):
                result = eval(code, namespace)
                if inspect.iscoroutine(result):
                    runner.run(result)
            yield cell, printed.getvalue()


def write_outputs(path):
    """Run a notebook and store what its cells print."""
    notebook = read_notebook(path)
    for number, (cell, printed) in enumerate(run_cells(code_cells(notebook)), start=1):
        sys.stderr.write(f"{cell['id']}\n{printed}")
        lines = printed.splitlines(keepends=True)
        cell["execution_count"] = number
        cell["outputs"] = (
            [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
        )
    Path(path).write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write_outputs(sys.argv[1])
