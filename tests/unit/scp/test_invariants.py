"""Each broken rule is noticed. [docs/protocol/scp.md#7.8]"""

from typing import Any

import pytest

from mcnode.errors import BugError
from mcnode.scp import Ballot, NodeID, Phase, SlotState
from mcnode.scp.invariants import check_invariants

X1, X2, Y1, Y2 = (Ballot(n, (v,)) for v in "xy" for n in (1, 2))
GOOD: dict[str, Any] = {
    "phase": Phase.COMMIT,
    "ballot": X2,
    "prepared": X2,
    "high": X2,
    "commit": X1,
}


def state(**fields: Any) -> SlotState[str]:
    return SlotState(1, NodeID("", bytes(32)), **fields)


def test_sound_states_pass() -> None:
    check_invariants(state())
    check_invariants(state(**GOOD))
    check_invariants(state(phase=Phase.PREPARE, ballot=X2, prepared=X2, prepared_prime=Y1))


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("disjoint", {"voted": ("a",), "accepted": ("a",)}),
        ("confirmed values are accepted", {"confirmed": ("a",)}),
        ("PP needs P", {"prepared_prime": X1}),
        ("PP is below P", {"prepared": X1, "prepared_prime": Y2}),
        ("PP conflicts with P", {"prepared": X2, "prepared_prime": X1}),
        ("C needs H", {"commit": X1}),
        ("C and H have one list", {"commit": X1, "high": Y1, "phase": Phase.PREPARE}),
        ("C is not above H", {"commit": X2, "high": X1, "phase": Phase.PREPARE}),
        ("no H while nominating", {"high": X1}),
        ("has a ballot", {**GOOD, "ballot": Ballot(0, ("x",))}),
        ("C, H of the ballot's list", {**GOOD, "ballot": Y2}),
        ("committing has C", {**GOOD, "commit": None}),
        ("P of the ballot's list", {**GOOD, "prepared": None}),
        ("no PP", {**GOOD, "prepared_prime": Y1}),
    ],
)
def test_a_broken_rule_is_named(rule: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BugError, match=rule):
        check_invariants(state(**fields))
