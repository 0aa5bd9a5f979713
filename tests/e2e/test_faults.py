"""What takes a node down, and that nothing acknowledged is lost by it.

Exit status 0: stopped by a signal; 3: no room on the disk; 5: the trusted process ended.
"""

import asyncio
import os
import signal

import pytest

from mcnode.connection.errors import CallFailed
from support.chain import check_chain
from support.daemon import descendants_of, exists
from support.limits import limit_file_size
from support.node import check_refusal
from support.ports import is_free
from support.waiting import wait_until

STOPPED, UNAVAILABLE, ENCLAVE_GONE = 0, 3, 5
PAYMENTS_AT_ONCE = 5
WORTH_ANOTHER_TRY = ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED")
"""Ours; grpc's own for a call that arrives while a listener closes; for a connection that the
listener accepted in the moment of its end."""


@pytest.fixture
def node(make_node):
    return make_node().start_and_serve()


@pytest.fixture
def purse(world):
    return world.purse()


def pay(node, output, purse):
    """A payment that is final."""
    node.propose(purse.payment(output))
    node.wait_final(output)


def pay_again(node, outputs, purse):
    """Pay what did not get into a block before, as a wallet does after its node was away."""
    for output in outputs:
        if not node.has_spent(output):
            pay(node, output, purse)


def listening_ports(node):
    return node.ports.client, node.ports.peer, node.ports.admin


def check_nothing_left(node, *pids):
    wait_until(lambda: not any(map(exists, pids)), f"end of processes {pids}")
    wait_until(lambda: all(map(is_free, listening_ports(node))), "free ports")


# -- signals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_orderly_stop(node, purse, number):
    output, pids = purse.take(), [node.daemon.pid, node.enclave_pid]
    pay(node, output, purse)
    node.daemon.signal(number)
    assert node.daemon.wait_end() == STOPPED
    check_nothing_left(node, *pids)
    assert "error" not in node.daemon.log().split("node is running")[1].lower()
    with node.ledger() as ledger:
        check_chain(ledger, output)


def test_stop_while_starting(make_node):
    node = make_node().start()
    [enclave_pid] = wait_until(lambda: descendants_of(node.daemon.pid), "trusted process")
    node.daemon.signal(signal.SIGTERM)
    node.daemon.wait_end()
    check_nothing_left(node, node.daemon.pid, enclave_pid)
    assert "Traceback" not in node.daemon.log()


def test_stop_with_clients_connected(node, purse):
    """An idle wallet does not hold the node up."""

    async def hold_a_session(client):
        await client.attest()
        node.daemon.signal(signal.SIGTERM)
        assert await asyncio.to_thread(node.daemon.wait_end, timeout_s=5.0) == STOPPED

    node.ask(hold_a_session)


# -- kill -9 in the middle of a block -------------------------------------------------------------


def propose_and_kill(node, purse, pid, *, answers_first):
    """Hand in several payments at once; SIGKILL a process after so many answers."""
    outputs = [purse.take() for _ in range(PAYMENTS_AT_ONCE)]
    payments = [purse.payment(output) for output in outputs]

    async def propose(payment, answered):
        async with node.client() as client:
            try:
                await client.propose_tx(payment)
            except CallFailed as error:
                assert error.code.name in WORTH_ANOTHER_TRY
        answered.release()

    async def propose_all():
        answered = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as group:
            for payment in payments:
                group.create_task(propose(payment, answered))
            for _ in range(answers_first):
                await answered.acquire()
            os.kill(pid, signal.SIGKILL)

    asyncio.run(propose_all())
    return outputs


