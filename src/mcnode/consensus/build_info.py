"""What program this is. [docs/protocol/service.md#13]

The keys are those of a compiled program, because operators' tools look for them; they describe our
native extension, which the build backend always compiles with Cargo's release profile.
"""

import dataclasses
import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mcnode.api.gen.build_info_pb2 import BuildInfo
from mcnode.enclave.interface import EnclaveMode

UNKNOWN_COMMIT: Final = "??????"
_GIT_TIMEOUT_S: Final = 5
_SOURCE_ROOT: Final = Path(__file__).resolve().parents[3]

_SGX_MODES: Final = {EnclaveMode.SIM: "SW", EnclaveMode.GRAMINE: "HW"}


@dataclasses.dataclass(frozen=True, slots=True)
class BuildFacts:
    """Facts about this program; all text."""

    git_commit: str
    sgx_mode: str
    mobilecoin_git_commit: str = "unknown"
    """Of the program whose protocol this one speaks: it contains nothing of it."""
    profile: str = "release"
    debug: str = "false"
    opt_level: str = "3"
    debug_assertions: str = "false"
    target_arch: str = platform.machine()
    target_os: str = platform.system().lower()
    target_feature: str = "?"
    """The extension picks instructions when it runs, not when it is built."""
    rustflags: str = "?"

    def to_wire(self) -> BuildInfo:
        """The answer to `GetBuildInfo`."""
        return BuildInfo(
            git_commit=self.git_commit,
            profile=self.profile,
            debug=self.debug,
            opt_level=self.opt_level,
            debug_assertions=self.debug_assertions,
            target_arch=self.target_arch,
            target_feature=self.target_feature,
            rustflags=self.rustflags,
            sgx_mode=self.sgx_mode,
        )

    def to_json_text(self) -> str:
        """The same and more as the network's programs write it: fixed keys, blanks inside."""
        pairs = {
            "GIT_COMMIT": self.git_commit,
            "MOBILECOIN_GIT_COMMIT": self.mobilecoin_git_commit,
            "PROFILE": self.profile,
            "DEBUG": self.debug,
            "OPT_LEVEL": self.opt_level,
            "DEBUG_ASSERTIONS": self.debug_assertions,
            "TARGET_ARCH": self.target_arch,
            "TARGET_OS": self.target_os,
            "TARGET_FEATURE": self.target_feature,
            "RUSTFLAGS": self.rustflags,
            "SGX_MODE": self.sgx_mode,
        }
        inside = ", ".join(f"{json.dumps(key)}: {json.dumps(text)}" for key, text in pairs.items())
        return f"{{ {inside} }}"


def collect_build_facts(mode: EnclaveMode, environment: Mapping[str, str]) -> BuildFacts:
    """Find out; takes a few milliseconds when this is a git checkout."""
    return BuildFacts(git_commit=git_commit(environment), sgx_mode=_SGX_MODES[mode])


def git_commit(environment: Mapping[str, str], root: Path = _SOURCE_ROOT) -> str:
    """`GIT_COMMIT`, or the description of the checkout this runs from, or question marks."""
    if environment.get("GIT_COMMIT"):
        return environment["GIT_COMMIT"]
    if not (root / ".git").exists():
        return UNKNOWN_COMMIT
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=-modified"]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN_COMMIT
    return done.stdout.strip() or UNKNOWN_COMMIT
