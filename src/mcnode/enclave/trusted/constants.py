"""What is baked into the trusted process. [docs/protocol/enclave.md#2.3]

In an SGX enclave these values are part of its measurement: they come from this file, or from a JSON
file that the manifest measures, and never from the host's environment or arguments.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final, Self

from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import Ed25519Public, RistrettoPublic
from mcnode.enclave.errors import FeePublicAddress, ParseMintingTrustRootPublicKey
from mcnode.errors import InvalidError

DEFAULT_FEE_SPEND_PUBLIC_KEY: Final = bytes.fromhex(
    "26b507c63124a2f5e940b4fb89e4b2bb0a2078ed0c8e551ad59268b9646ec241"
)
DEFAULT_FEE_VIEW_PUBLIC_KEY: Final = bytes.fromhex(
    "5222a1e9ae32d21c23114a5ce6bb39e0cb56aea350d4619d43b1207061b10346"
)
DEFAULT_MINTING_TRUST_ROOT: Final = bytes.fromhex(
    "1f4fe69277ae2385e9ecd9dde5e42e9ea7907ef3982a63d9ce4118950b696e35"
)
"""Its private key is public knowledge: for development only."""

PRODUCT_ID: Final = 1
SECURITY_VERSION: Final = 10
"""Of the network's consensus enclave, which simulated ones present unless told otherwise."""


class MeasuredConstantsError(InvalidError):
    """A file of measured constants does not parse."""


@dataclasses.dataclass(frozen=True, slots=True)
class MeasuredConstants:
    """Raw 32-byte public keys, checked when they are used, and what this program may claim."""

    fee_spend_public_key: bytes = DEFAULT_FEE_SPEND_PUBLIC_KEY
    fee_view_public_key: bytes = DEFAULT_FEE_VIEW_PUBLIC_KEY
    minting_trust_root_public_key: bytes = DEFAULT_MINTING_TRUST_ROOT
    mitigated_hardening_advisories: tuple[str, ...] = ()
    """Advisories that evidence of this enclave may have. None by default: an interpreter cannot
    claim compiler mitigations that it was not built with."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Fields by the names of this class, keys in hex; those left out are the defaults.

        Raises:
            MeasuredConstantsError: not such a text.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MeasuredConstantsError(f"measured constants are not JSON: {error}") from None
        if not isinstance(values, dict):
            raise MeasuredConstantsError("measured constants are not an object")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise MeasuredConstantsError(f"measured constants have unknown field {unknown[0]!r}")
        advisories = _advisories(values.pop("mitigated_hardening_advisories", []))
        keys = {name: _key(values, name) for name in values}
        return cls(**keys, mitigated_hardening_advisories=advisories)

    def minting_trust_root(self) -> Ed25519Public:
        """The key that signs governors maps.

        Raises:
            ParseMintingTrustRootPublicKey: it is no Ed25519 public key.
        """
        try:
            return Ed25519Public(self.minting_trust_root_public_key)
        except KeyFormatError as error:
            raise ParseMintingTrustRootPublicKey(str(error)) from None

    def fee_recipient(self) -> tuple[RistrettoPublic, RistrettoPublic]:
        """Spend and view key of who gets the fees.

        Raises:
            FeePublicAddress: one is no point.
        """
        try:
            return (
                RistrettoPublic(self.fee_spend_public_key),
                RistrettoPublic(self.fee_view_public_key),
            )
        except KeyFormatError as error:
            raise FeePublicAddress(str(error)) from None


def _advisories(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MeasuredConstantsError("mitigated_hardening_advisories is not a list of texts")
    return tuple(value)


def _key(values: Mapping[str, Any], name: str) -> bytes:
    value = values[name]
    try:
        key = bytes.fromhex(value if isinstance(value, str) else "")
    except ValueError:
        key = b""
    if len(key) != 32:
        raise MeasuredConstantsError(f"{name} is not 32 bytes in hex")
    return key
