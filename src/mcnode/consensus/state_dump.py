"""What a node writes to its log before a bug of ours ends it."""

import dataclasses
from typing import Any

from mcnode.consensus.byzantine_ledger import ByzantineLedger
from mcnode.errors import BugError, InvalidError, UnavailableError
from mcnode.peers.value_wire import VALUE_SHAPE
from mcnode.scp.debug import slot_state_shape, write_state

SLOT_STATE_CHARS_MAX = 1 << 20
"""Of each slot; a longer one is cut, as a record that no log takes in helps nobody."""

_SLOT_STATE = slot_state_shape(VALUE_SHAPE)


def has_bug(error: BaseException) -> bool:
    """Whether an error, or one in a group of errors, is nobody's fault but ours.

    A `BugError` is, and so is everything that is none of our errors. A cancellation is no error.
    """
    match error:
        case BaseExceptionGroup():
            return any(has_bug(each) for each in error.exceptions)
        case InvalidError() | UnavailableError():
            return False
        case BugError() | Exception():
            return True
        case _:
            return False


def state_dump(core: ByzantineLedger) -> dict[str, Any]:
    """Figures and slot states of the decision core, for one log record."""
    try:
        snapshot = core.snapshot()
        return {
            **dataclasses.asdict(snapshot),
            "slot": dataclasses.asdict(snapshot.slot),
            "slot_states": [
                write_state(state, _SLOT_STATE)[:SLOT_STATE_CHARS_MAX]
                for state in core.slot_states()
            ],
        }
    except Exception as error:  # the fault that is being reported matters more than this one
        return {"no_state": f"{type(error).__name__}: {error}"}
