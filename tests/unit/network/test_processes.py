"""Processes found again by their records: stale ones, foreign ones, stubborn ones."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from mcnode.network import processes
from mcnode.network.processes import Program, ask_to_stop, running_pid, start, stop

WAIT_S = 20.0


@pytest.fixture
def make(tmp_path):
    """Makes programs and ends them all."""
    programs: list[Program] = []

    def program(name: str, code: str, **env: str) -> Program:
        made = Program(name, [sys.executable, "-c", code], env, tmp_path)
        programs.append(made)
        return made

    yield program
    for each in programs:
        stop(each.record_path, kill=True)


SLEEP = "import time; time.sleep(60)"


def until(is_there) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_there():
        assert time.monotonic() < deadline
        os.sched_yield()


def is_alive(pid: int) -> bool:
    return processes._start_time(pid) is not None


def test_output_of_every_life_goes_to_one_log(make) -> None:
    program = make(
        "talker",
        "import os, sys; print(os.environ['WORD']); print('x', file=sys.stderr)",
        WORD="hello",
    )
    for _ in range(2):
        start(program)
        until(lambda: running_pid(program.record_path) is None)
    assert program.log_path.read_text().split() == ["hello", "x", "hello", "x"]


def test_a_record_of_an_ended_process_is_none(make) -> None:
    program = make("short", "pass")
    start(program)
    until(lambda: running_pid(program.record_path) is None)
    assert not stop(program.record_path)
    assert not program.record_path.exists()
    start(program)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"pid": 1}', '{"pid": "x", "started": "1"}', "null"]
)
def test_a_damaged_record_is_none(tmp_path, text) -> None:
    record = tmp_path / "x.pid"
    record.write_text(text)
    assert running_pid(record) is None
    ask_to_stop(record)
    assert not stop(record)
    assert not record.exists()


def test_a_process_id_that_was_given_to_somebody_else_is_left_alone(make, tmp_path) -> None:
    other = subprocess.Popen([sys.executable, "-c", SLEEP])
    try:
        record = tmp_path / "mine.pid"
        record.write_text(json.dumps({"pid": other.pid, "started": "1"}))
        assert running_pid(record) is None
        ask_to_stop(record)
        assert not stop(record, kill=True)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_zombie_counts_as_ended(make, tmp_path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    started = processes._start_time(child.pid)
    until(lambda: processes._start_time(child.pid) is None)  # ended, and not waited for
    (tmp_path / "x.pid").write_text(json.dumps({"pid": child.pid, "started": started}))
    assert running_pid(tmp_path / "x.pid") is None
    child.wait()


STUBBORN = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("{place}").write_text(str(child.pid))
time.sleep(60)
"""


@pytest.mark.parametrize("kill", [False, True], ids=["asked first", "at once"])
def test_a_stubborn_process_ends_with_all_that_it_started(make, tmp_path, kill) -> None:
    place = tmp_path / "child"
    program = make("stubborn", STUBBORN.format(place=place))
    pid = start(program)
    until(lambda: place.exists() and place.read_text())
    child = int(place.read_text())
    assert stop(program.record_path, kill=kill, timeout_s=0.1)
    assert not is_alive(pid)
    until(lambda: not is_alive(child))


POLITE = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("{place}").write_text("goodbye")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path("{place}").write_text("ready")
time.sleep(60)
"""


def test_a_polite_process_gets_its_time(make, tmp_path) -> None:
    place = tmp_path / "said"
    program = make("polite", POLITE.format(place=place))
    start(program)
    until(lambda: place.exists() and place.read_text() == "ready")
    ask_to_stop(program.record_path)
    assert stop(program.record_path) or place.read_text() == "goodbye"
    assert place.read_text() == "goodbye"


def test_a_process_leads_a_group_of_its_own(make) -> None:
    pid = start(make("sleeper", SLEEP))
    assert os.getpgid(pid) == pid != os.getpgid(0)


def test_signals_are_for_the_main_thread_only() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def elsewhere() -> None:
        with processes.signals_wait():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(WAIT_S)
    assert seen == [before]
