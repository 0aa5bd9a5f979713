"""Simulated attestation: real chains and signatures under a root that anybody can have.

[docs/protocol/enclave.md#6]

The root's key is a function of a public seed, so every program of a simulated network can issue
evidence that all others accept, and none of it proves anything about privacy. The verifier is the
same as for real evidence; only its anchor differs. Real and simulated anchors are never accepted
together.
"""

import dataclasses
import datetime
import hashlib
import json
from typing import Any, Final, Self

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from mcnode.attest.certificate import Certificate
from mcnode.attest.messages import Collateral
from mcnode.attest.pck_extension import SGX_EXTENSION_OID, Entries, Entry
from mcnode.attest.quote3 import CERTIFICATION_PEM_CHAIN, QUOTE_VERSION, QuoteHeader
from mcnode.attest.report import ReportBody
from mcnode.crypto.rng import Hc128Rng, RandomBytes

SEED_BYTES: Final = 32
DEFAULT_SEED: Final = bytes(SEED_BYTES)
BACKDATED_S: Final = 3600
"""Documents are dated an hour back, for clients whose clocks are late."""
VALID_DAYS: Final = 30

_P256: Final = ec.SECP256R1()
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ATT_KEY_ECDSA_P256: Final = 2
_FMSPC: Final = bytes.fromhex("0123456789AB")
_QE_MR_SIGNER: Final = bytes.fromhex(
    "1234567890ABCDEFFEDCBA09876543211234567890ABCDEFFEDCBA0987654321"
)
_TCB_DATE: Final = "2021-11-10T00:00:00Z"
_EVALUATION_NUMBER: Final = 12
_ROOT_NAME: Final = "Simulation Intel SGX Attestation Report Signing CA"
_LEAF_NAME: Final = "Simulation Intel SGX Attestation Report Signer"
_ROOT_DATES: Final = tuple(datetime.datetime(y, 1, 1, tzinfo=datetime.UTC) for y in (2020, 2049))
"""Nobody looks at them; fixed, so that the root certificate of a seed is always the same."""


def root_private_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """The root's key: the first 32 bytes of the seed's HC-128 stream that are a P-256 scalar."""
    stream = Hc128Rng(seed)
    while True:
        scalar = int.from_bytes(stream(32), "big")
        if 0 < scalar < _P256_ORDER:
            return ec.derive_private_key(scalar, _P256)


def simulation_anchor(seed: bytes = DEFAULT_SEED) -> Certificate:
    """The trust anchor of simulated evidence made under a seed."""
    return Certificate.from_der(_root_certificate(seed).public_bytes(Encoding.DER))


@dataclasses.dataclass(frozen=True, slots=True)
class SimulatedPlatform:
    """A simulated processor with its quoting enclave and the documents about both.

    To be made anew when its documents get old: they are valid for 30 days.
    """

    collateral: Collateral
    _leaf_key: ec.EllipticCurvePrivateKey = dataclasses.field(repr=False)
    _chain_pem: bytes = dataclasses.field(repr=False)

    @classmethod
    def issue(cls, seed: bytes, now_unix: int, random_bytes: RandomBytes) -> Self:
        """Issue a processor certificate and documents under the seed's root.

        Args:
            seed: 32 bytes, public.
            now_unix: the present, in seconds.
            random_bytes: where keys are drawn from.
        """
        root_key, root = root_private_key(seed), _root_certificate(seed)
        leaf_key = _random_key(random_bytes)
        issued = datetime.datetime.fromtimestamp(now_unix - BACKDATED_S, datetime.UTC)
        until = issued + datetime.timedelta(days=VALID_DAYS)
        leaf = _leaf_certificate(leaf_key, root_key, issued, until)
        chain = tuple(certificate.public_bytes(Encoding.DER) for certificate in (leaf, root))
        pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in (leaf, root))
        crl = _unrelated_crl(leaf_key, issued, until)
        dates = {"issueDate": _rfc3339(issued), "nextUpdate": _rfc3339(until)}
        collateral = Collateral(
            pck_crl_issuer_chain=chain,
            root_ca_crl=crl,
            pck_crl=crl,
            tcb_info_issuer_chain=chain,
            tcb_info=_signed_json("tcbInfo", _tcb_info(dates), leaf_key),
            qe_identity_issuer_chain=chain,
            qe_identity=_signed_json("enclaveIdentity", _qe_identity(dates), leaf_key),
        )
        return cls(collateral, leaf_key, pem)

    def quote(self, body: ReportBody, random_bytes: RandomBytes) -> bytes:
        """A quote for a report body, under a fresh attestation key."""
        attestation_key = _random_key(random_bytes)
        point = attestation_key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )[1:]
        qe_body = ReportBody(
            mr_signer=_QE_MR_SIGNER, report_data=hashlib.sha256(point).digest() + bytes(32)
        ).to_bytes()
        header = QuoteHeader(QUOTE_VERSION, _ATT_KEY_ECDSA_P256, 0, 0, 0, bytes(16), bytes(20))
        signed = header.to_bytes() + body.to_bytes()
        certification = self._chain_pem + b"\0"
        signature_data = b"".join(
            (
                _sign(attestation_key, signed),
                point,
                qe_body,
                _sign(self._leaf_key, qe_body),
                (0).to_bytes(2, "little"),
                CERTIFICATION_PEM_CHAIN.to_bytes(2, "little"),
                len(certification).to_bytes(4, "little"),
                certification,
            )
        )
        return signed + len(signature_data).to_bytes(4, "little") + signature_data


