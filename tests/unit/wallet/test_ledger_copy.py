"""The wallet's copy of the ledger: broken archives, foreign blocks, directories that are none."""

import dataclasses
import threading

import pytest

from mcnode.blockchain.block import make_child_block
from mcnode.blockchain.block_data import archive_block_bytes
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.signature import sign_block
from mcnode.crypto.keys import Ed25519Private
from mcnode.ledger.archive.fetcher import BlockFetcher, InvalidBlockReceived
from mcnode.ledger.archive.paths import block_path
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.errors import KeyImageAlreadySpent, NotALedger, ReadOnlyLedger
from mcnode.wallet import ledger_copy
from mcnode.wallet.errors import AnotherNetwork, ArchivesUnavailable
from mcnode.wallet.ledger_copy import (
    check_same_network,
    fetch_new_blocks,
    open_copy,
)


@pytest.fixture
def network(world):
    yield world.network
    world.network.ledger.close()


@pytest.fixture
def copy(tmp_path):
    opened = open_copy(tmp_path / "copy")
    yield opened
    opened.close()


def fetch(copy, *urls, stop=None):
    steps = []
    fetcher = BlockFetcher.from_urls(urls)
    fetch_new_blocks(copy, fetcher, steps.append, stop or threading.Event())
    return [step.done for step in steps]


def test_it_ends_where_the_archive_ends_and_goes_on_from_there(network, copy):
    assert fetch(copy, network.url) == [2]
    assert fetch(copy, network.url) == []
    network.make_block()
    assert fetch(copy, network.url) == [3]
    assert copy.get_latest_block() == network.ledger.get_latest_block()


def test_batches_are_bounded_by_outputs(network, copy, monkeypatch):
    for _ in range(4):
        network.make_block()
    monkeypatch.setattr(ledger_copy, "BATCH_OUTPUTS", 2)
    assert fetch(copy, network.url) == [1, 2, 4, 6]


def test_stop_is_looked_at_between_blocks(network, copy):
    stop = threading.Event()
    stop.set()
    assert fetch(copy, network.url, stop=stop) == []
    assert copy.num_blocks() == 0


def test_broken_block(network, copy, tmp_path):
    path = network.archive / block_path(1)
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    with pytest.raises(InvalidBlockReceived):
        fetch(copy, network.url)
    assert copy.num_blocks() == 1
    whole = tmp_path / "whole" / block_path(1)
    whole.parent.mkdir(parents=True)
    whole.write_bytes(good)
    assert fetch(copy, network.url, f"file://{tmp_path}/whole") == [2]


def test_block_of_another_chain(network, copy, tmp_path):
    fetch(copy, network.url)
    other = type(network)(tmp_path / "other", seed=8)
    other.make_block()
    other.ledger.close()
    foreign = (other.archive / block_path(2)).read_bytes()
    (network.archive / block_path(2)).write_bytes(foreign)
    with pytest.raises(AnotherNetwork, match="block 1"):
        fetch(copy, network.url)


def test_block_that_spends_twice(network, copy):
    head = network.ledger.get_latest_block()
    spent = network.ledger.get_key_images_by_block(1)
    outputs = network.make_block(is_published=False).contents.outputs
    contents = BlockContents(spent, outputs, (), ())
    block = make_child_block(head, 4, contents)
    signature = sign_block(block, Ed25519Private(bytes(32)), signed_at=1)
    data = network.ledger.get_block_data(2)
    forged = dataclasses.replace(data, block=block, contents=contents, signature=signature)
    forged = dataclasses.replace(forged, metadata=None)
    path = network.archive / block_path(2)
    path.write_bytes(archive_block_bytes(forged))
    with pytest.raises(KeyImageAlreadySpent):
        fetch(copy, network.url)
    assert copy.num_blocks() == 2


def test_is_it_the_same_network(network, copy, tmp_path):
    fetcher = BlockFetcher.from_urls([f"file://{tmp_path}/none", network.url])
    check_same_network(copy, fetcher)
    fetch(copy, network.url)
    for _ in range(3):  # whichever archive is asked first
        check_same_network(copy, fetcher)
    with pytest.raises(ArchivesUnavailable, match="block 1"):
        check_same_network(copy, BlockFetcher.from_urls([f"file://{tmp_path}/none"]))


def test_directories_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ReadOnlyLedger, match="file"):
        open_copy(tmp_path / "file")
    (tmp_path / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(NotALedger):
        open_copy(tmp_path)


def test_blocks_that_another_process_appended_meanwhile(network, copy, monkeypatch):
    """They come between the fetching of a batch and its appending."""
    other = LedgerDB.open(copy.path, durable=False)
    original = ledger_copy._fetch_batch

    def fetch_slowly(fetcher, first, stop):
        batch = original(fetcher, first, stop)
        if not other.num_blocks():
            other.append_block_data(batch[0][0])
        return batch

    monkeypatch.setattr(ledger_copy, "_fetch_batch", fetch_slowly)
    assert fetch(copy, network.url) == [2]
    assert copy.get_latest_block() == network.ledger.get_latest_block()
    other.close()
