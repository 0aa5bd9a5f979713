"""Validating and building whole transactions, in a ledger of 33 million outputs.

Times are those of the processor, on one thread. Ratios are taken within one run: what batches save,
and what refusing the worst transaction costs beside accepting an honest one of the same size. The
transactions of a batch have no ring members in common, unless a line says so.
"""

import dataclasses
import functools
import statistics
import time
from collections.abc import Callable, Iterable

from bench.harness import Benchmark
from mcnode.codec.digest import decode_and_digest32
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.tx_fixture import TxFixture, TxOutTree
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.onetime_keys import scan_outputs
from mcnode.crypto.range_proof import RangeClaim, judge_range_proofs, prove
from mcnode.transaction.amounts import derive_amount_shared_secret
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, RING_SIZE
from mcnode.transaction.input_rules import check_input_rules
from mcnode.transaction.membership_proof import NIL_HASH
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    Range,
    RevealedTxOut,
    Tx,
    TxOutMembershipElement,
    TxOutMembershipProof,
    TxPrefix,
)
from mcnode.transaction.ring_ct.verification import SignatureSubject
from mcnode.transaction.tx_out import create_tx_out
from mcnode.transaction.validation import (
    Candidate,
    membership_proof_highest_indices,
    validate,
    validate_batch,
)

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


def payment(
    fixture: TxFixture, tree: DeepTree, input_count: int, output_count: int, first_ring: int = 0
) -> Tx:
    """A signed transaction with rings in the deep ledger, from ring number `first_ring` on."""
    builder = fixture.builder()
    for number in range(first_ring, first_ring + input_count):
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


BATCH = 64


def candidates(
    fixture: TxFixture, tree: DeepTree, count: int, *, share_rings: bool = False
) -> list[Candidate]:
    """So many 2-in-2-out transactions as the trusted process gets them."""
    firsts = [0 if share_rings else 2 * number for number in range(count)]
    txs = [payment(fixture, tree, 2, 2, first) for first in firsts]
    return [
        Candidate(decode(Tx, encode(tx)), 1, 4, tree.root_proofs(tx), MINIMUM_FEE_MOB) for tx in txs
    ]


def range_claims(batch: Iterable[Candidate]) -> list[RangeClaim]:
    """The range proofs of transactions."""
    version = BlockVersion(4)
    return [claim for each in batch for claim in SignatureSubject(each.tx, version).range_claims]


def cpu_s(work: Callable[[], object], runs: int = 5) -> float:
    """Median processor time of a call."""
    times = []
    for _ in range(runs):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def shared_rings(fixture: TxFixture, tree: DeepTree) -> Benchmark:
    """What it saves when everybody draws from the same few outputs."""
    batch = candidates(fixture, tree, BATCH, share_rings=True)
    return Benchmark(
        f"  with the same rings in all {BATCH}",
        "ms",
        "",
        functools.partial(validate_batch, batch),
        per_call=BATCH,
        repeat=1,
        clock=time.process_time,
    )


def batch_benchmarks(batch: list[Candidate]) -> Iterable[Benchmark]:
    """Before and after: range proofs and whole transactions, one by one and together."""
    claims = range_claims(batch)
    for name, size in (("alone", 1), (f"in a batch of {BATCH}", BATCH)):
        yield Benchmark(
            f"range proof of 4 values {name}",
            "ms",
            "the network's 1.38" if size == 1 else "an eighth of alone",
            functools.partial(judge_range_proofs, claims[:size]),
            per_call=size,
            repeat=BATCH // size // 4 or 1,
            clock=time.process_time,
        )
    for size in (1, 8, BATCH):
        yield Benchmark(
            f"validate a 2-in-2-out transaction in a batch of {size}",
            "ms",
            "< 2.5" if size == BATCH else "",
            functools.partial(validate_batch, batch[:size]),
            per_call=size,
            repeat=BATCH // size // 4 or 1,
            clock=time.process_time,
        )
    yield Benchmark(
        f"range proofs: one by one / in a batch of {BATCH}",
        "times",
        ">= 8",
        figure=lambda: (
            cpu_s(lambda: [judge_range_proofs([claim]) for claim in claims])
            / cpu_s(lambda: judge_range_proofs(claims))
        ),
    )
    yield Benchmark(
        f"2-in-2-out: one by one / in a batch of {BATCH}",
        "times",
        "",
        figure=lambda: (
            cpu_s(lambda: [validate_batch([each]) for each in batch])
            / cpu_s(lambda: validate_batch(batch))
        ),
    )


