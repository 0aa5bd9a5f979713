import copy
import json

import pytest

from mcnode.errors import InvalidError
from mcnode.transaction.json_layout import (
    JsonLayoutError,
    message_from_json,
    message_to_json,
    unsigned_tx_from_json,
    unsigned_tx_to_json,
)
from mcnode.transaction.messages import Amount, SignedContingentInput, Tx


@pytest.fixture(scope="module")
def unsigned(fixture):
    builder = fixture.builder()
    builder.add_input(fixture.credentials(0))
    builder.add_output(Amount(1, 0), fixture.recipient.default_subaddress())
    return builder.build_unsigned()


def test_transactions_survive_text(payments):
    for tx, _ in payments.values():
        text = json.dumps(message_to_json(tx))
        assert message_from_json(Tx, json.loads(text)) == tx


def test_unsigned_transactions_survive_text(unsigned):
    text = json.dumps(unsigned_tx_to_json(unsigned))
    assert unsigned_tx_from_json(json.loads(text)) == unsigned


def test_empty_messages():
    for cls in (Tx, SignedContingentInput):
        assert message_from_json(cls, message_to_json(cls())) == cls()


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("prefix", "fee"), -1, "prefix.fee is not a number of 64 bits"),
        (("prefix", "fee"), 2**64, "prefix.fee is not a number of 64 bits"),
        (("prefix", "fee"), True, "prefix.fee is not a number of 64 bits"),
        (("prefix", "fee"), "1", "prefix.fee is not a number of 64 bits"),
        (("prefix", "outputs"), {}, "prefix.outputs is not an array"),
        (("prefix", "outputs", 0, "target_key"), [0], "is not 32 bytes, but 1"),
        (("prefix", "outputs", 0, "target_key"), [256] * 32, "is not a number of 8 bits"),
        (("prefix", "outputs", 0, "masked_amount"), {"V3": {}}, "is not an amount V1 or V2"),
        (("prefix", "outputs", 0, "e_fog_hint"), [0] * 84, "is not an object with bytes"),
        (("signature",), None, "signature is not a value"),
        (("signature",), [], "signature is not an object"),
    ],
)
def test_faults_are_named(payments, path, value, expected):
    found = copy.deepcopy(message_to_json(payments[4][0]))
    inner = found
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    with pytest.raises(JsonLayoutError, match=expected.replace(".", r"\.")):
        message_from_json(Tx, found)
    del inner[path[-1]]
    with pytest.raises(InvalidError):
        message_from_json(Tx, found)
