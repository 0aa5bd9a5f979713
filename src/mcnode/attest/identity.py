"""Which enclaves a verifier trusts. [docs/protocol/enclave.md#5.3]

An identity names one exact enclave (MRENCLAVE), or every enclave of a signer for a product from
some security version on (MRSIGNER), and says which advisories that enclave mitigates.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

from mcnode.attest.advisories import NO_ADVISORIES, Advisories, mitigated_advisories
from mcnode.attest.errors import AttestationError
from mcnode.attest.report import ReportBody

CONSENSUS_HARDENING_ADVISORIES: Final = ("INTEL-SA-00334", "INTEL-SA-00615", "INTEL-SA-00657")
"""What the network's consensus enclave claims to mitigate."""
CONSENSUS_ENCLAVE_NAME: Final = "consensus"


class IdentityError(AttestationError):
    """A list of trusted identities does not parse."""


class NoIdentitiesFound(AttestationError):
    """No release lists an enclave of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no trusted identity for enclave {name!r}")
        self.name = name


@dataclasses.dataclass(frozen=True, slots=True)
class TrustedMrEnclave:
    """One exact enclave."""

    mr_enclave: bytes
    advisories: Advisories = NO_ADVISORIES

    def describes(self, body: ReportBody) -> bool:
        """Whether a report body is of this enclave."""
        return body.mr_enclave == self.mr_enclave

    def __str__(self) -> str:
        return f"MRENCLAVE {self.mr_enclave.hex()}"


@dataclasses.dataclass(frozen=True, slots=True)
class TrustedMrSigner:
    """Every enclave of a signer and product from a security version on."""

    mr_signer: bytes
    product_id: int
    minimum_svn: int
    advisories: Advisories = NO_ADVISORIES

    def describes(self, body: ReportBody) -> bool:
        """Whether a report body is of such an enclave."""
        return (
            body.mr_signer == self.mr_signer
            and body.isv_prod_id == self.product_id
            and body.isv_svn >= self.minimum_svn
        )

    def __str__(self) -> str:
        return (
            f"MRSIGNER {self.mr_signer.hex()} product {self.product_id} "
            f"version {self.minimum_svn} or later"
        )


TrustedIdentity = TrustedMrEnclave | TrustedMrSigner

_ADVISORY_FIELDS: Final = {"mitigated_config_advisories", "mitigated_hardening_advisories"}


def parse_trusted_identities(text: str, enclave_name: str) -> tuple[TrustedIdentity, ...]:
    """The identities of an enclave, of all releases in a JSON text, in its order.

    The text maps release names to maps of enclave names to identities, each with `MRENCLAVE`, or
    `MRSIGNER`, `product_id` and `minimum_svn`, and optional lists of mitigated advisories.

    Raises:
        IdentityError: the text is not of that form, or has a field besides these.
        NoIdentitiesFound: no release names the enclave.
    """
    try:
        releases = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise IdentityError(f"trusted identities are not JSON: {error}") from None
    found = []
    for release, enclaves in _expect_map("trusted identities", releases).items():
        for name, fields in _expect_map(f"release {release}", enclaves).items():
            identity = _parse_identity(_expect_map(f"enclave {name} of {release}", fields))
            if name == enclave_name:
                found.append(identity)
    if not found:
        raise NoIdentitiesFound(enclave_name)
    return tuple(found)


def _expect_map(what: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise IdentityError(f"{what} is not an object")
    return value


def _parse_identity(fields: Mapping[str, Any]) -> TrustedIdentity:
    advisories = mitigated_advisories(
        _texts(fields, "mitigated_config_advisories"),
        _texts(fields, "mitigated_hardening_advisories"),
    )
    if "MRENCLAVE" in fields:
        _refuse_others(fields, {"MRENCLAVE"})
        return TrustedMrEnclave(_measurement(fields, "MRENCLAVE"), advisories)
    _refuse_others(fields, {"MRSIGNER", "product_id", "minimum_svn"})
    return TrustedMrSigner(
        _measurement(fields, "MRSIGNER"),
        _u16(fields, "product_id"),
        _u16(fields, "minimum_svn"),
        advisories,
    )


def _refuse_others(fields: Mapping[str, Any], known: set[str]) -> None:
    others = sorted(set(fields) - known - _ADVISORY_FIELDS)
    if others:
        raise IdentityError(f"identity has unknown field {others[0]!r}")


def _texts(fields: Mapping[str, Any], name: str) -> list[str]:
    value = fields.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise IdentityError(f"{name} is not a list of texts")
    return value


def _measurement(fields: Mapping[str, Any], name: str) -> bytes:
    value = fields.get(name)
    try:
        measurement = bytes.fromhex(value if isinstance(value, str) else "")
    except ValueError:
        measurement = b""
    if len(measurement) != 32:
        raise IdentityError(f"{name} is not 32 bytes in hex")
    return measurement


def _u16(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < 1 << 16:
        raise IdentityError(f"{name} is not a number below 65536: {value!r}")
    return value