def hostile(honest: Candidate) -> dict[str, Candidate]:
    """Transactions that are refused as late or as dearly as can be, of the honest one's size."""
    tx = honest.tx
    signature, prefix = tx.signature, tx.prefix
    last = signature.ring_signatures[-1]
    response = bytes([last.responses[-1][0] ^ 1, *last.responses[-1][1:]])
    bad_ring = dataclasses.replace(last, responses=(*last.responses[:-1], response))
    bad_rings = (*signature.ring_signatures[:-1], bad_ring)
    (proof,) = signature.range_proofs
    bad_proof = bytes([proof[0] ^ 1, *proof[1:]])
    return {
        "last ring signature wrong": _with(honest, ring_signatures=bad_rings),
        "range proof wrong": _with(honest, range_proofs=(bad_proof,)),
        "fee too low, all signatures right": dataclasses.replace(
            honest, minimum_fee=prefix.fee + 1
        ),
        "tombstone passed, all signatures right": dataclasses.replace(
            honest, current_block_index=prefix.tombstone_block
        ),
    }


def _with(candidate: Candidate, **changes: object) -> Candidate:
    signature = dataclasses.replace(candidate.tx.signature, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(candidate, tx=dataclasses.replace(candidate.tx, signature=signature))


def many_tokens(honest: Candidate, fixture: TxFixture) -> Candidate:
    """The same transaction with a token of its own claimed for each output: as many range proofs,
    each sound by itself, over commitments of other values.
    """
    outputs = len(honest.tx.prefix.outputs)
    proof = prove([1], [bytes(32)], MOB, fixture.random_bytes)
    return _with(
        honest,
        range_proofs=(proof,) * (outputs + 1),
        output_token_ids=tuple(range(1, outputs + 1)),
    )


def refusal_benchmarks(
    batch: list[Candidate], wide: Candidate, fixture: TxFixture
) -> Iterable[Benchmark]:
    """What a hostile transaction costs, alone and to those it is judged together with."""
    honest = batch[0]
    yield Benchmark(
        "refuse: 1-in-16-out, a token for each output",
        "times an honest one",
        "<= 2",
        figure=functools.partial(_ratio, [many_tokens(wide, fixture)], [wide]),
    )
    yield Benchmark(
        "refuse: 16 of these in one batch",
        "times honest ones alone",
        "<= 2",
        figure=lambda: _ratio([many_tokens(wide, fixture)] * 16, [wide]) / 16,
    )
    yield Benchmark(
        "refuse: a proof of 80,000 elements, by byte",
        "times an honest one",
        "<= 2",
        figure=lambda: _ratio_by_byte(long_proof(honest, 80_000), honest),
    )
    for kind, rules in (("the same", 1), ("another", 1000)):
        yield Benchmark(
            f"refuse: 1,000 fractional outputs, each {kind}, by byte",
            "times an honest one",
            "<= 2",
            figure=functools.partial(_rules_by_byte, fixture, rules, honest),
        )
    for name, bad in hostile(honest).items():
        yield Benchmark(
            f"refuse: {name}",
            "times an honest one",
            "<= 1.1",
            figure=functools.partial(_ratio, [bad], [honest]),
        )
    bad_proof = hostile(honest)["range proof wrong"]
    for count in (1, BATCH // 2, BATCH):
        mixed = [bad_proof] * count + batch[count:]
        yield Benchmark(
            f"batch of {BATCH} with {count} wrong range proofs",
            "times an honest batch",
            "<= 2",
            figure=functools.partial(_ratio, mixed, batch),
        )


def long_proof(honest: Candidate, count: int) -> Candidate:
    """One membership proof goes on and on, each element next to the one before."""
    prefix = honest.tx.prefix
    first, *others = prefix.inputs
    proof = first.proofs[0]
    behind = range(proof.index + 1, proof.index + count)
    elements = tuple(TxOutMembershipElement(Range(at, at), bytes(32)) for at in behind)
    long = dataclasses.replace(proof, elements=proof.elements[:1] + elements)
    inputs = (dataclasses.replace(first, proofs=(long, *first.proofs[1:])), *others)
    tx = dataclasses.replace(honest.tx, prefix=dataclasses.replace(prefix, inputs=inputs))
    return dataclasses.replace(honest, tx=tx)


def _whole_cost(candidate: Candidate) -> float:
    """Seconds a byte to decode, hash and judge."""
    data = encode(candidate.tx)

    def work() -> None:
        tx, _ = decode_and_digest32(Tx, "mobilecoin-tx", data)
        validate_batch([dataclasses.replace(candidate, tx=tx)])

    return cpu_s(work) / len(data)


def _ratio_by_byte(bad: Candidate, honest: Candidate) -> float:
    return _whole_cost(bad) / _whole_cost(honest)


def _rules_by_byte(fixture: TxFixture, distinct: int, honest: Candidate) -> float:
    """Rules with 1,000 fractional outputs, all of which hold; the rest of a transaction aside."""
    recipient, private = (
        fixture.recipient.default_subaddress(),
        RistrettoPrivate(b"\x05" + bytes(31)),
    )

    def revealed(value: int) -> RevealedTxOut:
        tx_out, secret = create_tx_out(
            fixture.block_version, Amount(value, MOB), recipient, private, bytes(84)
        )
        return RevealedTxOut(tx_out, derive_amount_shared_secret(secret.to_bytes()))

    outputs = tuple(revealed(1 + number) for number in range(distinct)) * (1000 // distinct)
    change = revealed(1)
    data = encode(InputRules((), 0, outputs, change, 0))
    prefix = TxPrefix((), (change.tx_out,), 1, 100, 0)
    return (
        cpu_s(lambda: check_input_rules(decode(InputRules, data), prefix))
        / len(data)
        / (_whole_cost(honest))
    )


def _ratio(left: list[Candidate], right: list[Candidate]) -> float:
    runs = 15 if len(left) == 1 else 3
    return cpu_s(lambda: validate_batch(left), runs) / cpu_s(lambda: validate_batch(right), runs)


def benchmarks() -> Iterable[Benchmark]:
    fixture = TxFixture(tx_out_count=2 * BATCH * RING_SIZE)
    tree = DeepTree(fixture.tree)
    for inputs, outputs, bar in (
        (1, 2, ""),
        (2, 2, "< 3.5 (the network's 6.9)"),
        (16, 16, "< 25 (the network's 51.8)"),
    ):
        tx = payment(fixture, tree, inputs, outputs)
        name = f"validate a {inputs}-in-{outputs}-out transaction"
        yield Benchmark(name, "ms", bar, validation(tx, tree), clock=time.process_time)
        if inputs == 2:
            data = encode(tx)
            yield Benchmark(
                "decode and hash it",
                "ms",
                "<= 0.5, then <= 0.3",
                functools.partial(decode_and_digest32, Tx, "mobilecoin-tx", data),
                clock=time.process_time,
            )
    yield Benchmark(
        "build, prove and sign a 2-in-2-out transaction",
        "ms",
        "<= 30 (the network's 30.7)",
        lambda: payment(fixture, tree, 2, 2),
        clock=time.process_time,
    )
    view_private = fixture.recipient.view_private
    keys = [(owned.tx_out.public_key, owned.tx_out.target_key) for owned in fixture.owned]
    yield Benchmark(
        "scan a foreign output with a view key",
        "us",
        "<= 50 (the network's 74.6)",
        lambda: scan_outputs(view_private, keys),
        per_call=len(keys),
        repeat=2,
        clock=time.process_time,
    )
    batch = candidates(fixture, tree, BATCH)
    yield from batch_benchmarks(batch)
    yield shared_rings(fixture, tree)
    tx = payment(fixture, tree, 1, 16)
    wide = Candidate(tx, 1, 4, tree.root_proofs(tx), MINIMUM_FEE_MOB)
    yield from refusal_benchmarks(batch, wide, fixture)
