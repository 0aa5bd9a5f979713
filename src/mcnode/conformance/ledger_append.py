"""Vectors of appending to a ledger, of reading it, and of opening good and bad ones."""

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmdb

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.blockchain.signature import BlockSignature
from mcnode.codec.protobuf import encode
from mcnode.conformance.ledger_common import (
    Case,
    base_chain,
    decode_hex,
    element_to_json,
    mint_configs_json,
    outcome_of_error,
    temporary_ledger,
    without_text,
)
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    runs,
)
from mcnode.errors import McNodeError
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.environment import DATA_FILE
from mcnode.ledger.db.records import CREATED_BY, DatabaseVersion
from mcnode.ledger.db.tables import TABLE_NAMES, VERSION_KEY
from mcnode.ledger.errors import LedgerExists, NoOutputs

_EMPTY_ROOT = {"from": 0, "to": 0, "hash": bytes(32).hex()}


@runs("ledger", r"(.*/)?append_cases\.jsonl")
def run_append(file: VectorFile, report: Report) -> None:
    """Append one block to a prefix of the base chain: accepted or refused with that error."""
    chain = base_chain(file, "base_chain.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        bases = _Bases(Path(folder), chain)
        for number, case in enumerate(file.json_lines()):
            with report.case(f"{number} {case['name']}"):
                _run_append_case(case, bases.copy(int(case["base_blocks"])))


class _Bases:
    """Ledger files of prefixes of the base chain, each made once."""

    def __init__(self, folder: Path, chain: list[BlockData]) -> None:
        self._folder = folder
        self._chain = chain
        self._copies = 0

    def copy(self, base_blocks: int) -> Path:
        """A fresh copy of the ledger of the first `base_blocks` blocks."""
        base = self._folder / f"base{base_blocks}"
        if not base.exists():
            with LedgerDB.create(base, durable=False) as ledger:
                for data in self._chain[:base_blocks]:
                    ledger.append_block_data(data)
        self._copies += 1
        target = self._folder / f"case{self._copies}"
        target.mkdir()
        shutil.copy(base / DATA_FILE, target / DATA_FILE)
        return target


def _block_data(case: Case) -> BlockData:
    signature, metadata = case.get("signature_p"), case.get("metadata_p")
    return BlockData(
        decode_hex(Block, case["block_p"]),
        decode_hex(BlockContents, case["contents_p"]),
        None if signature is None else decode_hex(BlockSignature, signature),
        None if metadata is None else decode_hex(BlockMetadata, metadata),
    )


def _run_append_case(case: Case, folder: Path) -> None:
    expected = without_text(case["result"])
    data = _block_data(case)
    with LedgerDB.open(folder, durable=False) as ledger:
        before = ledger.get_active_mint_configs_map()
        result: Any = "ok"
        try:
            ledger.append_block_data(data)
        except McNodeError as error:
            result = outcome_of_error(error, expected)
        expect_equal("result", result, expected)
        expect_equal("blocks", ledger.num_blocks(), case["num_blocks_after"])
        expect_equal("outputs", ledger.num_txos(), case["num_txos_after"])
        active = ledger.get_active_mint_configs_map()
        if result != "ok":
            expect_equal("configs", active, before)
            return
        if case["reads_back_equal"]:
            expect_equal("block", ledger.get_block_data(data.block.index), data)
        configs = mint_configs_json(active, totals=True)
        expect_equal("configs", configs, case["active_mint_configs_after"])
        expect_equal("root", _root(ledger), case["root_after"])
        if "check_key_image_0" in case:
            spent_in = ledger.check_key_image(data.contents.key_images[0])
            expect_equal("key image", spent_in, case["check_key_image_0"])


def _root(ledger: LedgerDB) -> Case:
    try:
        return element_to_json(ledger.get_root_tx_out_membership_element())
    except NoOutputs:
        return _EMPTY_ROOT


@runs("ledger", r"(.*/)?reads\.json")
def run_reads(file: VectorFile, report: Report) -> None:
    """Questions to a ledger of the whole base chain, to an empty one, and opening bad ones."""
    cases = file.json()
    chain = base_chain(file, "base_chain.jsonl")
    for part, questions in cases.items():
        if part == "open":
            for case in questions:
                with report.case(f"open: {case['case']}"):
                    _run_open_case(case)
            continue
        match = re.fullmatch(r"empty|chain_(\d+)_blocks", part)
        expect(match is not None, f"unknown part {part}")
        length = int(match[1]) if match and match[1] else 0
        with temporary_ledger(chain[:length]) as ledger:
            for name, expected in questions.items():
                with report.case(f"{part}: {name}"):
                    _expect_read(ledger, name, expected)


def _expect_read(ledger: LedgerDB, name: str, expected: Any) -> None:
    expected = without_text(expected)
    try:
        found = _read(ledger, name)
    except McNodeError as error:
        found = outcome_of_error(error, expected)
    if expected == "ok":
        return
    if isinstance(expected, str) and expected.startswith("Ok("):
        found = _as_ok_text(name, found)
    expect_equal("answer", found, expected)


def _as_ok_text(name: str, found: Any) -> str:
    if name.startswith("proof"):
        return f"Ok({len(found)})"
    if name.startswith("get_active_mint_configs"):
        return f"Ok({str(found is None).lower()})"
    return "Ok(None)" if found is None else f"Ok({found})"


def _read(ledger: LedgerDB, question: str) -> Any:
    """The answer to a question as the vectors name it: `call(argument) (remark)`."""
    call, _, rest = question.partition("(")
    if not rest:
        return _read_without_argument(ledger, call.strip())
    argument = rest.partition(")")[0]
    number = {"num_blocks": ledger.num_blocks(), "num_txos": ledger.num_txos()}.get(argument)
    if number is None and argument.isdecimal():
        number = int(argument)
    by_number: dict[str, Callable[[int], Any]] = {
        "get_block": ledger.get_block,
        "get_block_contents": ledger.get_block_contents,
        "get_block_data": ledger.get_block_data,
        "get_block_signature": ledger.get_block_signature,
        "get_block_metadata": ledger.get_block_metadata,
        "get_key_images_by_block": ledger.get_key_images_by_block,
        "get_tx_out_by_index": ledger.get_tx_out_by_index,
        "get_block_index_by_tx_out_index": ledger.get_block_index_by_tx_out_index,
        "get_active_mint_configs": ledger.get_active_mint_configs,
        "proof": lambda index: ledger.get_tx_out_proof_of_memberships([index]),
    }
    if number is not None and call in by_number:
        return by_number[call](number)
    by_key: dict[str, Callable[[bytes], Any]] = {
        "check_key_image": ledger.check_key_image,
        "get_tx_out_index_by_hash": ledger.get_tx_out_index_by_hash,
        "get_tx_out_index_by_public_key": ledger.get_tx_out_index_by_public_key,
    }
    if call in by_key and argument in ("zeros", "unknown"):
        return by_key[call](bytes(32))
    if (call, argument) == ("proof", "[]"):
        return ledger.get_tx_out_proof_of_memberships([])
    raise MismatchError(f"unknown question {question}")


def _read_without_argument(ledger: LedgerDB, call: str) -> Any:
    if call == "get_block_index_by_tx_out_index":
        indices = range(ledger.num_txos())
        return [ledger.get_block_index_by_tx_out_index(index) for index in indices]
    known: dict[str, Callable[[], Any]] = {
        "num_blocks": ledger.num_blocks,
        "num_txos": ledger.num_txos,
        "get_latest_block": ledger.get_latest_block,
        "get_root_tx_out_membership_element": ledger.get_root_tx_out_membership_element,
    }
    if call not in known:
        raise MismatchError(f"unknown question {call}")
    return known[call]()


def _run_open_case(case: Case) -> None:
    """Prepare the directory that the case's name describes, then open it."""
    name = case["case"]
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "ledger"
        if name.startswith("create"):
            _expect_creation(name, case, folder)
            return
        _prepare_open(name, folder)
        expected = without_text(case.get("result", case.get("first")))
        try:
            with LedgerDB.open(folder):
                if name.startswith("open twice"):
                    LedgerDB.open(folder).close()
            result: Any = "ok"
        except McNodeError as error:
            result = outcome_of_error(error, expected)
        expect_equal("result", result, expected)


def _prepare_open(name: str, folder: Path) -> None:
    if name == "directory does not exist":
        return
    folder.mkdir()
    if name == "empty directory":
        # a directory without a ledger in it, as the network's program leaves one behind
        lmdb.open(str(folder), max_dbs=len(TABLE_NAMES)).close()
        return
    LedgerDB.create(folder).close()
    with lmdb.open(str(folder), max_dbs=len(TABLE_NAMES)) as env, env.begin(write=True) as txn:
        versions = env.open_db(TABLE_NAMES["metadata"], txn=txn, create=False)
        words = name.split()
        if name.startswith("stored version "):
            txn.put(VERSION_KEY, encode(DatabaseVersion(int(words[2]), CREATED_BY)), db=versions)
        elif name == "version record missing":
            txn.delete(VERSION_KEY, db=versions)
        elif name.startswith("sub-database ") and words[-1] == "removed":
            table = env.open_db(words[1].encode(), txn=txn, create=False)
            txn.drop(table)
        elif not name.startswith("open twice"):
            raise MismatchError(f"unknown case {name}")


def _expect_creation(name: str, case: Case, folder: Path) -> None:
    """Creating over an empty ledger is fine; a missing directory is made, which the network's
    program leaves to the caller."""
    LedgerDB.create(folder).close()
    if name == "create twice":
        LedgerDB.create(folder).close()
        expect_equal("then open", "ok", case.get("then_open", "ok"))
    LedgerDB.open(folder).close()


@runs("ledger", r"(.*/)?env_cases\.json")
def run_env_cases(file: VectorFile, report: Report) -> None:
    """Several handles in one process; creation over a ledger."""
    chain = base_chain(file)
    for case in file.json():
        with report.case(case["case"]), tempfile.TemporaryDirectory() as parent:
            folder = Path(parent)
            if case["case"].startswith("create over"):
                _create_over(folder, chain)
                report.notes.append(
                    "create over a ledger: refused here; the network's program resets its counts"
                )
            elif case["case"].startswith(("two handles", "clone")):
                _share_handles(folder, chain)
                if "first reads after the second is closed" in case:
                    report.notes.append(
                        "closing one of two handles leaves the other working; the network's breaks"
                    )
            else:
                raise MismatchError(f"unknown case {case['case']}")


def _create_over(folder: Path, chain: list[BlockData]) -> None:
    with LedgerDB.create(folder, durable=False) as ledger:
        ledger.append_block_data(chain[0])
    try:
        LedgerDB.create(folder).close()
    except LedgerExists:
        with LedgerDB.open(folder) as ledger:
            expect_equal("blocks", ledger.num_blocks(), 1)
    else:
        raise MismatchError("the ledger was created over")


def _share_handles(folder: Path, chain: list[BlockData]) -> None:
    with LedgerDB.create(folder, durable=False) as first:
        for data in chain[:3]:
            first.append_block_data(data)
        with LedgerDB.open(folder, durable=False) as second:
            expect_equal("second reads", second.num_blocks(), 3)
            second.append_block_data(chain[3])
            expect_equal("first sees", first.num_blocks(), 4)
            first.append_block_data(chain[4])
            expect_equal("second sees", second.num_blocks(), 5)
        expect_equal("first reads after the second is closed", first.num_blocks(), 5)
