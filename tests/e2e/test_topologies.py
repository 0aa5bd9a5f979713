"""Networks of other shapes than the usual one carry payments."""

import pytest

from mcnode.network.topology import topology
from support.daemon import descendants_of, exists


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
