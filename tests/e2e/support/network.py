"""A local network as `mcnode network up` makes it, with ports of its own."""

import asyncio
import contextlib
import dataclasses
import os
import signal

from mcnode.connection.errors import TxRefused
from mcnode.crypto.keys import Ed25519Private
from mcnode.network import processes
from mcnode.network.bootstrap import Funding, write_network
from mcnode.network.local import DEFAULT_BLOCK_VERSION, LocalNetwork
from mcnode.network.plan import LocalNode, make_plan
from mcnode.network.topology import NodePlan, Topology
from support.chain import check_chain
from support.daemon import descendants_of, logs_of_this_test
from support.ports import free_ports
from support.questions import Questions
from support.waiting import wait_until
from support.world import ACCOUNT_COUNT, OUTPUTS_PER_ACCOUNT

READY_TIMEOUT_S = 60.0


@dataclasses.dataclass(frozen=True)
class NetworkNode(Questions):
    """One node of a network."""

    network: LocalNetwork
    local: LocalNode

    @property
    def name(self):
        return self.local.name

    @property
    def ports(self):
        return self.local.ports

    @property
    def client_uri(self):
        return self.local.client_uri

    @property
    def ledger_path(self):
        return self.local.ledger_path

    @property
    def program(self):
        return self.network.service_program(self.local)

    @property
    def pid(self):
        """Of the service; None when it does not run."""
        return processes.running_pid(self.program.record_path)

    @property
    def is_running(self):
        return self.pid is not None

    def log(self):
        """Over all its starts."""
        return self.program.log_path.read_text(errors="replace")

    def start(self):
        """Start service and distribution."""
        self.network.start([self.name])
        return self

    def wait_serving(self):
        waiting = self.network.wait_until_serving([self.name], timeout_s=READY_TIMEOUT_S)
        asyncio.run(waiting)
        return self

    def kill(self):
        """SIGKILL of the service and its distribution."""
        self.network.stop([self.name], kill=True)

    def stop(self):
        """SIGTERM to both."""
        self.network.stop([self.name])


def four_nodes():
    """Each of four nodes needs two of the three others: the least that goes on without one.

    Also a node that is behind then finds enough peers to believe while another one is away.
    """
    names = [f"{number}" for number in range(4)]
    plans = []
    for own in names:
        others = tuple(other for other in names if other != own)
        plans.append(NodePlan(own, dict.fromkeys(others, True), 2, others))
    return Topology("four nodes", tuple(plans))


class Network:
    """All nodes of one topology; the origin block is that of `support.world.World`."""

    def __init__(self, directory, shape, ports=None):
        plan = make_plan(
            directory,
            shape,
            ports or [free_ports() for _ in shape.nodes],
            [Ed25519Private.from_bytes(os.urandom(32)) for _ in shape.nodes],
            block_version=DEFAULT_BLOCK_VERSION,
        )
        write_network(plan, Funding(ACCOUNT_COUNT, OUTPUTS_PER_ACCOUNT))
        self.local = LocalNetwork(plan)
        self.nodes = [NetworkNode(self.local, node) for node in plan.nodes]
        logs_of_this_test.extend(node.program.log_path for node in self.nodes)

    def __getitem__(self, name):
        return next(node for node in self.nodes if node.name == name)

    def start(self):
        """Start everything that does not run, and wait until all of it serves."""
        self.local.start()
        asyncio.run(self.local.wait_until_serving(timeout_s=READY_TIMEOUT_S))
        return self

    def pay(self, purse, *, through, among=None, timeout_s=20.0):
        """A payment handed in at one node and final at the nodes `among`, by default all."""
        output = purse.take()
        through.propose(purse.payment(output))
        for node in self.nodes if among is None else among:
            node.wait_final(output, timeout_s=timeout_s)
        return output

    def pay_again(self, purse, outputs, *, through, among):
        """What a wallet does whose node went away: hand in again what is in no block yet."""
        for output in outputs:
            try:
                through.propose(purse.payment(output))
            except TxRefused as refused:
                assert refused.name == "ContainsSpentKeyImage"
        for node in among:
            node.wait_final(*outputs)

    def wait_level(self, *, timeout_s=20.0):
        """Until all nodes have the same blocks; returns their ids, checked to the last byte."""

        def all_chains():
            chains = [node.block_ids() for node in self.nodes]
            return chains if all(chain == chains[0] for chain in chains) else None

        wait_until(all_chains, "all ledgers equal", timeout_s=timeout_s)
        checked = []
        for node in self.nodes:
            with node.ledger() as ledger:
                checked.append(check_chain(ledger))
        assert all(ids == checked[0] for ids in checked)
        return checked[0]

    def dispose(self):
        """End everything for sure."""
        pids = [node.pid for node in self.nodes if node.pid is not None]
        left = [child for pid in pids for child in descendants_of(pid)]
        self.local.stop()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for node in self.nodes:
            logs_of_this_test.remove(node.program.log_path)
