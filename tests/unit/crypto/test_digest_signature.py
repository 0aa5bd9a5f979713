"""Signatures over structured digests."""

import pytest

from mcnode.codec.digest import Primitive, digest32
from mcnode.crypto import schnorrkel
from mcnode.crypto.digest_signature import check_digest_signature, sign_digest
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate

NODE = Primitive("bytes", b"object")
SECRET = (9).to_bytes(32, "little")


@pytest.mark.parametrize("key", [Ed25519Private(SECRET), RistrettoPrivate(SECRET)])
def test_round_trip_and_context(key: Ed25519Private | RistrettoPrivate) -> None:
    signature = sign_digest(key, "context", NODE)
    check_digest_signature(key.public_key(), "context", NODE, signature)
    with pytest.raises(SignatureError):
        check_digest_signature(key.public_key(), "other", NODE, signature)
    with pytest.raises(SignatureError):
        check_digest_signature(key.public_key(), "context", Primitive("str", b"object"), signature)


def test_what_is_signed() -> None:
    digest = digest32("context", NODE)
    ed25519, ristretto = Ed25519Private(SECRET), RistrettoPrivate(SECRET)
    assert sign_digest(ed25519, "context", NODE) == ed25519.sign(digest)
    assert sign_digest(ristretto, "context", NODE) == schnorrkel.sign(ristretto, b"context", digest)
