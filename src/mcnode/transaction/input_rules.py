"""What must hold in a transaction that spends an input with rules. [docs/protocol/transaction.md#9]

A partially filled input says how much of it goes back as change. Let C be the change if nothing
were filled and c the change that the transaction gives; then the fill fraction is (C - c) / C, and
every output the rules ask for must be at least that fraction of its full value.
"""

from collections.abc import Iterable

from mcnode.transaction.errors import TransactionError
from mcnode.transaction.messages import InputRules, RevealedTxOut, TxOut, TxPrefix
from mcnode.transaction.revealed_tx_out import RevealedTxOutError, reveal_amount
from mcnode.transaction.tx_out import is_equal_ignoring_amount


class InputRuleError(TransactionError):
    """A rule of an input is broken."""


class MaxTombstoneBlockExceeded(InputRuleError):
    """The transaction stays valid for longer than the input allows."""

    def __init__(self, tombstone_block: int, limit: int) -> None:
        super().__init__(f"tombstone block is {tombstone_block}, limit {limit}")


class MissingRequiredOutput(InputRuleError):
    """A required output is not among the outputs."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"no output equals the required one with public key {public_key.hex()}")


class PartialFillOutputsNotExpected(InputRuleError):
    """There are partial-fill outputs, but no partial-fill change."""

    def __init__(self, count: int) -> None:
        super().__init__(f"partial-fill outputs without partial-fill change: {count}, limit 0")


class MinPartialFillValueNotExpected(InputRuleError):
    """There is a minimum fill, but no partial-fill change."""

    def __init__(self, value: int) -> None:
        super().__init__(f"minimum fill without partial-fill change: {value}, limit 0")


class RevealedTxOutInRule(InputRuleError):
    """An output's amount does not open with the secret the rules give."""

    name = "RevealedTxOut"

    def __init__(self, reason: RevealedTxOutError) -> None:
        super().__init__(f"amount cannot be revealed: {reason}", reason)
        self.reason = reason


class MinPartialFillValueExceedsPartialFillChange(InputRuleError):
    """The minimum fill is more than there is to fill."""

    def __init__(self, minimum: int, change: int) -> None:
        super().__init__(f"minimum fill is {minimum}, limit {change}")


class ZeroPartialFillChange(InputRuleError):
    """The partial-fill change has no value, so no fraction can be told."""

    def __init__(self) -> None:
        super().__init__("partial-fill change is 0, needs at least 1")


class MissingFractionalChangeOutput(InputRuleError):
    """The change output is not among the outputs."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"no output is the fractional change with key {public_key.hex()}")


class FractionalOutputTokenIdMismatch(InputRuleError):
    """An output is in another token than its rule."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"token of a fractional output is {found}, must be {expected}")


class FractionalChangeOutputAmountExceedsLimit(InputRuleError):
    """Less than the minimum is filled."""

    def __init__(self, value: int, limit: int) -> None:
        super().__init__(f"fractional change is {value}, limit {limit}")


class MissingFractionalOutput(InputRuleError):
    """A partial-fill output is not among the outputs."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"no output is the fractional one with key {public_key.hex()}")


class FractionalOutputAmountDoesNotRespectFillFraction(InputRuleError):
    """An output is a smaller fraction of its full value than the input is filled."""

    def __init__(self, value: int, full_value: int, filled: int, change: int) -> None:
        super().__init__(
            f"fractional output is {value} of {full_value}, needs at least the fraction "
            f"{filled} of {change}"
        )


def check_input_rules(rules: InputRules, prefix: TxPrefix) -> None:
    """Check the rules of one input against the transaction that spends it.

    Raises:
        InputRuleError: the first rule that is broken.
    """
    if rules.max_tombstone_block != 0 and prefix.tombstone_block > rules.max_tombstone_block:
        raise MaxTombstoneBlockExceeded(prefix.tombstone_block, rules.max_tombstone_block)
    for required in rules.required_outputs:
        if required not in prefix.outputs:
            raise MissingRequiredOutput(required.public_key)
    if rules.partial_fill_change is None:
        _check_no_partial_fill(rules)
    else:
        _check_partial_fill(rules, rules.partial_fill_change, prefix.outputs)


def _check_no_partial_fill(rules: InputRules) -> None:
    if rules.partial_fill_outputs:
        raise PartialFillOutputsNotExpected(len(rules.partial_fill_outputs))
    if rules.min_partial_fill_value != 0:
        raise MinPartialFillValueNotExpected(rules.min_partial_fill_value)


def _check_partial_fill(rules: InputRules, change: RevealedTxOut, outputs: Iterable[TxOut]) -> None:
    outputs = tuple(outputs)
    reveal = _Revealer()
    change_value, change_token_id = reveal(change)
    if change_value < rules.min_partial_fill_value:
        raise MinPartialFillValueExceedsPartialFillChange(
            rules.min_partial_fill_value, change_value
        )
    if change_value == 0:
        raise ZeroPartialFillChange
    change_output = _find(change.tx_out, outputs)
    if change_output is None:
        raise MissingFractionalChangeOutput(change.tx_out.public_key)
    found_value = reveal.in_token(change_output, change, change_token_id)
    limit = change_value - rules.min_partial_fill_value
    if found_value > limit:
        raise FractionalChangeOutputAmountExceedsLimit(found_value, limit)
    filled = change_value - found_value
    for rule in rules.partial_fill_outputs:
        _check_fractional_output(reveal, rule, outputs, filled, change_value)


def _check_fractional_output(
    reveal: "_Revealer",
    rule: RevealedTxOut,
    outputs: tuple[TxOut, ...],
    filled: int,
    change_value: int,
) -> None:
    full_value, token_id = reveal(rule)
    output = _find(rule.tx_out, outputs)
    if output is None:
        raise MissingFractionalOutput(rule.tx_out.public_key)
    value = reveal.in_token(output, rule, token_id)
    if full_value == 0 or value * change_value < filled * full_value:
        raise FractionalOutputAmountDoesNotRespectFillFraction(
            value, full_value, filled, change_value
        )


class _Revealer:
    """Opens amounts, each once.

    Nothing limits the number of rules but the size of the transaction, and they may all name the
    same few outputs; opening one costs two hundred times as much as reading it.
    """

    def __init__(self) -> None:
        self._known: dict[RevealedTxOut, tuple[int, int]] = {}

    def __call__(self, revealed: RevealedTxOut) -> tuple[int, int]:
        """Value and token; raises `RevealedTxOutInRule`."""
        known = self._known.get(revealed)
        if known is None:
            try:
                known = self._known[revealed] = reveal_amount(revealed)
            except RevealedTxOutError as error:
                raise RevealedTxOutInRule(error) from error
        return known

    def in_token(self, output: TxOut, rule: RevealedTxOut, token_id: int) -> int:
        """The value of a transaction's output, opened with the rule's secret."""
        value, found_token_id = self(RevealedTxOut(output, rule.amount_shared_secret))
        if found_token_id != token_id:
            raise FractionalOutputTokenIdMismatch(found_token_id, token_id)
        return value


def _find(wanted: TxOut, outputs: tuple[TxOut, ...]) -> TxOut | None:
    return next((output for output in outputs if is_equal_ignoring_amount(output, wanted)), None)
