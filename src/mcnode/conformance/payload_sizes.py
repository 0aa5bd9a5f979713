"""Vectors of the encoded sizes of the smallest and largest transactions."""

import dataclasses
from typing import Any

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.codec.protobuf import encode
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import FogPublicKey, TransactionBuilder
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.messages import (
    Amount,
    Range,
    TxOutMembershipElement,
    TxOutMembershipProof,
)
from mcnode.transaction.ring_ct.rings import OnetimeKeySigner

Case = dict[str, Any]
_INPUT_VALUE, _OUTPUT_VALUE, _TOMBSTONE = 1000, 10, 1000
"""Sizes depend on how many bytes the fee and the tombstone take: two each."""
_INDEX = 100
"""Of every proof; below 128, so it takes one byte."""
_FOG_KEY = FogPublicKey(RistrettoPrivate(b"\x05" + bytes(31)).public_key(), 2**64 - 1)


class _Sizes:
    """Builds the transactions of one file."""

    def __init__(self, content: Case) -> None:
        self._ring_size = content["ring_size"]
        self._elements = content["proof_elements"]
        version = BlockVersion(content["block_version"])
        self._fixture = TxFixture(version, tx_out_count=16 * self._ring_size, value=_INPUT_VALUE)

    def _proof(self, _: int) -> TxOutMembershipProof:
        element = TxOutMembershipElement(Range(0, 1), bytes(32))
        return TxOutMembershipProof(_INDEX, _INDEX, (element,) * self._elements)

    def _recipient(self) -> PublicAddress:
        account: AccountKey = dataclasses.replace(
            self._fixture.recipient,
            fog_report_url="fog://example.com",
            fog_authority_spki=b"key",
        )
        return account.default_subaddress()

    def build(self, count: int) -> UnsignedTx:
        """A transaction of as many inputs as outputs."""
        fixture = self._fixture
        builder = TransactionBuilder(
            fixture.block_version,
            Amount(count * (_INPUT_VALUE - _OUTPUT_VALUE), 0),
            fixture.random_bytes,
            fog_resolver=lambda _: _FOG_KEY,
        )
        builder.set_tombstone_block(_TOMBSTONE)
        for number in range(count):
            real = number * self._ring_size
            ring = range(real, real + self._ring_size)
            builder.add_input(fixture.credentials(real, ring, proof=self._proof))
            builder.add_output(Amount(_OUTPUT_VALUE, 0), self._recipient())
        return builder.build_unsigned()

    def check(self, count: int, expected: Case, report: Report) -> UnsignedTx:
        """Compare the sizes of a transaction and of its summary."""
        unsigned = self.build(count)
        random_bytes = self._fixture.random_bytes
        summary, unblinding = unsigned.summarize(unsigned.make_signing_data(random_bytes))
        tx = unsigned.sign(OnetimeKeySigner(), random_bytes)
        found = {"tx": tx, "tx_summary": summary, "tx_summary_unblinding_data": unblinding}
        for name, message in found.items():
            with report.case(f"{count} inputs: {name}"):
                expect_equal("size", len(encode(message)), expected[name])
        return unsigned


@runs("transaction", r"payload_sizes[^/]*\.json")
def run_payload_sizes(file: VectorFile, report: Report) -> None:
    """Sizes of whole transactions, their summaries, and the parts of these."""
    content = file.json()
    sizes = _Sizes(content)
    sizes.check(16, content["max_16_in_16_out"], report)
    unsigned = sizes.check(1, content["min_1_in_1_out"], report)
    summary, unblinding = unsigned.summarize(
        unsigned.make_signing_data(TxFixture(tx_out_count=0).random_bytes)
    )
    parts = {
        "tx_out_summary": summary.outputs[0],
        "tx_out_summary_unblinding_data": unblinding.outputs[0],
        "tx_in_summary": summary.inputs[0],
        "tx_in_unmasked_amount": unblinding.inputs[0],
    }
    for name, message in parts.items():
        with report.case(name):
            expect_equal("size", len(encode(message)), content[name])
