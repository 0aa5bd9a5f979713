"""Minting: active configurations, totals and spent nonces. [docs/protocol/ledger.md#4.5]"""

import dataclasses
from collections.abc import Sequence

from mcnode.codec.protobuf import decode, encode
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.multisig import check_multisig
from mcnode.ledger.db.records import (
    ActiveMintConfig,
    ActiveMintConfigs,
    MintTxList,
    ValidatedMintConfigTxList,
)
from mcnode.ledger.db.tables import Table, Tables, Txn, nonce_key, parse_u64, u64_key
from mcnode.ledger.errors import (
    InvalidMintConfig,
    LmdbError,
    MintLimitExceeded,
    NotFound,
    TotalMintedAmountCannotDecrease,
)
from mcnode.transaction.hashing import mint_tx_prefix_hash
from mcnode.transaction.messages import MintConfig, MintTx, ValidatedMintConfigTx


def get_active_mint_configs(txn: Txn, tables: Tables, token_id: int) -> ActiveMintConfigs | None:
    """A token's configurations in force, or None if it never had any."""
    value = txn.get(u64_key(token_id), db=tables.active_mint_configs)
    return None if value is None else decode(ActiveMintConfigs, value)


def get_all_active_mint_configs(txn: Txn, tables: Tables) -> dict[int, ActiveMintConfigs]:
    """Every token's configurations in force, by ascending token id."""
    with txn.cursor(tables.active_mint_configs) as cursor:
        return {parse_u64(key): decode(ActiveMintConfigs, value) for key, value in cursor}


def select_mint_config(active: ActiveMintConfigs, mint_tx: MintTx) -> ActiveMintConfig:
    """The first configuration that admits `mint_tx`: its signers signed and its limit has room.

    Raises:
        MintLimitExceeded: the token's or the configuration's limit is too low.
        InvalidMintConfig: the stored configurations are not those of their transaction.
        NotFound: no configuration's signers signed.
    """
    prefix = active.mint_config_tx.prefix
    amount = mint_tx.prefix.amount
    minted = sum(config.total_minted for config in active.configs)
    if minted + amount > prefix.total_mint_limit:
        raise MintLimitExceeded(amount, minted, prefix.total_mint_limit)
    if tuple(config.mint_config for config in active.configs) != tuple(prefix.configs):
        raise InvalidMintConfig(
            f"stored mint configurations of token {prefix.token_id} are not those that were set"
        )
    message = mint_tx_prefix_hash(mint_tx.prefix)
    full: ActiveMintConfig | None = None
    for config in active.configs:
        if not _is_signed_by(config.mint_config, message, mint_tx):
            continue
        if config.total_minted + amount <= config.mint_config.mint_limit:
            return config
        full = config
    if full is not None:
        raise MintLimitExceeded(amount, full.total_minted, full.mint_config.mint_limit)
    raise NotFound(f"no active mint configuration of token {prefix.token_id} is signed for")


def _is_signed_by(config: MintConfig, message: bytes, mint_tx: MintTx) -> bool:
    try:
        check_multisig(config.signer_set, message, mint_tx.signature)
    except SignatureError:
        return False
    return True


def find_mint_config(
    txn: Txn, tables: Tables, mint_tx: MintTx
) -> tuple[ActiveMintConfigs, ActiveMintConfig]:
    """The token's active configurations and the one of them that admits `mint_tx`.

    Raises:
        NotFound: the token has none, or none is signed for.
        MintLimitExceeded, InvalidMintConfig: as `select_mint_config`.
    """
    active = get_active_mint_configs(txn, tables, mint_tx.prefix.token_id)
    if active is None:
        raise NotFound(f"token {mint_tx.prefix.token_id} has no active mint configuration")
    return active, select_mint_config(active, mint_tx)


def with_total_minted(
    active: ActiveMintConfigs, mint_config: MintConfig, total_minted: int
) -> ActiveMintConfigs:
    """`active` with another total for one of its configurations.

    Raises:
        NotFound: it is not one of them.
        TotalMintedAmountCannotDecrease: the new total is below the present one.
        MintLimitExceeded: above the configuration's limit, or the sum above the token's.
    """
    position = next(
        (n for n, held in enumerate(active.configs) if held.mint_config == mint_config), None
    )
    if position is None:
        raise NotFound(f"no such active mint configuration of token {mint_config.token_id}")
    current = active.configs[position].total_minted
    if total_minted < current:
        raise TotalMintedAmountCannotDecrease(total_minted, current)
    if total_minted > mint_config.mint_limit:
        raise MintLimitExceeded(total_minted - current, current, mint_config.mint_limit)
    sum_before = sum(held.total_minted for held in active.configs)
    limit = active.mint_config_tx.prefix.total_mint_limit
    if sum_before - current + total_minted > limit:
        raise MintLimitExceeded(total_minted - current, sum_before, limit)
    configs = list(active.configs)
    configs[position] = dataclasses.replace(configs[position], total_minted=total_minted)
    return dataclasses.replace(active, configs=tuple(configs))


def write_mint_txs(txn: Txn, tables: Tables, block_index: int, mint_txs: Sequence[MintTx]) -> None:
    """Record a block's mint transactions: the list, the totals and the nonces.

    Raises:
        NotFound, MintLimitExceeded, InvalidMintConfig: no active configuration admits one.
        LmdbError: two of them share nonce and token.
    """
    block_key = u64_key(block_index)
    txn.put(block_key, encode(MintTxList(tuple(mint_txs))), db=tables.mint_txs_by_block)
    for mint_tx in mint_txs:
        prefix = mint_tx.prefix
        active, config = find_mint_config(txn, tables, mint_tx)
        updated = with_total_minted(active, config.mint_config, config.total_minted + prefix.amount)
        txn.put(u64_key(prefix.token_id), encode(updated), db=tables.active_mint_configs)
        key = nonce_key(prefix.nonce, prefix.token_id)
        if not txn.put(key, block_key, overwrite=False, db=tables.block_by_mint_nonce):
            raise LmdbError("KeyExist", "two mint transactions of the block share nonce and token")


def write_mint_config_txs(
    txn: Txn, tables: Tables, block_index: int, validated: Sequence[ValidatedMintConfigTx]
) -> None:
    """Record a block's mint configurations, each replacing its token's with totals of 0.

    Raises:
        InvalidMintConfig: a configuration is for another token than its transaction.
        LmdbError: two of them share nonce and token.
    """
    block_key = u64_key(block_index)
    stored = ValidatedMintConfigTxList(tuple(validated))
    txn.put(block_key, encode(stored), db=tables.mint_config_txs_by_block)
    for each in validated:
        prefix = each.mint_config_tx.prefix
        if any(config.token_id != prefix.token_id for config in prefix.configs):
            raise InvalidMintConfig("all mint configurations must have the same token id")
        key = nonce_key(prefix.nonce, prefix.token_id)
        if not txn.put(key, block_key, overwrite=False, db=tables.block_by_mint_config_nonce):
            raise LmdbError(
                "KeyExist", "two mint configurations of the block share nonce and token"
            )
        active = ActiveMintConfigs(
            configs=tuple(ActiveMintConfig(config, 0) for config in prefix.configs),
            mint_config_tx=each.mint_config_tx,
        )
        txn.put(u64_key(prefix.token_id), encode(active), db=tables.active_mint_configs)


def find_block_of_nonce(txn: Txn, table: Table, nonce: bytes, token_id: int) -> int | None:
    """The block in which (nonce, token) was used, or None."""
    value = txn.get(nonce_key(nonce, token_id), db=table)
    return None if value is None else parse_u64(value)
