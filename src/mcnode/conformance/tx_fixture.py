"""A small ledger of outputs with known owners, to build transactions from.

Everything follows from one seed, so a failure can be repeated.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

from mcnode.account.account_key import AccountKey
from mcnode.conformance.vectors import MismatchError
from mcnode.crypto.fog_hint import fake_onetime_hint
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.crypto.rng import ChaCha12Rng, RandomBytes
from mcnode.ledger.db.merkle import changed_nodes, root_range, tree_depth
from mcnode.transaction.block_version import LATEST_BLOCK_VERSION, BlockVersion
from mcnode.transaction.builder import InputCredentials, TransactionBuilder
from mcnode.transaction.builder.memo_builder import MemoBuilder
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, RING_SIZE
from mcnode.transaction.membership_proof import NIL_HASH, leaf_hash
from mcnode.transaction.messages import (
    Amount,
    Range,
    Tx,
    TxOut,
    TxOutMembershipElement,
    TxOutMembershipProof,
)
from mcnode.transaction.tx_out import create_tx_out
from mcnode.transaction.validation import membership_proof_highest_indices


class TxOutTree:
    """The Merkle tree over leaves, also as it was when it had fewer."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = tuple(leaves)
        self._nodes_of = functools.lru_cache(maxsize=16)(self._make_nodes)

    def __len__(self) -> int:
        return len(self._leaves)

    def root_hash(self, count: int | None = None) -> bytes:
        """The root over the first `count` leaves, by default all."""
        count = len(self) if count is None else count
        return self._node(*root_range(count), count)

    def proof(self, index: int, count: int | None = None) -> TxOutMembershipProof:
        """The proof of a leaf in the tree over the first `count` leaves, by default all."""
        count = len(self) if count is None else count
        if index >= count:
            raise MismatchError(f"output {index} is not in the ledger of {count}")
        elements = [self._element(index, index, count)]
        for depth in range(tree_depth(count)):
            sibling = ((index >> depth) ^ 1) << depth
            elements.append(self._element(sibling, sibling + (1 << depth) - 1, count))
        return TxOutMembershipProof(index, count - 1, tuple(elements))

    def _element(self, from_: int, to: int, count: int) -> TxOutMembershipElement:
        return TxOutMembershipElement(Range(from_, to), self._node(from_, to, count))

    def _node(self, from_: int, to: int, count: int) -> bytes:
        return self._nodes_of(count).get((from_, to), NIL_HASH)

    def _make_nodes(self, count: int) -> dict[tuple[int, int], bytes]:
        made = changed_nodes(0, self._leaves[:count], lambda *_: NIL_HASH)
        return {(from_, to): hash_ for from_, to, hash_ in made}


@dataclasses.dataclass(frozen=True)
class OwnedTxOut:
    """An output of the ledger with its owner."""

    tx_out: TxOut
    amount: Amount
    owner: AccountKey
    subaddress_index: int

    @functools.cached_property
    def onetime_private_key(self) -> RistrettoPrivate:
        """The key that spends it."""
        return recover_onetime_private_key(
            RistrettoPublic(self.tx_out.public_key),
            self.owner.view_private,
            self.owner.subaddress_spend_private(self.subaddress_index),
        )


class TxFixture:
    """Two accounts, and a ledger whose outputs all belong to the first one.

    Output n is worth `amounts[n % len(amounts)]`, or else `value` of one of `token_ids` in turn.
    """

    def __init__(
        self,
        block_version: BlockVersion = LATEST_BLOCK_VERSION,
        *,
        seed: bytes = bytes(32),
        tx_out_count: int = 3 * RING_SIZE,
        value: int = 10 * MINIMUM_FEE_MOB,
        token_ids: Sequence[int] = (MOB,),
        amounts: Sequence[Amount] = (),
    ) -> None:
        self.block_version = block_version
        self.random_bytes: RandomBytes = ChaCha12Rng(seed)
        self.sender = AccountKey.random(self.random_bytes)
        self.recipient = AccountKey.random(self.random_bytes)
        wanted = amounts or [Amount(value, token_id) for token_id in token_ids]
        self.owned = [
            self.make_owned(wanted[number % len(wanted)]) for number in range(tx_out_count)
        ]
        self.tree = TxOutTree([leaf_hash(owned.tx_out) for owned in self.owned])

    def make_owned(self, amount: Amount) -> OwnedTxOut:
        """A new output of the sender, not in the ledger."""
        tx_out, _ = create_tx_out(
            self.block_version,
            amount,
            self.sender.default_subaddress(),
            RistrettoPrivate.random(self.random_bytes),
            fake_onetime_hint(self.random_bytes),
        )
        return OwnedTxOut(tx_out, amount, self.sender, 0)

    def credentials(
        self,
        real: int,
        ring_indices: Sequence[int] | None = None,
        proof: Callable[[int], TxOutMembershipProof] | None = None,
    ) -> InputCredentials:
        """What it takes to spend output `real`, by default with its ten followers as mixins."""
        count = len(self.owned)
        chosen = ring_indices or [(real + step) % count for step in range(RING_SIZE)]
        return InputCredentials.create(
            [self.owned[index].tx_out for index in chosen],
            [(proof or self.tree.proof)(index) for index in chosen],
            list(chosen).index(real),
            self.owned[real].onetime_private_key,
            self.sender.view_private,
        )

    def builder(
        self,
        *,
        fee: int = MINIMUM_FEE_MOB,
        fee_token_id: int = MOB,
        memo_builder: MemoBuilder | None = None,
    ) -> TransactionBuilder:
        """A builder at the fixture's block version, valid until block 100."""
        builder = TransactionBuilder(
            self.block_version,
            Amount(fee, fee_token_id),
            self.random_bytes,
            memo_builder=memo_builder,
        )
        builder.set_tombstone_block(100)
        return builder

    def payment(self, input_count: int = 1, output_count: int = 2) -> Tx:
        """A signed transaction of token 0; inputs have disjoint rings."""
        builder = self.builder()
        total = 0
        for number in range(input_count):
            real = number * RING_SIZE
            builder.add_input(self.credentials(real))
            total += self.owned[real].amount.value
        left = total - builder.fee.value
        share = left // output_count
        for number in range(output_count):
            value = share if number else left - share * (output_count - 1)
            builder.add_output(Amount(value, MOB), self.recipient.default_subaddress())
        return builder.build()

    def root_proofs(self, tx: Tx) -> list[TxOutMembershipProof]:
        """What the ledger gives for the validation of a transaction."""
        return [self.tree.proof(index) for index in membership_proof_highest_indices(tx)]
