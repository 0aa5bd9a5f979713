"""Verification of DCAP evidence. [docs/protocol/enclave.md#5.3]

All checks are made, whatever the first ones give, so that a refusal says everything that is wrong.
What is deliberately not checked is listed on the page above; above all, no certificate's dates.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from mcnode.attest.advisories import TcbStatus
from mcnode.attest.certificate import (
    Certificate,
    ChainError,
    PublicKey,
    RevocationList,
    Signed,
    check_chain,
)
from mcnode.attest.collateral_json import (
    QE_IDENTITY_VERSION,
    TCB_INFO_VERSION,
    SignedDates,
    unix_time,
)
from mcnode.attest.errors import AttestationError, VerificationError
from mcnode.attest.evidence import Evidence
from mcnode.attest.identity import TrustedIdentity
from mcnode.attest.quote3 import Quote

_P256: Final = ec.SECP256R1()


class CheckFailed(AttestationError):
    """One of the checks does not hold."""


@dataclasses.dataclass(frozen=True, slots=True)
class DcapVerifier:
    """What a verifier trusts.

    Args:
        anchor: the only root that chains may lead to.
        identities: which enclaves are trusted; none of them means that no evidence is accepted.
        allow_debug: whether enclaves whose memory can be read from outside are tolerated.
    """

    anchor: Certificate
    identities: Sequence[TrustedIdentity]
    allow_debug: bool

    def check(self, evidence: Evidence, time_unix: int | None = None) -> None:
        """Make every check, with validity of the JSON texts at a time or, without one, at none.

        Raises:
            VerificationError: at least one does not hold; the text has a line for each.
        """
        checks: tuple[tuple[str, Callable[[], None]], ...] = (
            ("TCB info issuer chain", lambda: self._check_tcb_info_chain(evidence)),
            ("QE identity issuer chain", lambda: self._check_qe_identity_chain(evidence)),
            ("PCK chain", lambda: self._check_pck_chain(evidence)),
            ("TCB info", lambda: _check_tcb_info(evidence, time_unix)),
            ("QE identity", lambda: _check_qe_identity(evidence, time_unix)),
            ("QE report body", lambda: _check_qe_report_body(evidence)),
            ("quote", lambda: _check_quote(evidence.quote, evidence.pck_chain[0])),
            ("enclave identity", lambda: self._check_identity(evidence)),
            ("report data", lambda: _check_report_data(evidence)),
            ("debug flag", lambda: self._check_debug_flag(evidence.quote)),
        )
        lines = [_outcome(name, check) for name, check in checks]
        if any(not held for held, _ in lines):
            raise VerificationError("\n".join(text for _, text in lines))

    def _check_tcb_info_chain(self, evidence: Evidence) -> None:
        self._check_chain(evidence.collateral.tcb_info_chain, (evidence.collateral.root_crl,))

    def _check_qe_identity_chain(self, evidence: Evidence) -> None:
        self._check_chain(evidence.collateral.qe_identity_chain, (evidence.collateral.root_crl,))

    def _check_pck_chain(self, evidence: Evidence) -> None:
        lists = (evidence.collateral.root_crl, evidence.collateral.pck_crl)
        self._check_chain(evidence.pck_chain, lists)

    def _check_chain(self, chain: Sequence[Certificate], lists: Sequence[RevocationList]) -> None:
        try:
            check_chain(chain, self.anchor, lists)
        except ChainError as error:
            raise CheckFailed(str(error)) from None

    def _check_identity(self, evidence: Evidence) -> None:
        body = evidence.quote.report_body
        reasons = []
        for identity in self.identities:
            if not identity.describes(body):
                reasons.append(f"not {identity}")
            elif not identity.advisories.allow(evidence.advisories):
                reasons.append(f"{evidence.advisories}, tolerated {identity.advisories}")
            else:
                return
        found = (
            f"MRENCLAVE {body.mr_enclave.hex()} MRSIGNER {body.mr_signer.hex()} "
            f"product {body.isv_prod_id} version {body.isv_svn}"
        )
        raise CheckFailed("; ".join([found, *reasons]))

    def _check_debug_flag(self, quote: Quote) -> None:
        if quote.report_body.is_debug and not self.allow_debug:
            raise CheckFailed("enclave can be debugged")


def _outcome(name: str, check: Callable[[], None]) -> tuple[bool, str]:
    try:
        check()
    except AttestationError as error:
        return False, f"[ ] {name}: {error}"
    return True, f"[x] {name}"


def _check_tcb_info(evidence: Evidence, time_unix: int | None) -> None:
    key = evidence.collateral.tcb_info_chain[0].public_key()
    _check_signed_dates(evidence.tcb_info.signed, TCB_INFO_VERSION, key, time_unix)


def _check_qe_identity(evidence: Evidence, time_unix: int | None) -> None:
    key = evidence.collateral.qe_identity_chain[0].public_key()
    _check_signed_dates(evidence.qe_identity.signed, QE_IDENTITY_VERSION, key, time_unix)


def _check_signed_dates(
    signed: SignedDates, version: int, key: PublicKey, time_unix: int | None
) -> None:
    _check_signature(signed.raw, signed.signature, key)
    if signed.version != version:
        raise CheckFailed(f"has version {signed.version}, needs {version}")
    if time_unix is None:
        return
    if time_unix < unix_time(signed.issue_date):
        raise CheckFailed(f"not yet valid at {time_unix}, issued {signed.issue_date}")
    if time_unix >= unix_time(signed.next_update):
        raise CheckFailed(f"expired at {time_unix}, valid until {signed.next_update}")


def _check_qe_report_body(evidence: Evidence) -> None:
    body, identity = evidence.quote.qe_report_body, evidence.qe_identity
    if body.mr_signer != identity.mr_signer:
        raise CheckFailed(f"MRSIGNER is {body.mr_signer.hex()}, needs {identity.mr_signer.hex()}")
    if body.isv_prod_id != identity.isv_prod_id:
        raise CheckFailed(f"product is {body.isv_prod_id}, needs {identity.isv_prod_id}")
    if (body.misc_select ^ identity.misc_select) & identity.misc_select_mask:
        raise CheckFailed(f"misc select is {body.misc_select:x}, needs {identity.misc_select:x}")
    if _masked_difference(body.attributes, identity.attributes, identity.attributes_mask):
        raise CheckFailed(
            f"attributes are {body.attributes.hex()}, need {identity.attributes.hex()}"
        )
    levels = sorted(identity.levels, key=lambda level: level.isv_svn, reverse=True)
    level = next((level for level in levels if level.isv_svn <= body.isv_svn), None)
    if level is None:
        raise CheckFailed(f"version {body.isv_svn} is below every level")
    if level.advisories.status is not TcbStatus.UpToDate or level.advisories.ids:
        raise CheckFailed(f"version {body.isv_svn} is {level.advisories}")


def _masked_difference(found: bytes, expected: bytes, mask: bytes) -> int:
    first, second, kept = (int.from_bytes(value, "little") for value in (found, expected, mask))
    return (first ^ second) & kept


def _check_quote(quote: Quote, pck_leaf: Certificate) -> None:
    _check_signature(quote.qe_report, quote.qe_report_signature, pck_leaf.public_key())
    bound = hashlib.sha256(quote.attestation_key + quote.auth_data).digest() + bytes(32)
    if quote.qe_report_body.report_data != bound:
        raise CheckFailed("quoting enclave does not vouch for the attestation key")
    point = b"\x04" + quote.attestation_key
    key = ec.EllipticCurvePublicKey.from_encoded_point(_P256, point)
    _check_signature(quote.signed, quote.isv_signature, key)


def _check_report_data(evidence: Evidence) -> None:
    found = evidence.quote.report_body.report_data[:32]
    expected = evidence.report_data.sha256()
    if found != expected:
        raise CheckFailed(f"report data is {found.hex()}, its contents hash to {expected.hex()}")


def _check_signature(body: bytes, signature: bytes, key: PublicKey) -> None:
    """Check an ECDSA-P256-SHA256 signature of the form r‖s."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    signed = Signed(body, "sha256_ecdsa", encode_dss_signature(r, s))
    on_p256 = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == _P256.name
    if not on_p256 or not signed.is_signed_by(key):
        raise CheckFailed("signature does not verify")
