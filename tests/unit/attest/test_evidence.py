"""Simulated evidence, whole and with every part altered in turn."""

import base64
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.attest.advisories import TcbStatus, mitigated_advisories
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.epid_quote import EpidQuote, InvalidInputLength
from mcnode.attest.errors import (
    AttestationError,
    ConversionError,
    LengthMismatch,
    MissingField,
    VerificationError,
)
from mcnode.attest.evidence import Evidence, ReportDataContents
from mcnode.attest.identity import (
    IdentityError,
    NoIdentitiesFound,
    TrustedMrEnclave,
    TrustedMrSigner,
    parse_trusted_identities,
)
from mcnode.attest.messages import DcapEvidence, Quote3
from mcnode.attest.quote3 import CertificationDataType, InputLength, Quote, Version
from mcnode.attest.report import ReportBody, report_body_of
from mcnode.attest.sealed_data import MacTxtOffsetOutOfBounds, SealedData, TooShort
from mcnode.attest.simulation import DEFAULT_SEED, SimulatedPlatform, simulation_anchor
from mcnode.codec import protobuf
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

NOW = 1_800_000_000
DAY_S = 86_400
MR_ENCLAVE, MR_SIGNER = b"\x11" * 32, b"\x22" * 32
CONTENTS = ReportDataContents(b"n" * 16, b"k" * 32, b"c" * 32)
BODY = ReportBody(
    flags=0x5,
    mr_enclave=MR_ENCLAVE,
    mr_signer=MR_SIGNER,
    isv_prod_id=1,
    isv_svn=10,
    report_data=CONTENTS.sha256() + bytes(32),
)
PLATFORM = SimulatedPlatform.issue(DEFAULT_SEED, NOW, random_bytes)
QUOTE = PLATFORM.quote(BODY, random_bytes)
EVIDENCE = DcapEvidence(Quote3(QUOTE), PLATFORM.collateral, CONTENTS.to_message())
IDENTITY = TrustedMrEnclave(MR_ENCLAVE)


def failed(evidence=EVIDENCE, time=NOW, identities=(IDENTITY,), anchor=None, debug=False):
    """Names of the checks that do not hold."""
    verifier = DcapVerifier(anchor or simulation_anchor(), identities, allow_debug=debug)
    try:
        verifier.check(Evidence.from_message(evidence), time)
    except VerificationError as error:
        lines = str(error).splitlines()
        assert len(lines) == 10
        return [line[4:].split(":")[0] for line in lines if line.startswith("[ ]")]
    return []


def with_quote(data):
    return dataclasses.replace(EVIDENCE, quote=Quote3(data))


def requoted(**changes):
    """Evidence for a changed report body, properly quoted."""
    return with_quote(PLATFORM.quote(dataclasses.replace(BODY, **changes), random_bytes))


def flipped(offset):
    return QUOTE[:offset] + bytes([QUOTE[offset] ^ 1]) + QUOTE[offset + 1 :]


def test_accepted():
    assert failed() == []
    assert failed(time=None) == []
    again = protobuf.decode(DcapEvidence, protobuf.encode(EVIDENCE))
    assert again == EVIDENCE


@pytest.mark.parametrize(
    ("time", "held"),
    [
        (NOW - 3600, True),
        (NOW - 3601, False),
        (NOW - 3600 + 30 * DAY_S - 1, True),
        (NOW - 3600 + 30 * DAY_S, False),
    ],
)
def test_dates(time, held):
    assert failed(time=time) == ([] if held else ["TCB info", "QE identity"])


def test_anchor_of_another_seed():
    chains = ["TCB info issuer chain", "QE identity issuer chain", "PCK chain"]
    assert failed(anchor=simulation_anchor(b"\x01" * 32)) == chains


@pytest.mark.parametrize(
    ("offset", "checks"),
    [
        (0x20, ["quote"]),  # user data of the header
        (112, ["quote", "enclave identity"]),  # MRENCLAVE
        (370, ["quote", "report data"]),
        (440, ["quote"]),  # ISV signature
        (436 + 128 + 5, ["quote"]),  # QE report body: CPU version
        (436 + 128 + 130, ["QE report body", "quote"]),  # QE's MRSIGNER
        (436 + 512 + 5, ["quote"]),  # QE report signature
    ],
)
def test_altered_quote(offset, checks):
    assert failed(with_quote(flipped(offset))) == checks


def test_debug_flag():
    debug = requoted(flags=0x7)
    assert failed(debug) == ["debug flag"]
    assert failed(debug, debug=True) == []


def test_report_data():
    assert failed(requoted(report_data=bytes(64))) == ["report data"]
    assert failed(requoted(report_data=CONTENTS.sha256() + b"x" * 32)) == []


def test_identities():
    ok = [
        (TrustedMrEnclave(bytes(32)), IDENTITY),
        (TrustedMrSigner(MR_SIGNER, 1, 10),),
        (TrustedMrSigner(MR_SIGNER, 1, 0),),
    ]
    bad = [
        (),
        (TrustedMrEnclave(bytes(32)),),
        (TrustedMrSigner(bytes(32), 1, 10),),
        (TrustedMrSigner(MR_SIGNER, 2, 10),),
        (TrustedMrSigner(MR_SIGNER, 1, 11),),
    ]
    assert all(failed(identities=identities) == [] for identities in ok)
    assert all(failed(identities=identities) == ["enclave identity"] for identities in bad)


