"""Runs the vectors of quotes, certificates and evidence. [docs/protocol/enclave.md#5]"""

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from mcnode.attest.advisories import mitigated_advisories
from mcnode.attest.certificate import Certificate, RevocationList, check_chain, parse_pem_chain
from mcnode.attest.collateral_json import QeIdentity, TcbInfo
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.epid_quote import EpidQuote
from mcnode.attest.errors import (
    ConversionError,
    EvidenceError,
    VerificationError,
)
from mcnode.attest.evidence import Evidence
from mcnode.attest.identity import TrustedIdentity, TrustedMrEnclave, TrustedMrSigner
from mcnode.attest.messages import DcapEvidence, EvidenceMessage
from mcnode.attest.pck_extension import PckExtension
from mcnode.attest.report import ReportBody
from mcnode.attest.sigstruct import Sigstruct
from mcnode.attest.simulation import simulation_anchor
from mcnode.codec import protobuf
from mcnode.codec.errors import DecodeError
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect_equal,
    read_unpacked,
    runs,
)

Json = Mapping[str, Any]


def from_base64(text: str) -> bytes:
    """Standard base64, strictly."""
    return base64.b64decode(text, validate=True)


def sibling_json(file: VectorFile, relative: str) -> Any:
    """A JSON file that `file` refers to."""
    return json.loads(read_unpacked(file.sibling(relative)))


def _simulation_root(file: VectorFile) -> Certificate:
    """The root that the genuine evidences lead to."""
    files = sibling_json(file, "sim_files.json")
    return parse_pem_chain(files["root_anchor_pem"].encode())[0]


def _stage_of(accept: Callable[[], None]) -> str | None:
    """At which stage evidence is refused, None when it is accepted."""
    try:
        accept()
    except DecodeError:
        return "decode"
    except ConversionError:
        return "convert"
    except EvidenceError:
        return "evidence"
    except VerificationError:
        return "verify"
    return None


def _verify(verifier: DcapVerifier, data: bytes, time_unix: int | None) -> None:
    message = protobuf.decode(DcapEvidence, data)
    verifier.check(Evidence.from_message(message), time_unix)


_TOLD_AS: Final = {
    "decode": "AttestationEvidenceDeserialization",
    "convert": "AttestationEvidenceDeserialization",
    "evidence": "AttestationEvidenceVerification",
    "verify": "AttestationEvidenceVerification",
}
"""The error of a handshake that evidence refused at a stage gives: all that the other side and the
caller can tell apart."""


def _refused_at(verifier: DcapVerifier, data: bytes, time_unix: int | None) -> str | None:
    return _stage_of(lambda: _verify(verifier, data, time_unix))


@runs("attest", r"genuine/verdicts(?!_base)[^/]*\.jsonl")
def verdicts(file: VectorFile, report: Report) -> None:
    """Altered evidence: accepted, or refused at the expected stage."""
    base = sibling_json(file, "verdicts_base.json")
    evidence = from_base64(base["base_evidence_prost_b64"])
    advisories = mitigated_advisories(
        base["mitigated_config_advisories"], base["mitigated_hardening_advisories"]
    )
    identities: dict[str, TrustedIdentity] = {
        "mre": TrustedMrEnclave(bytes.fromhex(base["mr_enclave_hex"]), advisories),
        "mrs": TrustedMrSigner(bytes.fromhex(base["mr_signer_hex"]), 1, 10, advisories),
    }
    anchor = _simulation_root(file)
    for case in file.json_lines():
        with report.case(case["name"]):
            data = evidence
            for offset, length, replacement in case["splice"]:
                data = data[:offset] + from_base64(replacement) + data[offset + length :]
            verifier = DcapVerifier(anchor, [identities[case["identity"]]], allow_debug=True)
            stage = _refused_at(verifier, data, case["time_unix"])
            expect_equal("accepted", stage is None, case["accept"])
            if case["accept"]:
                continue
            expect_equal("told as", _TOLD_AS[stage or ""], _TOLD_AS[case["stage"]])
            if stage != case["stage"]:
                report.notes.append(f"{case['name']}: refused at {stage}, not {case['stage']}")


@runs("attest", r"genuine/verdicts_base[^/]*\.json")
def verdicts_base(file: VectorFile, report: Report) -> None:
    """The unaltered evidence is what it is said to be."""
    base = file.json()
    with report.case("base evidence"):
        message = protobuf.decode(DcapEvidence, from_base64(base["base_evidence_prost_b64"]))
        body = Evidence.from_message(message).quote.report_body
        _expect_measurement(body, base)


