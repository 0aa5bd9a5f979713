"""`consensus-service`: a consensus node. [docs/protocol/service.md#2]

Exit status 0: stopped by SIGINT or SIGTERM; 2: wrong flags; 3: something outside is not available
(port, file, disk); 4: the configuration is not usable; 5: the trusted process ended under the node;
13: the network file is not usable, or a bug of ours, with its traceback; 101: the tokens file is
not usable.
"""

import asyncio
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

import structlog

from mcnode.errors import BugError, InvalidError, McNodeError, UnavailableError

if TYPE_CHECKING:
    from mcnode.consensus.config.node import NodeConfig
    from mcnode.consensus.logging_setup import Logs
    from mcnode.enclave.client import RemoteEnclave
    from mcnode.enclave.spawn import EnclaveOptions

EXIT_USAGE = 2
EXIT_UNAVAILABLE = 3
EXIT_CONFIGURATION = 4
EXIT_ENCLAVE_GONE = 5
EXIT_BUG = 13

SIMULATION_NOTICE = (
    "SIMULATED ATTESTATION: whoever runs this machine can read every transaction; "
    "for tests and development only"
)


def main() -> None:
    """Entry point of the program `consensus-service`."""
    # gRPC's native part would print a refused port, in its words, before our one line does.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from mcnode.consensus.build_info import git_commit
    from mcnode.consensus.config.arguments import TextRequested, UsageError
    from mcnode.consensus.config.node import read_node_config

    try:
        config = read_node_config(sys.argv[1:], os.environ, git_commit=git_commit(os.environ))
    except TextRequested as text:
        sys.stdout.write(f"{text}\n")
        return
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_USAGE)
    sys.exit(run(config))


def run(config: "NodeConfig") -> int:
    """Run a node until a signal or a fault ends it; returns the exit status."""
    from mcnode.consensus.logging_setup import LogSettings, start_logging
    from mcnode.ledger.in_use import alone_on

    try:
        logs = start_logging(
            LogSettings.from_environment(os.environ),
            {"mc.local_node_id": config.peer_responder_id},
        )
    except McNodeError as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_CONFIGURATION
    try:
        _check_files(config)
        with alone_on(config.ledger_path, is_new=config.origin_block_path is not None):
            asyncio.run(_run_until_signal(config, logs))
        structlog.get_logger("mcnode.consensus").info("node has stopped")
    except BaseExceptionGroup as group:
        return _report(_first(group))
    except (McNodeError, OSError) as error:
        return _report(error)
    finally:
        logs.close()
    return 0


def _check_files(config: "NodeConfig") -> None:
    """Refuse files that cannot be used before anything is started; the node reads them again."""
    from mcnode.consensus.quorum_watch import check_own_set

    network = config.load_network()
    network.resolve_quorum_set(config.node_id)
    check_own_set(network, config.peer_responder_id, allow_unsafe=config.allow_unsafe_quorum_set)
    config.load_blockchain_config()


async def _run_until_signal(config: "NodeConfig", logs: "Logs") -> None:
    from mcnode.consensus.build_info import collect_build_facts
    from mcnode.consensus.metrics import NodeMetrics
    from mcnode.consensus.node import ConsensusNode
    from mcnode.enclave.interface import EnclaveMode
    from mcnode.enclave.spawn import spawn_enclave

    if config.enclave_mode is EnclaveMode.SIM:
        sys.stderr.write(f"ERROR: {SIMULATION_NOTICE}\n")
    async with await spawn_enclave(_enclave_options(config)) as process:
        node = ConsensusNode(
            config,
            process.enclave,
            collect_build_facts(config.enclave_mode, os.environ),
            logs,
            NodeMetrics(),
        )
        running = asyncio.create_task(node.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _cancel_once, running)
        loop.add_signal_handler(signal.SIGHUP, node.reload_certificates)
        watching = asyncio.create_task(_watch_enclave(process.enclave))
        try:
            await asyncio.wait((running, watching), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                _cancel_once(running)
                await asyncio.wait((running,))
                if not running.cancelled():
                    running.exception()  # looked at; what ended the node is the process's end
                watching.result()
            if not running.cancelled():
                running.result()
        finally:
            watching.cancel()


def _cancel_once(task: "asyncio.Task[None]") -> None:
    """A second cancellation would interrupt the orderly stop that the first one began."""
    if not task.cancelling():
        task.cancel()


async def _watch_enclave(enclave: "RemoteEnclave") -> None:
    """End with an error as soon as the trusted process is gone; nothing in it can be recovered."""
    from mcnode.enclave.errors import EnclaveGoneError

    await enclave.wait_gone()
    raise EnclaveGoneError("the trusted process has ended; start the node again")


def _enclave_options(config: "NodeConfig") -> "EnclaveOptions":
    from mcnode.enclave.spawn import EnclaveOptions

    measurement = config.simulated_measurement
    return EnclaveOptions(
        mode=config.enclave_mode,
        sim_css=measurement.css_path,
        sim_mr_enclave=measurement.mr_enclave,
        sim_mr_signer=measurement.mr_signer,
        sim_product_id=measurement.product_id,
        sim_security_version=measurement.security_version,
    )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _report(error: BaseException) -> int:
    """Say in one line what ended the node and what the status means; a bug gets its traceback."""
    from mcnode.consensus.config.errors import ConfigError
    from mcnode.enclave.errors import EnclaveGoneError

    if isinstance(error, BugError) or not isinstance(error, McNodeError | OSError):
        traceback.print_exception(error)
        return EXIT_BUG
    sys.stderr.write(f"error: {error}\n")
    match error:
        case ConfigError(exit_code=int(status)):
            return status
        case EnclaveGoneError():
            return EXIT_ENCLAVE_GONE
        case InvalidError():
            return EXIT_CONFIGURATION
        case UnavailableError() | OSError():
            return EXIT_UNAVAILABLE
        case _:
            return EXIT_BUG


if __name__ == "__main__":
    main()
