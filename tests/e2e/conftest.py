"""Fixtures of the end-to-end tests; what they are made of is in `support`."""

import pytest

from support.daemon import log_tails
from support.network import Network
from support.node import Node
from support.world import World


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the processes said."""
    report = yield
    if report.failed and "/tests/e2e/" in item.path.as_posix():
        report.sections += [(f"log {path}", text) for path, text in log_tails()]
    return report


@pytest.fixture(scope="session", autouse=True)
def _debug_runs():
    """Every node started here checks the invariants of agreement after every event."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MC_CHECK_INVARIANTS", "true")
        yield


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Accounts and the origin block, the same for all chains of this process."""
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@pytest.fixture(scope="module")
def make_module_node(tmp_path_factory, world):
    """As `make_node`, for nodes that live as long as the module's tests."""
    nodes = []

    def make(name="node", **options):
        nodes.append(Node(tmp_path_factory.mktemp(name), world.origin, **options))
        return nodes[-1]

    yield make
    for node in nodes:
        node.dispose()


@pytest.fixture
def make_node(tmp_path, world):
    """Configures nodes (`support.node.Node`) and ends whatever was started of them."""
    nodes = []

    def make(name="node", **options):
        nodes.append(Node(tmp_path / name, world.origin, **options))
        return nodes[-1]

    yield make
    for node in nodes:
        node.dispose()


@pytest.fixture(scope="module")
def make_network(tmp_path_factory):
    """Makes and starts networks (`support.network.Network`) that live as long as the module."""
    networks = []

    def make(shape):
        networks.append(Network(tmp_path_factory.mktemp("network"), shape))
        return networks[-1].start()

    yield make
    for network in networks:
        network.dispose()