@pytest.mark.parametrize("answers_first", [0, 1])
def test_kill_9_of_the_node(node, purse, answers_first):
    before = purse.take()
    pay(node, before, purse)
    enclave_pid, node_pid = node.enclave_pid, node.daemon.pid
    outputs = propose_and_kill(node, purse, node_pid, answers_first=answers_first)
    assert node.daemon.wait_end() == -signal.SIGKILL
    check_nothing_left(node, node_pid, enclave_pid)  # the trusted process ends with its node
    with node.ledger() as ledger:
        left = check_chain(ledger, before)
    node.start_and_serve()
    pay_again(node, outputs, purse)
    with node.ledger() as ledger:
        assert check_chain(ledger, before, *outputs)[: len(left)] == left


@pytest.mark.parametrize("answers_first", [0, 1])
def test_kill_9_of_the_trusted_process(node, purse, answers_first):
    before = purse.take()
    pay(node, before, purse)
    outputs = propose_and_kill(node, purse, node.enclave_pid, answers_first=answers_first)
    status = node.daemon.wait_end()
    check_refusal(status, node.daemon.log(), ENCLAVE_GONE, "trusted process")
    check_nothing_left(node, node.daemon.pid)
    with node.ledger() as ledger:
        left = check_chain(ledger, before)
    node.start_and_serve()
    pay_again(node, outputs, purse)
    with node.ledger() as ledger:
        assert check_chain(ledger, before, *outputs)[: len(left)] == left
        signers = {
            ledger.get_block_signature(index).signer for index in range(1, ledger.num_blocks())
        }
    assert len(signers) == 1  # the key was unsealed, not made anew


def test_kill_9_of_an_idle_trusted_process(node, world):
    """Noticed at once, not with the next call."""
    os.kill(node.enclave_pid, signal.SIGKILL)
    status = node.daemon.wait_end(timeout_s=5.0)
    check_refusal(status, node.daemon.log(), ENCLAVE_GONE, "trusted process")
    assert node.block_ids() == [world.ledger.block_id(0)]


def test_trusted_process_that_hangs_does_not_outlive_the_node(node):
    """A stopped (SIGSTOP) trusted process is killed when its node ends."""
    enclave_pid = node.enclave_pid
    os.kill(enclave_pid, signal.SIGSTOP)
    node.daemon.signal(signal.SIGTERM)
    node.daemon.wait_end(timeout_s=15.0)
    check_nothing_left(node, node.daemon.pid, enclave_pid)


# -- disk -----------------------------------------------------------------------------------------


def pays_unless_it_ends(node, output, purse):
    node.propose(purse.payment(output))
    wait_until(lambda: node.has_spent(output) or not node.daemon.is_running, "append or end")
    return node.has_spent(output)


def test_full_disk_during_append(node, purse):
    paid = [purse.take()]
    pay(node, paid[0], purse)
    limit_file_size(node.daemon.pid, (node.ledger_path / "data.mdb").stat().st_size)
    while pays_unless_it_ends(node, output := purse.take(), purse):
        paid.append(output)  # it fitted into pages that were free
    refused, index = output, 1 + len(paid)
    check_refusal(
        node.daemon.wait_end(),
        node.daemon.log(),
        UNAVAILABLE,
        f"disk full at {node.ledger_path} while doing append of block {index}",
    )
    with node.ledger() as ledger:
        left = check_chain(ledger, *paid)
    assert len(left) == index
    node.start_and_serve()
    pay(node, refused, purse)
    with node.ledger() as ledger:
        assert check_chain(ledger, *paid, refused)[:index] == left


def test_full_disk_while_the_sealed_key_is_written(node, purse):
    """The limit of 0 bytes per file is for the node alone, not for the log behind the pipe."""
    node.stop()
    key = node.sealed_key_path.read_bytes()
    node.launcher = ["bash", "-c", 'exec > >(cat) 2>&1; ulimit -f 0; exec "$@"', "limited"]
    check_refusal(*node.run_to_end(), UNAVAILABLE, "cannot write the sealed key", "too large")
    assert node.sealed_key_path.read_bytes() == key
    node.launcher = []
    node.start_and_serve()
    pay(node, purse.take(), purse)
