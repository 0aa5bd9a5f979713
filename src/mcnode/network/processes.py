"""Processes that outlive the command that starts them, and are found again by their record.

Each has a record file with its process id and the kernel's start time of that process, so that a
process id that was given to another program meanwhile is never signalled. Its output goes to a log
file. Every process leads a process group of its own: what it starts ends with it.
"""

import contextlib
import dataclasses
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mcnode.errors import UnavailableError

STOP_TIMEOUT_S = 10.0
"""After SIGTERM; then SIGKILL."""
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_S = 0.02


class ProcessFailed(UnavailableError):
    """A process ended that should run."""


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """What to start: arguments, additional environment, where its log and record go."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    directory: Path

    @property
    def log_path(self) -> Path:
        """Standard output and error, appended over restarts."""
        return self.directory / f"{self.name}.log"

    @property
    def record_path(self) -> Path:
        """Process id and start time while it runs."""
        return self.directory / f"{self.name}.pid"


def start(program: Program) -> int:
    """Start a program in the background; returns its process id.

    Raises:
        ProcessFailed: it runs already, or cannot be started.
    """
    if running_pid(program.record_path) is not None:
        raise ProcessFailed(f"{program.name} runs already; stop it first")
    with signals_wait():
        pid = _spawn(program)
        record = {"pid": pid, "started": _start_time(pid)}
        program.record_path.write_text(json.dumps(record))
    return pid


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Ctrl-C and the other polite ends take effect afterwards, not in the middle.

    For moments in which an exception would leave a process behind that nobody knows of. Only the
    main thread is ever interrupted, so that elsewhere nothing has to be done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    handlers = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    for number in handlers:
        signal.signal(number, lambda arriving, _: arrived.append(arriving))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in dict.fromkeys(arrived):
            signal.raise_signal(late)


def _spawn(program: Program) -> int:
    """Not a `Popen`: that wants its owner to wait for the end, and here nobody needs to."""
    log = (os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        return os.posix_spawnp(
            program.argv[0],
            list(program.argv),
            {**os.environ, **program.env},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(program.log_path), *log),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise ProcessFailed(f"{program.argv[0]} cannot be started: {error}") from error


def running_pid(record_path: Path) -> int | None:
    """The process id in a record, if that very process still runs."""
    try:
        record = json.loads(record_path.read_text())
        pid, started = int(record["pid"]), record["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    _reap(pid)
    return pid if started is not None and started == _start_time(pid) else None


def ask_to_stop(record_path: Path) -> None:
    """SIGTERM and no waiting, so that several processes can end at the same time."""
    pid = running_pid(record_path)
    if pid is not None:
        _signal(pid, signal.SIGTERM)


def stop(record_path: Path, *, kill: bool = False, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """End a process and its group: SIGTERM, then SIGKILL, or at once with `kill`.

    Returns whether there was one. Afterwards nothing of the group runs.
    """
    pid = running_pid(record_path)
    if pid is None:
        record_path.unlink(missing_ok=True)
        return False
    deadline = time.monotonic() + (0.0 if kill else timeout_s)
    if not kill:
        _signal(pid, signal.SIGTERM)
        while running_pid(record_path) is not None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    _signal_group(pid, signal.SIGKILL)
    while running_pid(record_path) is not None:
        time.sleep(_POLL_S)
    record_path.unlink(missing_ok=True)
    return True


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_group(pid: int, number: int) -> None:
    """The group's id is its leader's process id, also after the leader has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _reap(pid: int) -> None:
    """Take the exit status of a child of ours, so that it does not stay behind as a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _start_time(pid: int) -> str | None:
    """The kernel's start time of a live process; None for none and for a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
