"""Starting a trusted process that lives no longer than the node. [docs/protocol/enclave.md#9.3]

The start token is random, and goes to the child by its standard input, which no other process can
read; the child's first line on standard output names its port. The child ends when its standard
input or its connection closes, so it is gone when the node is, however the node ended. Its standard
error is the node's.
"""

import asyncio
import contextlib
import dataclasses
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from mcnode.enclave.boundary import TOKEN_BYTES
from mcnode.enclave.client import RemoteEnclave, connect_enclave
from mcnode.enclave.interface import EnclaveMode
from mcnode.errors import UnavailableError

START_TIMEOUT_S: Final = 30.0
END_TIMEOUT_S: Final = 5.0
PROGRAM_MODULE: Final = "mcnode.cli.consensus_enclave"


class EnclaveStartError(UnavailableError):
    """The trusted process did not come up; what it said about that is on standard error."""


class WrongEnclaveMode(UnavailableError):
    """The trusted process runs in another mode than the configuration asks for."""

    def __init__(self, found: EnclaveMode, wanted: EnclaveMode) -> None:
        super().__init__(
            f"trusted process runs in mode {found.value}, configuration asks for {wanted.value}"
        )
        self.found = found
        self.wanted = wanted


@dataclasses.dataclass(frozen=True, slots=True)
class EnclaveOptions:
    """How to start a trusted process; None leaves its own default."""

    mode: EnclaveMode = EnclaveMode.SIM
    sim_css: Path | None = None
    sim_mr_enclave: bytes | None = None
    sim_mr_signer: bytes | None = None
    sim_product_id: int | None = None
    sim_security_version: int | None = None
    constants: Path | None = None
    workers: int | None = None
    command: tuple[str, ...] = (sys.executable, "-m", PROGRAM_MODULE)
    """For mode `gramine` the launcher, such as `gramine-sgx consensus-enclave`."""

    def argv(self) -> list[str]:
        """The whole command line. Contains no secret."""
        return [*self.command, "--token-stdin", *self._flags()]

    def _flags(self) -> list[str]:
        if self.mode is EnclaveMode.GRAMINE:
            return []  # Arguments are measured there, so the manifest has them and not the node.
        values = {
            "--sim-css": self.sim_css,
            "--sim-mr-enclave": self.sim_mr_enclave,
            "--sim-mr-signer": self.sim_mr_signer,
            "--sim-product-id": self.sim_product_id,
            "--sim-svn": self.sim_security_version,
            "--constants": self.constants,
            "--workers": self.workers,
        }
        flags = ["--mode", self.mode.value]
        for name, value in values.items():
            if value is not None:
                flags += [name, value.hex() if isinstance(value, bytes) else str(value)]
        return flags


@dataclasses.dataclass(frozen=True, slots=True)
class EnclaveProcess:
    """A trusted process of ours and the connection to it. An asynchronous context manager."""

    enclave: RemoteEnclave
    process: asyncio.subprocess.Process

    async def close(self) -> None:
        """End the connection and wait for the process; kill it if it does not end."""
        await self.enclave.close()
        await _end(self.process)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def spawn_enclave(options: EnclaveOptions) -> EnclaveProcess:
    """Start a trusted process and connect to it.

    Raises:
        EnclaveStartError: it ended or said nothing.
        WrongEnclaveMode: it runs in another mode than asked for.
        EnclaveGoneError: it does not let us in.
    """
    token = secrets.token_bytes(TOKEN_BYTES)
    process = await _start(options.argv())
    try:
        port = await _port_of(process, token)
        enclave = await connect_enclave("127.0.0.1", port, token)
        if enclave.mode is not options.mode:
            await enclave.close()
            raise WrongEnclaveMode(enclave.mode, options.mode)
    except BaseException:
        await _end(process)
        raise
    return EnclaveProcess(enclave, process)


async def _start(argv: Sequence[str]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C on a terminal is for the node; it ends the child
        )
    except OSError as error:
        raise EnclaveStartError(f"{argv[0]} does not start: {error.strerror}") from None


async def _port_of(process: asyncio.subprocess.Process, token: bytes) -> int:
    """Hand over the token, and read the port that the process announces."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            process.stdin.write(token.hex().encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
            port = json.loads(line)["port"] if line else None
    except TimeoutError:
        raise EnclaveStartError(f"trusted process said nothing in {START_TIMEOUT_S} s") from None
    except (OSError, ValueError, KeyError, TypeError):
        port = None
    if not isinstance(port, int):
        await _end(process)
        raise EnclaveStartError(f"trusted process ended with status {process.returncode}")
    return port


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close its standard input and wait; kill it when that takes too long."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(END_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
