"""Scenarios of input rules: a transaction's outputs are fixed, the rules of its input vary."""

import dataclasses
import re
from collections.abc import Callable

from mcnode.conformance.scenario_text import (
    OUTCOME,
    Language,
    Outcomes,
    UnreadableScenario,
    count_of,
    repeated_byte,
)
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import expect_equal, runs
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.transaction.amounts import (
    derive_amount_shared_secret,
    make_masked_amount_with_amount_shared_secret,
)
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.input_rules import check_input_rules
from mcnode.transaction.messages import Amount, InputRules, RevealedTxOut, TxOut, TxPrefix
from mcnode.transaction.revealed_tx_out import change_committed_amount, reveal_amount
from mcnode.transaction.tx_out import view_key_match

_OUTPUT = re.compile(r"\s*,?\s*(?:o(?P<plain>\d+)|R\((?P<place>\d+),\s*(?P<value>\d+)\))")


class RulesWorld:
    """A transaction without proofs, its outputs opened, and the rules to check it against."""

    def __init__(self) -> None:
        self.prefix = TxPrefix()
        self.secrets: list[bytes] = []
        self.token_id = 0
        self.rules = InputRules()
        self.outcomes = Outcomes()

    def set_up(self, version: int, count: int, value: int, token_id: int) -> None:
        """So many outputs of this amount to one recipient."""
        fixture = TxFixture(
            BlockVersion(version), tx_out_count=11, value=count * value, token_ids=(token_id,)
        )
        builder = fixture.builder(fee=0, fee_token_id=token_id)
        builder.add_input(fixture.credentials(0))
        for _ in range(count):
            builder.add_output(Amount(value, token_id), fixture.recipient.default_subaddress())
        self.prefix = builder.build().prefix
        view_private = fixture.recipient.view_private
        self.secrets = [
            derive_amount_shared_secret(
                view_key_match(tx_out, view_private).shared_secret.to_bytes()
            )
            for tx_out in self.prefix.outputs
        ]
        self.token_id = token_id

    def revealed(self, place: int, value: int) -> RevealedTxOut:
        """`R(place, value)`."""
        output = RevealedTxOut(self.prefix.outputs[place], self.secrets[place])
        tx_out = change_committed_amount(output, Amount(value, self.token_id))
        return RevealedTxOut(tx_out, self.secrets[place])

    def read_list(self, text: str) -> list[RevealedTxOut]:
        """`o0, R(1,2000)` as outputs with their secrets."""
        made, position = [], 0
        while found := _OUTPUT.match(text, position):
            if found["plain"] is not None:
                place = int(found["plain"])
                made.append(RevealedTxOut(self.prefix.outputs[place], self.secrets[place]))
            else:
                made.append(self.revealed(int(found["place"]), int(found["value"])))
            position = found.end()
        if text[position:].strip():
            raise UnreadableScenario(text[position:])
        return made

    def change(self, **changes: object) -> None:
        """Change the rules."""
        self.rules = dataclasses.replace(self.rules, **changes)  # type: ignore[arg-type]

    def change_of_change(self, edit: Callable[[RevealedTxOut], RevealedTxOut]) -> None:
        """Change the rules' partial-fill change, by default that of a half-filled offer."""
        if self.rules.partial_fill_change is None:
            doubled = 2 * reveal_amount(RevealedTxOut(self.prefix.outputs[0], self.secrets[0]))[0]
            self.change(
                partial_fill_outputs=(self.revealed(1, doubled),),
                partial_fill_change=self.revealed(0, doubled),
            )
        assert self.rules.partial_fill_change is not None
        self.change(partial_fill_change=edit(self.rules.partial_fill_change))


_rules: Language[RulesWorld] = Language(RulesWorld)


@_rules.given(
    r"v(\d) Tx with (\w+) outputs of (\d+) of token (\d+) \(o0\.\.o\d+, prefix order\) to one "
    r"recipient and rules on input 0; R\(k,V\) means output k revealed with its amount changed to V"
)
def _(world: RulesWorld, version: str, count: str, value: str, token_id: str) -> None:
    world.set_up(int(version), count_of(count), int(value), int(token_id))


