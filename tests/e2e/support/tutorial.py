"""Tutorial pages, run as they stand: the shell blocks in one shell, outputs as the page shows them.

A block marked `text` is the whole output of the shell block before it; `…` stands for anything
within a line.
"""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
_FENCED = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "@@ end of block"


@dataclasses.dataclass
class Step:
    """Commands, and what they print if the page says so."""

    commands: str
    expected: str | None = None

    def check(self, found):
        """Compare line by line."""
        if self.expected is None:
            return
        pattern = "".join(
            ".+" if part == "…" else re.escape(part)
            for part in re.split("(…)", self.expected.strip())
        )
        assert re.fullmatch(pattern, found.strip()), (
            f"{self.commands}\nprinted\n{found}\nbut the page says\n{self.expected}"
        )


def read_page(name):
    """The steps of `docs/tutorials/<name>.md`."""
    steps = []
    for kind, text in _FENCED.findall((ROOT / "docs" / "tutorials" / f"{name}.md").read_text()):
        if kind == "sh":
            steps.append(Step(text))
        else:
            assert steps and steps[-1].expected is None, f"output without commands: {text}"
            steps[-1].expected = text
    return steps


def run_steps(steps, directory, *, timeout_s):
    """Run in one shell that stops at the first failure; check each step's output."""
    script = "".join(f"{step.commands}\necho '{_END}'\n" for step in steps)
    path = Path(directory) / ".page.sh"
    path.write_text("set -euo pipefail\n" + script)
    with subprocess.Popen(
        ["bash", path.name],
        cwd=directory,
        env={
            **os.environ,
            "PATH": f"{_programs(directory)}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",  # keeps output and errors in order, as on a terminal
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            output, _ = shell.communicate(timeout=timeout_s)
        except BaseException:
            os.killpg(shell.pid, signal.SIGKILL)
            raise
    outputs = output.split(f"{_END}\n")
    for step, found in zip(steps, outputs, strict=False):
        step.check(found)
    assert shell.returncode == 0, f"status {shell.returncode} after {len(outputs) - 1} of " + (
        f"{len(steps)} blocks; the last one printed\n{outputs[-1]}"
    )


def _programs(directory):
    """A directory with the project's programs, whether or not they are installed."""
    folder = Path(directory) / ".bin"
    folder.mkdir(exist_ok=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, place in project["scripts"].items():
        module, _, function = place.partition(":")
        program = folder / name
        program.write_text(
            f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\n"
            f"sys.argv[0] = {name!r}\nsys.exit({function}())\n"
        )
        program.chmod(0o755)
    return folder
