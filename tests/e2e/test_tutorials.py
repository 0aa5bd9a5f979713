"""The tutorial pages do what they say."""

import shutil

import pytest

from mcnode.ledger.db import LedgerDB
from mcnode.ledger.supply import measure_supply
from mcnode.ledger.verification import verify_ledger
from mcnode.network.local import open_network
from mcnode.network.plan import PLAN_FILE
from support.tutorial import read_page, run_steps
from support.waiting import wait_until

STEPS_TIMEOUT_S = 90.0
PAYING_TIMEOUT_S = 240.0
"""Some 30 programs are started, each with a second of imports on a busy machine."""


@pytest.fixture
def place(tmp_path):
    """An empty directory; networks in it are stopped at the end."""
    yield tmp_path
    for plan in tmp_path.glob(f"*/{PLAN_FILE}"):
        open_network(plan.parent).stop()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="the page uses openssl")
def test_minting(place):
    """And every node's ledger says the same at the end."""
    *steps, last = read_page("minting")
    run_steps(steps, place, timeout_s=STEPS_TIMEOUT_S)
    plan = open_network(place / "net").plan
    supplies = []
    for node in plan.nodes:
        with LedgerDB.open(node.ledger_path, read_only=True) as ledger:
            wait_until(lambda of=ledger: of.num_blocks() == 5, f"5 blocks of node {node.name}")
            assert verify_ledger(ledger).holds
            supplies.append(measure_supply(ledger))
    assert supplies == [supplies[0]] * 3
    (token,) = supplies[0].tokens
    assert (token.token_id, token.minted, token.burned, token.circulating) == (
        1,
        100_000,
        30_000,
        70_000,
    )
    run_steps([last], place, timeout_s=STEPS_TIMEOUT_S)
    assert not (place / "net").exists()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["send", "swap", "offline-signing"])
@pytest.mark.skipif(shutil.which("openssl") is None, reason="a page uses openssl")
def test_paying(place, page):
    """And nothing is left of the network."""
    run_steps(read_page(page), place, timeout_s=PAYING_TIMEOUT_S)
    assert not (place / "net").exists()
