import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.connection.strict_base64 import Base64Error, decode_base64


@given(st.binary(max_size=64))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    assert decode_base64(base64.b64encode(data).decode()) == data
    assert decode_base64(base64.urlsafe_b64encode(data).decode(), url_safe=True) == data


@given(st.text(alphabet="AQgwz+/-_= \n\u00fc", max_size=12))
def test_only_the_one_text_is_accepted(text: str) -> None:
    try:
        decoded = decode_base64(text)
    except Base64Error:
        return
    assert base64.b64encode(decoded).decode() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!", "InvalidByte(0, 33)"),
        ("AA=A", "InvalidByte(2, 61)"),
        ("A\u00fcAA", "InvalidByte(1, 195)"),
        ("AAAAA", "InvalidLength"),
        ("AAA", "InvalidPadding"),
        ("AA==AA==", "InvalidByte(2, 61)"),
        ("AB==", "InvalidLastSymbol(1, 66)"),
        ("A-AA", "InvalidByte(1, 45)"),
    ],
)
def test_error_texts(text: str, message: str) -> None:
    with pytest.raises(Base64Error) as caught:
        decode_base64(text)
    assert str(caught.value) == message


def test_url_safe_refuses_the_other_alphabet() -> None:
    with pytest.raises(Base64Error, match=r"InvalidByte\(1, 43\)"):
        decode_base64("A+AA", url_safe=True)
