import pytest

from mcnode.attest.collateral_json import QeIdentity, TcbInfo, unix_time
from mcnode.attest.errors import JsonError
from mcnode.attest.strict_json import JsonObject, parse_object, parse_signed

SIGNATURE = "ab" * 64


def test_raw_bytes_of_a_member():
    inner = '{ "b" : [1, {"x": "}"}],\t"a":"\\u00e9 é" }'
    text = f' {{ "other" : {{}} , "info" :\n {inner} , "signature":"{SIGNATURE}"}} \n'
    value, raw, signature = parse_signed(text, "info")
    assert raw == inner.encode()
    assert signature == b"\xab" * 64
    assert value.take("a", str) == "é é"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{} {}",
        f'{{"info":{{}},"signature":"{SIGNATURE}"}}x',
        f'{{"info":{{}},"info":{{}},"signature":"{SIGNATURE}"}}',
        f'{{"info":[],"signature":"{SIGNATURE}"}}',
        f'{{"signature":"{SIGNATURE}"}}',
        '{"info":{},"signature":"ab"}',
        '{"info":{},"signature":"' + "zz" * 64 + '"}',
        '{"info":{"a":NaN},"signature":"' + SIGNATURE + '"}',
        '{"info":' + "[" * 100_000,
    ],
)
def test_what_is_not_a_signed_text(text):
    with pytest.raises(JsonError):
        parse_signed(text, "info")


def test_members_are_looked_for_once_and_others_ignored():
    value = parse_object('{"a": 1, "skip": 1, "skip": 2, "null": null, "t": true, "big": 70000}')
    assert value.take("a", int) == 1
    assert value.take_optional("null", str) is None
    assert value.take_optional("absent", str) is None
    for bad in (
        lambda: value.take("skip", int),
        lambda: value.take("absent", int),
        lambda: value.take("a", str),
        lambda: value.take("t", int),
        lambda: value.take_u16("big"),
        lambda: value.take_objects("a"),
    ):
        with pytest.raises(JsonError):
            bad()
    assert value.take_u32("big") == 70000
    assert isinstance(value, JsonObject)


def test_dates():
    assert unix_time("1970-01-02T00:00:00Z") == 86400
    assert unix_time("1970-01-01T02:00:00+01:00") == 3600
    assert unix_time("1970-01-01T00:00:01.9Z") == 1
    for bad in ("", "yesterday", "1970-01-01T00:00:00"):
        with pytest.raises(JsonError):
            unix_time(bad)


@pytest.mark.parametrize("parser", [TcbInfo, QeIdentity])
def test_missing_members(parser):
    name = {TcbInfo: "tcbInfo", QeIdentity: "enclaveIdentity"}[parser]
    with pytest.raises(JsonError, match="missing field"):
        parser.from_json(f'{{"{name}":{{}},"signature":"{SIGNATURE}"}}')
