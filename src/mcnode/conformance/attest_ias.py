"""Runs the vectors of reports of the older attestation service. [docs/protocol/enclave.md#5.5]"""

from collections.abc import Mapping
from typing import Any

from mcnode.attest.advisories import Advisories, TcbStatus
from mcnode.attest.certificate import parse_pem_chain
from mcnode.attest.errors import AttestationError, VerificationError
from mcnode.attest.ias import IasVerifier
from mcnode.attest.ias_report import IasReportBody
from mcnode.attest.identity import TrustedIdentity, TrustedMrEnclave, TrustedMrSigner
from mcnode.attest.messages import VerificationReport
from mcnode.codec import protobuf
from mcnode.conformance.attest import expect_epid_quote, from_base64, sibling_json
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect_equal,
    read_unpacked,
    runs,
)

Json = Mapping[str, Any]
_ANCHOR_FILE = "AttestationReportSigningCACert.pem"


def _report_of(case: Json) -> VerificationReport:
    return VerificationReport(
        sig=bytes.fromhex(case["sig_hex"]),
        chain=tuple(from_base64(der) for der in case["chain_der_b64"]),
        http_body=case["http_body"],
    )


def _verifier(file: VectorFile, identities: list[TrustedIdentity], *, debug: bool) -> IasVerifier:
    anchor = parse_pem_chain(read_unpacked(file.sibling(_ANCHOR_FILE)))[0]
    return IasVerifier([anchor], identities, allow_debug=debug)


def _identity(case: Json, kind: str, measurement: str) -> TrustedIdentity:
    advisories = Advisories(frozenset(case["advisories"]), TcbStatus[case["advisory_status"]])
    if kind == "mr_enclave":
        return TrustedMrEnclave(bytes.fromhex(measurement), advisories)
    return TrustedMrSigner(
        bytes.fromhex(measurement), case["product_id"], case["minimum_svn"], advisories
    )


@runs("attest", r"ias/bodies[^/]*\.jsonl")
def bodies(file: VectorFile, report: Report) -> None:
    """Bodies and their parsed fields."""
    for case in file.json_lines():
        with report.case(case["name"]):
            _expect_body(IasReportBody.from_json(case["http_body"]), case["expect"])


def _expect_body(body: IasReportBody, expected: Json) -> None:
    for name in ("id", "timestamp", "version", "quote_status", "advisory_url"):
        expect_equal(name, getattr(body, name), expected[name])
    expect_equal("advisories", list(body.advisory_ids), expected["advisory_ids"])
    expect_equal("nonce", body.nonce and body.nonce.hex(), expected["nonce"])
    blob = expected.get("platform_info_blob_hex_without_4_byte_prefix")
    expect_equal("blob", body.platform_info_blob and body.platform_info_blob.hex(), blob)
    expect_epid_quote(body.quote, expected["quote"])


@runs("attest", r"ias/status_cases[^/]*\.jsonl")
def status_cases(file: VectorFile, report: Report) -> None:
    """Which statuses an identity tolerates."""
    bodies_by_name = {
        case["name"]: case["http_body"]
        for case in VectorFile(file.sibling("bodies.jsonl"), "attest", "ias/bodies").json_lines()
    }
    for case in file.json_lines():
        with report.case(case["name"]):
            identity = _identity(case, case["kind"], case["measurement"])
            body = IasReportBody.from_json(bodies_by_name[case["body"]])
            try:
                IasVerifier((), [identity], allow_debug=True).check_identity(body)
            except VerificationError:
                expect_equal("accepted", False, case["expect"])
            else:
                expect_equal("accepted", True, case["expect"])


@runs("attest", r"ias/report_verifier_cases[^/]*\.jsonl")
def report_verifier_cases(file: VectorFile, report: Report) -> None:
    """Which identities accept a real report."""
    for case in file.json_lines():
        with report.case(case["name"]):
            signed = _report_of(sibling_json(file, f"{case['report']}.json"))
            identities = [
                _identity(entry, kind, entry[kind])
                for entry in case["identities"]
                for kind in ("mr_enclave", "mr_signer")
                if kind in entry
            ]
            verifier = _verifier(file, identities, debug=case.get("allow_debug", True))
            nonce = bytes.fromhex(case["nonce"]) if "nonce" in case else None
            try:
                verifier.check(signed, nonce=nonce)
            except AttestationError:
                if case["expect"]:
                    raise
            else:
                expect_equal("accepted", True, case["expect"])


@runs("attest", r"ias/signed_report[^/]*\.json")
def signed_report(file: VectorFile, report: Report) -> None:
    """A real report verifies, and does not with one character changed."""
    case = file.json()
    signed = _report_of(case)
    verifier = _verifier(file, [], debug=True)
    with report.case("verifies"):
        body = verifier.check(signed)
        expected = case["expect"]
        expect_equal("status", body.quote_status, expected["quote_status"])
        expect_equal("advisories", list(body.advisory_ids), expected["advisory_ids"])
        expect_equal("nonce", body.nonce and body.nonce.hex(), expected["nonce"])
        expect_equal("version", body.version, expected["version"])
    with report.case("round trip"):
        again = protobuf.decode(VerificationReport, protobuf.encode(signed))
        expect_equal("report", again, signed)
    with report.case("altered"):
        altered = VerificationReport(signed.sig, signed.chain, signed.http_body + " ")
        try:
            verifier.check(altered)
        except AttestationError:
            return
        raise MismatchError("an altered body is accepted")
