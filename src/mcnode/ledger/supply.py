"""How much of each token there is, from a ledger alone. [docs/protocol/ledger.md#14]

What was minted is written in the open. What was burned was paid to the burn address, whose view
key is public knowledge, so anybody can open those outputs.
"""

import dataclasses
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from mcnode.account.public_address import BURN_ADDRESS_VIEW_PRIVATE, burn_address
from mcnode.crypto.onetime_keys import scan_outputs
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.constants import MOB
from mcnode.transaction.memo import BurnRedemptionMemo, UnknownMemoType, parse_memo
from mcnode.transaction.messages import Amount, TxOut
from mcnode.transaction.tx_out import ViewKeyMatchError, decrypt_memo, view_key_match

BATCH_OUTPUTS: Final = 2048
"""Scanned in one native call, which takes some 0.1 s of one core."""

BATCHES_AHEAD: Final = 2
"""For each core, so that none waits for blocks to be read, and memory stays small."""

_BURN_SPEND_PUBLIC: Final = burn_address().spend_public_key

Report = Callable[[int, int], None]
"""Told how many blocks are done, of how many."""


@dataclasses.dataclass(frozen=True, slots=True)
class TokenSupply:
    """One token; amounts in its smallest units."""

    token_id: int
    minted: int = 0
    burned: int = 0
    mint_count: int = 0
    """Mint transactions."""
    burn_count: int = 0
    """Outputs to the burn address."""
    mint_limit: int | None = None
    """That of the configuration in force: how much it allows to be minted in all."""
    minted_under_limit: int = 0
    """How much of that limit is used."""

    @property
    def circulating(self) -> int | None:
        """Minted and not burned; None for MOB, which was there in the origin block, hidden.

        Below zero where a token's first outputs were in the origin block, as in sample ledgers.
        """
        return None if self.token_id == MOB else self.minted - self.burned


@dataclasses.dataclass(frozen=True, slots=True)
class Burn:
    """An output to the burn address."""

    block_index: int
    public_key: bytes
    """32 bytes."""
    amount: Amount
    redemption_data: bytes | None
    """The 64 bytes of its memo for whoever redeems the value elsewhere; None: another memo."""


@dataclasses.dataclass(frozen=True, slots=True)
class Supply:
    """All tokens that were minted, configured or burned, by ascending token id."""

    num_blocks: int
    num_outputs: int
    tokens: tuple[TokenSupply, ...]
    burns: tuple[Burn, ...] = ()
    """In the order of the blocks."""


def measure_supply(ledger: LedgerDB, report: Report = lambda _done, _total: None) -> Supply:
    """Read the whole ledger as it is now; blocks that are appended meanwhile do not count.

    Raises:
        LedgerError: a record is missing or damaged.
    """
    count = _Count()
    num_blocks = ledger.num_blocks()
    waiting: list[tuple[int, TxOut]] = []
    num_outputs = 0
    with _BurnScan(count, report, num_blocks) as scan:
        for index in range(num_blocks):
            contents = ledger.get_block_contents(index)
            for mint_tx in contents.mint_txs:
                count.add_mint(mint_tx.prefix.token_id, mint_tx.prefix.amount)
            waiting += ((index, output) for output in contents.outputs)
            num_outputs += len(contents.outputs)
            if len(waiting) >= BATCH_OUTPUTS or index + 1 == num_blocks:
                scan.submit(waiting, index + 1)
                waiting = []
    for token_id, active in ledger.get_active_mint_configs_map().items():
        used = sum(config.total_minted for config in active.configs)
        count.set_limit(token_id, active.mint_config_tx.prefix.total_mint_limit, used)
    return Supply(num_blocks, num_outputs, count.tokens(), tuple(count.burns))


class _Count:
    """Sums by token."""

    def __init__(self) -> None:
        self._tokens: dict[int, TokenSupply] = {}
        self.burns: list[Burn] = []

    def tokens(self) -> tuple[TokenSupply, ...]:
        return tuple(self._tokens[token_id] for token_id in sorted(self._tokens))

    def _of(self, token_id: int) -> TokenSupply:
        return self._tokens.get(token_id, TokenSupply(token_id))

    def add_mint(self, token_id: int, amount: int) -> None:
        held = self._of(token_id)
        self._tokens[token_id] = dataclasses.replace(
            held, minted=held.minted + amount, mint_count=held.mint_count + 1
        )

    def set_limit(self, token_id: int, limit: int, used: int) -> None:
        self._tokens[token_id] = dataclasses.replace(
            self._of(token_id), mint_limit=limit, minted_under_limit=used
        )

    def add_burn(self, burn: Burn) -> None:
        held = self._of(burn.amount.token_id)
        self._tokens[held.token_id] = dataclasses.replace(
            held, burned=held.burned + burn.amount.value, burn_count=held.burn_count + 1
        )
        self.burns.append(burn)


class _BurnScan:
    """Scans batches on all cores; what they give is counted in the order of the blocks."""

    def __init__(self, count: _Count, report: Report, num_blocks: int) -> None:
        cores = os.cpu_count() or 1
        self._executor = ThreadPoolExecutor(cores)
        self._ahead_max = BATCHES_AHEAD * cores
        self._running: deque[tuple[Future[list[Burn]], int]] = deque()
        self._count = count
        self._report = report
        self._num_blocks = num_blocks

    def submit(self, tx_outs: Sequence[tuple[int, TxOut]], done_blocks: int) -> None:
        """Have outputs scanned, each with its block, the last ones of `done_blocks` blocks."""
        if len(self._running) >= self._ahead_max:
            self._take()
        self._running.append((self._executor.submit(find_burned, tx_outs), done_blocks))

    def _take(self) -> None:
        future, done_blocks = self._running.popleft()
        for burn in future.result():
            self._count.add_burn(burn)
        self._report(done_blocks, self._num_blocks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            while kind is None and self._running:
                self._take()
        finally:
            self._executor.shutdown(cancel_futures=True)


def find_burned(tx_outs: Sequence[tuple[int, TxOut]]) -> list[Burn]:
    """Those outputs, each given with its block, that are the burn address's and open."""
    keys = [(tx_out.public_key, tx_out.target_key) for _, tx_out in tx_outs]
    burned = []
    scanned = scan_outputs(BURN_ADDRESS_VIEW_PRIVATE, keys)
    for (block_index, tx_out), found in zip(tx_outs, scanned, strict=True):
        if found is None or found.spend_public != _BURN_SPEND_PUBLIC:
            continue
        try:
            viewed = view_key_match(tx_out, BURN_ADDRESS_VIEW_PRIVATE)
        except ViewKeyMatchError:
            continue  # made to look like a burn; it hides an unknown amount
        amount = Amount(viewed.amount.value, viewed.amount.token_id)
        data = _redemption_data(decrypt_memo(tx_out, viewed.shared_secret))
        burned.append(Burn(block_index, tx_out.public_key, amount, data))
    return burned


def _redemption_data(payload: bytes) -> bytes | None:
    try:
        memo = parse_memo(payload)
    except UnknownMemoType:
        return None
    return memo.data if isinstance(memo, BurnRedemptionMemo) else None
