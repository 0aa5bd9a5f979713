"""The JSON body of reports of the older attestation service. [docs/protocol/enclave.md#5.5]"""

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final, Self, TypeVar

from mcnode.attest.advisories import TcbStatus
from mcnode.attest.epid_quote import EpidQuote
from mcnode.attest.errors import AttestationError

T = TypeVar("T")

_BLOB_PREFIX_BYTES: Final = 4
_BLOB_BYTES: Final = 101
_PSEUDONYM_BYTES: Final = 128
_NONCE_BYTES: Final = 16

STATUS_OK: Final = "OK"
TOLERABLE: Final[Mapping[str, TcbStatus]] = {
    "CONFIGURATION_NEEDED": TcbStatus.ConfigurationNeeded,
    "SW_HARDENING_NEEDED": TcbStatus.SWHardeningNeeded,
    "CONFIGURATION_AND_SW_HARDENING_NEEDED": TcbStatus.ConfigurationAndSWHardeningNeeded,
}
"""Statuses that an identity's mitigated advisories may make good."""

_COMPANIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "GROUP_REVOKED": ("revocationReason", "platformInfoBlob"),
    "GROUP_OUT_OF_DATE": ("platformInfoBlob", "advisoryURL"),
    "CONFIGURATION_NEEDED": ("platformInfoBlob", "advisoryURL"),
    "SW_HARDENING_NEEDED": ("advisoryURL",),
    "CONFIGURATION_AND_SW_HARDENING_NEEDED": ("platformInfoBlob", "advisoryURL"),
}
"""Fields that must come along with a status."""


class ParseError(AttestationError):
    """The body is not a report."""


class NoData(ParseError):
    """The body is empty."""

    def __init__(self) -> None:
        super().__init__("report body is empty")


class IncompleteParse(ParseError):
    """The body is not one JSON value."""


class RootNotObject(ParseError):
    """The body is JSON but no object."""

    def __init__(self) -> None:
        super().__init__("report body is not an object")


class FieldMissing(ParseError):
    """A field that must be there is absent."""

    def __init__(self, name: str) -> None:
        super().__init__(f"report body has no {name}")
        self.name = name


class FieldType(ParseError):
    """A field holds something else than it should."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"report body's {name} {why}")
        self.name = name


@dataclasses.dataclass(frozen=True, slots=True)
class IasReportBody:
    """A parsed body."""

    id: str
    timestamp: str
    """ISO 8601 without zone, UTC."""
    version: int
    quote_status: str
    quote: EpidQuote
    advisory_ids: tuple[str, ...]
    advisory_url: str | None
    nonce: bytes | None
    """16 bytes."""
    revocation_reason: int | None
    platform_info_blob: bytes | None
    """101 bytes, without the 4 bytes of type and length before it."""
    pse_manifest_status: str | None
    pse_manifest_hash: bytes | None
    epid_pseudonym: bytes | None
    """128 bytes; only linkable quotes have one."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse a body.

        Raises:
            ParseError: one class per reason.
            InvalidInputLength: the quote in it is not one.
        """
        fields = _Fields(_parse_object(text))
        status = fields.required("isvEnclaveQuoteStatus", str)
        for name in _COMPANIONS.get(status, ()):
            fields.check_present(name)
        return cls(
            id=fields.required("id", str),
            timestamp=fields.required("timestamp", str),
            version=fields.required("version", int),
            quote_status=status,
            quote=EpidQuote.from_bytes(fields.base64("isvEnclaveQuoteBody")),
            advisory_ids=fields.texts("advisoryIDs"),
            advisory_url=fields.optional("advisoryURL", str),
            nonce=fields.hex_of_size("nonce", _NONCE_BYTES),
            revocation_reason=fields.optional("revocationReason", int),
            platform_info_blob=_platform_info_blob(fields),
            pse_manifest_status=fields.optional("pseManifestStatus", str),
            pse_manifest_hash=fields.hex("pseManifestHash"),
            epid_pseudonym=_pseudonym(fields),
        )


def _parse_object(text: str) -> Mapping[str, Any]:
    if not text.strip():
        raise NoData
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise IncompleteParse(f"report body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise RootNotObject
    return value


class _Fields:
    """Typed access to the members of the body."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def check_present(self, name: str) -> None:
        if self._values.get(name) is None:
            raise FieldMissing(name)

    def required(self, name: str, kind: type[T]) -> T:
        self.check_present(name)
        value = self._values[name]
        if kind is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise FieldType(name, f"is not of type {kind.__name__}")
        return value

    def optional(self, name: str, kind: type[T]) -> T | None:
        return None if self._values.get(name) is None else self.required(name, kind)

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.optional(name, list) or []
        if not all(isinstance(value, str) for value in values):
            raise FieldType(name, "is not a list of texts")
        return tuple(values)

    def base64(self, name: str) -> bytes:
        try:
            return base64.b64decode(self.required(name, str), validate=True)
        except ValueError:
            raise FieldType(name, "is not base64") from None

    def hex(self, name: str) -> bytes | None:
        """Bytes in hex; an odd number of digits gets a leading zero."""
        text = self.optional(name, str)
        if text is None:
            return None
        try:
            return bytes.fromhex(text if len(text) % 2 == 0 else "0" + text)
        except ValueError:
            raise FieldType(name, "is not hex") from None

    def hex_of_size(self, name: str, size: int) -> bytes | None:
        value = self.hex(name)
        if value is not None and len(value) != size:
            raise FieldType(name, f"has {len(value)} bytes, needs {size}")
        return value


def _platform_info_blob(fields: _Fields) -> bytes | None:
    blob = fields.hex_of_size("platformInfoBlob", _BLOB_PREFIX_BYTES + _BLOB_BYTES)
    return None if blob is None else blob[_BLOB_PREFIX_BYTES:]


def _pseudonym(fields: _Fields) -> bytes | None:
    if fields.optional("epidPseudonym", str) is None:
        return None
    pseudonym = fields.base64("epidPseudonym")
    if len(pseudonym) != _PSEUDONYM_BYTES:
        raise FieldType("epidPseudonym", f"has {len(pseudonym)} bytes, needs {_PSEUDONYM_BYTES}")
    return pseudonym
