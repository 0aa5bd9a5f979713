"""A sound ledger holds; every kind of damage is found and named."""

import dataclasses
import json

import lmdb
import pytest
from click.testing import CliRunner

from mcnode.blockchain.block import Block, block_id_of, make_child_block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.signature import sign_block
from mcnode.cli.ledger import ledger as ledger_command
from mcnode.codec.protobuf import encode
from mcnode.crypto.keys import Ed25519Private
from mcnode.ledger import verification
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.records import KeyImageList
from mcnode.ledger.db.tables import TABLE_NAMES, key_image_value, range_key, u64_key
from mcnode.ledger.verification import verify_ledger

KEY = Ed25519Private(bytes([3]) * 32)
BLOCKS = 6


@pytest.fixture
def path(tmp_path, chain):
    """A ledger of signed blocks, with the roots that consensus gives them."""
    path = tmp_path / "sound"
    with LedgerDB.create(path, durable=False) as ledger:
        ledger.append_block_data(chain.next(5))
        for _ in range(BLOCKS - 1):
            contents = BlockContents((chain.fresh(),), (chain.output(), chain.output()), (), ())
            root = ledger.get_root_tx_out_membership_element()
            block = make_child_block(ledger.get_latest_block(), 3, contents, root)
            ledger.append_block(block, contents, sign_block(block, KEY), chain.metadata(block))
    return path


def check(path):
    with LedgerDB.open(path, read_only=True) as ledger:
        return verify_ledger(ledger)


def problems(path):
    return [str(finding) for finding in check(path).findings]


def spoil(path, table, key, value):
    """Write into the file behind the ledger's back; a value of None deletes."""
    environment = lmdb.open(str(path), max_dbs=len(TABLE_NAMES))
    database = environment.open_db(TABLE_NAMES[table], create=False)
    with environment.begin(write=True) as txn:
        if value is None:
            txn.delete(key, db=database)
        else:
            txn.put(key, value, db=database)
    environment.close()


def block_at(path, index) -> BlockData:
    with LedgerDB.open(path, read_only=True) as ledger:
        return ledger.get_block_data(index)


def replace_header(path, index, *, keep_id=False, **changes) -> Block:
    changed = dataclasses.replace(block_at(path, index).block, **changes)
    if not keep_id:
        changed = dataclasses.replace(changed, id=block_id_of(changed))
    spoil(path, "blocks", u64_key(index), encode(changed))
    return changed


def test_a_sound_ledger_holds(path):
    found = check(path)
    assert found.holds
    assert (found.num_blocks, found.num_outputs, found.num_key_images) == (BLOCKS, 15, BLOCKS - 1)
    assert (found.signature_count, found.metadata_count, found.root_count) == (5, 5, 5)


def test_an_empty_ledger_holds(tmp_path):
    LedgerDB.create(tmp_path / "empty").close()
    assert check(tmp_path / "empty").holds


def test_a_header_that_is_not_its_id(path):
    replace_header(path, 2, keep_id=True, version=4)
    found = problems(path)
    assert any("block 2:" in text and "id" in text for text in found)


def test_a_block_that_follows_another_one(path):
    replace_header(path, 3, parent_id=bytes(32))
    found = problems(path)
    assert any(text.startswith("block 3: parent id is 0000") for text in found)
    assert any(text.startswith("block 4: parent id is") for text in found)
    assert any(text.startswith("block 3: signature") for text in found)


def test_a_wrong_count_of_outputs(path):
    replace_header(path, 2, cumulative_txo_count=1000)
    assert any("block 2: output count is 1000, must be 9" in text for text in problems(path))


def test_a_root_of_other_outputs(path):
    element = block_at(path, 2).block.root_element
    replace_header(path, 4, root_element=element)
    assert any(text.startswith("block 4: root element is not") for text in problems(path))


def test_versions_do_not_go_back(path):
    replace_header(path, BLOCKS - 1, version=2)
    assert any("version is 2, must be 3 to 4" in text for text in problems(path))


def test_a_signature_over_another_block(path):
    signature = sign_block(block_at(path, 1).block, KEY)
    spoil(path, "block_signatures", u64_key(2), encode(signature))
    assert [text for text in problems(path) if text.startswith("block 2: signature")]


