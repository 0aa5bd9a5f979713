"""Vectors of the ledger on disk: contents byte for byte, minting state, dumps, migration."""

import tempfile
from pathlib import Path
from typing import Any

import lmdb

from mcnode.blockchain.block import check_block_id
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import contents_hash
from mcnode.blockchain.metadata import check_metadata_signature
from mcnode.blockchain.signature import check_block_signature
from mcnode.codec.protobuf import encode
from mcnode.conformance.ledger_common import (
    Case,
    all_blocks,
    decode_hex,
    genuine_ledger,
    mint_configs_json,
    raw_dump,
    rebuilt_dump,
    temporary_ledger,
    unpack,
)
from mcnode.conformance.vectors import (
    Report,
    VectorFile,
    expect,
    expect_equal,
    runs,
)
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.environment import DATA_FILE
from mcnode.ledger.db.migration import migrate
from mcnode.ledger.db.records import DatabaseVersion
from mcnode.ledger.db.tables import TABLE_NAMES, VERSION_KEY, Table, Txn
from mcnode.ledger.dump import dump_blocks
from mcnode.ledger.errors import UnknownFormatVersion
from mcnode.transaction.membership_proof import check_membership_proof

_PROOFS_CHECKED_PER_LEDGER = 64


@runs("ledger", r"(.*/)?lmdb\.json")
def run_lmdb(file: VectorFile, report: Report) -> None:
    """Append the blocks of the ledger file beside it anew; every record must be the same."""
    expected = file.json()["databases"]
    with genuine_ledger(file) as ledger:
        made = rebuilt_dump(all_blocks(ledger))
    expect_same_records(report, made, {name: db["entries"] for name, db in expected.items()})


def expect_same_records(report: Report, made: dict[str, Any], expected: dict[str, Any]) -> None:
    """One case per sub-database."""
    for name in sorted(made.keys() | expected.keys()):
        with report.case(name):
            expect_equal("records", made.get(name), expected.get(name))


