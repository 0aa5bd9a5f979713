"""Networks of other shapes than the usual one carry payments."""

import asyncio

import pytest

from mcnode.network.processes import ProcessFailed
from mcnode.network.topology import NodePlan, Topology, topology
from support.daemon import descendants_of, exists
from support.network import Network

ALONE = Topology("alone", (NodePlan("0", {}, 0, ()),))


@pytest.mark.parametrize(
    "name",
    [
        "a-b-c",
        "ring5",
        pytest.param("ring5b", marks=pytest.mark.slow),
        pytest.param("dense3", marks=pytest.mark.slow),
        pytest.param("dense5", marks=pytest.mark.slow),
    ],
)
def test_payments(make_network, world, name):
    """From the first node and from the last one, final on all; then nothing is left running."""
    network, purse = make_network(topology(name)), world.purse()
    network.pay(purse, through=network.nodes[0])
    network.pay(purse, through=network.nodes[-1])
    assert len(network.wait_level()) == 3
    services = [node.pid for node in network.nodes]
    trusted = [pid for service in services for pid in descendants_of(service)]
    assert len(trusted) == len(services)
    network.local.stop()
    assert not any(map(exists, [*services, *trusted]))


def test_a_network_whose_ports_another_one_has(make_network, tmp_path):
    """The other one's node answers there; it is not taken for ours."""
    first = make_network(ALONE)
    second = Network(tmp_path / "second", ALONE, ports=[node.ports for node in first.nodes])
    second.local.start()
    try:
        with pytest.raises(ProcessFailed, match=r"node 0 has ended(.|\n)*is the port taken"):
            asyncio.run(second.local.wait_until_serving())
        assert first.nodes[0].is_serving()
    finally:
        second.dispose()