@pytest.mark.parametrize("field", ["quote", "collateral", "report_data"])
def test_missing_parts(field):
    with pytest.raises(MissingField, match=field):
        Evidence.from_message(dataclasses.replace(EVIDENCE, **{field: None}))


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(PLATFORM.collateral)])
def test_missing_collateral(field):
    empty = type(getattr(PLATFORM.collateral, field))()
    collateral = dataclasses.replace(PLATFORM.collateral, **{field: empty})
    with pytest.raises(ConversionError):
        Evidence.from_message(dataclasses.replace(EVIDENCE, collateral=collateral))


def test_contents_sizes():
    message = CONTENTS.to_message()
    assert ReportDataContents.from_message(message) == CONTENTS
    longer = dataclasses.replace(message, nonce=message.nonce + b"x")
    assert ReportDataContents.from_message(longer) == CONTENTS
    for change in ({"nonce": bytes(15)}, {"key": bytes(31)}, {"custom_identity": bytes(33)}):
        with pytest.raises(LengthMismatch):
            ReportDataContents.from_message(dataclasses.replace(message, **change))


def test_quotes_that_do_not_parse():
    with pytest.raises(Version):
        Quote.from_bytes(b"\x04" + QUOTE[1:])
    with pytest.raises(CertificationDataType):
        offset = 436 + 576 + 2
        Quote.from_bytes(QUOTE[:offset] + b"\x08" + QUOTE[offset + 1 :])
    with pytest.raises(InputLength):
        Quote.from_bytes(QUOTE[:1019])
    assert Quote.from_bytes(QUOTE + b"more") == Quote.from_bytes(QUOTE)


@given(st.integers(0, len(QUOTE) - 1))
def test_no_prefix_of_a_quote_is_a_quote(length):
    with pytest.raises(ConversionError):
        Quote.from_bytes(QUOTE[:length])


@given(st.binary(max_size=1500))
def test_garbage_is_no_quote(data):
    for parse in (Quote.from_bytes, ReportBody.from_bytes, report_body_of):
        with pytest.raises(AttestationError):
            parse(data)


@given(st.binary(min_size=384, max_size=384))
def test_report_bodies_round_trip(data):
    body = ReportBody.from_bytes(data)
    assert body.to_bytes() == data
    assert report_body_of(data + bytes(48)) == body
    assert body.attributes == data[48:64]


def test_epid_quote_lengths():
    unsigned = bytes(432)
    assert EpidQuote.from_bytes(unsigned).signature == b""
    signed = unsigned + (3).to_bytes(4, "little") + b"sig"
    assert EpidQuote.from_bytes(signed + b"more").signature == b"sig"
    for bad in (bytes(431), bytes(435), signed[:-1], unsigned + b"\xff\xff\0\0" + bytes(70_000)):
        with pytest.raises(InvalidInputLength):
            EpidQuote.from_bytes(bad)


def test_sealed_data():
    header = bytes(512) + (563).to_bytes(4, "little") + bytes(44)
    parsed = SealedData.from_bytes(header + b"foobar")
    assert (parsed.ciphertext, parsed.mac_text) == (b"foo", b"bar")
    with pytest.raises(TooShort):
        SealedData.from_bytes(header[:-1])
    with pytest.raises(MacTxtOffsetOutOfBounds):
        SealedData.from_bytes(header)


def test_mitigated_advisories():
    status = {
        ((), ()): TcbStatus.UpToDate,
        (("A",), ()): TcbStatus.ConfigurationNeeded,
        ((), ("A",)): TcbStatus.SWHardeningNeeded,
        (("A",), ("B",)): TcbStatus.ConfigurationAndSWHardeningNeeded,
    }
    for (config, hardening), expected in status.items():
        made = mitigated_advisories(config, hardening)
        assert made.status is expected
        assert made.ids == {*config, *hardening}


IDENTITIES = """{{
  "v1": {{"consensus": {{"MRENCLAVE": "{}", "mitigated_hardening_advisories": ["A"]}}}},
  "v2": {{"consensus": {{"MRSIGNER": "{}", "product_id": 1, "minimum_svn": 2}}, "other": {{
    "MRENCLAVE": "{}"}}}}
}}""".format("11" * 32, "22" * 32, "33" * 32)


def test_trusted_identities():
    found = parse_trusted_identities(IDENTITIES, "consensus")
    assert found == (
        TrustedMrEnclave(MR_ENCLAVE, mitigated_advisories((), ("A",))),
        TrustedMrSigner(MR_SIGNER, 1, 2),
    )
    with pytest.raises(NoIdentitiesFound):
        parse_trusted_identities(IDENTITIES, "nobody")


@pytest.mark.parametrize(
    "change",
    [
        ("", "x"),
        ('"v1": {', '"v1": ['),
        ('"product_id": 1,', ""),
        ('"product_id": 1', '"product_id": 65536'),
        ('"product_id": 1', '"product_id": true'),
        ('"minimum_svn": 2', '"minimum_svn": 2, "extra": 1'),
        ("22" * 32, "22" * 31),
        ('["A"]', '"A"'),
        ('"v2": {', '"v2": 1, "v3": {'),
    ],
)
def test_identities_that_do_not_parse(change):
    text = IDENTITIES.replace(*change, 1) if change[0] else change[1]
    with pytest.raises(IdentityError):
        parse_trusted_identities(text, "consensus")


def test_issued_certificates_are_clean():
    """Without the superfluous parameter that strict readers refuse."""
    from cryptography import x509

    for der in PLATFORM.collateral.tcb_info_issuer_chain:
        x509.load_der_x509_certificate(der)
    assert b"-----BEGIN" in Quote.from_bytes(QUOTE).certification_data
    assert base64.b64encode(PLATFORM.collateral.tcb_info_issuer_chain[0])[:20] in Quote.from_bytes(
        QUOTE
    ).certification_data.replace(b"\n", b"")
