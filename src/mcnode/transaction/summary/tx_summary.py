"""The summary of a transaction that signers see and sign. [docs/protocol/transaction.md#3.2]"""

from collections.abc import Iterator, Sequence

from mcnode.transaction.errors import TransactionError
from mcnode.transaction.hashing import input_rules_digest
from mcnode.transaction.messages import (
    InputRules,
    TxInSummary,
    TxOut,
    TxOutSummary,
    TxPrefix,
    TxSummary,
)


class ZipExact(TransactionError):
    """Two lists that belong together differ in length."""

    def __init__(self, left_count: int, right_count: int) -> None:
        super().__init__(
            f"lists differ in length: {left_count} and {right_count}",
            f"ZipExactError({left_count}, {right_count})",
        )


def tx_out_summary(tx_out: TxOut, *, associated_to_input_rules: bool) -> TxOutSummary:
    """The summary of one output."""
    return TxOutSummary(
        tx_out.masked_amount,
        tx_out.target_key,
        tx_out.public_key,
        associated_to_input_rules,
    )


def make_tx_summary(prefix: TxPrefix, pseudo_output_commitments: Sequence[bytes]) -> TxSummary:
    """The summary of a transaction with one pseudo-output commitment per input.

    Raises:
        ZipExact: the number of commitments is not the number of inputs.
    """
    inputs = prefix.inputs
    if len(inputs) != len(pseudo_output_commitments):
        raise ZipExact(len(pseudo_output_commitments), len(inputs))
    associated = {
        tx_out.public_key: tx_out.target_key
        for tx_in in inputs
        if tx_in.input_rules is not None
        for tx_out in _outputs_named_by(tx_in.input_rules)
    }
    return TxSummary(
        outputs=tuple(
            tx_out_summary(
                tx_out,
                associated_to_input_rules=associated.get(tx_out.public_key) == tx_out.target_key,
            )
            for tx_out in prefix.outputs
        ),
        inputs=tuple(
            TxInSummary(
                commitment,
                b"" if tx_in.input_rules is None else input_rules_digest(tx_in.input_rules),
            )
            for tx_in, commitment in zip(inputs, pseudo_output_commitments, strict=True)
        ),
        fee=prefix.fee,
        fee_token_id=prefix.fee_token_id,
        tombstone_block=prefix.tombstone_block,
    )


def _outputs_named_by(rules: InputRules) -> Iterator[TxOut]:
    yield from rules.required_outputs
    for revealed in rules.partial_fill_outputs:
        yield revealed.tx_out
    if rules.partial_fill_change is not None:
        yield rules.partial_fill_change.tx_out
