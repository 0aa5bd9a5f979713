"""Makes `mcnode.api.gen` from `proto/`: `python -m mcnode.api.generate` (`make proto`).

Only message classes and their type stubs are generated. Services are declared in
`mcnode.api.services` instead (docs/adr/0007-one-service-table.md), so that nothing here depends on
the version of grpcio that made it.
"""

import re
import sys
import tempfile
from pathlib import Path

from mcnode.errors import BugError

PROTO_DIR = Path(__file__).resolve().parents[3] / "proto"
GENERATED_DIR = Path(__file__).resolve().parent / "gen"

_IMPORT = re.compile(r"^import (\w+_pb2)( as \w+)?$", re.MULTILINE)
_INIT_TEXT = '"""Message classes generated from proto/ by `make proto`. Do not edit."""\n'


def generate(proto_dir: Path = PROTO_DIR) -> dict[str, str]:
    """The generated files: name to text, for every `.proto` file in `proto_dir`.

    Raises:
        BugError: the compiler refused a file; its own message went to stderr.
    """
    # A development tool: not there at run time.
    from grpc_tools import protoc  # type: ignore[import-untyped]

    well_known = Path(protoc.__file__).parent / "_proto"
    plugin = Path(sys.executable).parent / "protoc-gen-mypy"
    with tempfile.TemporaryDirectory() as made:
        status = protoc.main(
            [
                "protoc",
                f"--proto_path={proto_dir}",
                f"--proto_path={well_known}",
                f"--plugin=protoc-gen-mypy={plugin}",
                f"--python_out={made}",
                f"--mypy_out=quiet:{made}",
                *sorted(str(path) for path in proto_dir.glob("*.proto")),
            ]
        )
        if status != 0:
            raise BugError(f"protoc ended with status {status}")
        texts = {path.name: _rewrite(path.read_text()) for path in sorted(Path(made).iterdir())}
    return {"__init__.py": _INIT_TEXT, **texts}


def _rewrite(text: str) -> str:
    """Imports of sibling files become imports from the package."""
    return _IMPORT.sub(r"from mcnode.api.gen import \1\2", text)


def main() -> None:
    """Write the generated files, and remove those that no longer have a source."""
    texts = generate()
    GENERATED_DIR.mkdir(exist_ok=True)
    for path in GENERATED_DIR.iterdir():
        if path.is_file() and path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (GENERATED_DIR / name).write_text(text)
    sys.stdout.write(f"{len(texts)} files in {GENERATED_DIR}\n")


if __name__ == "__main__":
    main()
