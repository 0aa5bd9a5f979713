"""What the runners of ledger vectors share: bytes, errors by the network's names, ledgers."""

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import lmdb

from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.errors import ConversionError, MissingField
from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import decode
from mcnode.conformance.vectors import VectorFile, read_unpacked
from mcnode.errors import McNodeError
from mcnode.ledger import errors
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.environment import DATA_FILE
from mcnode.ledger.db.records import ActiveMintConfigs
from mcnode.ledger.db.tables import TABLE_NAMES
from mcnode.transaction.messages import (
    Range,
    TxOutMembershipElement,
    TxOutMembershipProof,
)

M = TypeVar("M")
Case = dict[str, Any]
Dump = dict[str, list[list[str]]]


def decode_hex(cls: type[M], text: str) -> M:
    """A message from the hex of its stored form."""
    return decode(cls, bytes.fromhex(text))


def error_form(error: McNodeError) -> tuple[str, list[Any]]:
    """(name, fields) of an error as the network's software shows it."""
    match error:
        case errors.InvalidBlockVersion():
            return "InvalidBlockVersion", [error.version]
        case errors.InvalidBlockIndex():
            return "InvalidBlockIndex", [error.index]
        case errors.InvalidParentBlockID() | errors.InvalidBlockID():
            return type(error).__name__, [error.block_id.hex()]
        case errors.TxOutIndexOutOfBounds():
            return "TxOutIndexOutOfBounds", [error.index]
        case errors.MintLimitExceeded():
            fields = [str(error.amount), str(error.minted), str(error.limit)]
            return "MintLimitExceeded", fields
        case errors.TotalMintedAmountCannotDecrease():
            return "TotalMintedAmountCannotDecrease", [str(error.new), str(error.current)]
        case errors.LmdbError():
            return "Lmdb", [error.code]
        case errors.LedgerPathMissing():
            return "Lmdb", ["Other(2)"]
        case errors.NotALedger():
            return "MetadataStore", ["Lmdb(NotFound)"]
        case errors.VersionIncompatible():
            return "MetadataStore", [f"VersionIncompatible({error.found}, {error.supported})"]
        case MissingField():
            return f'MissingField("{error.field_name}")', []
        case ConversionError():
            return error.network_name or type(error).__name__, []
        case DecodeError():
            return "protobuf", []
        case _:
            return type(error).__name__, []


def outcome_of_error(error: McNodeError, expected: Any) -> Any:
    """The error in the shape of `expected`, with the text that is the network's own left out."""
    name, fields = error_form(error)
    if name == "InvalidMintConfig":
        fields = expected.get("fields", []) if isinstance(expected, dict) else []
    return {"error": name, "fields": fields}


def without_text(result: Any) -> Any:
    """An expected result without the network's wording."""
    if isinstance(result, dict) and "error" in result:
        return {"error": result["error"], "fields": result.get("fields", [])}
    return result


def proof_from_json(value: Case) -> TxOutMembershipProof:
    """A proof from {index, highest_index, elements [[from, to, hash]]}."""
    elements = tuple(
        TxOutMembershipElement(Range(int(start), int(end)), bytes.fromhex(hash_))
        for start, end, hash_ in value["elements"]
    )
    return TxOutMembershipProof(int(value["index"]), int(value["highest_index"]), elements)


def proof_to_json(proof: TxOutMembershipProof) -> Case:
    """The inverse of `proof_from_json`."""
    return {
        "index": proof.index,
        "highest_index": proof.highest_index,
        "elements": [[e.range.from_, e.range.to, e.hash.hex()] for e in proof.elements],
    }


def element_to_json(element: TxOutMembershipElement) -> Case:
    """A root as {from, to, hash}."""
    return {"from": element.range.from_, "to": element.range.to, "hash": element.hash.hex()}


@contextlib.contextmanager
def temporary_ledger(blocks: Iterable[BlockData] = ()) -> Iterator[LedgerDB]:
    """A ledger of these blocks in a directory that goes away."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LedgerDB.create(Path(folder), durable=False) as ledger,
    ):
        for block_data in blocks:
            ledger.append_block_data(block_data)
        yield ledger


@contextlib.contextmanager
def genuine_ledger(file: VectorFile, relative: str = "data.mdb") -> Iterator[LedgerDB]:
    """A copy of the ledger file beside `file`, opened."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(file.sibling(relative), Path(folder))
        with LedgerDB.open(Path(folder), durable=False) as ledger:
            yield ledger


def unpack(data_file: Path, folder: Path) -> None:
    """Put a stored ledger file into `folder`."""
    (folder / DATA_FILE).write_bytes(read_unpacked(data_file))


def all_blocks(ledger: LedgerDB) -> Iterator[BlockData]:
    """Every block of a ledger."""
    for index in range(ledger.num_blocks()):
        yield ledger.get_block_data(index)


def raw_dump(folder: Path) -> Dump:
    """Every record of every sub-database, in hex; no handle may be open on the folder."""
    with lmdb.open(str(folder), max_dbs=len(TABLE_NAMES), readonly=True) as env, env.begin() as txn:
        names = [name for name, _ in txn.cursor()]
        dump: Dump = {}
        for name in names:
            table = env.open_db(name, txn=txn, create=False)
            records = [[key.hex(), value.hex()] for key, value in txn.cursor(table)]
            dump[name.decode()] = records
    return dump


def rebuilt_dump(blocks: Iterable[BlockData]) -> Dump:
    """The records of a fresh ledger of these blocks."""
    with tempfile.TemporaryDirectory() as folder:
        with LedgerDB.create(Path(folder), durable=False) as ledger:
            for block_data in blocks:
                ledger.append_block_data(block_data)
        return raw_dump(Path(folder))


def mint_configs_json(active: dict[int, ActiveMintConfigs], *, totals: bool) -> list[Case]:
    """Active mint configurations by token id, as limits and totals."""
    made = []
    for token_id, configs in active.items():
        entry: Case = {
            "token_id": token_id,
            "configs": [
                {
                    "mint_limit": str(each.mint_config.mint_limit),
                    "signer_set_threshold": each.mint_config.signer_set.threshold,
                    "total_minted": str(each.total_minted),
                }
                for each in configs.configs
            ],
        }
        if totals:
            entry["total_mint_limit"] = str(configs.mint_config_tx.prefix.total_mint_limit)
            entry["total_minted"] = str(sum(each.total_minted for each in configs.configs))
        made.append(entry)
    return made


def base_chain(file: VectorFile, relative: str = "../append/base_chain.jsonl") -> list[BlockData]:
    """The blocks that cases of append and sync start from."""
    lines = read_unpacked(file.sibling(relative)).splitlines()
    return [decode_hex(BlockData, json.loads(line)["block_data_p"]) for line in lines if line]
