"""Transactions: checked once, judged against the ledger as it is, combined in the block's order."""

import asyncio
import dataclasses
import itertools
import random

import pytest
import pytest_asyncio

from mcnode.consensus import tx_cache
from mcnode.consensus.tx_manager import (
    NotInCache,
    TxCacheFull,
    TxManager,
    transaction_error,
)
from mcnode.enclave.errors import CacheCipher, EnclaveGoneError, MalformedTx
from mcnode.enclave.interface import TxContext, WellFormedTx, WellFormedTxContext
from mcnode.ledger.errors import Deserialization, TxOutIndexOutOfBounds
from mcnode.transaction.constants import MAX_TOMBSTONE_BLOCKS
from mcnode.transaction.validation.errors import (
    ContainsExistingOutputPublicKey,
    ContainsSpentKeyImage,
    Ledger,
    LedgerTxOutIndexOutOfBounds,
    NoInputs,
    TombstoneBlockExceeded,
    TombstoneBlockTooFar,
)

pytestmark = pytest.mark.asyncio


class FakeLedger:
    def __init__(self) -> None:
        self.blocks = 53
        self.key_images: set[bytes] = set()
        self.public_keys: set[bytes] = set()
        self.error: Exception | None = None
        self.asked: list[tuple[int, ...]] = []

    def num_blocks(self) -> int:
        return self.blocks

    def contains_key_image(self, key_image: bytes) -> bool:
        return key_image in self.key_images

    def contains_tx_out_public_key(self, public_key: bytes) -> bool:
        return public_key in self.public_keys

    def get_tx_out_proof_of_memberships(self, indices):
        if self.error is not None:
            raise self.error
        self.asked.append(tuple(indices))
        return [f"proof of {index} at {self.blocks}" for index in indices]


class FakeEnclave:
    """Finds every transaction well formed, unless told otherwise; knows contexts by hash."""

    def __init__(self) -> None:
        self.contexts: dict[bytes, WellFormedTxContext] = {}
        self.calls: list[tuple] = []
        self.error: Exception | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.size = 100
        self.called = asyncio.Condition()

    async def until_called(self, times: int) -> None:
        async with asyncio.timeout(20), self.called:
            await self.called.wait_for(lambda: len(self.calls) >= times)

    async def tx_is_well_formed(self, encrypted, block_index, proofs):
        self.calls.append((encrypted, block_index, tuple(proofs)))
        async with self.called:
            self.called.notify_all()
        await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        return WellFormedTx(bytes(self.size), self.contexts[encrypted])


class World:
    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.enclave = FakeEnclave()
        self.txs = TxManager(self.enclave, self.ledger)
        self._numbers = itertools.count(1)

    def tx(self, **changes: object) -> TxContext:
        """A transaction like no other, but for what is given."""
        number = next(self._numbers)
        context = WellFormedTxContext(
            priority=100,
            tx_hash=number.to_bytes(32),
            tombstone_block=100,
            key_images=(b"image %d" % number,),
            highest_indices=(33, 44, 33),
            output_public_keys=(b"output %d" % number,),
        )
        context = dataclasses.replace(context, **changes)
        encrypted = b"encrypted %d" % number
        self.enclave.contexts[encrypted] = context
        return TxContext(
            encrypted,
            context.tx_hash,
            context.highest_indices,
            context.key_images,
            context.output_public_keys,
        )

    async def insert(self, **changes: object) -> bytes:
        return await self.txs.insert(self.tx(**changes))


@pytest_asyncio.fixture
async def world():
    made = World()
    yield made
    await made.txs.close()


# -- insert ----------------------------------------------------------------------------------------


async def test_a_transaction_is_checked_once_against_the_ledger_as_it_is(world) -> None:
    tx = world.tx()
    assert await world.txs.insert(tx) == tx.tx_hash
    assert await world.txs.insert(tx) == tx.tx_hash
    assert len(world.txs) == 1
    assert tx.tx_hash in world.txs
    proofs = ("proof of 33 at 53", "proof of 44 at 53", "proof of 33 at 53")
    assert world.enclave.calls == [(tx.locally_encrypted_tx, 52, proofs)]


async def test_callers_at_the_same_time_share_one_check(world) -> None:
    world.enclave.may_go_on.clear()
    tx = world.tx()
    callers = [asyncio.create_task(world.txs.insert(tx)) for _ in range(5)]
    await world.enclave.until_called(1)
    callers[0].cancel()  # one goes away: the check goes on for the others
    world.enclave.may_go_on.set()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [tx.tx_hash] * 4
    assert len(world.enclave.calls) == 1


@pytest.mark.parametrize(
    "error", [MalformedTx(NoInputs()), CacheCipher("no"), EnclaveGoneError("gone")]
)
async def test_what_the_trusted_process_refuses_is_not_kept_and_may_come_again(
    world, error
) -> None:
    tx = world.tx()
    world.enclave.error = error
    with pytest.raises(type(error)):
        await world.txs.insert(tx)
    assert len(world.txs) == 0
    world.enclave.error = None
    await world.txs.insert(tx)
    assert len(world.txs) == 1


