"""Threads that run calls: consensus first, and one session's messages one after another.

Native work (ring signatures, range proofs) releases the interpreter, so several threads really work
at once. Jobs of the same *strand* run in the order of their submission, never two at a time: the
messages of a channel have implicit nonces. Jobs of the consensus lane overtake those of clients.
"""

import collections
import dataclasses
import heapq
import itertools
import os
import threading
from collections.abc import Callable, Hashable
from typing import Final

WORKERS_MAX: Final = 8
"""Beyond it the interpreter's lock is the limit."""

Job = Callable[[], None]


def default_worker_count() -> int:
    """One for each processor this process may use, two at least."""
    return max(2, min(WORKERS_MAX, len(os.sched_getaffinity(0))))


@dataclasses.dataclass(frozen=True, slots=True)
class _Queued:
    job: Job
    lane: int
    strand: Hashable | None


class WorkerPool:
    """See the module's text. A job must not raise."""

    def __init__(self, count: int | None = None) -> None:
        self._condition = threading.Condition()
        self._heap: list[tuple[int, int, _Queued]] = []
        self._numbers = itertools.count()
        self._strands: dict[Hashable, collections.deque[_Queued]] = {}
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"enclave-worker-{number}", daemon=True)
            for number in range(count or default_worker_count())
        ]
        for thread in self._threads:
            thread.start()

    @property
    def count(self) -> int:
        """How many threads there are."""
        return len(self._threads)

    def submit(self, job: Job, lane: int, strand: Hashable | None = None) -> None:
        """Run `job` on some thread, lower lanes first, after earlier jobs of the same strand."""
        queued = _Queued(job, lane, strand)
        with self._condition:
            if self._closed:
                return
            if strand is None:
                self._push(queued)
            elif strand in self._strands:
                self._strands[strand].append(queued)
            else:
                self._strands[strand] = collections.deque()
                self._push(queued)

    def close(self) -> None:
        """Forget what waits and end the threads; returns when running jobs have ended."""
        with self._condition:
            self._closed = True
            self._heap.clear()
            self._strands.clear()
            self._condition.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _push(self, queued: _Queued) -> None:
        heapq.heappush(self._heap, (queued.lane, next(self._numbers), queued))
        self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._heap and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                _, _, queued = heapq.heappop(self._heap)
            queued.job()
            self._finish(queued)

    def _finish(self, queued: _Queued) -> None:
        """Let the next job of the strand run."""
        if queued.strand is None:
            return
        with self._condition:
            waiting = self._strands.get(queued.strand)
            if waiting:
                self._push(waiting.popleft())
            else:
                self._strands.pop(queued.strand, None)
