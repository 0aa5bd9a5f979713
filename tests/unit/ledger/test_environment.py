"""Opening, sharing, growing, and everything that can be in the way."""

import concurrent.futures
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import lmdb
import pytest

from mcnode.ledger import errors
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.environment import DATA_FILE, OpenMode, open_environment
from mcnode.ledger.db.records import FORMAT_VERSION


def run_python(source: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir], ids=["missing", "empty"])
def test_there_must_be_a_ledger(tmp_path, make):
    path = tmp_path / "ledger"
    make(path)
    with pytest.raises(errors.LedgerPathMissing, match=r"data\.mdb is missing"):
        LedgerDB.open(path)
    assert not list(tmp_path.rglob("*.mdb"))


def test_another_file_is_not_a_ledger(tmp_path):
    (tmp_path / DATA_FILE).write_bytes(b"not LMDB" * 1000)
    with pytest.raises(errors.NotALedger, match="not a ledger database"):
        LedgerDB.open(tmp_path)


def test_another_programs_database_is_not_a_ledger(tmp_path):
    with lmdb.open(str(tmp_path), max_dbs=3) as env:
        env.open_db(b"something else")
    with pytest.raises(errors.NotALedger, match="without a ledger's version record"):
        LedgerDB.open(tmp_path)


@pytest.mark.parametrize(
    ("found", "remedy"), [(20200427, "ledger-migration"), (20991231, "the release that wrote it")]
)
def test_another_format_version_is_refused_with_a_remedy(chain, make_ledger, found, remedy):
    from mcnode.codec.protobuf import encode
    from mcnode.ledger.db.records import DatabaseVersion

    path = make_ledger("other", chain.blocks(1))
    with lmdb.open(str(path), max_dbs=19) as env, env.begin(write=True) as txn:
        table = env.open_db(b"ledger_db_metadata", txn=txn, create=False)
        txn.put(b"version", encode(DatabaseVersion(found, "1.0.0")), db=table)
    with pytest.raises(errors.VersionIncompatible, match=remedy) as refused:
        LedgerDB.open(path)
    assert (refused.value.found, refused.value.supported) == (found, FORMAT_VERSION)


def test_a_ledger_is_not_created_over(chain, make_ledger):
    path = make_ledger("made", chain.blocks(2))
    with pytest.raises(errors.LedgerExists, match="has 2 blocks"):
        LedgerDB.create(path)
    with LedgerDB.open(path) as ledger:
        assert ledger.num_blocks() == 2


def test_handles_share_one_environment_until_the_last_closes(chain, make_ledger):
    path = make_ledger("shared", chain.blocks(1))
    first, second = LedgerDB.open(path), LedgerDB.open(path)
    second.append_block_data(chain.next())
    assert first.num_blocks() == 2
    second.close()
    second.close()
    assert first.num_blocks() == 2
    first.close()
    with LedgerDB.open(path) as third:
        assert third.num_blocks() == 2


def test_reading_only(chain, make_ledger):
    path = make_ledger("kept", chain.blocks(1))
    with LedgerDB.open(path, read_only=True) as ledger:
        assert ledger.num_blocks() == 1
        with pytest.raises(errors.ReadOnlyLedger, match="open for reading only"):
            ledger.append_block_data(chain.next())
        with pytest.raises(errors.ReadOnlyLedger, match="open in this process"):
            LedgerDB.open(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_write_permission(chain, make_ledger):
    path = make_ledger("locked", chain.blocks(1))
    path.chmod(0o500)
    try:
        with pytest.raises(errors.ReadOnlyLedger, match="check its owner and mode"):
            LedgerDB.open(path)
    finally:
        path.chmod(0o700)


def test_another_process_sees_every_commit(chain, make_ledger):
    path = make_ledger("watched", chain.blocks(1))
    with LedgerDB.open(path, read_only=True) as reader:
        script = """
            import pickle, sys
            from pathlib import Path
            from mcnode.ledger.db import LedgerDB
            data = pickle.load(sys.stdin.buffer)
            with LedgerDB.open(Path(sys.argv[1])) as ledger:
                ledger.append_block_data(data)
        """
        import pickle

        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), str(path)],
            input=pickle.dumps(chain.next()),
            timeout=60,
            check=True,
        )
        assert reader.num_blocks() == 2


def test_the_map_grows_when_it_is_full(tmp_path):
    mode = OpenMode(durable=False, map_size_bytes=1 << 16)
    environment = open_environment(tmp_path, mode, tables_max=1, create=True)
    table = environment.open_table(b"t", create=True)
    runs = []

    def body(txn):
        runs.append(1)
        for number in range(1000):
            txn.put(number.to_bytes(8, "big"), bytes(1000), db=table)

    environment.write(body, "records")
    with environment.reading() as txn:
        assert txn.stat(table)["entries"] == 1000
    assert len(runs) > 1
    environment.close()


FILE_SIZE_LIMITED = """
    import pickle, resource, signal, sys
    from pathlib import Path
    from mcnode.ledger.db import LedgerDB
    from mcnode.ledger.errors import DiskFull
    path, limit = Path(sys.argv[1]), int(sys.argv[2])
    blocks = pickle.load(sys.stdin.buffer)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with LedgerDB.open(path) as ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        appended = 0
        try:
            for data in blocks:
                ledger.append_block_data(data)
                appended += 1
        except DiskFull as error:
            assert ledger.num_blocks() == 1 + appended, "a part of a block shows"
            ledger.get_tx_out_proof_of_memberships(range(ledger.num_txos()))
            print(appended, error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        ledger.append_block_data(blocks[appended])
        assert ledger.num_blocks() == 2 + appended
"""


