"""Appending and reading."""

import dataclasses
from pathlib import Path

import lmdb
import pytest
from prometheus_client import CollectorRegistry

from mcnode.blockchain.block import make_child_block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.ledger import errors
from mcnode.ledger.db import LedgerDB, LedgerMetrics
from mcnode.ledger.db.environment import MAP_SIZE_BYTES
from mcnode.transaction.hashing import tx_out_hash
from mcnode.transaction.membership_proof import RootHashMismatch, check_membership_proof


def child(ledger: LedgerDB, contents: BlockContents, version: int = 0) -> BlockData:
    return BlockData(
        make_child_block(ledger.get_latest_block(), version, contents), contents, None, None
    )


def test_everything_appended_reads_back(chain, ledger):
    blocks = chain.blocks(3, outputs=2)
    ledger.append_blocks(blocks)
    assert ledger.num_blocks() == 3
    assert ledger.num_txos() == 6
    assert [ledger.get_block_data(index) for index in range(3)] == blocks
    assert ledger.get_latest_block() == blocks[2].block
    assert ledger.get_blocks(1, 100) == [data.block for data in blocks[1:]]
    assert ledger.get_blocks(5, 10) == []
    assert ledger.block_id(1) == blocks[1].block.id
    assert ledger.block_id(3) is None
    output = blocks[1].contents.outputs[1]
    assert ledger.get_tx_out_by_index(3) == output
    assert ledger.get_tx_out_index_by_hash(tx_out_hash(output)) == 3
    assert ledger.get_tx_out_index_by_public_key(output.public_key) == 3
    assert ledger.contains_tx_out_public_key(output.public_key)
    assert ledger.get_block_index_by_tx_out_index(3) == 1
    key_image = blocks[2].contents.key_images[0]
    assert ledger.check_key_image(key_image) == 2
    assert ledger.find_spent_key_images([key_image, bytes(32)]) == {key_image: 2}
    assert ledger.get_key_images_by_block(0) == ()


def test_what_is_not_there_is_not_found(chain, ledger):
    with pytest.raises(errors.NotFound):
        ledger.get_latest_block()
    with pytest.raises(errors.NoOutputs):
        ledger.get_root_tx_out_membership_element()
    ledger.append_block_data(chain.next())
    for question in (
        lambda: ledger.get_block(1),
        lambda: ledger.get_block_signature(0),
        lambda: ledger.get_block_metadata(0),
        lambda: ledger.get_tx_out_by_index(1),
        lambda: ledger.get_tx_out_index_by_hash(bytes(32)),
    ):
        with pytest.raises(errors.NotFound):
            question()
    with pytest.raises(errors.TxOutIndexOutOfBounds, match="index is 1, outputs are 1"):
        ledger.get_tx_out_proof_of_memberships([0, 1])


def test_a_refused_block_changes_nothing(chain, ledger):
    ledger.append_blocks(chain.blocks(2))
    contents = BlockContents((chain.fresh(),), (chain.output(), chain.output()), (), ())
    twice = dataclasses.replace(contents, outputs=(contents.outputs[0],) * 2)
    with pytest.raises(errors.LmdbError) as refused:
        ledger.append_block_data(child(ledger, twice))
    assert refused.value.code == "KeyExist"
    assert (ledger.num_blocks(), ledger.num_txos()) == (2, 2)
    assert ledger.check_key_image(contents.key_images[0]) is None
    ledger.append_block_data(child(ledger, contents))
    assert ledger.num_txos() == 4


def test_a_batch_is_appended_whole_or_not_at_all(chain, ledger):
    blocks = chain.blocks(4)
    spoiled = [*blocks[:3], dataclasses.replace(blocks[3], contents=blocks[2].contents)]
    with pytest.raises(errors.InvalidBlockContents):
        ledger.append_blocks(spoiled)
    assert ledger.num_blocks() == 0
    with pytest.raises(errors.InvalidBlockContents):
        ledger.append_longest_prefix(spoiled)
    assert ledger.num_blocks() == 3


