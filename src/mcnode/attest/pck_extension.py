"""The SGX extension of a processor's certificate. [docs/protocol/enclave.md#5.3]"""

import dataclasses
from typing import Any, Final, Self

from asn1crypto import core

from mcnode.attest.certificate import Certificate
from mcnode.attest.collateral_json import COMPONENT_COUNT
from mcnode.attest.errors import MissingSgxExtension

SGX_EXTENSION_OID: Final = "1.2.840.113741.1.13.1"
_TCB_OID: Final = SGX_EXTENSION_OID + ".2"
_PCE_SVN_OID: Final = _TCB_OID + ".17"
_FMSPC_OID: Final = SGX_EXTENSION_OID + ".4"
_FMSPC_BYTES: Final = 6


class Entry(core.Sequence):  # type: ignore[misc]
    """An object id with any value."""

    _fields = [("oid", core.ObjectIdentifier), ("value", core.Any)]  # noqa: RUF012


class Entries(core.SequenceOf):  # type: ignore[misc]
    """Entries, of which the first with an object id counts."""

    _child_spec = Entry


@dataclasses.dataclass(frozen=True, slots=True)
class PckExtension:
    """What a processor's certificate says about it."""

    fmspc: bytes
    """6 bytes: the family of processors."""
    component_svns: tuple[int, ...]
    """16 security versions."""
    pce_svn: int

    @classmethod
    def of(cls, leaf: Certificate) -> Self:
        """Read the extension of a leaf certificate.

        Raises:
            MissingSgxExtension: it is absent or not of the documented form.
        """
        values = [value for oid, value in leaf.extensions if oid == SGX_EXTENSION_OID]
        if not values:
            raise MissingSgxExtension("there is none")
        try:
            entries = _by_oid(Entries.load(values[0], strict=True))
            fmspc = entries[_FMSPC_OID].parse(core.OctetString).native
            tcb = _by_oid(entries[_TCB_OID].parse(Entries))
            svns = tuple(
                _unsigned(tcb[f"{_TCB_OID}.{number}"]) for number in range(1, COMPONENT_COUNT + 1)
            )
            pce_svn = _unsigned(tcb[_PCE_SVN_OID])
        except KeyError as error:
            raise MissingSgxExtension(f"no entry {error}") from None
        except (ValueError, TypeError) as error:
            raise MissingSgxExtension(str(error)) from None
        if len(fmspc) != _FMSPC_BYTES:
            raise MissingSgxExtension(f"FMSPC has {len(fmspc)} bytes, needs {_FMSPC_BYTES}")
        return cls(fmspc, svns, pce_svn)


def _by_oid(entries: Any) -> dict[str, Any]:
    """First entry of each object id."""
    found: dict[str, Any] = {}
    for entry in entries:
        found.setdefault(entry["oid"].dotted, entry["value"])
    return found


def _unsigned(value: Any) -> int:
    number = value.parse(core.Integer).native
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"version {number} is negative")
    return number
