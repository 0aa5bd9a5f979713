"""Relaying: everybody is reached, a mesh is not flooded."""

from mcnode.peers.relay import (
    LATE_RELAY_S,
    ROUTE_LIFETIME_S,
    ROUTES_MAX,
    WAITING_MAX,
    RelayPlanner,
)

A = b"A" * 32


def plan(planner: RelayPlanner[str], message: str = "m", slot: int = 7, now: float = 0.0) -> object:
    return planner.plan(
        message,
        author=A,
        author_responder_id="a:1",
        slot_index=slot,
        received_from="a:1",
        now=now,
    )


def test_peers_without_a_known_route_get_the_message_at_once() -> None:
    planner = RelayPlanner[str](["a:1", "b:1", "c:1"])
    assert plan(planner) == ["b:1", "c:1"]
    assert planner.next_due() is None


def test_the_sender_is_left_out_when_it_is_not_the_author() -> None:
    planner = RelayPlanner[str](["b:1", "c:1"])
    at_once = planner.plan(
        "m", author=A, author_responder_id="a:1", slot_index=1, received_from="b:1", now=0.0
    )
    assert at_once == ["c:1"]


def test_a_peer_with_its_own_route_gets_it_late() -> None:
    planner = RelayPlanner[str](["a:1", "b:1", "c:1"])
    planner.heard("b:1", A, now=0.0)
    assert plan(planner) == ["c:1"]
    assert planner.next_due() == LATE_RELAY_S
    assert planner.due_relays(LATE_RELAY_S / 2) == []
    [late] = planner.due_relays(LATE_RELAY_S)
    assert (late.message, late.recipients) == ("m", ("b:1",))
    assert planner.due_relays(LATE_RELAY_S) == []


def test_a_newer_message_of_the_author_replaces_the_waiting_one() -> None:
    planner = RelayPlanner[str](["a:1", "b:1"])
    planner.heard("b:1", A, now=0.0)
    plan(planner, "old")
    plan(planner, "new", now=0.5)
    assert [late.message for late in planner.due_relays(10.0)] == ["new"]


def test_a_closed_slot_needs_no_late_relay() -> None:
    planner = RelayPlanner[str](["a:1", "b:1"])
    planner.heard("b:1", A, now=0.0)
    plan(planner, slot=7)
    plan(planner, slot=8)
    planner.slot_closed(7)
    assert [late.slot_index for late in planner.due_relays(10.0)] == [8]


def test_a_route_is_forgotten_after_its_lifetime() -> None:
    planner = RelayPlanner[str](["a:1", "b:1"])
    planner.heard("b:1", A, now=0.0)
    assert plan(planner, now=ROUTE_LIFETIME_S) == []
    assert plan(planner, now=ROUTE_LIFETIME_S + 1) == ["b:1"]


def test_strangers_cannot_make_it_grow() -> None:
    planner = RelayPlanner[str](["a:1", "b:1"])
    for number in range(ROUTES_MAX + 10):
        planner.heard("b:1", number.to_bytes(32, "big"), now=0.0)
    for number in range(10, WAITING_MAX + 20):
        planner.plan(
            "m",
            author=number.to_bytes(32, "big"),
            author_responder_id="x:1",
            slot_index=1,
            received_from="a:1",
            now=0.0,
        )
    assert len(planner.due_relays(10.0)) == WAITING_MAX