def test_spent_key_images_and_known_public_keys_are_refused(chain, ledger):
    ledger.append_blocks(chain.blocks(2))
    spent = ledger.get_key_images_by_block(1)
    known = ledger.get_tx_out_by_index(0)
    with pytest.raises(errors.KeyImageAlreadySpent):
        ledger.append_block_data(child(ledger, BlockContents(spent, (chain.output(),), (), ())))
    with pytest.raises(errors.DuplicateOutputPublicKey):
        ledger.append_block_data(child(ledger, BlockContents((chain.fresh(),), (known,), (), ())))


def test_metadata_is_needed_from_version_3(chain, ledger):
    ledger.append_block_data(chain.next())
    data = chain.next(version=3)
    with pytest.raises(errors.BlockMetadataRequired):
        ledger.append_block_data(dataclasses.replace(data, metadata=None))
    ledger.append_block_data(data)
    assert ledger.get_block_metadata(1) == data.metadata


def test_versions_never_fall(chain, ledger):
    ledger.append_block_data(chain.next())
    ledger.append_block_data(chain.next(version=2))
    contents = BlockContents((chain.fresh(),), (chain.output(),), (), ())
    with pytest.raises(errors.InvalidBlockVersion, match="version is 1, must be 2 to 4"):
        ledger.append_block_data(child(ledger, contents, version=1))


def test_proofs_prove_and_expire_with_the_tree(chain, ledger):
    ledger.append_blocks(chain.blocks(5, outputs=3))
    root = ledger.get_root_tx_out_membership_element()
    indices = [14, 0, 7, 7]
    proofs = ledger.get_tx_out_proof_of_memberships(indices)
    for index, proof in zip(indices, proofs, strict=True):
        assert (proof.index, proof.highest_index) == (index, 14)
        check_membership_proof(ledger.get_tx_out_by_index(index), proof, root.hash)
    ledger.append_block_data(chain.next())
    with pytest.raises(RootHashMismatch):
        new_root = ledger.get_root_tx_out_membership_element()
        check_membership_proof(ledger.get_tx_out_by_index(14), proofs[0], new_root.hash)
    assert ledger.get_tx_out_proof_of_memberships([]) == []


def test_a_missing_tree_node_is_reported(chain, make_ledger):
    path = make_ledger("damaged", chain.blocks(3))
    with lmdb.open(str(path), max_dbs=19) as env, env.begin(write=True) as txn:
        nodes = env.open_db(b"tx_out_store:merkle_hash_by_range", txn=txn, create=False)
        txn.delete(bytes(16), db=nodes)
    with LedgerDB.open(path) as ledger, pytest.raises(errors.NotFound, match="tree nodes"):
        ledger.get_tx_out_proof_of_memberships([1])


def test_a_damaged_record_does_not_decode(chain, make_ledger):
    path = make_ledger("damaged", chain.blocks(1))
    with lmdb.open(str(path), max_dbs=19) as env, env.begin(write=True) as txn:
        blocks = env.open_db(b"ledger_db:blocks", txn=txn, create=False)
        txn.put(bytes(8), b"\xff\xff", db=blocks)
    with LedgerDB.open(path) as ledger, pytest.raises(errors.Deserialization):
        ledger.get_block(0)


def test_metrics_tell_blocks_outputs_and_size(chain, make_ledger):
    path = make_ledger("measured", chain.blocks(2))
    registry = CollectorRegistry()
    with LedgerDB.open(path, metrics=LedgerMetrics(registry)) as ledger:

        def value(name: str, op: str) -> float | None:
            return registry.get_sample_value(name, {"op": op, "db_path": str(path)})

        assert value("ledger_db_gauge", "num_blocks") == 2
        ledger.append_block_data(chain.next(outputs=3))
        assert value("ledger_db_counter_total", "blocks_written_count") == 1
        assert value("ledger_db_counter_total", "txo_written_count") == 3
        assert value("ledger_db_gauge", "num_txos") == 5
        assert value("ledger_db_gauge", "db_file_size") == (path / "data.mdb").stat().st_size
        assert value("ledger_db_duration_count", "append_block") == 1


def test_the_map_is_as_large_as_the_networks(ledger: LedgerDB):
    assert ledger._environment._env.info()["map_size"] == MAP_SIZE_BYTES


def test_every_recorded_table_is_named_by_a_path_of_19(ledger: LedgerDB, tmp_path: Path):
    ledger.close()
    with lmdb.open(str(tmp_path / "ledger"), max_dbs=19, readonly=True) as env:
        assert env.stat()["entries"] == 19
