"""Recorded transactions built again by our builder: the bytes must come out the same.

Everything is handed to the builder in another order than it ends up in: ring members, inputs and
outputs. What the builder cannot know is taken from the record: fog hints (they are encrypted with
random keys), memos, and the random bytes of the signature.
"""

import dataclasses
from typing import Any

from mcnode.account.public_address import PublicAddress
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.vectors import MismatchError, expect, expect_equal
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import FogPublicKey, InputCredentials, TransactionBuilder
from mcnode.transaction.constants import U64_MAX
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.messages import (
    Amount,
    SignedContingentInput,
    Tx,
    TxOut,
    UnmaskedAmount,
)
from mcnode.transaction.ring_ct.rings import OnetimeKeySigner
from mcnode.transaction.tx_out import is_equal_ignoring_amount

Case = dict[str, Any]


class _RecordedMemos:
    """Gives each output the memo that is recorded for its public key."""

    def __init__(self, case: Case) -> None:
        self._payloads = {
            bytes.fromhex(given["public_key"]): bytes.fromhex(given.get("memo_payload") or "")
            for given in case["outputs"]
        }

    def set_fee(self, fee: Amount) -> None:
        """Nothing to remember."""

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The recorded payload."""
        return self._payloads[tx_public_key]

    make_memo_for_change_output = make_memo_for_output


def check_built_again(
    case: Case, tx: Tx, version: BlockVersion, view_privates: dict[str, RistrettoPrivate]
) -> None:
    """Build a transaction from its recorded secrets and compare it byte by byte.

    `view_privates` are those of the accounts that own inputs, by name.

    Raises:
        MismatchError: something differs.
    """
    builder = _builder(case, tx, version)
    filled = []
    for position, given in reversed(list(enumerate(case["inputs"]))):
        if given["kind"] == "presigned":
            filled += _add_presigned(builder, case, tx, position)
        else:
            builder.add_input(_credentials(given, tx, position, view_privates))
    for given in reversed(case["outputs"]):
        if given["address"] is not None:
            builder.add_output(
                Amount(int(given["value"]), int(given["token_id"])),
                decode(PublicAddress, bytes.fromhex(given["address"])),
                tx_private_key=RistrettoPrivate(bytes.fromhex(given["tx_private_key"])),
            )
    recorded = [amounts for _, amounts in case.get("partial_fill_amounts") or ()]
    expect_equal("partial_fill_amounts", sorted(filled), sorted(recorded))
    unsigned = builder.build_unsigned()
    outputs = _with_recorded_hints(unsigned.prefix.outputs, tx.prefix.outputs)
    prefix = dataclasses.replace(unsigned.prefix, outputs=outputs)
    expect(prefix == tx.prefix, "built again, the prefix differs")
    random_bytes = ChaCha12Rng(bytes.fromhex(case["sign_rng_seed"]))
    made = dataclasses.replace(unsigned, prefix=prefix).sign(OnetimeKeySigner(), random_bytes)
    expect(encode(made).hex() == case["tx"], "built again, the bytes differ")


def _builder(case: Case, tx: Tx, version: BlockVersion) -> TransactionBuilder:
    fog_key = RistrettoPrivate.from_wide(bytes([7]) * 64).public_key()
    builder = TransactionBuilder(
        version,
        Amount(tx.prefix.fee, tx.prefix.fee_token_id),
        ChaCha12Rng(bytes(32)),
        fog_resolver=lambda _: FogPublicKey(fog_key, U64_MAX),
        memo_builder=_RecordedMemos(case),
    )
    builder.set_tombstone_block(tx.prefix.tombstone_block)
    if case["fee_map"] is not None:
        builder.set_fee_map(FeeMap({int(token): int(fee) for token, fee in case["fee_map"]}))
    return builder


def _credentials(
    given: Case, tx: Tx, position: int, view_privates: dict[str, RistrettoPrivate]
) -> InputCredentials:
    tx_in = tx.prefix.inputs[position]
    return InputCredentials.create(
        tx_in.ring[::-1],
        tx_in.proofs[::-1],
        len(tx_in.ring) - 1 - given["real_index"],
        RistrettoPrivate(bytes.fromhex(given["onetime_private_key"])),
        view_privates[given["owner"]],
    )


def _add_presigned(
    builder: TransactionBuilder, case: Case, tx: Tx, position: int
) -> list[list[list[str]]]:
    """Hand over a contingent input; one list of amounts if it can be filled in part."""
    given, tx_in = case["inputs"][position], tx.prefix.inputs[position]
    rules = tx_in.input_rules
    assert rules is not None
    blinding = bytes.fromhex(given["pseudo_output_blinding"])
    sci = SignedContingentInput(
        case["block_version"],
        tx_in,
        tx.signature.ring_signatures[position],
        UnmaskedAmount(int(given["value"]), int(given["token_id"]), blinding),
        tuple(_worth(case, tx, required) for required in rules.required_outputs),
        tuple(proof.index for proof in tx_in.proofs),
    )
    if rules.partial_fill_change is None:
        builder.add_presigned_input(sci)
        return []
    change = _worth(case, tx, rules.partial_fill_change.tx_out)
    amounts = builder.add_presigned_partial_fill_input(sci, Amount(change.value, change.token_id))
    return [[[str(amount.value), str(amount.token_id)] for amount in amounts]]


def _worth(case: Case, tx: Tx, wanted: TxOut) -> UnmaskedAmount:
    """What an output that rules ask for is worth in the transaction."""
    for tx_out, given in zip(tx.prefix.outputs, case["outputs"], strict=True):
        if is_equal_ignoring_amount(tx_out, wanted):
            blinding = bytes.fromhex(given["blinding"])
            return UnmaskedAmount(int(given["value"]), int(given["token_id"]), blinding)
    raise MismatchError(f"no output with public key {wanted.public_key.hex()}")


def _with_recorded_hints(made: tuple[TxOut, ...], recorded: tuple[TxOut, ...]) -> tuple[TxOut, ...]:
    hints = {tx_out.public_key: tx_out.e_fog_hint for tx_out in recorded}
    keys = [tx_out.public_key for tx_out in made]
    expect_equal("outputs", [key.hex() for key in keys], [o.public_key.hex() for o in recorded])
    return tuple(
        dataclasses.replace(tx_out, e_fog_hint=hints[tx_out.public_key]) for tx_out in made
    )