@_rules.given(r"empty rules")
def _(world: RulesWorld) -> None:
    world.rules = InputRules()


@_rules.given(r"required (?:outputs )?\[([^\]]*)\](?: while prefix output (\d+) is still (\d+))?")
def _(world: RulesWorld, outputs: str, place: str | None, value: str | None) -> None:
    world.change(required_outputs=tuple(each.tx_out for each in world.read_list(outputs)))
    if place is not None:
        output = RevealedTxOut(world.prefix.outputs[int(place)], world.secrets[int(place)])
        expect_equal("value of the output", reveal_amount(output)[0], int(value or 0))


@_rules.given(r"max tombstone = tombstone(?: ([+-]) (\d+))?")
def _(world: RulesWorld, sign: str | None, by: str | None) -> None:
    difference = int(f"{sign or '+'}{by or 0}")
    world.change(max_tombstone_block=world.prefix.tombstone_block + difference)


@_rules.given(r"partial (?:outputs )?\[([^\]]*)\]")
def _(world: RulesWorld, outputs: str) -> None:
    world.change(partial_fill_outputs=tuple(world.read_list(outputs)))


@_rules.given(r"no change")
def _(world: RulesWorld) -> None:
    world.change(partial_fill_change=None)


@_rules.given(r"change (R\(\d+,\s*\d+\))")
def _(world: RulesWorld, output: str) -> None:
    (revealed,) = world.read_list(output)
    world.change(partial_fill_change=revealed)


@_rules.given(r"with min (\d+)")
def _(world: RulesWorld, value: str) -> None:
    world.change(min_partial_fill_value=int(value))


@_rules.given(r"target_key of the (first|second) partial output replaced by a random key")
def _(world: RulesWorld, which: str) -> None:
    outputs = list(world.rules.partial_fill_outputs)
    place = ("first", "second").index(which)
    key = RistrettoPrivate.from_wide(bytes([5]) * 64).public_key().to_bytes()
    tx_out: TxOut = dataclasses.replace(outputs[place].tx_out, target_key=key)
    outputs[place] = dataclasses.replace(outputs[place], tx_out=tx_out)
    world.change(partial_fill_outputs=tuple(outputs))


@_rules.given(
    r"change TxOut gets a masked amount (\d+) made with shared secret (\d+x\w\w) while the "
    r"recorded secret is unchanged"
)
def _(world: RulesWorld, value: str, secret: str) -> None:
    masked = make_masked_amount_with_amount_shared_secret(
        Amount(int(value), world.token_id), repeated_byte(secret)
    )
    world.change_of_change(
        lambda change: dataclasses.replace(
            change, tx_out=dataclasses.replace(change.tx_out, masked_amount=masked)
        )
    )


@_rules.given(
    r"the recorded secret set to (\d+x\w\w) too(?: \(prefix output then does not open\))?"
)
def _(world: RulesWorld, secret: str) -> None:
    world.change_of_change(
        lambda change: dataclasses.replace(change, amount_shared_secret=repeated_byte(secret))
    )


@_rules.given(r"with an empty recorded secret")
def _(world: RulesWorld) -> None:
    world.change_of_change(lambda change: dataclasses.replace(change, amount_shared_secret=b""))


@_rules.when(r"verify")
def _(world: RulesWorld) -> None:
    world.outcomes.note("rules", check_input_rules, world.rules, world.prefix)


@_rules.then(r"ok \(fill (\d+)/(\d+)\)")
def _(world: RulesWorld, numerator: str, denominator: str) -> None:
    world.outcomes.expect_all("ok")
    change = world.rules.partial_fill_change
    assert change is not None
    (output,) = (o for o in world.prefix.outputs if o.public_key == change.tx_out.public_key)
    full, _ = reveal_amount(change)
    left, _ = reveal_amount(RevealedTxOut(output, change.amount_shared_secret))
    expect_equal("filled", (full - left) * int(denominator), full * int(numerator))


@_rules.then(OUTCOME)
def _(world: RulesWorld, expected: str) -> None:
    world.outcomes.expect_all(expected)


run_input_rules = runs("transaction", r"scenarios/input_rules[^/]*\.jsonl")(_rules.run)
