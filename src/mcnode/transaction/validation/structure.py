"""Counts, ring sizes, uniqueness and order of inputs. [docs/protocol/transaction.md#8] rules 1-6"""

from collections.abc import Iterable, Sequence

from mcnode.transaction.constants import MAX_INPUTS, MAX_OUTPUTS, RING_SIZE
from mcnode.transaction.messages import TxIn, TxOut
from mcnode.transaction.validation.errors import (
    DuplicateRingElements,
    ExcessiveRingSize,
    InsufficientRingSize,
    NoInputs,
    NoOutputs,
    TooManyInputs,
    TooManyOutputs,
    UnsortedInputs,
    UnsortedRingElements,
)


def check_number_of_inputs(inputs: Sequence[TxIn], limit: int = MAX_INPUTS) -> None:
    """Raise `NoInputs` or `TooManyInputs` unless there are 1 to `limit`."""
    if not inputs:
        raise NoInputs
    if len(inputs) > limit:
        raise TooManyInputs(len(inputs))


def check_number_of_outputs(outputs: Sequence[TxOut], limit: int = MAX_OUTPUTS) -> None:
    """Raise `NoOutputs` or `TooManyOutputs` unless there are 1 to `limit`."""
    if not outputs:
        raise NoOutputs
    if len(outputs) > limit:
        raise TooManyOutputs(len(outputs))


def check_ring_sizes(inputs: Sequence[TxIn]) -> None:
    """Raise `InsufficientRingSize` or `ExcessiveRingSize` for the first ring that is not of 11."""
    for input_index, tx_in in enumerate(inputs):
        count = len(tx_in.ring)
        if count > RING_SIZE:
            raise ExcessiveRingSize(input_index, count)
        if count < RING_SIZE:
            raise InsufficientRingSize(input_index, count)


def check_ring_elements_are_unique(inputs: Sequence[TxIn]) -> None:
    """Raise `DuplicateRingElements` where a ring member occurs again.

    Members of all rings without rules are compared with each other, those of a ring with rules
    among themselves only: whoever fills a contingent input cannot know which mixins it uses. Two
    members are the same when all their fields are.
    """
    seen: set[TxOut] = set()
    for input_index, tx_in in enumerate(inputs):
        members = seen if tx_in.input_rules is None else set()
        for member_index, member in enumerate(tx_in.ring):
            if member in members:
                raise DuplicateRingElements(input_index, member_index)
            members.add(member)


def check_ring_elements_are_sorted(inputs: Sequence[TxIn]) -> None:
    """Raise `UnsortedRingElements` for the first ring not strictly ascending by public key."""
    for input_index, tx_in in enumerate(inputs):
        member_index = first_out_of_order(member.public_key for member in tx_in.ring)
        if member_index is not None:
            raise UnsortedRingElements(input_index, member_index)


def check_inputs_are_sorted(inputs: Sequence[TxIn]) -> None:
    """Raise `UnsortedInputs` unless inputs ascend strictly by their first member's public key.

    An empty ring has no first member and counts as out of order.
    """
    previous: bytes | None = None
    for input_index, tx_in in enumerate(inputs):
        if not tx_in.ring:
            raise UnsortedInputs(input_index)
        key = tx_in.ring[0].public_key
        if previous is not None and previous >= key:
            raise UnsortedInputs(input_index)
        previous = key


def first_out_of_order(keys: Iterable[bytes]) -> int | None:
    """The place of the first byte string that is not above the one before it, or None."""
    previous: bytes | None = None
    for place, key in enumerate(keys):
        if previous is not None and previous >= key:
            return place
        previous = key
    return None
