"""Which enclaves a wallet accepts, and what its file remembers of the network."""

import dataclasses
import struct
import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.errors import VerificationError
from mcnode.attest.evidence import Evidence, ReportDataContents
from mcnode.attest.messages import DcapEvidence, Quote3
from mcnode.attest.sigstruct import SigstructError
from mcnode.attest.simulation import _root_certificate
from mcnode.connection.uri import UriError
from mcnode.enclave.trusted.simulated import SimulatedMeasurement, SimulatedMode
from mcnode.ledger.archive.source import SourceUrlError
from mcnode.wallet.errors import SettingsError, WalletFileError
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.trust import TrustedEnclave
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)


def evidence_of(measurement):
    contents = ReportDataContents(bytes(16), bytes(32))
    platform = SimulatedMode(measurement, random_bytes, lambda: int(time.time()))
    quote = platform.quote(contents.sha256() + bytes(32))
    return Evidence.from_message(
        DcapEvidence(Quote3(quote.quote), quote.collateral, contents.to_message())
    )


def accepts(enclave, measurement):
    verifier = enclave.to_trust().dcap
    assert isinstance(verifier, DcapVerifier)
    try:
        verifier.check(evidence_of(measurement), int(time.time()))
    except VerificationError as error:
        assert "[ ] enclave identity" in str(error)
        return False
    return True


def sigstruct(*, modulus=b"\x07" * 384, product_id=3, svn=4):
    data = bytearray(1808)
    data[:16] = bytes.fromhex("06000000e10000000000010000000000")
    struct.pack_into("<II", data, 16, 0, 0x20240101)
    data[24:40] = bytes.fromhex("01010000600000006000000001000000")
    data[128:512] = modulus
    struct.pack_into("<HH", data, 1024, product_id, svn)
    return bytes(data)


def test_default_is_the_documented_simulated_enclave():
    enclave = TrustedEnclave()
    assert enclave.is_simulated
    default = SimulatedMeasurement()
    assert accepts(enclave, default)
    assert accepts(enclave, dataclasses.replace(default, mr_enclave=bytes(32))), "same signer"
    assert accepts(enclave, dataclasses.replace(default, security_version=99)), "newer"
    for other in (
        {"mr_signer": bytes(32)},
        {"product_id": default.product_id + 1},
        {"security_version": default.security_version - 1},
    ):
        assert not accepts(enclave, dataclasses.replace(default, **other))


def test_pinned_sigstruct():
    enclave = TrustedEnclave.from_sigstruct(sigstruct())
    assert enclave.is_simulated
    presented = SimulatedMeasurement(bytes(32), enclave.mr_signer, 3, 4)
    assert accepts(enclave, presented)
    assert not accepts(enclave, SimulatedMeasurement())
    with pytest.raises(SigstructError):
        TrustedEnclave.from_sigstruct(b"css")


def test_with_a_root_of_its_own_simulated_evidence_is_refused():
    pem = _root_certificate(bytes([9]) * 32).public_bytes(Encoding.PEM).decode()
    enclave = TrustedEnclave.from_sigstruct(sigstruct(), pem)
    assert not enclave.is_simulated
    verifier = enclave.to_trust().dcap
    assert not verifier.allow_debug
    presented = SimulatedMeasurement(bytes(32), enclave.mr_signer, 3, 4)
    with pytest.raises(VerificationError, match=r"\[ \] PCK chain"):
        verifier.check(evidence_of(presented))
    with pytest.raises(SettingsError, match="no PEM certificate"):
        TrustedEnclave.from_sigstruct(sigstruct(), "no certificate")


def test_settings_read_back(tmp_path):
    enclave = TrustedEnclave.from_sigstruct(sigstruct())
    settings = WalletSettings(
        ("mc://a/", "insecure-mc://b:3200/"), ("file:///x",), "main", tmp_path, enclave
    )
    assert WalletSettings.from_json(settings.to_json()) == settings
    assert WalletSettings.from_json(WalletSettings().to_json()) == WalletSettings()
    assert [uri.addr for uri in settings.node_uris()] == ["a:443", "b:3200"]
    assert settings.fetcher().source_count == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nodes": 3}', "null"])
def test_settings_that_cannot_be_read(text):
    with pytest.raises(WalletFileError, match="settings"):
        WalletSettings.from_json(text)


def test_settings_are_checked_when_made():
    with pytest.raises(UriError):
        WalletSettings(nodes=("http://a/",))
    with pytest.raises(SourceUrlError):
        WalletSettings(archives=("/path",))