def _expect_measurement(body: ReportBody, case: Json) -> None:
    expect_equal("mr_enclave", body.mr_enclave.hex(), case["mr_enclave_hex"])
    expect_equal("mr_signer", body.mr_signer.hex(), case["mr_signer_hex"])
    expect_equal("product", body.isv_prod_id, case["isv_prod_id"])
    expect_equal("version", body.isv_svn, case["isv_svn"])


@runs("attest", r"genuine/evidence[^/]*\.jsonl")
def evidence(file: VectorFile, report: Report) -> None:
    """Complete evidence: its bytes, and which identities and times accept it."""
    anchor = _simulation_root(file)
    for case in file.json_lines():
        data = from_base64(case["dcap_evidence_prost_b64"])
        with report.case(case["name"]):
            _check_evidence_bytes(case, data)
        for check in case["checks"]:
            with report.case(f"{case['name']} {check['check']}"):
                identities = _identities_of(check["check"], case)
                verifier = DcapVerifier(anchor, identities, allow_debug=True)
                stage = _refused_at(verifier, data, check["time"])
                expect_equal("accepted", stage is None, check["ok"])


def _check_evidence_bytes(case: Json, data: bytes) -> None:
    message = protobuf.decode(DcapEvidence, data)
    expect_equal("re-encoded", protobuf.encode(message).hex(), data.hex())
    wrapped = protobuf.encode(EvidenceMessage(message))
    expect_equal("wrapped", wrapped.hex(), from_base64(case["evidence_kind_bytes_b64"]).hex())
    parts = Evidence.from_message(message)
    body = parts.quote.report_body
    _expect_measurement(body, case)
    expect_equal("flags", body.flags, case["flags"])
    expect_equal("xfrm", body.xfrm, case["xfrm"])
    contents = parts.report_data
    expect_equal("key", contents.key.hex(), case["kex_public_hex"])
    expect_equal("nonce", contents.nonce.hex(), case["nonce_hex"])
    custom = contents.custom_identity
    expect_equal("identity", custom.hex() if custom else None, case["custom_identity_hex"])
    expect_equal("contents", contents.sha256().hex(), case["report_data_sha256_hex"])
    expect_equal("report data", body.report_data[:32].hex(), case["report_data_sha256_hex"])


def _identities_of(check: str, case: Json) -> list[TrustedIdentity]:
    advisories = mitigated_advisories((), case["mitigated_hardening_advisories"])
    mr_enclave = bytes.fromhex(case["mr_enclave_hex"])
    wrong = TrustedMrEnclave(bytes([mr_enclave[0] ^ 1]) + mr_enclave[1:], advisories)
    right = TrustedMrEnclave(mr_enclave, advisories)
    product, version = case["isv_prod_id"], case["isv_svn"]
    signers = {
        "mr_signer_exact": (product, version),
        "mr_signer_lower_svn": (product, max(version - 1, 0)),
        "mr_signer_higher_svn": (product, version + 1),
        "mr_signer_other_product": (product + 1, version),
    }
    if check in signers:
        return [TrustedMrSigner(bytes.fromhex(case["mr_signer_hex"]), *signers[check], advisories)]
    lists: dict[str, list[TrustedIdentity]] = {
        "mr_enclave_wrong": [wrong],
        "two_identities_second_matches": [wrong, right],
        "no_identity": [],
    }
    if not check.startswith("mr_enclave") and check not in lists:
        raise MismatchError(f"check {check} is not documented")
    return lists.get(check, [right])


@runs("attest", r"genuine/sim_files[^/]*\.json")
def simulation_files(file: VectorFile, report: Report) -> None:
    """What a simulated build made: our root has its key, its chain and documents verify."""
    files = file.json()
    root = parse_pem_chain(files["root_anchor_pem"].encode())[0]
    chain = parse_pem_chain(files["chain_pem"].encode())
    ours = simulation_anchor(bytes.fromhex(files["mc_seed_hex"]))
    with report.case("root"):
        expect_equal("name", ours.subject, root.subject)
        expect_equal("key", ours.public_key_der.hex(), root.public_key_der.hex())
    with report.case("chain"):
        crl = RevocationList.from_der(from_base64(files["crl_der_b64"]))
        check_chain(chain, root, [crl])
        check_chain(chain, ours, [crl])
    with report.case("processor"):
        processor = PckExtension.of(chain[0])
        expect_equal("fmspc", processor.fmspc, TcbInfo.from_json(files["tcb_info"]).fmspc)
        QeIdentity.from_json(files["qe_identity"])


