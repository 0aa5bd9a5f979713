import pytest

from mcnode.conformance.tx_fixture import TxFixture
from mcnode.transaction.block_version import BlockVersion


@pytest.fixture(scope="session")
def fixtures():
    """One small ledger for each block version; tests must not change them."""
    return {v: TxFixture(BlockVersion(v), seed=bytes([v]) * 32, tx_out_count=44) for v in range(5)}


@pytest.fixture(scope="session")
def fixture(fixtures):
    return fixtures[4]


@pytest.fixture(scope="session")
def payments(fixtures):
    """A valid 1-in-2-out transaction of each block version with its root proofs."""
    made = {}
    for version, fixture in fixtures.items():
        tx = fixture.payment()
        made[version] = (tx, fixture.root_proofs(tx))
    return made