def test_metadata_about_another_block(path):
    spoil(path, "block_metadata", u64_key(2), encode(block_at(path, 1).metadata))
    (problem,) = problems(path)
    assert problem.startswith("block 2: metadata is about block")


def test_metadata_with_a_wrong_signature(path):
    metadata = dataclasses.replace(block_at(path, 2).metadata, signature=bytes(64))
    spoil(path, "block_metadata", u64_key(2), encode(metadata))
    (problem,) = problems(path)
    assert problem.startswith("block 2:") and "signature" in problem


def test_another_output_in_a_block(path, chain):
    spoil(path, "tx_out_by_index", u64_key(6), encode(chain.output()))
    found = problems(path)
    assert any(text.startswith("block 1: contents hash to") for text in found)
    assert any("no output has public key" in text for text in found)
    assert any(text.startswith("block 2: root element is not") for text in found)


def test_a_missing_record_ends_the_check(path):
    spoil(path, "blocks", u64_key(2), None)
    assert problems(path) == ["block 2: no header of block 2"]


def test_a_damaged_record_ends_the_check(path):
    spoil(path, "blocks", u64_key(2), b"\xff\xff")
    (problem,) = problems(path)
    assert problem.startswith("block 2: a record of")


def test_key_images_that_are_not_recorded(path):
    key_image = block_at(path, 2).contents.key_images[0]
    spoil(path, "key_images", key_image, None)
    assert problems(path) == [f"block 2: key image {key_image.hex()} is recorded for block None"]


def test_key_images_that_are_spent_again(path):
    spent = block_at(path, 1).contents.key_images[0]
    spoil(path, "key_images_by_block", u64_key(4), encode(KeyImageList((spent,))))
    spoil(path, "key_images", spent, key_image_value(4))
    found = problems(path)
    assert f"block 1: key image {spent.hex()} is recorded for block 4" in found
    assert any(text.startswith("block 4: contents hash to") for text in found)


def test_a_recorded_tree_that_is_not_that_of_the_outputs(path):
    spoil(path, "merkle_hash_by_range", range_key(0, 15), bytes(32))
    (problem,) = problems(path)
    assert problem.endswith("the recorded tree's root is not that of the outputs")


def test_a_recorded_count_that_is_not_that_of_the_outputs(path):
    spoil(path, "tx_out_counts", b"num_tx_outs", u64_key(14))
    (problem,) = problems(path)
    assert problem.endswith("14 outputs are recorded, blocks hold 15")


def test_the_list_of_problems_is_bounded(path, monkeypatch):
    monkeypatch.setattr(verification, "FINDINGS_MAX", 2)
    for index in range(1, BLOCKS):
        spoil(path, "block_metadata", u64_key(index), encode(block_at(path, 1).metadata))
    assert len(problems(path)) == 2


def test_progress_is_told(path):
    seen = []
    with LedgerDB.open(path, read_only=True) as ledger:
        verify_ledger(ledger, lambda done, total: seen.append((done, total)))
    assert seen == [(number, BLOCKS) for number in range(1, BLOCKS + 1)]


# ---- the command --------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(ledger_command, [str(each) for each in arguments])


def test_the_command_says_that_a_ledger_holds(path):
    done = run("verify", "--ledger-path", path)
    assert done.exit_code == 0
    assert done.output.endswith("the ledger holds\n")
    facts = json.loads(run("verify", "--ledger-path", path, "--json").output)
    assert facts["holds"] and facts["root_count"] == 5 and facts["findings"] == []


def test_the_command_ends_with_1_when_something_does_not_hold(path):
    replace_header(path, 2, cumulative_txo_count=1000)
    done = run("verify", "--ledger-path", path)
    assert done.exit_code == 1
    assert "WRONG block 2: output count is 1000, must be 9" in done.output
    done = run("verify", "--ledger-path", path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["findings"][0]["block_index"] == 2


def test_info_and_supply_commands(path):
    assert "num blocks       6" in run("info", "--ledger-path", path).output
    facts = json.loads(run("info", "--ledger-path", path, "--json").output)
    assert facts["last_block"]["index"] == 5
    assert "nothing was minted" in run("supply", "--ledger-path", path).output
    facts = json.loads(run("supply", "--ledger-path", path, "--json").stdout)
    assert facts == {"num_blocks": 6, "num_outputs": 15, "tokens": []}
