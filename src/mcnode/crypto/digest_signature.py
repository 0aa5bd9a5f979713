"""Signatures over the structured digest of an object. [docs/protocol/crypto.md#5]"""

from mcnode.codec.digest import Node, digest32
from mcnode.crypto import schnorrkel
from mcnode.crypto.keys import Ed25519Private, Ed25519Public, RistrettoPrivate, RistrettoPublic


def sign_digest(key: Ed25519Private | RistrettoPrivate, context: str, node: Node) -> bytes:
    """Sign the 32-byte digest under `context`; a ristretto key signs in the same context again."""
    digest = digest32(context, node)
    if isinstance(key, Ed25519Private):
        return key.sign(digest)
    return schnorrkel.sign(key, context.encode(), digest)


def check_digest_signature(
    key: Ed25519Public | RistrettoPublic, context: str, node: Node, signature: bytes
) -> None:
    """Refuse what `sign_digest` did not make with this key.

    Raises:
        SignatureError: malformed or no match.
    """
    digest = digest32(context, node)
    if isinstance(key, Ed25519Public):
        key.verify(digest, signature)
    else:
        schnorrkel.verify(key, context.encode(), digest, signature)
