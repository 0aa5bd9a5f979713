"""Validating and building whole transactions, in a ledger of 33 million outputs."""

import functools
from collections.abc import Callable, Iterable

from bench.harness import Benchmark
from mcnode.codec.digest import decode_and_digest32
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.tx_fixture import TxFixture, TxOutTree
from mcnode.crypto.onetime_keys import scan_outputs
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, RING_SIZE
from mcnode.transaction.membership_proof import NIL_HASH
from mcnode.transaction.messages import (
    Amount,
    Range,
    Tx,
    TxOutMembershipElement,
    TxOutMembershipProof,
)
from mcnode.transaction.validation import membership_proof_highest_indices, validate

DEPTH = 25
FIRST_INDEX = 1 << DEPTH


class DeepTree:
    """A small tree behind 2**25 older outputs: proofs have 27 elements."""

    def __init__(self, small: TxOutTree) -> None:
        self.small = small

    def proof(self, index: int) -> TxOutMembershipProof:
        """The proof of output `index` of the small tree."""
        inner = self.small.proof(index)
        elements = [
            TxOutMembershipElement(
                Range(e.range.from_ + FIRST_INDEX, e.range.to + FIRST_INDEX), e.hash
            )
            for e in inner.elements
        ]
        for level in range(len(elements) - 1, DEPTH):
            begin, end = FIRST_INDEX + (1 << level), FIRST_INDEX + (2 << level) - 1
            elements.append(TxOutMembershipElement(Range(begin, end), NIL_HASH))
        elements.append(TxOutMembershipElement(Range(0, FIRST_INDEX - 1), b"\x01" * 32))
        return TxOutMembershipProof(
            index + FIRST_INDEX, inner.highest_index + FIRST_INDEX, tuple(elements)
        )

    def root_proofs(self, tx: Tx) -> list[TxOutMembershipProof]:
        """As the node hands them to the trusted process: each read from bytes of its own."""
        return [
            decode(TxOutMembershipProof, encode(self.proof(index - FIRST_INDEX)))
            for index in membership_proof_highest_indices(tx)
        ]


def payment(fixture: TxFixture, tree: DeepTree, input_count: int, output_count: int) -> Tx:
    """A signed transaction with rings in the deep ledger."""
    builder = fixture.builder()
    for number in range(input_count):
        real = number * RING_SIZE
        builder.add_input(fixture.credentials(real, proof=tree.proof))
    left = input_count * fixture.owned[0].amount.value - builder.fee.value
    recipient = fixture.recipient.default_subaddress()
    for place in range(output_count):
        share = left // output_count + (left % output_count if place == 0 else 0)
        builder.add_output(Amount(share, MOB), recipient)
    return builder.build()


def validation(tx: Tx, tree: DeepTree) -> Callable[[], None]:
    """What the trusted process does with a transaction it has read."""
    read = decode(Tx, encode(tx))
    roots = tree.root_proofs(tx)
    return lambda: validate(read, 1, 4, roots, MINIMUM_FEE_MOB)


def benchmarks() -> Iterable[Benchmark]:
    fixture = TxFixture(tx_out_count=16 * RING_SIZE)
    tree = DeepTree(fixture.tree)
    for inputs, outputs, bar in (
        (1, 2, ""),
        (2, 2, "< 3.5 (the network's 6.9)"),
        (16, 16, "< 25 (the network's 51.8)"),
    ):
        tx = payment(fixture, tree, inputs, outputs)
        name = f"validate a {inputs}-in-{outputs}-out transaction"
        yield Benchmark(name, "ms", bar, validation(tx, tree))
        if inputs == 2:
            data = encode(tx)
            yield Benchmark(
                "decode and hash it",
                "ms",
                "<= 0.5, then <= 0.3",
                functools.partial(decode_and_digest32, Tx, "mobilecoin-tx", data),
            )
    yield Benchmark(
        "build, prove and sign a 2-in-2-out transaction",
        "ms",
        "<= 30 (the network's 30.7)",
        lambda: payment(fixture, tree, 2, 2),
    )
    view_private = fixture.recipient.view_private
    keys = [(owned.tx_out.public_key, owned.tx_out.target_key) for owned in fixture.owned]
    yield Benchmark(
        "scan a foreign output with a view key",
        "us",
        "<= 50 (the network's 74.6)",
        lambda: scan_outputs(view_private, keys),
        per_call=len(keys),
    )
