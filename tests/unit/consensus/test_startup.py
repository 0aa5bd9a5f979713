"""Before a node agrees on anything: the sealed key's file, the ledger, the mode of the enclave."""

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from mcnode.blockchain.block import make_origin_block
from mcnode.conformance.enclave_fixture import in_process
from mcnode.consensus.startup import (
    OriginBlockError,
    SealedKeyFileError,
    WrongEnclaveMode,
    WrongSealedKey,
    copy_origin,
    initialise_enclave,
    prepare_ledger,
    read_sealed_key,
    write_sealed_key,
)
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.interface import EnclaveMode
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.errors import LedgerPathMissing, NotALedger


@dataclasses.dataclass
class Config:
    """What start-up reads of the configuration."""

    sealed_block_signing_key: Path
    ledger_path: Path
    origin_block_path: Path | None = None
    enclave_mode: EnclaveMode = EnclaveMode.SIM
    peer_responder_id: str = "node1.test:8443"
    client_responder_id: str = "node1.test:443"


@pytest.fixture
def config(tmp_path):
    return Config(tmp_path / "keys" / "sealed", tmp_path / "ledger")


# -- the sealed key --------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_signing_key_lives_on_in_its_file(config) -> None:
    signers = []
    for seed in (1, 2):
        async with in_process(seed) as enclave:
            await initialise_enclave(config, BlockchainConfig(), enclave)
            signers.append(await enclave.get_signer())
    assert signers[0] == signers[1]


@pytest.mark.asyncio
async def test_a_file_of_somebody_else_is_refused_and_kept(config) -> None:
    config.sealed_block_signing_key.parent.mkdir()
    config.sealed_block_signing_key.write_bytes(b"\xff not a sealed key")
    async with in_process() as enclave:
        with pytest.raises(WrongSealedKey, match=str(config.sealed_block_signing_key)):
            await initialise_enclave(config, BlockchainConfig(), enclave)
    assert config.sealed_block_signing_key.read_bytes() == b"\xff not a sealed key"


@pytest.mark.asyncio
async def test_an_enclave_of_another_mode_is_refused_before_it_learns_anything(config) -> None:
    config.enclave_mode = EnclaveMode.GRAMINE
    async with in_process() as enclave:
        with pytest.raises(WrongEnclaveMode, match="mode sim, --enclave-mode allows only gramine"):
            await initialise_enclave(config, BlockchainConfig(), enclave)
        assert not config.sealed_block_signing_key.exists()


def test_no_file_and_an_empty_one_mean_a_new_key(tmp_path) -> None:
    path = tmp_path / "sealed"
    assert read_sealed_key(path) is None
    path.touch()
    assert read_sealed_key(path) is None
    path.write_bytes(b"\xfe\xff")  # need not be text
    assert read_sealed_key(path) == b"\xfe\xff"


def test_the_file_is_its_owners_alone_and_replaced_as_a_whole(tmp_path) -> None:
    path = tmp_path / "new folder" / "sealed"
    path.parent.mkdir()
    path.write_bytes(b"old")
    path.chmod(0o644)
    left_over = path.with_name("sealed.new")
    left_over.write_bytes(b"of a crash")
    left_over.chmod(0o666)
    write_sealed_key(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not left_over.exists()


@pytest.mark.parametrize("use", [read_sealed_key, lambda path: write_sealed_key(path, b"key")])
def test_a_path_that_is_no_file_is_named(tmp_path, use) -> None:
    path = tmp_path / "sealed"
    path.mkdir()
    with pytest.raises(SealedKeyFileError, match=str(path)):
        use(path)


def test_a_failed_write_keeps_the_old_key(tmp_path, monkeypatch) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(b"old")

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SealedKeyFileError, match="No space left"):
        write_sealed_key(path, b"new")
    assert path.read_bytes() == b"old"


# -- the ledger ------------------------------------------------------------------------------------


@pytest.fixture
def origin(tmp_path, payments):
    """The directory of a ledger with one block."""
    path = tmp_path / "origin"
    with LedgerDB.create(path, durable=False) as ledger:
        ledger.append_block(payments.parent, payments_contents(payments))
        ledger.flush()
    return path


def payments_contents(payments):
    return make_origin_block([owned.tx_out for owned in payments.fixture.owned])[1]


@pytest.mark.parametrize("exists", [False, True], ids=["new directory", "empty directory"])
def test_the_origin_block_is_where_a_new_ledger_starts(config, origin, exists) -> None:
    config.origin_block_path = origin
    config.ledger_path = config.ledger_path / "below"
    if exists:
        config.ledger_path.mkdir(parents=True)
    with prepare_ledger(config) as ledger:
        assert ledger.num_blocks() == 1
    assert sorted(p.name for p in config.ledger_path.iterdir()) == ["data.mdb", "lock.mdb"]


def test_a_ledger_that_is_there_is_kept(config, origin, tmp_path) -> None:
    config.ledger_path.mkdir()
    (config.ledger_path / "data.mdb").write_bytes(b"something else")
    copy_origin(origin, config.ledger_path)
    assert (config.ledger_path / "data.mdb").read_bytes() == b"something else"
    config.origin_block_path = origin
    with pytest.raises(NotALedger):
        prepare_ledger(config)


def test_without_ledger_and_origin_there_is_nothing_to_start_from(config) -> None:
    with pytest.raises(LedgerPathMissing):
        prepare_ledger(config)


def test_an_origin_that_is_not_there_is_named(config, tmp_path) -> None:
    config.origin_block_path = tmp_path / "nowhere"
    with pytest.raises(OriginBlockError, match="nowhere"):
        prepare_ledger(config)
    assert not (config.ledger_path / "data.mdb").exists()


def test_a_copy_that_breaks_off_never_gets_the_name(config, origin, monkeypatch) -> None:
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OriginBlockError, match="No space left"):
        copy_origin(origin, config.ledger_path)
    assert not (config.ledger_path / "data.mdb").exists()
