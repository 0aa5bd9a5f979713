"""Thresholds over signers and nested sets."""

import pytest

from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import MultiSig, SignerSet, check_multisig, is_valid_signer_set

KEYS = [Ed25519Private(bytes([n]) * 32) for n in range(8)]
PUBLIC = [key.public_key().to_bytes() for key in KEYS]
MESSAGE = b"message"


def signed_by(*numbers: int) -> MultiSig:
    return MultiSig(tuple(KEYS[n].sign(MESSAGE) for n in numbers))


def signers(*numbers: int, threshold: int, nested: tuple[SignerSet, ...] = ()) -> SignerSet:
    return SignerSet(tuple(PUBLIC[n] for n in numbers), nested, threshold)


def test_threshold_over_individual_signers() -> None:
    two_of_three = signers(0, 1, 2, threshold=2)
    assert check_multisig(two_of_three, MESSAGE, signed_by(2, 0)) == tuple(
        sorted([PUBLIC[0], PUBLIC[2]])
    )
    assert len(check_multisig(two_of_three, MESSAGE, signed_by(0, 1, 2, 7))) == 3
    with pytest.raises(SignatureError, match="1 members of the signer set signed, needs 2"):
        check_multisig(two_of_three, MESSAGE, signed_by(2, 7))
    with pytest.raises(SignatureError):
        check_multisig(two_of_three, b"other", signed_by(0, 1))


def test_repetition_counts_once_in_verifying_and_each_time_in_validity() -> None:
    doubled = signers(0, 0, threshold=2)
    assert is_valid_signer_set(doubled)
    with pytest.raises(SignatureError, match="1 members"):
        check_multisig(doubled, MESSAGE, signed_by(0, 0))
    nested = signers(1, threshold=1)
    with pytest.raises(SignatureError, match="1 members"):
        check_multisig(signers(threshold=2, nested=(nested, nested)), MESSAGE, signed_by(1))


def test_nested_sets_are_members() -> None:
    nested = (signers(1, 2, threshold=2), signers(3, 4, threshold=1))
    whole = signers(0, threshold=2, nested=nested)
    assert set(check_multisig(whole, MESSAGE, signed_by(0, 4))) == {PUBLIC[0], PUBLIC[4]}
    assert len(check_multisig(whole, MESSAGE, signed_by(1, 2, 3))) == 3
    with pytest.raises(SignatureError):
        check_multisig(whole, MESSAGE, signed_by(0, 1))


def test_one_signature_serves_several_sets() -> None:
    nested = (signers(1, threshold=1), signers(1, 2, threshold=1))
    whole = signers(threshold=2, nested=nested)
    assert check_multisig(whole, MESSAGE, signed_by(1)) == (PUBLIC[1],)


@pytest.mark.parametrize(
    "invalid",
    [
        SignerSet((), (), 0),
        SignerSet((PUBLIC[0],), (), 0),
        SignerSet((PUBLIC[0],), (), 2),
        SignerSet((PUBLIC[0],), (SignerSet((PUBLIC[1],), (), 2),), 1),
    ],
)
def test_invalid_sets_are_refused_even_when_enough_signed(invalid: SignerSet) -> None:
    assert not is_valid_signer_set(invalid)
    with pytest.raises(SignatureError, match="cannot be met or is 0"):
        check_multisig(invalid, MESSAGE, signed_by(0, 1))


def test_more_than_ten_signatures_are_refused_unseen() -> None:
    one = signers(0, threshold=1)
    assert check_multisig(one, MESSAGE, signed_by(*[0] * 10))
    with pytest.raises(SignatureError, match="11 signatures, limit 10"):
        check_multisig(one, MESSAGE, signed_by(*[0] * 11))


def test_keys_and_signatures_that_are_none_match_nothing() -> None:
    off_curve = (2).to_bytes(32, "little")
    with pytest.raises(SignatureError, match="0 members"):
        check_multisig(SignerSet((off_curve,), (), 1), MESSAGE, signed_by(0))
    with pytest.raises(SignatureError, match="0 members"):
        check_multisig(signers(0, threshold=1), MESSAGE, MultiSig((bytes(64), b"short")))