@runs("ledger", r"(.*/)?data\.mdb")
def run_data_file(file: VectorFile, report: Report) -> None:
    """Open a genuine ledger, verify every block in it, prove some of its outputs."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(file.path, Path(folder))
        with LedgerDB.open(Path(folder), durable=False) as ledger:
            for data in all_blocks(ledger):
                with report.case(f"block {data.block.index}"):
                    _check_block_data(data)
            with report.case("membership proofs"):
                _check_proofs(ledger)


def _check_block_data(data: BlockData) -> None:
    check_block_id(data.block)
    expect_equal("contents hash", contents_hash(data.contents), data.block.contents_hash)
    if data.signature is not None:
        check_block_signature(data.signature, data.block)
    if data.metadata is not None:
        check_metadata_signature(data.metadata)
        expect_equal("metadata is about", data.metadata.contents.block_id, data.block.id)


def _check_proofs(ledger: LedgerDB) -> None:
    root = ledger.get_root_tx_out_membership_element()
    step = max(1, ledger.num_txos() // _PROOFS_CHECKED_PER_LEDGER)
    indices = range(0, ledger.num_txos(), step)
    for index, proof in zip(indices, ledger.get_tx_out_proof_of_memberships(indices), strict=True):
        check_membership_proof(ledger.get_tx_out_by_index(index), proof, root.hash)


@runs("ledger", r"(.*/)?dump_ledger\.json")
def run_dump(file: VectorFile, report: Report) -> None:
    """The text that dump-ledger prints of the ledger file beside it."""
    with genuine_ledger(file) as ledger, report.case("text"):
        made = "".join(dump_blocks(ledger, 0, None))
        expected = file.read_bytes().decode()
        expect(made.strip() == expected.strip(), "the dump differs")


@runs("ledger", r"(.*/)?notes\.json")
def run_notes(file: VectorFile, report: Report) -> None:
    """Mint configurations in force after each block."""
    notes = {each["index"]: each for each in file.json()["blocks"]}
    with genuine_ledger(file) as source, temporary_ledger() as ledger:
        for data in all_blocks(source):
            with report.case(f"block {data.block.index}"):
                ledger.append_block_data(data)
                active = ledger.get_active_mint_configs_map()
                expected = notes[data.block.index]["active_mint_configs_after"]
                expect_equal("configs", mint_configs_json(active, totals=True), expected)


@runs("ledger", r"(.*/)?mint_stores\.jsonl")
def run_mint_stores(file: VectorFile, report: Report) -> None:
    """Raw records of the minting databases after each block."""
    with genuine_ledger(file) as ledger:
        blocks = list(all_blocks(ledger))
    for line in file.json_lines():
        after = int(line["after_block"])
        with report.case(f"after block {after}"):
            made = rebuilt_dump(blocks[: after + 1])
            stores = line["stores"]
            expect_equal("records", {name: made[name] for name in stores}, stores)


@runs("ledger", r"(.*/)?base_chain\.jsonl")
def run_base_chain(file: VectorFile, report: Report) -> None:
    """Every block reads, writes the same bytes, and follows the one before."""
    with temporary_ledger() as ledger:
        for number, line in enumerate(file.json_lines()):
            with report.case(number):
                data = decode_hex(BlockData, line["block_data_p"])
                expect_equal("bytes", encode(data).hex(), line["block_data_p"])
                ledger.append_block_data(data)


@runs("ledger", r"(.*/)?migration\.json")
def run_migration(file: VectorFile, report: Report) -> None:
    """Ledgers of older formats, brought to the present one."""
    for case in file.json():
        with report.case(case["case"]), tempfile.TemporaryDirectory() as parent:
            folder = Path(parent)
            unpack(file.sibling(f"../ledgers/{case['source']}/{DATA_FILE}"), folder)
            source = raw_dump(folder)
            _age(folder, case)
            try:
                steps = [list(step) for step in migrate(folder)]
                succeeded = True
            except UnknownFormatVersion:
                steps, succeeded = [], False
            expect_equal("succeeded", succeeded, case["exit_ok"])
            expect_equal("steps", steps, case["steps"])
            made = raw_dump(folder)
            record = made[TABLE_NAMES["metadata"].decode()]
            expect_equal("version", record, case["version_record_after"])
            _expect_differences(made, source, case["databases_differing_from_source"])


def _age(folder: Path, case: Case) -> None:
    """Make a ledger file look older, as the case says."""
    record = encode(DatabaseVersion(case["stored_version"], "1.0.0"))
    if not case["steps"]:  # nothing is migrated, so what is stored must be what is found after
        record = bytes.fromhex(case["version_record_after"][0][1])
    with lmdb.open(str(folder), max_dbs=len(TABLE_NAMES)) as env, env.begin(write=True) as txn:
        versions = env.open_db(TABLE_NAMES["metadata"], txn=txn, create=False)
        txn.put(VERSION_KEY, record, db=versions)
        for attribute in ("block_by_mint_config_nonce", "block_by_mint_nonce"):
            table = env.open_db(TABLE_NAMES[attribute], txn=txn, create=False)
            _age_nonces(txn, table, case["nonce_indexes"])
        for name in case["databases_dropped"]:
            txn.drop(env.open_db(name.encode(), txn=txn, create=False))


def _age_nonces(txn: Txn, table: Table, how: str) -> None:
    """Leave nonces as they are, remove them, or cut off their token ids."""
    if how == "kept":
        return
    entries = list(txn.cursor(table))
    txn.drop(table, delete=False)
    if how != "empty":
        for key, value in entries:
            txn.put(key[:-8], value, db=table)


def _expect_differences(made: dict[str, Any], source: dict[str, Any], expected: Case) -> None:
    differing = {n for n in made.keys() | source.keys() if made.get(n) != source.get(n)}
    expect_equal("databases that differ", sorted(differing), sorted(expected))
    for name, difference in expected.items():
        after, before = made.get(name, []), source.get(name, [])
        only_after = [record for record in after if record not in before]
        only_source = [record for record in before if record not in after]
        expect_equal(f"{name} only after", only_after, difference["only_after"])
        expect_equal(f"{name} only source", only_source, difference["only_source"])
