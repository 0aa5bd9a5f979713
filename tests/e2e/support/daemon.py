"""One process with a log file; whatever happens, it is ended, with everything it started."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from support.waiting import wait_until

STOP_TIMEOUT_S = 10.0
LOG_LINES_SHOWN = 15
LOG_COLUMNS_SHOWN = 240

logs_of_this_test: list[Path] = []
"""Logs of processes that some fixture still holds; shown when a test fails."""


class Daemon:
    """A running program. Its output goes to the end of `log_path`."""

    def __init__(self, argv, log_path, *, env=None, stdin=subprocess.DEVNULL):
        self.log_path = Path(log_path)
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        if self.log_path not in logs_of_this_test:
            logs_of_this_test.append(self.log_path)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in argv],
                env={**os.environ, **(env or {})},
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        return self.process.poll() is None

    def log(self):
        """What this process (not earlier ones with the same file) has said so far."""
        with self.log_path.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def wait_for_log(self, text, *, timeout_s=20.0):
        """Until the log holds `text`."""
        wait_until(lambda: text in self.log(), f"{text!r} in {self.log_path}", timeout_s=timeout_s)

    def wait_end(self, *, timeout_s=20.0):
        """The exit status, negative for a signal."""
        wait_until(lambda: not self.is_running, f"end of {self.log_path}", timeout_s=timeout_s)
        return self.process.returncode

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, and wait."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; returns the exit status. Kills what does not end in time."""
        if self.is_running:
            self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"does not end on SIGTERM: see {self.log_path}") from None

    def dispose(self):
        """End it for sure; for teardown."""
        descendants = descendants_of(self.pid)
        if self.is_running:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_S)
        self.kill()
        for pid in descendants:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.log_path in logs_of_this_test:
            logs_of_this_test.remove(self.log_path)


def descendants_of(pid):
    """Process ids of children, grandchildren and so on, as they are now."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            parents[int(path.parent.name)] = int(fields[1])
    found, frontier = [], {pid}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier}
        found += sorted(frontier)
    return found


def exists(pid):
    """Whether a process of that id runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def log_tails():
    """The ends of all logs that are of interest now, as (path, text)."""
    for path in logs_of_this_test:
        with contextlib.suppress(OSError):
            lines = path.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            yield str(path), "\n".join(line[:LOG_COLUMNS_SHOWN] for line in lines)
