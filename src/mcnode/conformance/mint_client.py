"""Vectors of the mint client: the files that it writes, and what it answers to command lines."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from mcnode.conformance.vectors import (
    Report,
    VectorFile,
    expect,
    expect_equal,
    read_unpacked,
    runs,
)
from mcnode.connection.uri import Uri
from mcnode.consensus.config.arguments import TextRequested, UsageError
from mcnode.crypto.der import private_key_to_pem, public_key_to_pem
from mcnode.crypto.keys import Ed25519Private
from mcnode.errors import McNodeError
from mcnode.wallet.minting.client import MintClient
from mcnode.wallet.minting.errors import FAILED_EXIT_CODE
from mcnode.wallet.minting.tx_file import load_tx_file, prefix_hash

Case = dict[str, Any]

_FILES: Final = "mint_client_files.jsonl"
_GENERATE: Final = {"MintConfigTx": "generate-mint-config-tx", "MintTx": "generate-mint-tx"}
_CONFIG_FLAG: Final = "--mint-config-tx-file"
_LISTED: Final = re.compile(r"^  [a-z-]{3,}(?= )|--[a-z-]+ <[A-Z_]+>|\[env: \w+", re.MULTILINE)
"""Commands, flags and variables of a help text."""
_PANIC_QUOTES: Final = re.compile(r'^(failed [a-z ]+: )"(.*)"$')


@runs("service", r"genuine-tools/mint_client_files[^/]*\.jsonl")
def run_mint_client_files(file: VectorFile, report: Report) -> None:
    """Transactions as the mint client writes them."""
    with tempfile.TemporaryDirectory() as folder:
        desk = _Desk(file, Path(folder))
        for case in file.json_lines():
            with report.case(case["name"]):
                _check_file(case, desk, report)


@runs("service", r"genuine-tools/mint_client_commands[^/]*\.jsonl")
def run_mint_client_commands(file: VectorFile, report: Report) -> None:
    """Hashing, signing, checking, and command lines that are refused."""
    for case in file.json_lines():
        with report.case(case["name"]), tempfile.TemporaryDirectory() as folder:
            _check_command(case, _Desk(file, Path(folder)), report)


def _check_file(case: Case, desk: "_Desk", report: Report) -> None:
    out = desk.folder / f"{case['name']}.out.json"
    config = case.get("mint_config_tx_file")
    source = [] if config is None else [_CONFIG_FLAG, desk.write(case["name"], "cfg.json", config)]
    args = [*desk.with_paths(case["args"]), *source, *_chosen_nonce(case)]
    found = desk.run([_GENERATE[case["kind"]], "--out", str(out), *args])
    _check_status(found, case, report)
    if case["exit_code"]:
        expect(not out.exists(), "a file was written")
        return
    _expect_file(out, case["tx_file"])
    if "prefix_hash_hex" in case:
        hashed = prefix_hash(load_tx_file(out)).hex()
        expect_equal("prefix hash", hashed, case["prefix_hash_hex"])


def _chosen_nonce(case: Case) -> list[str]:
    """The nonce that was drawn at random there."""
    in_file = (case.get("mint_config_tx_file") or {}).get("nonce")
    if "tx_file" not in case or in_file or "--nonce" in case["args"]:
        return []
    (content,) = case["tx_file"].values()
    return ["--nonce", bytes(content["prefix"]["nonce"]).hex()]


def _check_command(case: Case, desk: "_Desk", report: Report) -> None:
    after = case.get("tx_file_after")
    found = desk.run(desk.with_paths(case["args"], after))
    _check_status(found, case, report)
    if case["exit_code"] in (0, 1):
        if _is_overview(case["stdout"]):
            _check_overview(found.stdout, case["stdout"])
        elif case["args"][:1] == ["dump"]:
            report.notes.append(f"{case['name']}: a dump is for people and worded otherwise here")
        else:
            expect_equal("stdout", found.stdout, case["stdout"].rstrip("\n"))
    if after is not None:
        assert desk.tx_path is not None
        _expect_file(desk.tx_path, after)


def _expect_file(path: Path, expected: Case) -> None:
    """The file is exactly this JSON, indented; a difference is shown without the indentation."""
    text = path.read_text()
    if text != json.dumps(expected, indent=2):
        expect_equal("file", json.loads(text), expected)
        expect(False, "the file has the right content in another form")


class _Outcome:
    """What a run of the client gave."""

    def __init__(self, status: int, stdout: str, stderr: str) -> None:
        self.status = status
        self.stdout = stdout
        self.stderr = stderr


def _check_status(found: _Outcome, case: Case, report: Report) -> None:
    expect_equal("exit code", found.status, case["exit_code"])
    stderr = case.get("stderr", "").rstrip("\n")
    if found.status == FAILED_EXIT_CODE:
        _check_panic(found.stderr, stderr, case["name"], report)
    elif _is_overview(stderr):
        _check_overview(found.stderr, stderr)
    else:
        expect_equal("stderr", found.stderr, stderr)


def _check_panic(found: str, panic: str, name: str, report: Report) -> None:
    """The network's tool panics, this one says in one line what is wrong."""
    expect(bool(found) and "\n" not in found, f"stderr is {found!r}, needs one line")
    if found != _PANIC_QUOTES.sub(r"\1\2", panic):
        report.notes.append(f"{name}: a panic there, {panic!r}; here {found!r}")


