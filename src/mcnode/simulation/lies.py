"""Statements that nobody meant: well formed, signed by their author, and not true."""

from collections.abc import Sequence

from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import INFINITY, Ballot, InvalidMsgError, Topic
from mcnode.scp.msg_rules import check_topic
from mcnode.scp.types import (
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    ballot_counter_of,
    nomination_of,
    prepare_of,
)
from mcnode.simulation.draws import Draws

Values = tuple[ConsensusValue, ...]
ATTEMPTS = 8


def lists_of(topic: Topic[ConsensusValue]) -> list[Values]:
    """The ballot lists that a topic names."""
    match topic:
        case Commit():
            return [topic.ballot.values]
        case Externalize():
            return [topic.commit.values]
    prepare = prepare_of(topic)
    if prepare is None:
        return []
    ballots = (prepare.ballot, prepare.prepared, prepare.prepared_prime)
    return [ballot.values for ballot in ballots if ballot is not None]


def lie_about(
    topic: Topic[ConsensusValue],
    lists: Sequence[Values],
    values: Sequence[ConsensusValue],
    draws: Draws,
) -> Topic[ConsensusValue]:
    """Something else of about the same rank as `topic`; itself when nothing comes to mind.

    `lists` are ballot lists, `values` single values that others will have heard of.
    """
    for _ in range(ATTEMPTS):
        lie = _draw(topic, lists, values, draws)
        try:
            check_topic(lie)
        except InvalidMsgError:
            continue
        return lie
    return topic


def _draw(
    topic: Topic[ConsensusValue],
    lists: Sequence[Values],
    values: Sequence[ConsensusValue],
    draws: Draws,
) -> Topic[ConsensusValue]:
    counter = min(ballot_counter_of(topic), 20) or 1
    nomination = nomination_of(topic)
    kind = draws.below(6)
    if not lists or (nomination is not None and prepare_of(topic) is None and kind < 3):
        return Nominate(_nominate(values, draws))
    one, other = draws.pick(lists), draws.pick(lists)
    if kind <= 2:
        prepare = _prepare(counter + draws.below(2), one, other, draws)
        if nomination is not None and draws.chance(0.5):
            return NominatePrepare(nomination, prepare)
        return Prepare(prepare)
    if kind <= 4:
        high = draws.between(1, counter + 1)
        return Commit(
            Ballot(counter + draws.below(2), one),
            draws.between(0, counter + 1),
            draws.between(1, high),
            high,
        )
    return false_externalize(one, draws)


def _nominate(values: Sequence[ConsensusValue], draws: Draws) -> NominatePayload[ConsensusValue]:
    voted, accepted = [], []
    for value in sorted(set(values)):
        match draws.below(3):
            case 0:
                voted.append(value)
            case 1:
                accepted.append(value)
    return NominatePayload(tuple(voted), tuple(accepted))


def _prepare(
    counter: int, one: Values, other: Values, draws: Draws
) -> PreparePayload[ConsensusValue]:
    prepared = Ballot(draws.between(1, counter), draws.pick((one, other)))
    high = draws.below(prepared.counter + 1) if prepared.values == one else 0
    return PreparePayload(
        Ballot(counter, one),
        prepared if draws.chance(0.7) else None,
        None,
        draws.below(high + 1) if high else 0,
        high,
    )


def false_externalize(values: Values, draws: Draws) -> Externalize[ConsensusValue]:
    """A claim that this is decided."""
    counter = draws.pick((1, 1, 2, 5))
    return Externalize(Ballot(counter, values), draws.pick((counter, counter + 1, INFINITY)))
