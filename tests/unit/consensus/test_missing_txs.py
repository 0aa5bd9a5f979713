"""Whom to ask for transactions, and when."""

from mcnode.consensus.missing_txs import (
    FETCH_AGAIN_S,
    FETCH_GRACE_S,
    FETCH_PATIENCE_S,
    UNAVAILABLE_MAX,
    Ask,
    LookAgain,
    MissingTxs,
)

A, B = b"A" * 32, b"B" * 32
LATER = FETCH_GRACE_S


def test_first_a_moment_of_grace() -> None:
    assert MissingTxs().plan(["p"], [A], 10.0, 10.0) == LookAgain(10.0 + FETCH_GRACE_S)


def test_one_call_at_a_time_to_a_neighbour() -> None:
    missing = MissingTxs()
    assert missing.plan(["p"], [A], 0.0, LATER) == Ask("p")
    assert missing.plan(["p"], [B], 0.0, LATER) == LookAgain(LATER + FETCH_PATIENCE_S)
    missing.fetched("p", [])
    assert missing.plan(["p"], [B], 0.0, LATER) == Ask("p")


def test_only_neighbours_that_may_have_all_of_them_are_asked() -> None:
    missing = MissingTxs()
    missing.plan(["p"], [A], 0.0, LATER)
    missing.fetched("p", [A])
    assert missing.plan(["p"], [A, B], 0.0, LATER) == LookAgain(LATER + FETCH_AGAIN_S)
    assert missing.plan(["p", "q"], [A, B], 0.0, LATER) == Ask("q")
    assert missing.plan(["p"], [B], 0.0, LATER) == Ask("p")


def test_a_neighbour_without_them_is_asked_again_later() -> None:
    """It may have been out of reach, and the slot may depend on them."""
    missing = MissingTxs()
    missing.plan(["p"], [A], 0.0, LATER)
    missing.plan(["q"], [A], 0.0, LATER + 1.0)
    missing.fetched("q", [A])
    missing.fetched("p", [A])
    again_at = LATER + FETCH_AGAIN_S
    assert missing.plan(["q", "p"], [A], 0.0, again_at - 0.1) == LookAgain(again_at)
    assert missing.plan(["q", "p"], [A], 0.0, again_at) == Ask("p")
    assert missing.plan(["q"], [A], 0.0, again_at) == LookAgain(again_at + 1.0)


def test_nobody_to_ask_is_waited_for_without_end() -> None:
    assert MissingTxs().plan([], [A], 0.0, LATER) == LookAgain(None)


def test_impatience_asks_the_next_one() -> None:
    missing = MissingTxs()
    missing.plan(["p", "q"], [A], 0.0, LATER)
    now = LATER + FETCH_PATIENCE_S
    assert missing.plan(["p", "q"], [A], 0.0, now) == Ask("q")
    assert missing.plan(["p", "q"], [A], 0.0, now) == LookAgain(now + FETCH_PATIENCE_S)


def test_a_new_slot_forgets_and_a_late_answer_of_an_old_one_does_not_count() -> None:
    missing = MissingTxs()
    missing.enter_slot(3)
    missing.plan(["p", "q"], [A], 0.0, LATER)
    missing.fetched("p", [A])
    missing.plan(["q"], [A], 0.0, LATER)
    missing.enter_slot(4)
    missing.fetched("q", [A])
    assert missing.plan(["p"], [A], 0.0, LATER) == Ask("p")
    assert missing.plan(["q"], [A], 0.0, LATER) == Ask("q")


def test_an_answer_that_nobody_asked_for_does_not_count() -> None:
    missing = MissingTxs()
    missing.fetched("p", [A])
    assert missing.plan(["p"], [A], 0.0, LATER) == Ask("p")


def test_what_is_remembered_is_bounded() -> None:
    missing = MissingTxs()
    for number in range(2):
        missing.plan(["p"], [A], 0.0, LATER)
        first = number * UNAVAILABLE_MAX
        missing.fetched("p", [n.to_bytes(32) for n in range(first, first + UNAVAILABLE_MAX)])
    assert sum(map(len, missing._unavailable.values())) == UNAVAILABLE_MAX
