"""The SGX mode against a directory that behaves as Gramine's pseudo-files do."""

import secrets
import threading
import time

import pytest

from mcnode.attest.messages import DcapEvidence, Quote3
from mcnode.attest.report import ReportBody
from mcnode.attest.simulation import DEFAULT_SEED, SimulatedPlatform, simulation_anchor
from mcnode.conformance.enclave_fixture import NOW_UNIX, make_trusted
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.errors import IntelSealing, Quoting, Verify
from mcnode.enclave.interface import EnclaveMode
from mcnode.enclave.trusted.gramine import RETRY_DELAYS_S, GramineMode, NotInEnclave

MR_ENCLAVE = b"\x5a" * 32


class FakeEnclave:
    """Pseudo-files in a temporary directory; `quote` and `report` follow what was written."""

    def __init__(self, root, flags=0x5):
        self.root = root
        self.flags = flags
        self.platform = SimulatedPlatform.issue(DEFAULT_SEED, NOW_UNIX, secrets.token_bytes)
        (root / "keys").mkdir()
        (root / "attestation_type").write_text("dcap")
        (root / "my_target_info").write_bytes(bytes(512))
        (root / "target_info").write_bytes(bytes(512))
        (root / "user_report_data").write_bytes(bytes(64))
        (root / "keys" / "_sgx_mrenclave").write_bytes(b"k" * 16)
        (root / "report").write_bytes(self.body().to_bytes() + bytes(48))
        (root / "quote").write_bytes(b"")

    def body(self, report_data=bytes(64)):
        return ReportBody(
            flags=self.flags,
            mr_enclave=MR_ENCLAVE,
            isv_prod_id=1,
            isv_svn=10,
            report_data=report_data,
        )

    def mode(self, **options):
        return GramineMode(simulation_anchor(), self.root, **options)


class QuotingMode(GramineMode):
    """Quotes as the pseudo-file would: over the report data that was written last."""

    def __init__(self, fake):
        self.fake = fake
        super().__init__(simulation_anchor(), fake.root, sleep=lambda _: None)

    def _read_quote(self, report_data):
        self._write("user_report_data", report_data)
        written = (self._root / "user_report_data").read_bytes()
        quote = self.fake.platform.quote(self.fake.body(written), secrets.token_bytes)
        (self._root / "quote").write_bytes(quote)
        return super()._read_quote(report_data)


@pytest.fixture
def fake(tmp_path):
    return FakeEnclave(tmp_path)


def test_not_in_an_enclave(tmp_path):
    with pytest.raises(NotInEnclave, match="attestation_type cannot be read"):
        GramineMode(simulation_anchor(), tmp_path)
    (tmp_path / "attestation_type").write_text("none\n")
    with pytest.raises(NotInEnclave, match="'none'"):
        GramineMode(simulation_anchor(), tmp_path)


def test_report_and_key(fake):
    mode = fake.mode()
    assert mode.mode is EnclaveMode.GRAMINE
    assert not mode.allows_debug
    assert mode.own_report_body().mr_enclave == MR_ENCLAVE
    assert mode.sealing_key() == b"k" * 16


@pytest.mark.parametrize("name", ["my_target_info", "report", "keys/_sgx_mrenclave"])
def test_files_of_a_wrong_size(fake, name):
    (fake.root / name).write_bytes(b"short")
    mode = fake.mode()
    with pytest.raises(Quoting):
        mode.sealing_key() if name.startswith("keys") else mode.own_report_body()


def test_absent_quote_is_not_retried(fake):
    (fake.root / "quote").unlink()
    delays = []
    with pytest.raises(Quoting, match="no quote"):
        fake.mode(sleep=delays.append).quote(bytes(64))
    assert delays == []


def test_busy_quoting_enclave_is_retried(fake):
    attempts = []

    class Busy(GramineMode):
        def _read_quote(self, report_data):
            attempts.append(report_data)
            if len(attempts) < 4:
                raise OSError(16, "Device or resource busy")
            return b"quote"

    delays = []
    mode = Busy(simulation_anchor(), fake.root, sleep=delays.append)
    assert mode.quote(bytes(64)).quote == b"quote"
    assert delays == list(RETRY_DELAYS_S[:3])

    class AlwaysBusy(Busy):
        def _read_quote(self, report_data):
            raise OSError(16, "Device or resource busy")

    delays = []
    with pytest.raises(Quoting, match="busy"):
        AlwaysBusy(simulation_anchor(), fake.root, sleep=delays.append).quote(bytes(64))
    assert delays == list(RETRY_DELAYS_S)


def test_report_data_is_written_before_the_quote_is_read_and_nobody_comes_between(fake):
    writes = []

    class Watching(GramineMode):
        def _write(self, name, data):
            super()._write(name, data)
            writes.append(data)
            time.sleep(0)

        def _read_quote(self, report_data):
            self._write("user_report_data", report_data)
            written = (self._root / "user_report_data").read_bytes()
            assert written == report_data
            return written

    mode = Watching(simulation_anchor(), fake.root)
    got = {}

    def quote(number):
        data = bytes([number]) * 64
        got[number] = mode.quote(data).quote == data

    threads = [threading.Thread(target=quote, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == dict.fromkeys(range(8), True)
    assert len(writes) == 8


def test_whole_enclave_on_the_pseudo_files(fake):
    """Quote inside, collateral from outside, verified without tolerance of debugging."""
    trusted = make_trusted(platform=QuotingMode(fake))
    started = trusted.enclave_init("a.test:1", "a.test:2", None, BlockchainConfig())
    pending = trusted.begin_attestation()
    assert pending.collateral is None
    evidence = DcapEvidence(Quote3(pending.quote), fake.platform.collateral, pending.report_data)
    trusted.verify_attestation_evidence(evidence)
    assert trusted.get_attestation_evidence() == evidence
    signer = trusted.get_signer()

    again = make_trusted(seed=2, platform=QuotingMode(fake))
    again.enclave_init("a", "b", started.sealed_block_signing_key, BlockchainConfig())
    assert again.get_signer() == signer

    simulated = make_trusted(seed=3)
    with pytest.raises(IntelSealing, match="sealed in mode 1"):
        simulated.enclave_init("a", "b", started.sealed_block_signing_key, BlockchainConfig())


def test_debug_enclave_is_refused(tmp_path):
    fake = FakeEnclave(tmp_path, flags=0x7)
    trusted = make_trusted(platform=QuotingMode(fake))
    trusted.enclave_init("a.test:1", "a.test:2", None, BlockchainConfig())
    pending = trusted.begin_attestation()
    evidence = DcapEvidence(Quote3(pending.quote), fake.platform.collateral, pending.report_data)
    with pytest.raises(Verify, match="can be debugged"):
        trusted.verify_attestation_evidence(evidence)
