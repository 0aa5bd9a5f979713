"""The program `consensus-enclave` as a process of its own."""

import asyncio
import base64
import io
import os
import signal
import socket
import sys

import pytest

from mcnode.attest.evidence import Evidence
from mcnode.attest.simulation import simulation_anchor
from mcnode.cli.consensus_enclave import main
from mcnode.conformance.enclave_fixture import (
    open_peer_session,
    start,
)
from mcnode.enclave.errors import EnclaveGoneError
from mcnode.enclave.interface import EnclaveMode
from mcnode.enclave.spawn import (
    EnclaveOptions,
    EnclaveStartError,
    WrongEnclaveMode,
    spawn_enclave,
)


@pytest.fixture
def run_program(monkeypatch, capsys):
    """Run the program's entry point in this process: (status, stdout, stderr)."""

    def run(*arguments, token=None):
        for name in [name for name in os.environ if name.startswith("MC_")]:
            monkeypatch.delenv(name)
        if token is not None:
            monkeypatch.setenv("MC_ENCLAVE_START_TOKEN", token)
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        monkeypatch.setattr(sys, "argv", ["consensus-enclave", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.mark.asyncio
async def test_process_from_start_to_end(capfd):
    async with await spawn_enclave(EnclaveOptions()) as spawned:
        assert spawned.enclave.mode is EnclaveMode.SIM
        await start(spawned.enclave)
        async with await spawn_enclave(EnclaveOptions(workers=1)) as other:
            await start(other.enclave, "two.test:1")
            await open_peer_session(spawned.enclave, other.enclave, "two.test:1")
        assert other.process.returncode == 0
    assert spawned.process.returncode == 0
    assert "ERROR: simulated enclave" in capfd.readouterr().err


@pytest.mark.asyncio
async def test_presented_measurement(capfd):
    options = EnclaveOptions(
        sim_mr_enclave=b"\x01" * 32,
        sim_mr_signer=b"\x02" * 32,
        sim_product_id=3,
        sim_security_version=4,
    )
    async with await spawn_enclave(options) as spawned:
        await start(spawned.enclave)
        evidence = Evidence.from_message(await spawned.enclave.get_attestation_evidence())
        body = evidence.quote.report_body
        measured = (body.mr_enclave, body.mr_signer, body.isv_prod_id, body.isv_svn)
        assert measured == (b"\x01" * 32, b"\x02" * 32, 3, 4)
        assert body.is_debug


@pytest.mark.asyncio
async def test_kill_while_calls_are_under_way(capfd):
    async with await spawn_enclave(EnclaveOptions()) as spawned:
        await start(spawned.enclave)
        spawned.process.send_signal(signal.SIGSTOP)
        calls = [asyncio.create_task(spawned.enclave.get_identity()) for _ in range(5)]
        await asyncio.sleep(0)
        spawned.process.kill()
        async with asyncio.timeout(10):
            results = await asyncio.gather(*calls, return_exceptions=True)
            await spawned.enclave.wait_gone()
        assert all(isinstance(result, EnclaveGoneError) for result in results)
        with pytest.raises(EnclaveGoneError):
            await spawned.enclave.get_identity()
    assert spawned.process.returncode == -signal.SIGKILL


@pytest.mark.asyncio
async def test_process_ends_when_the_node_lets_go_of_its_stdin(capfd):
    spawned = await spawn_enclave(EnclaveOptions())
    spawned.process.stdin.close()
    async with asyncio.timeout(10):
        assert await spawned.process.wait() == 0
        await spawned.enclave.wait_gone()
    await spawned.enclave.close()


@pytest.mark.asyncio
async def test_signals(capfd):
    """Ctrl-C is for the node to act on, SIGTERM ends the process."""
    spawned = await spawn_enclave(EnclaveOptions())
    spawned.process.send_signal(signal.SIGINT)
    assert len(await spawned.enclave.get_identity()) == 32
    spawned.process.terminate()
    async with asyncio.timeout(10):
        assert await spawned.process.wait() == 0
        await spawned.enclave.wait_gone()
    await spawned.enclave.close()


@pytest.mark.asyncio
async def test_wrong_mode(capfd):
    options = EnclaveOptions(mode=EnclaveMode.GRAMINE)  # its launcher starts mode sim here
    with pytest.raises(WrongEnclaveMode, match="runs in mode sim, configuration asks for gramine"):
        await spawn_enclave(options)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "command", [(sys.executable, "-c", ""), ("/nonexistent",), (sys.executable, "-c", "print('x')")]
)
async def test_programs_that_are_no_trusted_process(command):
    with pytest.raises(EnclaveStartError):
        await spawn_enclave(EnclaveOptions(command=command))


def test_token_is_not_on_the_command_line():
    arguments = EnclaveOptions(sim_product_id=1).argv()
    assert "--token-stdin" in arguments
    assert not any(len(argument) >= 64 for argument in arguments)


def test_gramine_outside_of_an_enclave(run_program, tmp_path):
    anchor = tmp_path / "anchor.pem"
    anchor.write_bytes(_any_certificate())
    status, _, stderr = run_program(
        "--mode", "gramine", "--trust-anchor", str(anchor), token="00" * 32
    )
    assert status == 3
    assert "not inside an SGX enclave" in stderr
    status, _, stderr = run_program("--mode", "gramine", token="00" * 32)
    assert status == 2
    assert "--trust-anchor" in stderr


def _any_certificate():
    body = base64.encodebytes(simulation_anchor().der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def test_port_that_is_taken(run_program):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        status, _, stderr = run_program("--listen", address, token="00" * 32)
    assert status == 2
    assert f"cannot listen on {address}: Address already in use" in stderr


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        ((), None, "start token in MC_ENCLAVE_START_TOKEN is not 32 bytes"),
        ((), "00", "start token"),
        (("--token-stdin",), None, "start token in stdin"),
        (("--listen", "0.0.0.0:0"), "00" * 32, "can only listen on 127.0.0.1"),
        (("--listen", "127.0.0.1:99999"), "00" * 32, "port '99999'"),
        (("--sim-css", "/nonexistent"), "00" * 32, "/nonexistent cannot be read"),
        (("--constants", "/nonexistent"), "00" * 32, "/nonexistent cannot be read"),
        (("--trust-anchor", "/nonexistent"), "00" * 32, "is for mode gramine"),
        (("--sim-css", "x", "--sim-svn", "1"), "00" * 32, "--sim-css gives the whole"),
        (("--sim-mr-enclave", "zz"), "00" * 32, "not 32 bytes in hex"),
        (("--mode", "other"), "00" * 32, "Invalid value"),
    ],
)
def test_wrong_calls_give_one_line(run_program, arguments, token, said):
    status, stdout, stderr = run_program(*arguments, token=token)
    assert status == 2
    assert said in stderr
    assert "Traceback" not in stderr
    assert stdout == ""
