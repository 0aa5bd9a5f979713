"""Runs the vectors of real DCAP documents and certificates. [docs/protocol/enclave.md#5.3]"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcnode.attest.advisories import Advisories, TcbStatus, mitigated_advisories
from mcnode.attest.certificate import RevocationList, check_chain, parse_pem_chain
from mcnode.attest.collateral_json import QeIdentity, TcbInfo, TcbLevel
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.errors import (
    AttestationError,
    ConversionError,
    UnsupportedTcbLevel,
    VerificationError,
)
from mcnode.attest.evidence import CollateralParts, Evidence, ReportDataContents
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.pck_extension import PckExtension
from mcnode.attest.quote3 import Quote
from mcnode.conformance.attest import expect_report_body
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    read_unpacked,
    runs,
)

Json = Mapping[str, Any]


@runs("attest", r"dcap/[^/]*quote[^/]*\.expect\.json")
def hardware_quote(file: VectorFile, report: Report) -> None:
    """A real quote: fields, chain, level, and every check with the real documents."""
    expected = file.json()
    name = Path(file.name).name.removesuffix(".expect.json") + ".dat"
    quote = Quote.from_bytes(read_unpacked(file.sibling(name)))
    with report.case("quote fields"):
        _expect_quote(quote, expected)
    with report.case("TCB level"):
        _expect_level(file, quote, expected)
    with report.case("every check"):
        _check_hardware_evidence(file, quote, expected, None)
    with report.case("out of date"):
        try:
            _check_hardware_evidence(file, quote, expected, 1 << 32)
        except VerificationError:
            return
        raise MismatchError("documents are accepted after their dates")


def _expect_quote(quote: Quote, expected: Json) -> None:
    for name, value in expected["header"].items():
        found = getattr(quote.header, name)
        expect_equal(name, found.hex() if isinstance(found, bytes) else found, value)
    expect_report_body(quote.report_body, expected["app_report_body"])
    expect_report_body(quote.qe_report_body, expected["qe_report_body"])
    expect_equal("auth data", quote.auth_data.hex(), expected["qe_auth_data"])
    expect_equal("key", quote.attestation_key.hex(), expected["attestation_key_xy"])
    expect_equal("type", quote.certification_type, expected["certification_data_type"])
    expect_equal("size", len(quote.certification_data), expected["certification_data_len"])
    chain = parse_pem_chain(quote.certification_data)
    expect_equal("chain length", len(chain), len(expected["pck_chain_subjects"]))


def _expect_level(file: VectorFile, quote: Quote, expected: Json) -> None:
    processor = PckExtension.of(parse_pem_chain(quote.certification_data)[0])
    extension = expected["pck_extension"]
    expect_equal("fmspc", processor.fmspc.hex(), extension["fmspc"])
    expect_equal("svns", list(processor.component_svns), extension["component_svns"])
    expect_equal("pce svn", processor.pce_svn, extension["pce_svn"])
    info = TcbInfo.from_json(read_unpacked(file.sibling(expected["tcb_info"]["file"])).decode())
    found = info.advisories_for(processor.component_svns, processor.pce_svn)
    expect_equal("status", found.status.name, expected["tcb_info"]["matching_status"])
    expect_equal("ids", sorted(found.ids), sorted(expected["tcb_info"]["matching_advisory_ids"]))


def _check_hardware_evidence(
    file: VectorFile, quote: Quote, expected: Json, time_unix: int | None
) -> None:
    """Every check but that of the report data, which in this quote binds nothing."""
    root = parse_pem_chain(read_unpacked(file.sibling("root_ca.pem")))[0]
    signer = parse_pem_chain(read_unpacked(file.sibling("tcb_signer.pem")))
    collateral = CollateralParts(
        RevocationList.from_der(read_unpacked(file.sibling("root_crl.der"))),
        RevocationList.from_der(read_unpacked(file.sibling("processor_crl.der"))),
        (*signer, root),
        read_unpacked(file.sibling(expected["tcb_info"]["file"])).decode(),
        (*signer, root),
        read_unpacked(file.sibling(expected["qe_identity"]["file"])).decode(),
    )
    parts = Evidence.from_parts(quote, collateral, ReportDataContents(bytes(16), bytes(32)))
    advisories = mitigated_advisories((), expected["tcb_info"]["matching_advisory_ids"])
    identity = TrustedMrEnclave(quote.report_body.mr_enclave, advisories)
    verifier = DcapVerifier(root, [identity], allow_debug=False)
    try:
        verifier.check(parts, time_unix)
    except VerificationError as error:
        failed = [line for line in str(error).splitlines() if line.startswith("[ ]")]
        if [line for line in failed if not line.startswith("[ ] report data")]:
            raise
        return
    raise MismatchError("report data that binds nothing is accepted")


@runs("attest", r"dcap/[^/]*quote[^/]*\.dat")
def hardware_quote_bytes(file: VectorFile, report: Report) -> None:
    """A real quote parses, and no shorter piece of it does."""
    data = file.read_bytes()
    with report.case("parses"):
        Quote.from_bytes(data)
    with report.case("truncated"):
        try:
            Quote.from_bytes(data[:-1])
        except ConversionError:
            return
        raise MismatchError("a shorter quote is accepted")


@runs("attest", r"dcap/fmspc_[^/]+\.json")
def tcb_info(file: VectorFile, report: Report) -> None:
    """Real TCB info parses."""
    with report.case(file.name):
        info = TcbInfo.from_json(file.read_bytes().decode())
        expect(info.levels != (), "no level")
        fmspc = Path(file.name).name.split("_")[1]
        expect_equal("fmspc", info.fmspc.hex(), fmspc.lower())


@runs("attest", r"dcap/qe_identity[^/]*\.json")
def qe_identity(file: VectorFile, report: Report) -> None:
    """A real quoting enclave identity parses."""
    with report.case(file.name):
        QeIdentity.from_json(file.read_bytes().decode())


@runs("attest", r"dcap/tcb_level_cases[^/]*\.jsonl")
def tcb_level_cases(file: VectorFile, report: Report) -> None:
    """Which level a processor reaches."""
    for case in file.json_lines():
        with report.case(case["name"]):
            info = TcbInfo.from_json(read_unpacked(file.sibling(case["file"])).decode())
            try:
                found = info.advisories_for(tuple(case["component_svns"]), case["pce_svn"])
            except UnsupportedTcbLevel as error:
                expect_equal("error", type(error).__name__, case["expect"])
                continue
            expect_equal("status", found.status.name, case["expect"]["status"])
            expect_equal("ids", sorted(found.ids), sorted(case["expect"]["advisory_ids"]))


@runs("attest", r"dcap/tcb_level_compare[^/]*\.jsonl")
def tcb_level_compare(file: VectorFile, report: Report) -> None:
    """Whether security versions reach a level."""
    for case in file.json_lines():
        with report.case(case["name"]):
            every = case["level_all_svns"]
            level = TcbLevel((every,) * 16, every, Advisories())
            reached = level.is_reached_by(tuple(case["component_svns"]), case["pce_svn"])
            expect_equal("reached", reached, case["expect_match"])


@runs("attest", r"dcap/advisory_cases[^/]*\.jsonl")
def advisory_cases(file: VectorFile, report: Report) -> None:
    """Allowed against actual advisories."""
    for case in file.json_lines():
        with report.case(case["name"]):
            allowed, actual = (
                Advisories(frozenset(case[f"{k}_ids"]), TcbStatus[case[f"{k}_status"]])
                for k in ("allowed", "actual")
            )
            expect_equal("allowed", allowed.allow(actual), case["expect"])


@runs("attest", r"(dcap|ias)/[^/]+\.pem")
def certificates(file: VectorFile, report: Report) -> None:
    """A certificate parses; a root is a chain of its own."""
    with report.case(file.name):
        chain = parse_pem_chain(file.read_bytes())
        chain[0].public_key()
        if chain[0].subject == chain[0].issuer:
            check_chain(chain, chain[0], ())
            expect(chain[0].is_parent_of(chain[0], 0), "root is not signed by itself")


@runs("attest", r"(dcap|sim)/[^/]+\.der")
def revocation_lists(file: VectorFile, report: Report) -> None:
    """A revocation list parses, and not with a byte more."""
    with report.case(file.name):
        data = file.read_bytes()
        RevocationList.from_der(data)
        try:
            RevocationList.from_der(data + b"\0")
        except AttestationError:
            return
        raise MismatchError("a trailing byte is accepted")