def test_a_full_disk_keeps_the_ledger_whole_and_says_so(chain, make_ledger):
    import pickle

    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    path = make_ledger("full", chain.blocks(1))
    limit = (path / DATA_FILE).stat().st_size + 200_000
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FILE_SIZE_LIMITED), str(path), str(limit)],
        input=pickle.dumps(chain.blocks(40, outputs=20)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    appended, _, message = done.stdout.decode().partition(" ")
    assert 0 < int(appended) < 40
    assert message.startswith("disk full at ")
    assert "free some space" in message
    with LedgerDB.open(path) as ledger:
        assert ledger.num_blocks() == int(appended) + 2


KILLED = """
    import os, pickle, signal, sys, threading
    from pathlib import Path
    from mcnode.ledger.db import LedgerDB
    blocks = pickle.load(sys.stdin.buffer)
    with LedgerDB.open(Path(sys.argv[1])) as ledger:
        for number, data in enumerate(blocks):
            if number == int(sys.argv[2]):
                threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGKILL)).start()
            ledger.append_block_data(data)
            os.write(1, b".")
"""


@pytest.mark.parametrize("killed_at", [0, 3, 7])
def test_killed_at_any_instant_nothing_acknowledged_is_lost(chain, make_ledger, killed_at):
    import pickle

    path = make_ledger("killed", chain.blocks(1))
    blocks = chain.blocks(12, outputs=40)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path), str(killed_at)],
        input=pickle.dumps(blocks),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    acknowledged = len(done.stdout)
    with LedgerDB.open(path) as ledger:
        count = ledger.num_blocks() - 1
        assert acknowledged <= count <= acknowledged + 1
        for data in blocks[:count]:
            assert ledger.get_block_data(data.block.index) == data
        ledger.get_tx_out_proof_of_memberships(range(ledger.num_txos()))
        ledger.append_blocks(blocks[count:])
        assert ledger.num_blocks() == 13


def in_threads(count: int, work) -> None:
    """Run `work(number)` in that many threads at once; the first error is raised here."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        gate = threading.Barrier(count)

        def start(number: int) -> None:
            gate.wait(30)
            work(number)

        for done in [pool.submit(start, number) for number in range(count)]:
            done.result(60)


def test_threads_make_and_open_one_ledger_at_once(tmp_path):
    def work(number: int) -> None:
        for _ in range(10):
            with LedgerDB.open_or_create(tmp_path / "l", durable=False) as ledger:
                assert ledger.num_blocks() == 0

    in_threads(6, work)


def test_threads_append_read_open_and_close_at_once(chain, make_ledger):
    path = make_ledger("busy", chain.blocks(1))
    blocks = chain.blocks(40, outputs=3)
    turn = threading.Lock()

    def work(number: int) -> None:
        while True:
            with turn, LedgerDB.open(path) as ledger:
                if ledger.num_blocks() > len(blocks):
                    return
                ledger.append_block_data(blocks[ledger.num_blocks() - 1])
            with LedgerDB.open(path) as ledger:
                ledger.get_tx_out_proof_of_memberships(range(ledger.num_txos()))

    in_threads(6, work)
    with LedgerDB.open(path) as ledger:
        assert ledger.num_blocks() == 41


def test_appends_of_several_threads_wait_for_each_other(chain, make_ledger):
    path = make_ledger("raced", chain.blocks(1))
    block = chain.next(outputs=50)
    refused = []

    def work(number: int) -> None:
        with LedgerDB.open(path, durable=True) as ledger:
            try:
                ledger.append_block_data(block)
            except errors.InvalidBlockIndex:
                refused.append(number)

    in_threads(5, work)
    assert len(refused) == 4


def test_closing_waits_for_a_reader(chain, make_ledger):
    path = make_ledger("closing", chain.blocks(1))
    ledger = LedgerDB.open(path)
    reading, may_end = threading.Event(), threading.Event()
    found = []

    def read() -> None:
        with ledger._environment.reading() as txn:
            reading.set()
            may_end.wait(30)
            found.append(txn.stat()["entries"])

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(30)
    closer = threading.Thread(target=ledger.close)
    closer.start()
    closer.join(0.05)
    assert closer.is_alive()
    may_end.set()
    closer.join(30)
    reader.join(30)
    assert found == [19]
    with pytest.raises(errors.StorageUnavailable, match="is closed"):
        ledger.num_blocks()


CREATING = """
    import sys
    from pathlib import Path
    from mcnode.ledger.db import LedgerDB
    sys.stdin.readline()
    for _ in range(5):
        with LedgerDB.open_or_create(Path(sys.argv[1]), durable=False) as ledger:
            assert ledger.num_blocks() == 0
"""


def test_processes_make_one_ledger_at_once(tmp_path):
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(CREATING), str(tmp_path / "l")],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write(b"go\n")
        program.stdin.flush()
    for program in programs:
        _, said = program.communicate(timeout=60)
        assert program.returncode == 0, said.decode()