def _is_overview(text: str) -> bool:
    """Whether it is a help text: worded otherwise here, with the same commands and flags."""
    return "\nCommands:\n" in text or "\nOptions:\n" in text


def _check_overview(found: str, expected: str) -> None:
    for part in _LISTED.findall(expected):
        name = part.split()[0]
        expect(name == "help" or part.strip() in found, f"help has no {part.strip()}")


class _Desk:
    """A folder with the files that command lines name, and a client that uses them."""

    def __init__(self, file: VectorFile, folder: Path) -> None:
        self.folder = folder
        self.tx_path: Path | None = None
        self._keys: Case = json.loads(read_unpacked(file.sibling("keys.json")))
        self._cases: dict[str, Case] = {}
        for path in file.siblings(_FILES):
            for line in read_unpacked(path).splitlines():
                case = json.loads(line)
                self._cases.setdefault(case["name"], case)

    def write(self, stem: str, ending: str, content: Any) -> str:
        """Put a file there, JSON unless it is a text; its path."""
        path = self.folder / f"{stem}.{ending}"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def with_paths(self, args: list[str], tx_file_after: Case | None = None) -> list[str]:
        """The arguments with the files that they name put in place.

        Which transaction a file held before signing is told by its name, or by what is in it
        afterwards.
        """
        return [
            self._with_path(arg, position and args[position - 1], tx_file_after)
            for position, arg in enumerate(args)
        ]

    def _with_path(self, arg: str, flag: int | str, after: Case | None) -> str:
        if "," in arg:
            return ",".join(self._with_path(part, flag, after) for part in arg.split(","))
        name, dot, ending = arg.partition(".")
        if not dot:
            return arg
        if name in self._keys:
            key = Ed25519Private(bytes.fromhex(self._keys[name]["seed_hex"]))
            is_public = "pub" in ending
            pem = public_key_to_pem(key.public_key()) if is_public else private_key_to_pem(key)
            return self.write(name, ending, pem)
        if flag == _CONFIG_FLAG and name in self._cases:
            return self.write(name, ending, self._cases[name]["mint_config_tx_file"])
        if flag == "--tx-file":
            before = self._tx_before(name, after)
            if before is not None:
                self.tx_path = Path(self.write(name, ending, before))
                return str(self.tx_path)
        return arg

    def _tx_before(self, name: str, after: Case | None) -> Case | None:
        if name in self._cases:
            return self._cases[name].get("tx_file")
        found = (case.get("tx_file") for case in self._cases.values())
        return next((tx for tx in found if tx and after and _same_prefix(tx, after)), None)

    def run(self, args: list[str]) -> _Outcome:
        """Run the client; paths in its texts are made those of the files' names."""
        lines: list[str] = []
        try:
            status = MintClient(lines.append, _no_node, _no_random).run(args, {})
        except TextRequested as text:
            return _Outcome(0, self._shown(str(text)), "")
        except UsageError as error:
            return _Outcome(error.exit_code, "", self._shown(str(error)))
        except McNodeError as error:
            status = getattr(error, "exit_code", 1)
            return _Outcome(status, self._shown("\n".join(lines)), self._shown(str(error)))
        return _Outcome(status, self._shown("\n".join(lines)), "")

    def _shown(self, text: str) -> str:
        return text.replace(f"{self.folder}/", "").rstrip("\n")


def _same_prefix(left: Case, right: Case) -> bool:
    return left.keys() == right.keys() and all(
        left[kind]["prefix"] == right[kind]["prefix"] for kind in left
    )


def _no_node(_uri: Uri, _chain_id: str) -> Any:
    raise AssertionError("no case talks to a node")


def _no_random(_length: int) -> bytes:
    raise AssertionError("no case leaves the nonce open")
