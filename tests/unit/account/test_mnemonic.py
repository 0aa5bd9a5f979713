"""Mnemonics and older root entropy."""

import pytest

from mcnode.account.mnemonic import (
    InvalidMnemonic,
    account_key_from_mnemonic,
    entropy_from_mnemonic,
    mnemonic_from_entropy,
    slip10_key,
)
from mcnode.account.root_identity import (
    ExternalRootIdentity,
    RootIdentity,
    account_key_from_root_entropy,
    account_key_from_root_identity,
)
from mcnode.codec.protobuf import decode, encode
from mcnode.crypto.errors import LengthMismatch

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.mark.parametrize("length", [16, 20, 24, 28, 32])
def test_entropy_round_trip(length: int) -> None:
    entropy = bytes(range(length))
    phrase = mnemonic_from_entropy(entropy)
    assert len(phrase.split()) == length * 3 // 4
    assert entropy_from_mnemonic(phrase) == entropy


@pytest.mark.parametrize("length", [0, 15, 17, 33])
def test_other_entropy_is_refused(length: int) -> None:
    with pytest.raises(InvalidMnemonic, match=f"{length} bytes"):
        mnemonic_from_entropy(bytes(length))


def test_known_phrase() -> None:
    assert entropy_from_mnemonic(PHRASE) == b"\x7f" * 16


def test_white_space_does_not_count() -> None:
    spaced = "  " + PHRASE.replace(" ", " \n\t ") + "\n"
    assert slip10_key(spaced, 0) == slip10_key(PHRASE, 0)


@pytest.mark.parametrize(
    "phrase",
    [
        "",
        "legal",
        PHRASE + " yellow",
        PHRASE.replace("yellow", "thank"),
        PHRASE.replace("legal", "legall"),
        PHRASE.upper(),
        "legal " * 1000,
    ],
)
def test_bad_phrases_are_refused_without_being_repeated(phrase: str) -> None:
    with pytest.raises(InvalidMnemonic) as caught:
        account_key_from_mnemonic(phrase)
    assert "winner" not in str(caught.value)


def test_account_index_matters_and_its_top_bit_does_not() -> None:
    keys = {slip10_key(PHRASE, index) for index in (0, 1, 2)}
    assert len(keys) == 3
    assert slip10_key(PHRASE, 0x8000_0001) == slip10_key(PHRASE, 1)


def test_root_entropy_has_32_bytes() -> None:
    with pytest.raises(LengthMismatch):
        account_key_from_root_entropy(bytes(31))


def test_two_encodings_of_a_root_identity() -> None:
    fields = (bytes(range(32)), "fog://x", "id", b"spki")
    stored, external = RootIdentity(*fields), ExternalRootIdentity(*fields)
    assert b"\x22\x04spki" in encode(stored)
    assert b"\x2a\x04spki" in encode(external)
    assert decode(RootIdentity, encode(stored)) == stored
    account = account_key_from_root_identity(external)
    assert account == account_key_from_root_identity(stored)
    assert account.fog_authority_spki == b"spki"
    plain = account_key_from_root_entropy(fields[0])
    assert account.spend_private_key == plain.spend_private_key
    for shown in (repr(stored), repr(external)):
        assert repr(fields[0]) not in shown
