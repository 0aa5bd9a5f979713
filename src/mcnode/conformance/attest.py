"""Runs the vectors of attestation and channels. [docs/protocol/enclave.md]"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from asn1crypto import pem

from mcnode.attest.advisories import Advisories, TcbStatus, mitigated_advisories
from mcnode.attest.certificate import Certificate, parse_pem_chain
from mcnode.attest.collateral_json import TcbInfo, TcbLevel
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.errors import (
    ConversionError,
    EvidenceError,
    UnsupportedTcbLevel,
    VerificationError,
)
from mcnode.attest.evidence import CollateralParts, Evidence, ReportDataContents
from mcnode.attest.identity import TrustedIdentity, TrustedMrEnclave, TrustedMrSigner
from mcnode.attest.messages import DcapEvidence, EvidenceMessage
from mcnode.attest.quote3 import Quote
from mcnode.attest.report import ReportBody
from mcnode.codec import protobuf
from mcnode.codec.errors import DecodeError
from mcnode.conformance.vectors import (
    Report,
    VectorFile,
    expect,
    expect_equal,
    read_unpacked,
    runs,
)

Json = Mapping[str, Any]


def _b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _sibling_json(file: VectorFile, relative: str) -> Any:
    return json.loads(read_unpacked(file.sibling(relative)))


def _simulation_anchor(file: VectorFile) -> Certificate:
    """The root that the genuine evidences lead to."""
    files = _sibling_json(file, "sim_files.json")
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


@runs("attest", r"genuine/verdicts(_[^/]*)?\.jsonl")
def verdicts(file: VectorFile, report: Report) -> None:
    """Altered evidence: accepted, or refused at the expected stage."""
    base = _sibling_json(file, "verdicts_base.json")
    evidence = _b64(base["base_evidence_prost_b64"])
    advisories = mitigated_advisories(
        base["mitigated_config_advisories"], base["mitigated_hardening_advisories"]
    )
    identities: dict[str, TrustedIdentity] = {
        "mre": TrustedMrEnclave(bytes.fromhex(base["mr_enclave_hex"]), advisories),
        "mrs": TrustedMrSigner(bytes.fromhex(base["mr_signer_hex"]), 1, 10, advisories),
    }
    anchor = _simulation_anchor(file)
    for case in file.json_lines():
        with report.case(case["name"]):
            data = evidence
            for offset, length, replacement in case["splice"]:
                data = data[:offset] + _b64(replacement) + data[offset + length :]
            verifier = DcapVerifier(anchor, [identities[case["identity"]]], allow_debug=True)
            stage = _stage_of(lambda: _verify(verifier, data, case["time_unix"]))
            expect_equal("accepted", stage is None, case["accept"])
            expect_equal("stage", stage, None if case["accept"] else case["stage"])


def _verify(verifier: DcapVerifier, data: bytes, time_unix: int | None) -> None:
    message = protobuf.decode(DcapEvidence, data)
    verifier.check(Evidence.from_message(message), time_unix)
