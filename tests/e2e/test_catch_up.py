"""Nodes that were away: killed, behind, without archives. The others go on, and nothing is lost.

Each of four nodes needs two of the three others, so three agree while one is away, and a node that
came back is needed as soon as another one goes.
"""

import json
import os
import signal

import pytest

from mcnode.blockchain.signature import check_block_signature
from mcnode.connection.errors import CallFailed
from support.chain import find_signature
from support.daemon import descendants_of
from support.network import four_nodes
from support.waiting import wait_until

ENCLAVE_ENDED = "error: the trusted process"


@pytest.fixture(scope="module")
def network(make_network):
    return make_network(four_nodes())


@pytest.fixture(scope="module")
def purse(world):
    return world.purse()


@pytest.fixture(autouse=True)
def whole_network(network):
    """Before each test all nodes run and are level."""
    network.start()
    network.wait_level(timeout_s=30.0)


def takes_part(network, purse, node):
    """Whether the network makes a block for which `node` is needed."""
    others = [other for other in network.nodes if other is not node]
    others[0].kill()
    network.pay(purse, through=others[1], among=[*others[1:], node])
    others[0].start().wait_serving()


def test_killed_node_is_level_again_and_takes_part(network, purse):
    *others, killed = network.nodes
    height = killed.block_count()
    killed.kill()
    outputs = [network.pay(purse, through=others[0], among=others) for _ in range(6)]
    assert not killed.is_running
    killed.start().wait_serving()
    killed.wait_for_blocks(height + 6, timeout_s=10.0)
    network.wait_level()
    with killed.ledger() as ledger:
        for index in range(height, height + 6):
            # Fetched, without a signature, or decided anew from what the others say again.
            signature = find_signature(ledger, index)
            if signature is not None:
                check_block_signature(signature, ledger.get_block(index))
            metadata = ledger.get_block_metadata(index)
            assert metadata.contents.responder_id == killed.local.peer_responder_id
    assert all(killed.has_spent(output) for output in outputs)
    takes_part(network, purse, killed)
    network.wait_level(timeout_s=30.0)
    with killed.ledger() as ledger:
        assert find_signature(ledger, ledger.num_blocks() - 1) is not None


def test_node_that_missed_one_block(network, purse):
    *others, killed = network.nodes
    killed.kill()
    network.pay(purse, through=others[0], among=others)
    killed.start().wait_serving()
    network.wait_level(timeout_s=30.0)


def test_kill_9_of_the_proposer_in_the_middle_of_a_block(network, purse):
    proposer, *others = network.nodes
    outputs = [purse.take() for _ in range(3)]

    async def propose_and_kill(client):
        for output in outputs:
            await client.propose_tx(purse.payment(output))
        os.kill(proposer.pid, signal.SIGKILL)

    proposer.ask(propose_and_kill)
    wait_until(lambda: not proposer.is_running, "end of the proposer")
    again = purse.take()
    outputs.append(again)
    network.pay_again(purse, outputs, through=others[0], among=others)
    proposer.start().wait_serving()
    network.wait_level(timeout_s=30.0)
    assert all(proposer.has_spent(output) for output in outputs)


def test_kill_9_of_a_trusted_process_in_the_middle_of_a_block(network, purse):
    """Its node says so and ends; started again it signs with the same key."""
    *others, hurt = network.nodes
    network.pay(purse, through=others[0])
    with hurt.ledger() as ledger:
        signer = find_signature(ledger, ledger.num_blocks() - 1).signer
    [enclave_pid] = descendants_of(hurt.pid)
    outputs = [purse.take() for _ in range(3)]

    async def propose_and_kill(client):
        for output in outputs:
            await client.propose_tx(purse.payment(output))
        os.kill(enclave_pid, signal.SIGKILL)

    others[0].ask(propose_and_kill)
    wait_until(lambda: not hurt.is_running, "end of the node without trusted process")
    assert ENCLAVE_ENDED in hurt.log().splitlines()[-1]
    for node in others:
        node.wait_final(*outputs)
    hurt.start().wait_serving()
    network.wait_level(timeout_s=30.0)
    takes_part(network, purse, hurt)
    with hurt.ledger() as ledger:
        assert find_signature(ledger, ledger.num_blocks() - 1).signer == signer


@pytest.mark.slow
def test_payments_while_a_node_comes_and_goes(network, purse):
    """A node is killed and started over and over; every payment gets its block all the same."""
    *others, unsteady = network.nodes
    outputs = []
    for _ in range(3):
        unsteady.kill()
        outputs.append(network.pay(purse, through=others[0], among=others))
        unsteady.start()
        outputs.append(network.pay(purse, through=others[1], among=others))
    unsteady.wait_serving()
    network.wait_level(timeout_s=30.0)
    assert all(unsteady.has_spent(output) for output in outputs)


def test_node_that_cannot_catch_up_says_so_to_wallets(network, purse):
    """Without archives it serves nobody; when they are there, it catches up by itself.

    Runs last here, since it leaves the node with another network file.
    """
    *others, behind = network.nodes
    behind.kill()
    behind_height = len(behind.block_ids())
    for _ in range(3):
        network.pay(purse, through=others[0], among=others)
    height = behind_height + 3
    path = behind.local.directory / "network.json"
    archive = behind.local.directory / "archive-to-come"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"tx_source_urls": [archive.as_uri()]})
    )
    log_start = len(behind.log())
    behind.start()
    wait_until(lambda: "no archive has it yet" in behind.log()[log_start:], "warning in the log")
    assert not behind.is_serving()
    with pytest.raises(CallFailed) as caught:
        behind.propose(purse.payment())
    assert (caught.value.code.name, caught.value.details) == (
        "UNAVAILABLE",
        "Temporarily not serving requests",
    )
    assert behind.block_count() == behind_height
    archive.symlink_to(others[0].local.archive_directory)
    wait_until(behind.is_serving, "service after catching up")
    assert behind.block_count() == height
    network.wait_level()
