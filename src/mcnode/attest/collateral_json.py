"""TCB info and quoting enclave identity: JSON texts signed by Intel.

[docs/protocol/enclave.md#5.3]
"""

import dataclasses
import datetime
from typing import Final, Self

from mcnode.attest.advisories import Advisories, TcbStatus
from mcnode.attest.errors import JsonError, UnsupportedTcbLevel
from mcnode.attest.strict_json import JsonObject, parse_signed

TCB_INFO_VERSION: Final = 3
QE_IDENTITY_VERSION: Final = 2
COMPONENT_COUNT: Final = 16


@dataclasses.dataclass(frozen=True, slots=True)
class SignedDates:
    """What both texts have in common: a version, dates, and the signature over the raw value."""

    version: int
    issue_date: str
    next_update: str
    raw: bytes
    """The signed bytes."""
    signature: bytes
    """r‖s, 64 bytes."""


def _signed_dates(value: JsonObject, raw: bytes, signature: bytes) -> SignedDates:
    return SignedDates(
        value.take_u32("version"),
        value.take("issueDate", str),
        value.take("nextUpdate", str),
        raw,
        signature,
    )


def unix_time(text: str) -> int:
    """Seconds since 1970 of an RFC 3339 date with time and zone, fractions cut off.

    Raises:
        JsonError: the text is not such a date.
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise JsonError(f"{text!r} is not a date of RFC 3339") from None
    if moment.tzinfo is None:
        raise JsonError(f"{text!r} has no time zone")
    return int(moment.timestamp())


def _status(value: JsonObject) -> Advisories:
    word = value.take("tcbStatus", str)
    try:
        status = TcbStatus[word]
    except KeyError:
        raise JsonError(f"unknown TCB status {word!r}") from None
    return Advisories(frozenset(value.take_texts("advisoryIDs")), status)


@dataclasses.dataclass(frozen=True, slots=True)
class TcbLevel:
    """Security versions that a processor must reach, and what then is known about it."""

    component_svns: tuple[int, ...]
    pce_svn: int
    advisories: Advisories

    def is_reached_by(self, component_svns: tuple[int, ...], pce_svn: int) -> bool:
        """Whether every version is at least that of this level."""
        pairs = zip(component_svns, self.component_svns, strict=True)
        return all(actual >= level for actual, level in pairs) and pce_svn >= self.pce_svn


@dataclasses.dataclass(frozen=True, slots=True)
class TcbInfo:
    """What is known about a family of processors."""

    signed: SignedDates
    fmspc: bytes
    levels: tuple[TcbLevel, ...]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text as Intel serves it, signature included (but not verified).

        Raises:
            JsonError: it is not of the documented form.
        """
        value, raw, signature = parse_signed(text, "tcbInfo")
        signed = _signed_dates(value, raw, signature)
        value.take("id", str)
        value.take_hex("pceId", 2)
        value.take_u32("tcbType")
        value.take_u32("tcbEvaluationDataNumber")
        levels = tuple(_tcb_level(level) for level in value.take_objects("tcbLevels"))
        return cls(signed, value.take_hex("fmspc", 6), levels)

    def advisories_for(self, component_svns: tuple[int, ...], pce_svn: int) -> Advisories:
        """Status and advisories of the first level that the versions reach.

        Raises:
            UnsupportedTcbLevel: they reach none.
        """
        for level in self.levels:
            if level.is_reached_by(component_svns, pce_svn):
                return level.advisories
        raise UnsupportedTcbLevel(component_svns, pce_svn)


def _tcb_level(level: JsonObject) -> TcbLevel:
    tcb = level.take("tcb", JsonObject)
    components = tcb.take_objects("sgxtcbcomponents")
    if len(components) != COMPONENT_COUNT:
        raise JsonError(f"TCB level has {len(components)} components, needs {COMPONENT_COUNT}")
    level.take("tcbDate", str)
    svns = tuple(component.take_u32("svn") for component in components)
    return TcbLevel(svns, tcb.take_u32("pcesvn"), _status(level))


@dataclasses.dataclass(frozen=True, slots=True)
class QeTcbLevel:
    """A security version of the quoting enclave, and what is known about it."""

    isv_svn: int
    advisories: Advisories


@dataclasses.dataclass(frozen=True, slots=True)
class QeIdentity:
    """Which quoting enclave is Intel's own."""

    signed: SignedDates
    misc_select: int
    misc_select_mask: int
    attributes: bytes
    attributes_mask: bytes
    mr_signer: bytes
    isv_prod_id: int
    levels: tuple[QeTcbLevel, ...]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text as Intel serves it, signature included (but not verified).

        Raises:
            JsonError: it is not of the documented form.
        """
        value, raw, signature = parse_signed(text, "enclaveIdentity")
        signed = _signed_dates(value, raw, signature)
        value.take("id", str)
        value.take_u32("tcbEvaluationDataNumber")
        return cls(
            signed,
            int.from_bytes(value.take_hex("miscselect", 4), "little"),
            int.from_bytes(value.take_hex("miscselectMask", 4), "little"),
            value.take_hex("attributes", 16),
            value.take_hex("attributesMask", 16),
            value.take_hex("mrsigner", 32),
            value.take_u16("isvprodid"),
            tuple(_qe_tcb_level(level) for level in value.take_objects("tcbLevels")),
        )


def _qe_tcb_level(level: JsonObject) -> QeTcbLevel:
    level.take("tcbDate", str)
    return QeTcbLevel(level.take("tcb", JsonObject).take_u16("isvsvn"), _status(level))
