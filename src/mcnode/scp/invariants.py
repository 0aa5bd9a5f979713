"""What must hold of a slot after every event, whatever was thrown at it.

Checked by tests, the simulator and the conformance runners, not on the hot path.
[docs/protocol/scp.md#7.8]
"""

from mcnode.errors import BugError
from mcnode.scp.ballot import Phase
from mcnode.scp.state import SlotState
from mcnode.scp.types import Ballot, V


def check_invariants(state: SlotState[V]) -> None:
    """Raise unless the state is consistent.

    Raises:
        BugError: names the rule that is broken.
    """
    for rule, holds in (*_nomination_rules(state), *_ballot_rules(state), *_phase_rules(state)):
        if not holds:
            raise BugError(f"slot {state.slot_index}: {rule}: {state}")


def _nomination_rules(state: SlotState[V]) -> tuple[tuple[str, bool], ...]:
    return (
        ("voted and accepted values are disjoint", not set(state.voted) & set(state.accepted)),
        ("confirmed values are accepted", set(state.confirmed) <= set(state.accepted)),
    )


def _ballot_rules(state: SlotState[V]) -> tuple[tuple[str, bool], ...]:
    prepared, prime = state.prepared, state.prepared_prime
    high, commit = state.high, state.commit
    return (
        ("PP needs P", prime is None or prepared is not None),
        ("PP is below P", prime is None or prepared is None or prime < prepared),
        ("PP conflicts with P", prime is None or not _same_list(prime, prepared)),
        ("C needs H", commit is None or high is not None),
        ("C and H have one list", commit is None or high is None or _same_list(commit, high)),
        ("C is not above H", commit is None or high is None or commit.counter <= high.counter),
    )


def _phase_rules(state: SlotState[V]) -> tuple[tuple[str, bool], ...]:
    if state.phase < Phase.COMMIT:
        return (("no H while nominating", state.phase == Phase.PREPARE or state.high is None),)
    return (
        ("committing has a ballot", state.ballot.counter > 0),
        ("committing has C, H of the ballot's list", _same_list(state.ballot, state.high)),
        ("committing has C", state.commit is not None),
        ("committing has P of the ballot's list", _same_list(state.ballot, state.prepared)),
        ("committing has no PP", state.prepared_prime is None),
    )


def _same_list(left: Ballot[V], right: Ballot[V] | None) -> bool:
    return right is not None and left.values == right.values
