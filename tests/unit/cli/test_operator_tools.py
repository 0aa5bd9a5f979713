import json
from pathlib import Path

import pytest

from mcnode.cli.admin_http_gateway import admin_http_gateway
from mcnode.cli.grpc_token_generator import grpc_token_generator
from mcnode.cli.run_program import run_program
from mcnode.cli.sign_governors import sign_governors_program
from mcnode.connection.auth_token import BasicCredentials, TokenAuthenticator
from mcnode.consensus.config.arguments import UsageError
from mcnode.consensus.config.documents import load_document
from mcnode.consensus.config.errors import MissingMobConfig, TokensLoadError
from mcnode.consensus.config.tokens_file import parse_tokens
from mcnode.crypto.der import private_key_to_pem
from mcnode.crypto.keys import Ed25519Private
from mcnode.errors import BugError, InvalidError, McNodeError, UnavailableError

SECRET = "11" * 32


def test_generated_password_is_good_now(capsys: pytest.CaptureFixture[str]) -> None:
    assert grpc_token_generator(["--shared-secret", SECRET], {"MC_USERNAME": "a b"}) == 0
    lines = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    password = lines["Password"]
    assert lines["Password (percent-encoded)"].startswith("a%20b%3A")
    seconds = int(password.split(":")[1])
    gate = TokenAuthenticator(bytes.fromhex(SECRET), 60)
    assert gate.authenticate(BasicCredentials("a b", password), seconds) == "a b"


def test_signed_tokens_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = Ed25519Private(bytes([8]) * 32)
    (tmp_path / "key.pem").write_text(private_key_to_pem(key))
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [{"token_id": 0}]}))
    flags = [
        f"--signing-key={tmp_path}/key.pem",
        f"--tokens={tmp_path}/tokens.json",
        f"--output-json={tmp_path}/signed.json",
    ]
    assert sign_governors_program(flags, {}) == 0
    signed = parse_tokens(load_document(tmp_path / "signed.json"))
    assert signed.governors_signature is not None
    key.public_key().verify(signed.governors_map().signing_digest(), signed.governors_signature)
    assert signed.governors_signature.hex() in capsys.readouterr().out
    flags[2] = f"--output-json={tmp_path}/nowhere/signed.json"
    with pytest.raises(UnavailableError, match="cannot write"):
        sign_governors_program(flags, {})


@pytest.mark.parametrize("key", ["/nowhere/key.pem", "tokens.json"])
def test_unusable_signing_key(tmp_path: Path, key: str) -> None:
    (tmp_path / "tokens.json").write_text("{}")
    with pytest.raises(UsageError, match=r"for '--signing-key <SIGNING_KEY>': Failed"):
        sign_governors_program([f"--signing-key={tmp_path / key}"], {})


def test_gateway_needs_an_admin_uri() -> None:
    with pytest.raises(UsageError, match="--admin-uri <ADMIN_URI>"):
        admin_http_gateway([], {})
    with pytest.raises(UsageError, match="possibilities are `mca`"):
        admin_http_gateway(["--admin-uri", "http://x/"], {})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidError("bad"), 1),
        (UnavailableError("away"), 3),
        (MissingMobConfig(), 1),
        (TokensLoadError("t.json", MissingMobConfig()), 101),
    ],
)
def test_an_error_is_one_line_and_a_status(
    error: McNodeError, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def program(_args: object, _environment: object) -> int:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_program(program)
    assert ended.value.code == status
    assert capsys.readouterr().err == f"error: {error}\n"


def test_a_bug_of_ours_keeps_its_traceback() -> None:
    def program(_args: object, _environment: object) -> int:
        raise BugError("broken")

    with pytest.raises(BugError):
        run_program(program)
