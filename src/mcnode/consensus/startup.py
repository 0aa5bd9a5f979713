"""What comes before agreeing: keys, ledger, trusted process. [docs/protocol/service.md#2]"""

import os
import shutil
from pathlib import Path

import structlog

from mcnode.consensus.config.node import NodeConfig
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.errors import IntelSealing
from mcnode.enclave.interface import ConsensusEnclave
from mcnode.errors import InvalidError, UnavailableError
from mcnode.ledger.db import LedgerDB, LedgerMetrics

DATA_FILE = "data.mdb"
_OWNER_ONLY = 0o600

log = structlog.get_logger("mcnode.consensus.startup")


class WrongEnclaveMode(InvalidError):
    """The trusted process runs in another mode than the node was told to accept."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            f"the trusted process runs in mode {found}, --enclave-mode allows only {expected}"
        )


class SealedKeyFileError(UnavailableError):
    """The file of the sealed block signing key cannot be read or written."""


class WrongSealedKey(InvalidError):
    """The trusted process cannot open the sealed key."""

    def __init__(self, path: Path, reason: IntelSealing) -> None:
        super().__init__(
            f"sealed key {path} is not of this trusted process: {reason}; restore the file, or "
            "remove it for a new block signing key"
        )


class OriginBlockError(UnavailableError):
    """The ledger to start from cannot be copied."""


class EmptyLedger(InvalidError):
    """A ledger without an origin block: there is nothing to build on."""


async def initialise_enclave(
    config: NodeConfig, blockchain: BlockchainConfig, enclave: ConsensusEnclave
) -> None:
    """Give the trusted process its configuration and keep the sealed key that it returns.

    Raises:
        WrongEnclaveMode: its mode is not the configured one.
        SealedKeyFileError: the key file is unusable.
        WrongSealedKey: the key is not this enclave's.
        EnclaveError: the configuration is not valid.
    """
    if enclave.mode is not config.enclave_mode:
        raise WrongEnclaveMode(enclave.mode.value, config.enclave_mode.value)
    path = config.sealed_block_signing_key
    try:
        started = await enclave.enclave_init(
            config.peer_responder_id, config.client_responder_id, read_sealed_key(path), blockchain
        )
    except IntelSealing as error:
        raise WrongSealedKey(path, error) from error
    write_sealed_key(config.sealed_block_signing_key, started.sealed_block_signing_key)
    log.info("enclave initialised", target_features=",".join(started.target_features))


def read_sealed_key(path: Path) -> bytes | None:
    """The sealed key; None when there is no file or it is empty, which means: make a new key."""
    try:
        return path.read_bytes() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SealedKeyFileError(
            f"cannot read the sealed key {path}: {error.strerror}; make it readable, or remove it "
            "for a new block signing key"
        ) from error


def write_sealed_key(path: Path, sealed_key: bytes) -> None:
    """Replace the file as a whole, readable by its owner only: a crash leaves the old one."""
    temporary = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)  # one that a crash left may have another mode
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed_key)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise SealedKeyFileError(f"cannot write the sealed key {path}: {error.strerror}") from error


def prepare_ledger(config: NodeConfig, metrics: LedgerMetrics | None = None) -> LedgerDB:
    """Copy the origin block if there is no ledger yet, and open the ledger for writing.

    Raises:
        OriginBlockError: the copy fails.
        LedgerPathError: what is there is no ledger of ours.
        EmptyLedger: it has no block.
    """
    if config.origin_block_path is not None:
        copy_origin(config.origin_block_path, config.ledger_path)
    ledger = LedgerDB.open(config.ledger_path, metrics=metrics)
    if ledger.num_blocks() == 0:
        ledger.close()
        raise EmptyLedger(
            f"ledger at {config.ledger_path} has 0 blocks, needs 1: remove it and name a ledger to "
            "start from with --origin-block-path"
        )
    return ledger


def copy_origin(origin: Path, ledger_path: Path) -> None:
    """Copy the data file of `origin` unless there is one; a broken copy never gets the name."""
    target = ledger_path / DATA_FILE
    if target.exists():
        return
    temporary = ledger_path / f"{DATA_FILE}.new"
    try:
        ledger_path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin / DATA_FILE, temporary)
        with temporary.open("rb") as copied:
            os.fsync(copied.fileno())
        temporary.replace(target)
    except OSError as error:
        raise OriginBlockError(
            f"cannot copy the origin block from {origin} to {ledger_path}: {error.strerror}"
        ) from error