@pytest.mark.parametrize(
    ("ledger_error", "expected"),
    [
        (TxOutIndexOutOfBounds(44, 40), LedgerTxOutIndexOutOfBounds),
        (Deserialization("damaged"), Ledger),
    ],
)
async def test_without_proofs_the_trusted_process_is_not_asked(
    world, ledger_error, expected
) -> None:
    world.ledger.error = ledger_error
    with pytest.raises(expected):
        await world.insert()
    assert world.enclave.calls == []
    assert len(world.txs) == 0


async def test_a_failure_that_nobody_waits_for_any_more_is_not_reported_as_lost(world) -> None:
    world.enclave.may_go_on.clear()
    world.enclave.error = CacheCipher("no")
    caller = asyncio.create_task(world.txs.insert(world.tx()))
    await world.enclave.until_called(1)
    caller.cancel()
    await asyncio.wait([caller])
    [check] = world.txs._under_check.values()
    world.enclave.may_go_on.set()
    await asyncio.wait([check])
    await asyncio.sleep(0)
    assert world.txs._under_check == {}


async def test_closing_ends_the_checks_under_way(world) -> None:
    world.enclave.may_go_on.clear()
    caller = asyncio.create_task(world.txs.insert(world.tx()))
    await world.enclave.until_called(1)
    await world.txs.close()
    await asyncio.wait([caller], timeout=5)
    assert caller.cancelled()
    assert len(world.txs) == 0


# -- what the ledger says --------------------------------------------------------------------------


async def test_a_valid_transaction_passes_without_the_trusted_process(world) -> None:
    tx_hash = await world.insert()
    world.txs.check(tx_hash)
    assert world.txs.is_valid(tx_hash)
    assert len(world.enclave.calls) == 1


async def test_an_unknown_one_is_named(world) -> None:
    with pytest.raises(NotInCache, match=rf"Tx\(s\) not in cache \[{'07' * 32}\]"):
        world.txs.check(b"\7" * 32)
    assert not world.txs.is_valid(b"\7" * 32)


@pytest.mark.parametrize(
    ("tombstone", "expected"),
    [
        (52, TombstoneBlockExceeded),
        (53, TombstoneBlockExceeded),
        (54, None),
        (53 + MAX_TOMBSTONE_BLOCKS, None),
        (54 + MAX_TOMBSTONE_BLOCKS, TombstoneBlockTooFar),
    ],
)
async def test_the_tombstone_lies_within_its_window(world, tombstone, expected) -> None:
    tx_hash = await world.insert(tombstone_block=tombstone)
    if expected is None:
        world.txs.check(tx_hash)
    else:
        with pytest.raises(expected):
            world.txs.check(tx_hash)


async def test_checks_come_in_the_networks_order(world) -> None:
    tx_hash = await world.insert(
        tombstone_block=60, key_images=(b"a", b"b"), output_public_keys=(b"c", b"d")
    )
    world.ledger.public_keys.add(b"d")
    with pytest.raises(ContainsExistingOutputPublicKey):
        world.txs.check(tx_hash)
    world.ledger.key_images.add(b"b")
    with pytest.raises(ContainsSpentKeyImage):
        world.txs.check(tx_hash)
    world.ledger.blocks = 60
    with pytest.raises(TombstoneBlockExceeded):
        world.txs.check(tx_hash)


# -- combining -------------------------------------------------------------------------------------


async def test_nothing_combines_to_nothing(world) -> None:
    assert world.txs.combine([]) == []


async def test_priority_counts_first_then_the_hash(world) -> None:
    hashes = {
        name: await world.insert(priority=priority, tx_hash=bytes([name]) * 32)
        for name, priority in ((5, 10), (3, 20), (4, 20), (1, 5))
    }
    expected = [hashes[3], hashes[4], hashes[5], hashes[1]]
    for order in itertools.permutations(hashes.values()):
        assert world.txs.combine([*order, order[0]]) == expected


@pytest.mark.parametrize("field", ["key_images", "output_public_keys"])
async def test_of_two_that_conflict_the_first_stays(world, field) -> None:
    low = await world.insert(priority=1, **{field: (b"shared", b"x")})
    high = await world.insert(priority=9, **{field: (b"shared", b"y")})
    other = await world.insert(priority=5)
    assert world.txs.combine([low, high, other]) == [high, other]


async def test_one_that_was_left_out_does_not_shut_out_a_third(world) -> None:
    first = await world.insert(priority=9, key_images=(b"a",))
    left_out = await world.insert(priority=8, key_images=(b"a", b"b"))
    third = await world.insert(priority=7, key_images=(b"b",))
    assert world.txs.combine([first, left_out, third]) == [first, third]


