"""`python -m bench [NAME…]`: print the figures of every module, or of those named."""

import importlib
import os
import pkgutil
import platform
import sys
from pathlib import Path

import bench
from bench.harness import measure

INFRASTRUCTURE = {"__main__", "harness"}


def machine() -> str:
    """The processor and how much of it there is."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = named[0] if named else model
    return f"{model}, {os.cpu_count()} CPUs, Python {platform.python_version()}"


def main(names: list[str]) -> int:
    found = [m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in INFRASTRUCTURE]
    unknown = sorted(set(names) - set(found))
    if unknown:
        print(f"no benchmarks named {', '.join(unknown)}; there are {', '.join(found)}")
        return 2
    print(machine())
    for name in names or found:
        for benchmark in importlib.import_module(f"bench.{name}").benchmarks():
            print(measure(benchmark).line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
