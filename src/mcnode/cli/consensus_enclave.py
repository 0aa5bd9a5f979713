"""`consensus-enclave`: the trusted process of a node. [docs/protocol/enclave.md#9]

Exit status 0: the node closed the connection; 2: wrong call or file; 3: not inside an SGX enclave;
4: no node came.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mcnode.cli.main import run_command
from mcnode.errors import InvalidError

if TYPE_CHECKING:
    from mcnode.enclave.trusted.platform import Platform
    from mcnode.enclave.trusted.server import Server
    from mcnode.enclave.trusted.simulated import SimulatedMeasurement

TOKEN_VARIABLE: Final = "MC_ENCLAVE_START_TOKEN"  # noqa: S105  (the variable's name)
_TOKEN_BYTES: Final = 32
NO_NODE_TIMEOUT_S: Final = 60.0
EXIT_NO_NODE: Final = 4
_STDIN: Final = 0
"""Read without the interpreter's buffers, whose locks would be in the way at the end."""
_LINE_BYTES_MAX: Final = 256

SIMULATION_NOTICE: Final = (
    "ERROR: simulated enclave: whoever runs this machine can read every transaction; "
    "for tests and development only"
)


class StartError(InvalidError):
    """The settings do not allow a start."""


class _Hex(click.ParamType[bytes]):
    """So many bytes in hex."""

    name = "hex"

    def __init__(self, size: int) -> None:
        self._size = size

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Parse, or fail with the option's name."""
        if isinstance(value, bytes):
            return value
        try:
            parsed = bytes.fromhex(str(value))
        except ValueError:
            parsed = b""
        if len(parsed) != self._size:
            self.fail(f"{value!r} is not {self._size} bytes in hex", param, ctx)
        return parsed