async def test_a_block_has_a_limit(world, monkeypatch) -> None:
    monkeypatch.setattr(tx_cache, "MAX_TRANSACTIONS_PER_BLOCK", 3)
    hashes = [await world.insert(priority=p) for p in (1, 2, 3, 4, 5)]
    assert world.txs.combine(hashes) == hashes[:1:-1]


async def test_all_missing_ones_are_named(world) -> None:
    known = await world.insert()
    with pytest.raises(NotInCache) as caught:
        world.txs.combine([known, b"\2" * 32, b"\1" * 32])
    assert caught.value.tx_hashes == (b"\1" * 32, b"\2" * 32)


async def test_the_order_of_what_is_asked_never_matters(world) -> None:
    rng = random.Random(5)
    print("seed 5")
    images = [b"%d" % n for n in range(6)]
    hashes = [
        await world.insert(priority=rng.randrange(3), key_images=tuple(rng.sample(images, 2)))
        for _ in range(20)
    ]
    expected = world.txs.combine(hashes)
    for _ in range(10):
        rng.shuffle(hashes)
        assert world.txs.combine(hashes) == expected


# -- what a block is formed of ---------------------------------------------------------------------


async def test_proofs_are_of_the_ledger_as_it_is_now(world) -> None:
    first, second = await world.insert(), await world.insert(highest_indices=(7,))
    world.ledger.blocks = 54
    made = await world.txs.with_proofs([second, first])
    assert [tx.membership_proofs for tx in made] == [
        ["proof of 7 at 54"],
        ["proof of 33 at 54", "proof of 44 at 54", "proof of 33 at 54"],
    ]
    with pytest.raises(NotInCache):
        await world.txs.with_proofs([first, bytes(32)])


async def test_cached_ones_come_in_the_order_asked_for(world) -> None:
    first, second = await world.insert(), await world.insert()
    assert [tx.context.tx_hash for tx in world.txs.well_formed([second, first])] == [second, first]
    assert world.txs.missing([bytes(32), first, b"\7" * 32]) == [bytes(32), b"\7" * 32]
    with pytest.raises(NotInCache) as caught:
        world.txs.well_formed([bytes(32), first, b"\7" * 32])
    assert caught.value.tx_hashes == (bytes(32), b"\7" * 32)


# -- forgetting ------------------------------------------------------------------------------------


async def test_expired_ones_are_forgotten(world) -> None:
    hashes = {t: await world.insert(tombstone_block=t) for t in (59, 60, 61)}
    world.txs.remove_expired(60)
    assert world.txs.missing(hashes.values()) == [hashes[59], hashes[60]]


async def test_the_cache_is_bounded_but_finds_room_for_what_is_voted_for(
    world, monkeypatch
) -> None:
    monkeypatch.setattr(tx_cache, "TX_CACHE_BYTES_MAX", 250)
    monkeypatch.setattr(tx_cache, "TX_CACHE_NAMED_BYTES_MAX", 350)
    for _ in range(2):
        await world.insert()
    with pytest.raises(TxCacheFull, match="holds 200 bytes, limit 250"):
        await world.insert()
    named = world.tx()
    await world.txs.insert(named, is_named=True)
    assert named.tx_hash in world.txs
    with pytest.raises(TxCacheFull, match="holds 300 bytes, limit 350"):
        await world.txs.insert(world.tx(), is_named=True)


async def test_when_room_is_short_what_can_be_in_no_block_goes_once_per_block(
    world, monkeypatch
) -> None:
    monkeypatch.setattr(tx_cache, "TX_CACHE_BYTES_MAX", 250)
    spent = await world.insert(key_images=(b"spent",))
    kept = await world.insert()
    world.ledger.key_images.add(b"spent")
    new = await world.insert()
    assert world.txs.missing([spent, kept, new]) == [spent]
    world.txs.remove_expired(10_000)
    later = [await world.insert(output_public_keys=(b"known",)), await world.insert()]
    world.ledger.public_keys.add(b"known")
    with pytest.raises(TxCacheFull):
        await world.insert()  # the same block: not looked through again
    world.ledger.blocks += 1
    await world.insert()
    assert world.txs.missing(later) == later[:1]


async def test_many_at_once_do_not_outgrow_the_cache(world, monkeypatch) -> None:
    monkeypatch.setattr(tx_cache, "TX_CACHE_BYTES_MAX", 250)
    world.enclave.may_go_on.clear()
    callers = [asyncio.create_task(world.insert()) for _ in range(5)]
    await world.enclave.until_called(5)
    world.enclave.may_go_on.set()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert sum(isinstance(outcome, TxCacheFull) for outcome in outcomes) == 3
    assert len(world.txs) == 2


async def test_the_broken_rule_comes_out_of_its_wrapping() -> None:
    rule = NoInputs()
    assert transaction_error(MalformedTx(rule)) is rule
    assert transaction_error(rule) is rule