def _random_key(random_bytes: RandomBytes) -> ec.EllipticCurvePrivateKey:
    scalar = int.from_bytes(random_bytes(48), "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, _P256)


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """r‖s, 64 bytes."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _name(common_name: str) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, "US"),
        (NameOID.STATE_OR_PROVINCE_NAME, "CA"),
        (NameOID.LOCALITY_NAME, "Santa Clara"),
        (NameOID.ORGANIZATION_NAME, "Intel Corporation"),
        (NameOID.COMMON_NAME, common_name),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _key_usage(*uses: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{use: use in uses for use in every})


def _root_certificate(seed: bytes) -> x509.Certificate:
    key = root_private_key(seed)
    name = _name(_ROOT_NAME)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_ROOT_DATES[0])
        .not_valid_after(_ROOT_DATES[1])
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
    )
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)


def _leaf_certificate(
    key: ec.EllipticCurvePrivateKey,
    root_key: ec.EllipticCurvePrivateKey,
    issued: datetime.datetime,
    until: datetime.datetime,
) -> x509.Certificate:
    sgx = x509.UnrecognizedExtension(x509.ObjectIdentifier(SGX_EXTENSION_OID), _sgx_extension())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(_LEAF_NAME))
        .issuer_name(_name(_ROOT_NAME))
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(issued)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .add_extension(_key_usage("digital_signature", "content_commitment"), critical=True)
        .add_extension(sgx, critical=False)
    )
    return builder.sign(root_key, hashes.SHA256())


def _sgx_extension() -> bytes:
    """The extension that describes the processor: every security version is 0."""

    def entry(suffix: str, value: Any) -> Entry:
        return Entry({"oid": f"{SGX_EXTENSION_OID}.{suffix}", "value": value})

    versions = [entry(f"2.{number}", core.Integer(0)) for number in range(1, 18)]
    tcb = Entries([*versions, entry("2.18", core.OctetString(b"0" * 16))])
    entries = [
        entry("1", core.OctetString(b"1234562890123456")),
        entry("2", tcb),
        entry("3", core.OctetString(b"12")),
        entry("4", core.OctetString(_FMSPC)),
        entry("5", core.Enumerated.load(b"\x0a\x01\x00")),
    ]
    encoded: bytes = Entries(entries).dump()
    return encoded


def _unrelated_crl(
    key: ec.EllipticCurvePrivateKey, issued: datetime.datetime, until: datetime.datetime
) -> bytes:
    """A revocation list that applies to nobody: no certificate here is by its issuer."""
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulation Revocation List")])
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(issued)
        .next_update(until)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _rfc3339(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _tcb_info(dates: dict[str, str]) -> dict[str, Any]:
    components = [{"svn": 0} for _ in range(16)]
    level = {"tcb": {"sgxtcbcomponents": components, "pcesvn": 0}}
    return {
        "id": "SGX",
        "version": 3,
        **dates,
        "fmspc": _FMSPC.hex().upper(),
        "pceId": "0000",
        "tcbType": 0,
        "tcbEvaluationDataNumber": _EVALUATION_NUMBER,
        "tcbLevels": [{**level, "tcbDate": _TCB_DATE, "tcbStatus": "UpToDate"}],
    }


def _qe_identity(dates: dict[str, str]) -> dict[str, Any]:
    level = {"tcb": {"isvsvn": 0}, "tcbDate": _TCB_DATE, "tcbStatus": "UpToDate"}
    return {
        "id": "QE",
        "version": 2,
        **dates,
        "tcbEvaluationDataNumber": _EVALUATION_NUMBER,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "00" * 16,
        "attributesMask": "FF" * 16,
        "mrsigner": _QE_MR_SIGNER.hex().upper(),
        "isvprodid": 0,
        "tcbLevels": [level],
    }


def _signed_json(member: str, value: dict[str, Any], key: ec.EllipticCurvePrivateKey) -> str:
    """The value without white space, and its signature, as the collateral carries both."""
    inner = json.dumps(value, separators=(",", ":"))
    return f'{{"{member}":{inner},"signature":"{_sign(key, inner.encode()).hex()}"}}'