@runs("attest", r"sim/sim_evidence[^/]*\.json")
def simulated_evidence(file: VectorFile, report: Report) -> None:
    """Evidence made by the sheet's rules: accepted, and refused with any part altered."""
    case = file.json()
    data = from_base64(case["dcap_evidence_prost_b64"])
    root = parse_pem_chain(case["root_anchor_pem"].encode())[0]
    identity = TrustedMrEnclave(bytes.fromhex(case["mr_enclave_hex"]))
    verifier = DcapVerifier(root, [identity], allow_debug=True)
    with report.case("accepted"):
        _verify(verifier, data, None)
        _verify(DcapVerifier(simulation_anchor(), [identity], allow_debug=True), data, None)
    with report.case("fields"):
        message = protobuf.decode(DcapEvidence, data)
        parts = Evidence.from_message(message)
        _expect_measurement(parts.quote.report_body, case)
        wrapped = protobuf.encode(EvidenceMessage(message)).hex()
        expect_equal("wrapped", wrapped, from_base64(case["evidence_kind_bytes_b64"]).hex())
        expect_equal("quote", message.quote and message.quote.data, from_base64(case["quote_b64"]))
    with report.case("not after the dates"):
        stage = _refused_at(verifier, data, 1 << 32)
        expect_equal("stage", stage, "verify")


@runs("attest", r"(css|genuine)/[^/]+\.css")
def sigstruct(file: VectorFile, report: Report) -> None:
    """A SIGSTRUCT parses, and to the fields beside it if there are any."""
    with report.case(file.name):
        parsed = Sigstruct.from_bytes(file.read_bytes())
        expected = file.path.with_suffix(".expect.json")
        if expected.exists():
            _expect_sigstruct(parsed, json.loads(read_unpacked(expected)))


@runs("attest", r"css/[^/]+\.expect\.json")
def sigstruct_fields(file: VectorFile, report: Report) -> None:
    """The fields of a SIGSTRUCT."""
    name = Path(file.name).name.removesuffix(".expect.json") + ".css"
    with report.case(name):
        _expect_sigstruct(Sigstruct.from_bytes(read_unpacked(file.sibling(name))), file.json())


def _expect_sigstruct(parsed: Sigstruct, expected: Json) -> None:
    expect_equal("vendor", parsed.vendor.to_bytes(4, "little").hex(), expected["vendor"])
    expect_equal("date", f"{parsed.date:08x}", expected["date_bcd"])
    expect_equal("swdefined", parsed.swdefined.hex(), expected["swdefined"])
    expect_equal("mrsigner", parsed.mr_signer.hex(), expected["modulus_sha256_mrsigner"])
    expect_equal("exponent", parsed.exponent, expected["exponent"])
    expect_equal("misc", f"{parsed.misc_select:08x}", expected["miscselect"])
    expect_equal("misc mask", f"{parsed.misc_mask:08x}", expected["miscmask"])
    expect_equal("attributes", parsed.attributes.hex(), expected["attributes"])
    expect_equal("attribute mask", parsed.attribute_mask.hex(), expected["attributemask"])
    expect_equal("mrenclave", parsed.mr_enclave.hex(), expected["mrenclave"])
    expect_equal("product", parsed.isv_prod_id, expected["isvprodid"])
    expect_equal("version", parsed.isv_svn, expected["isvsvn"])


@runs("attest", r"epid_quotes/[^/]+\.jsonl")
def epid_quotes(file: VectorFile, report: Report) -> None:
    """EPID quotes and their fields."""
    for case in file.json_lines():
        with report.case(case["name"]):
            expect_epid_quote(EpidQuote.from_bytes(from_base64(case["quote_b64"])), case["expect"])


def expect_epid_quote(quote: EpidQuote, expected: Json) -> None:
    """Compare a quote with its documented fields."""
    for name in ("version", "sign_type", "qe_svn", "pce_svn", "xeid"):
        expect_equal(name, getattr(quote, name), expected[name])
    expect_equal("group", quote.epid_group_id.hex(), expected["epid_group_id"])
    shown = f"{int.from_bytes(quote.epid_group_id, 'little'):08x}"
    expect_equal("group as shown", shown, expected["epid_group_id_display"])
    expect_equal("basename", quote.basename.hex(), expected["basename"])
    expect_equal("signature length", len(quote.signature), expected["signature_len"])
    expect_report_body(quote.report_body, expected["report_body"])


def expect_report_body(body: ReportBody, expected: Json) -> None:
    """Compare a report body with its documented fields."""
    for name, value in expected.items():
        found = getattr(body, name)
        expect_equal(name, found.hex() if isinstance(found, bytes) else found, value)
