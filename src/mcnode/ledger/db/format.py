"""Format version and sub-databases of a ledger file. [docs/protocol/ledger.md#4.1]"""

import lmdb

from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import decode, encode
from mcnode.ledger.db.environment import Environment
from mcnode.ledger.db.records import CREATED_BY, FORMAT_VERSION, DatabaseVersion
from mcnode.ledger.db.tables import (
    NUM_BLOCKS_KEY,
    NUM_TX_OUTS_KEY,
    TABLE_NAMES,
    VERSION_KEY,
    Tables,
    Txn,
    u64_key,
)
from mcnode.ledger.errors import NotALedger, NotFound, VersionIncompatible

_CREATED_WHEN_MISSING = "block_metadata"
"""The youngest sub-database: ledgers of the same format version may lack it."""


def create_format(environment: Environment) -> Tables:
    """Make all sub-databases, the version record and the counters, where missing.

    One transaction: another process sees all of it or nothing.
    """
    version = encode(DatabaseVersion(FORMAT_VERSION, CREATED_BY))

    def body(txn: Txn) -> None:
        made = {name: environment.create_table(txn, name) for name in TABLE_NAMES.values()}
        for table, key, value in (
            ("metadata", VERSION_KEY, version),
            ("counts", NUM_BLOCKS_KEY, u64_key(0)),
            ("tx_out_counts", NUM_TX_OUTS_KEY, u64_key(0)),
        ):
            txn.put(key, value, overwrite=False, db=made[TABLE_NAMES[table]])

    environment.write(body, "creation of the ledger")
    check_format(environment)
    return existing_tables(environment)


def is_empty(environment: Environment) -> bool:
    """Whether the file holds nothing at all: just made, or its maker was stopped."""
    with environment.reading() as txn:
        return txn.stat()["entries"] == 0


def check_format(environment: Environment) -> None:
    """Refuse a file without a version record, or of another format version.

    Raises:
        NotALedger: it has no version record.
        VersionIncompatible: the version is not the one this program reads.
    """
    found = stored_version(environment)
    if found.database_format_version != FORMAT_VERSION:
        raise VersionIncompatible(
            str(environment.path), found.database_format_version, FORMAT_VERSION
        )


def stored_version(environment: Environment) -> DatabaseVersion:
    """The version record.

    Raises:
        NotALedger: there is none.
    """
    try:
        table = environment.open_table(TABLE_NAMES["metadata"], create=False)
    except lmdb.NotFoundError:
        value = None
    else:
        with environment.reading() as txn:
            value = txn.get(VERSION_KEY, db=table)
    if value is None:
        raise NotALedger(
            f"{environment.path} holds a database without a ledger's version record: name "
            "another directory"
        )
    try:
        return decode(DatabaseVersion, value)
    except DecodeError as error:
        raise NotALedger(f"the version record of {environment.path} does not decode") from error


def existing_tables(environment: Environment) -> Tables:
    """All sub-databases; only the youngest may be missing and is then made.

    Raises:
        NotFound: another one is missing.
    """
    handles = {}
    for attribute, name in TABLE_NAMES.items():
        writable = not environment.mode.read_only
        try:
            handles[attribute] = environment.open_table(
                name, create=writable and attribute == _CREATED_WHEN_MISSING
            )
        except lmdb.NotFoundError as error:
            raise NotFound(
                f"ledger at {environment.path} lacks the sub-database {name.decode()}: it is "
                "damaged or was never completed"
            ) from error
    return Tables(**handles)
