"""Bringing ledgers of older releases to the present format. [docs/protocol/ledger.md#4.7]

Each step adds what its version added and then notes the version, so a migration that was stopped
goes on where it was. Steps never remove anything.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from mcnode.codec.protobuf import decode, encode
from mcnode.ledger.db.environment import Environment, OpenMode, open_environment
from mcnode.ledger.db.format import stored_version
from mcnode.ledger.db.records import (
    CREATED_BY,
    FORMAT_VERSION,
    DatabaseVersion,
    MintTxList,
    TxOutsByBlock,
    ValidatedMintConfigTxList,
)
from mcnode.ledger.db.tables import (
    NUM_BLOCKS_KEY,
    TABLE_NAMES,
    VERSION_KEY,
    Table,
    Txn,
    nonce_key,
    parse_u64,
    u64_key,
)
from mcnode.ledger.errors import NotFound, UnknownFormatVersion
from mcnode.transaction.messages import TxOut

RECORDS_PER_TRANSACTION = 10_000
"""Written per commit: a few megabytes of dirty pages."""

Item = tuple[bytes, bytes]
Step = Callable[[Environment], None]


def migrate(path: Path) -> Iterator[tuple[int, int]]:
    """Migrate the ledger at `path`; yields (from, to) after each step. Nothing if it is current.

    Raises:
        LedgerPathError: there is no ledger, or its version is not a known one.
    """
    environment = open_environment(path, OpenMode(), tables_max=len(TABLE_NAMES), create=False)
    try:
        while True:
            found = stored_version(environment).database_format_version
            if found == FORMAT_VERSION:
                return
            if found not in _STEPS:
                raise UnknownFormatVersion(str(path), found)
            target, step = _STEPS[found]
            step(environment)
            _note_version(environment, target)
            yield found, target
    finally:
        environment.close()


def _note_version(environment: Environment, version: int) -> None:
    table = environment.open_table(TABLE_NAMES["metadata"], create=False)
    record = encode(DatabaseVersion(version, CREATED_BY))
    environment.write(lambda txn: txn.put(VERSION_KEY, record, db=table), "the format version")


def _index_public_keys(environment: Environment) -> None:
    """20200610: the output index by public key."""
    outputs = _table(environment, "tx_out_by_index")
    target = _table(environment, "tx_out_index_by_public_key")
    _convert(
        environment, outputs, target, lambda key, value: [(decode(TxOut, value).public_key, key)]
    )


def _index_blocks(environment: Environment) -> None:
    """20200707: the block of each output."""
    source = _table(environment, "tx_outs_by_block")
    target = _table(environment, "block_number_by_tx_out_index")

    def items(key: bytes, value: bytes) -> list[Item]:
        place = decode(TxOutsByBlock, value)
        first = place.first_tx_out_index
        return [(u64_key(first + offset), key) for offset in range(place.num_tx_outs)]

    _convert(environment, source, target, items)


def _add_mint_stores(environment: Environment) -> None:
    """20220222: minting, with an empty list for every block so far."""
    for name in ("active_mint_configs", "block_by_mint_config_nonce", "block_by_mint_nonce"):
        _table(environment, name)
    counts = _table(environment, "counts")
    with environment.reading() as txn:
        value = txn.get(NUM_BLOCKS_KEY, db=counts)
    if value is None:
        raise NotFound("the number of blocks is not recorded: the ledger is damaged")
    keys = [u64_key(index) for index in range(parse_u64(value))]
    for name, empty in (
        ("mint_config_txs_by_block", encode(ValidatedMintConfigTxList(()))),
        ("mint_txs_by_block", encode(MintTxList(()))),
    ):
        _write_all(environment, _table(environment, name), [(key, empty) for key in keys])


def _add_tokens_to_nonces(environment: Environment) -> None:
    """20220921: nonces are unique per token; entries of nonces alone stay behind."""
    _convert(
        environment,
        _table(environment, "mint_config_txs_by_block"),
        _table(environment, "block_by_mint_config_nonce"),
        lambda key, value: [
            (nonce_key(each.mint_config_tx.prefix.nonce, each.mint_config_tx.prefix.token_id), key)
            for each in decode(ValidatedMintConfigTxList, value).list
        ],
    )
    _convert(
        environment,
        _table(environment, "mint_txs_by_block"),
        _table(environment, "block_by_mint_nonce"),
        lambda key, value: [
            (nonce_key(each.prefix.nonce, each.prefix.token_id), key)
            for each in decode(MintTxList, value).list
        ],
    )


_STEPS: dict[int, tuple[int, Step]] = {
    20200427: (20200610, _index_public_keys),
    20200610: (20200707, _index_blocks),
    20200707: (20220222, _add_mint_stores),
    20220222: (20220921, _add_tokens_to_nonces),
}
"""Version to the next one and how to get there."""


def _table(environment: Environment, attribute: str) -> Table:
    return environment.open_table(TABLE_NAMES[attribute], create=True)


def _convert(
    environment: Environment,
    source: Table,
    target: Table,
    items: Callable[[bytes, bytes], list[Item]],
) -> None:
    """Write to `target` what `items` makes of each record of `source`, in bounded pieces."""
    start = b""
    while True:
        made: list[Item] = []
        next_start: bytes | None = None
        with environment.reading() as txn, txn.cursor(source) as cursor:
            if cursor.set_range(start):
                for key, value in cursor:
                    if len(made) >= RECORDS_PER_TRANSACTION:
                        next_start = key
                        break
                    made += items(key, value)
        _write_all(environment, target, made)
        if next_start is None:
            return
        start = next_start


def _write_all(environment: Environment, table: Table, items: list[Item]) -> None:
    def body(txn: Txn, piece: list[Item]) -> None:
        with txn.cursor(table) as cursor:
            cursor.putmulti(piece)

    for start in range(0, len(items), RECORDS_PER_TRANSACTION):
        piece = items[start : start + RECORDS_PER_TRANSACTION]
        environment.write(functools.partial(body, piece=piece), "migration")
