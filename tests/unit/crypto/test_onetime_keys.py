"""One-time keys: what the sender makes is what the owner finds."""

import pytest

from mcnode.crypto import onetime_keys
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

VIEW = RistrettoPrivate.random(random_bytes)
SUBADDRESS_SPEND = RistrettoPrivate.random(random_bytes)
SUBADDRESS_VIEW = VIEW * SUBADDRESS_SPEND
TX_KEY = RistrettoPrivate.random(random_bytes)


def made() -> onetime_keys.OutputKeys:
    return onetime_keys.create_output_keys(
        TX_KEY, SUBADDRESS_VIEW.public_key(), SUBADDRESS_SPEND.public_key()
    )


def test_owner_finds_and_spends_the_output() -> None:
    keys = made()
    assert onetime_keys.shared_secret_of(VIEW, keys.public_key) == keys.shared_secret
    found = onetime_keys.recover_spend_public(VIEW, keys.target_key, keys.public_key)
    assert found == SUBADDRESS_SPEND.public_key()
    private = onetime_keys.recover_onetime_private_key(keys.public_key, VIEW, SUBADDRESS_SPEND)
    assert private.public_key() == keys.target_key


def test_scan_of_many_equals_one_by_one() -> None:
    keys = made()
    own = (keys.public_key.to_bytes(), keys.target_key.to_bytes())
    foreign = (
        RistrettoPublic.random(random_bytes).to_bytes(),
        RistrettoPublic.random(random_bytes).to_bytes(),
    )
    broken = b"\x01" + bytes(31)
    outputs = [own, foreign, (broken, own[1]), (own[0], broken)]
    first, second, *rest = onetime_keys.scan_outputs(VIEW, outputs)
    assert rest == [None, None]
    assert first is not None
    assert first.spend_public == SUBADDRESS_SPEND.public_key().to_bytes()
    assert first.shared_secret == keys.shared_secret.to_bytes()
    assert second is not None
    single = onetime_keys.recover_spend_public(
        VIEW, RistrettoPublic(foreign[1]), RistrettoPublic(foreign[0])
    )
    assert second.spend_public == single.to_bytes()
    assert onetime_keys.scan_outputs(VIEW, []) == []


@pytest.mark.parametrize("pair", [(bytes(31), bytes(32)), (bytes(32), bytes(33))])
def test_scan_refuses_other_lengths(pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(KeyFormatError, match="need 32"):
        onetime_keys.scan_outputs(VIEW, [pair])


def test_shared_secrets_do_not_show() -> None:
    keys = made()
    (scanned,) = onetime_keys.scan_outputs(
        VIEW, [(keys.public_key.to_bytes(), keys.target_key.to_bytes())]
    )
    for shown in (repr(keys), repr(scanned)):
        assert str(keys.shared_secret) not in shown


def test_confirmation_numbers_depend_on_the_secret() -> None:
    numbers = {onetime_keys.confirmation_number(bytes([n]) * 32) for n in range(5)}
    assert len(numbers) == 5
    assert {len(number) for number in numbers} == {32}
