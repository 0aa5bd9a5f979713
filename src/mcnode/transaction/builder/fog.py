"""Fog hints: who may tell the recipient of an output. [docs/protocol/transaction.md#12]"""

import dataclasses
from typing import Protocol

from mcnode.account.public_address import PublicAddress
from mcnode.crypto.fog_hint import encrypt_fog_hint, fake_onetime_hint
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.rng import RandomBytes
from mcnode.errors import InvalidError
from mcnode.transaction.builder.errors import BuilderFogError
from mcnode.transaction.constants import U64_MAX


@dataclasses.dataclass(frozen=True, slots=True)
class FogPublicKey:
    """A fog server's key and the block at which it expires."""

    public_key: RistrettoPublic
    expiry_block: int


class FogResolver(Protocol):
    """From an address with fog to the checked key of its fog server."""

    def __call__(self, recipient: PublicAddress) -> FogPublicKey:
        """The key; raises `InvalidError` when there is none that can be trusted."""
        ...


class NoFogReport(InvalidError):
    """No report of the recipient's fog server is at hand."""

    def __init__(self, recipient: PublicAddress) -> None:
        super().__init__(f"no fog report for {recipient}")


def no_fog(recipient: PublicAddress) -> FogPublicKey:
    """The resolver of someone who pays only addresses without fog."""
    raise NoFogReport(recipient)


def make_fog_hint(
    recipient: PublicAddress, resolver: FogResolver, random_bytes: RandomBytes
) -> tuple[bytes, int]:
    """An 84-byte hint and the last tombstone block that it allows.

    Raises:
        BuilderFogError: the resolver has no key.
    """
    if not recipient.has_fog:
        return fake_onetime_hint(random_bytes), U64_MAX
    try:
        key = resolver(recipient)
    except InvalidError as error:
        raise BuilderFogError(error) from error
    hint = encrypt_fog_hint(random_bytes, key.public_key, recipient.view_public)
    return hint, key.expiry_block
