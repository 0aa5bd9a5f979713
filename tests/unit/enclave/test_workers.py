import threading

from mcnode.enclave.trusted.workers import WorkerPool


def test_jobs_of_a_strand_run_in_order_one_at_a_time():
    pool = WorkerPool(4)
    seen = {strand: [] for strand in "abc"}
    running = {strand: threading.Lock() for strand in "abc"}
    overlaps = []
    done = threading.Semaphore(0)

    def job(strand, number):
        if not running[strand].acquire(blocking=False):
            overlaps.append(strand)
        else:
            seen[strand].append(number)
            running[strand].release()
        done.release()

    for number in range(50):
        for strand in "abc":
            pool.submit(lambda s=strand, n=number: job(s, n), 0, strand)
    for _ in range(150):
        assert done.acquire(timeout=10)
    pool.close()
    assert overlaps == []
    assert seen == {strand: list(range(50)) for strand in "abc"}


def test_lower_lanes_go_first():
    pool = WorkerPool(1)
    started, release, order = threading.Event(), threading.Event(), []
    done = threading.Semaphore(0)

    def note(name):
        order.append(name)
        done.release()

    pool.submit(lambda: (started.set(), release.wait(10)), 0)
    assert started.wait(10)
    for name, lane in (("client", 2), ("check", 1), ("consensus", 0), ("client 2", 2)):
        pool.submit(lambda name=name: note(name), lane)
    release.set()
    for _ in range(4):
        assert done.acquire(timeout=10)
    pool.close()
    assert order == ["consensus", "check", "client", "client 2"]


def test_closed_pool_runs_nothing_more():
    pool = WorkerPool(1)
    pool.close()
    ran = []
    pool.submit(lambda: ran.append(1), 0)
    pool.close()
    assert ran == []
