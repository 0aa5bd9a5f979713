"""Opening, sharing, growing, and everything that can be in the way."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
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