_FILE = click.Path(path_type=Path, dir_okay=False)
_U16 = click.IntRange(0, (1 << 16) - 1)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--mode",
    type=click.Choice(["sim", "gramine"]),
    default="sim",
    show_default=True,
    envvar="MC_ENCLAVE_MODE",
    help="sim: an ordinary process, no privacy; gramine: inside an SGX enclave under Gramine.",
)
@click.option(
    "--listen",
    default="127.0.0.1:0",
    show_default=True,
    envvar="MC_ENCLAVE_LISTEN",
    help="Loopback address and port; port 0 takes a free one. Printed as JSON on stdout.",
)
@click.option(
    "--token-stdin",
    is_flag=True,
    help=f"Read the start token (32 bytes hex, one line) from stdin, not from {TOKEN_VARIABLE}; "
    "end when stdin closes.",
)
@click.option(
    "--sim-css",
    type=_FILE,
    envvar="MC_SIM_CSS",
    help="Present the measurement of this SIGSTRUCT file.",
)
@click.option("--sim-mr-enclave", type=_Hex(32), envvar="MC_SIM_MR_ENCLAVE", help="32 bytes hex.")
@click.option("--sim-mr-signer", type=_Hex(32), envvar="MC_SIM_MR_SIGNER", help="32 bytes hex.")
@click.option("--sim-product-id", type=_U16, envvar="MC_SIM_PRODUCT_ID", help="Default 1.")
@click.option(
    "--sim-svn",
    "--sim-security-version",
    "sim_svn",
    type=_U16,
    envvar=["MC_SIM_SVN", "MC_SIM_SECURITY_VERSION"],
    help="Default 10.",
)
@click.option(
    "--mc-seed",
    type=_Hex(32),
    default="00" * 32,
    envvar="MC_SEED",
    help="Seed of the simulation root, 32 bytes hex, the same in the whole network.",
)
@click.option(
    "--constants",
    type=_FILE,
    envvar="MC_ENCLAVE_CONSTANTS",
    help="JSON file of fee recipient, minting trust root and mitigated advisories.",
)
@click.option(
    "--trust-anchor",
    type=_FILE,
    envvar="MC_ENCLAVE_TRUST_ANCHOR",
    help="Mode gramine: PEM file of Intel's SGX root certificate, measured by the manifest.",
)
@click.option(
    "--workers", type=click.IntRange(1, 8), envvar="MC_ENCLAVE_WORKERS", help="Worker threads."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def consensus_enclave(
    *,
    mode: str,
    listen: str,
    token_stdin: bool,
    sim_css: Path | None,
    sim_mr_enclave: bytes | None,
    sim_mr_signer: bytes | None,
    sim_product_id: int | None,
    sim_svn: int | None,
    mc_seed: bytes,
    constants: Path | None,
    trust_anchor: Path | None,
    workers: int | None,
    debug: bool,
) -> None:
    """The trusted process of a consensus node: the only place where transactions are in the clear.

    The node starts it by itself. It serves one node over loopback TCP, and ends when that node
    disconnects. It writes no transaction anywhere, and keeps no file.
    """
    del debug  # `run_command` looks at it.
    from mcnode.enclave.trusted.constants import MeasuredConstants
    from mcnode.enclave.trusted.dispatcher import Dispatcher
    from mcnode.enclave.trusted.enclave import TrustedEnclave
    from mcnode.enclave.trusted.server import Server
    from mcnode.enclave.trusted.workers import WorkerPool

    if mode == "sim":
        if trust_anchor is not None:
            raise StartError("--trust-anchor is for mode gramine, this is mode sim")
        values = (sim_mr_enclave, sim_mr_signer, sim_product_id, sim_svn)
        platform = _simulated(_measurement(sim_css, values), mc_seed)
        click.echo(SIMULATION_NOTICE, err=True)
    else:
        platform = _gramine(trust_anchor)
    measured = MeasuredConstants()
    if constants is not None:
        measured = MeasuredConstants.from_json(_read(constants).decode(errors="replace"))
    address = _parse_address(listen)
    token = _read_token(from_stdin=token_stdin)
    with _held_signals(keyboard=not token_stdin) as ending:  # before the first thread starts
        enclave = TrustedEnclave(platform, measured, os.urandom)
        dispatcher = Dispatcher(enclave, WorkerPool(workers))
        try:
            server = Server(dispatcher, enclave.mode, token, address)
        except OSError as error:
            dispatcher.close()
            raise StartError(f"cannot listen on {listen}: {error.strerror}") from None
        _run_in_background(lambda: _stop_at_a_signal(server, ending))
        if token_stdin:
            _run_in_background(lambda: _stop_at_end_of_stdin(server))
        click.echo(json.dumps({"port": server.port, "mode": enclave.mode.value}))
        has_served = server.serve(NO_NODE_TIMEOUT_S)
    if not has_served:
        waited = f"waits {NO_NODE_TIMEOUT_S:.0f} s at most"
        click.echo(f"error: ended before a node connected; {waited}", err=True)
        sys.exit(EXIT_NO_NODE)


def _measurement(
    css: Path | None, values: tuple[bytes | None, bytes | None, int | None, int | None]
) -> "SimulatedMeasurement":
    from mcnode.attest.sigstruct import Sigstruct
    from mcnode.enclave.trusted.simulated import SimulatedMeasurement

    if css is not None:
        if any(value is not None for value in values):
            raise StartError(
                "--sim-css gives the whole measurement: leave out --sim-mr-enclave, "
                "--sim-mr-signer, --sim-product-id and --sim-svn"
            )
        return SimulatedMeasurement.from_sigstruct(Sigstruct.from_bytes(_read(css)))
    names = ("mr_enclave", "mr_signer", "product_id", "security_version")
    given = {n: v for n, v in zip(names, values, strict=True) if v is not None}
    return SimulatedMeasurement(**given)  # type: ignore[arg-type]


def _simulated(measurement: "SimulatedMeasurement", seed: bytes) -> "Platform":
    from mcnode.enclave.trusted.simulated import SimulatedMode

    return SimulatedMode(measurement, os.urandom, lambda: int(time.time()), seed)


def _gramine(trust_anchor: Path | None) -> "Platform":
    from mcnode.attest.certificate import parse_pem_chain
    from mcnode.enclave.trusted.gramine import GramineMode, NotInEnclave

    if trust_anchor is None:
        raise StartError("mode gramine needs --trust-anchor, Intel's SGX root certificate")
    anchor = parse_pem_chain(_read(trust_anchor))[0]
    try:
        return GramineMode(anchor)
    except NotInEnclave as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(3)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from None


def _read_token(*, from_stdin: bool) -> bytes:
    text = _read_line(_STDIN) if from_stdin else os.environ.pop(TOKEN_VARIABLE, "")
    where = "stdin" if from_stdin else TOKEN_VARIABLE
    try:
        token = bytes.fromhex(text)
    except ValueError:
        token = b""
    if len(token) != _TOKEN_BYTES:
        raise StartError(f"start token in {where} is not {_TOKEN_BYTES} bytes in hex")
    return token


def _read_line(descriptor: int) -> str:
    """One short line, byte by byte, so that nothing is left behind in a buffer."""
    line = b""
    while len(line) <= _LINE_BYTES_MAX and not line.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            break
        line += byte
    return line.decode(errors="replace")


def _parse_address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if host != "127.0.0.1":
        raise StartError(f"can only listen on 127.0.0.1, not on {host!r}")
    if not port.isdecimal() or int(port) >= 1 << 16:
        raise StartError(f"port {port!r} is not a number below 65536")
    return host, int(port)


def _run_in_background(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="enclave-stop", daemon=True).start()


@contextlib.contextmanager
def _held_signals(*, keyboard: bool) -> Iterator[set[signal.Signals]]:
    """Keep the signals that end us for `_stop_at_a_signal`; gives which.

    A handler would have to wait until the main thread comes back from reading, which it may do only
    with the node's next call. Ctrl-C goes to the node too, which ends us when it is done with us.
    """
    on_keyboard = signal.getsignal(signal.SIGINT)
    if not keyboard:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    ending = {signal.SIGTERM, *((signal.SIGINT,) if keyboard else ())}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield ending
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, on_keyboard)


def _stop_at_a_signal(server: "Server", ending: set[signal.Signals]) -> None:
    signal.sigwait(ending)
    server.stop()


def _stop_at_end_of_stdin(server: "Server") -> None:
    """The node holds our stdin open as long as it lives."""
    while os.read(_STDIN, 4096):
        pass
    server.stop()


def main() -> None:
    """Entry point of the program `consensus-enclave`."""
    run_command(consensus_enclave)


if __name__ == "__main__":
    main()
