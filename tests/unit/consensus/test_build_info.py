import json
import subprocess
from pathlib import Path

from mcnode.consensus.build_info import BuildFacts, collect_build_facts, git_commit
from mcnode.enclave.interface import EnclaveMode

KEYS = [
    "GIT_COMMIT",
    "MOBILECOIN_GIT_COMMIT",
    "PROFILE",
    "DEBUG",
    "OPT_LEVEL",
    "DEBUG_ASSERTIONS",
    "TARGET_ARCH",
    "TARGET_OS",
    "TARGET_FEATURE",
    "RUSTFLAGS",
    "SGX_MODE",
]


def test_json_text_has_the_networks_keys_in_its_order_and_spacing() -> None:
    text = BuildFacts(git_commit='a"b', sgx_mode="SW").to_json_text()
    assert text.startswith('{ "GIT_COMMIT": "a\\"b", "MOBILECOIN_GIT_COMMIT": "unknown", ')
    assert text.endswith('"SGX_MODE": "SW" }')
    assert list(json.loads(text)) == KEYS


def test_wire_form_and_mode() -> None:
    facts = collect_build_facts(EnclaveMode.SIM, {"GIT_COMMIT": "abc"})
    assert facts.to_wire().git_commit == "abc"
    assert facts.to_wire().sgx_mode == "SW"
    assert collect_build_facts(EnclaveMode.GRAMINE, {"GIT_COMMIT": "x"}).sgx_mode == "HW"


def test_commit_of_a_checkout_or_question_marks(tmp_path: Path) -> None:
    assert git_commit({}, tmp_path) == "??????"
    (tmp_path / ".git").mkdir()
    assert git_commit({}, tmp_path) == "??????"
    (tmp_path / ".git").rmdir()
    for args in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *args], check=True)
    assert len(git_commit({}, tmp_path)) >= 7
