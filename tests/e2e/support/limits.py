"""Taking rights and room away from a process, also when the tests run as root."""

import os
import resource
import subprocess
import sys

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_DROP_AND_RUN = (
    "import ctypes, os, sys\n"
    f"status = ctypes.CDLL(None, use_errno=True).prctl({_PR_CAPBSET_DROP}, {_CAP_DAC_OVERRIDE},"
    " 0, 0, 0)\n"
    "sys.exit(77) if status else os.execv(sys.argv[1], sys.argv[1:])\n"
)


def respecting_file_modes():
    """A launcher under which file modes hold for root too; empty for other users, who need none.

    None where the system does not let root give the right up.
    """
    if os.geteuid() != 0:
        return []
    launcher = [sys.executable, "-c", _DROP_AND_RUN]
    works = subprocess.run([*launcher, sys.executable, "-c", ""], check=False).returncode == 0
    return launcher if works else None


def limit_file_size(pid, size):
    """From now on the process cannot make files larger: writes fail as on a full disk."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
