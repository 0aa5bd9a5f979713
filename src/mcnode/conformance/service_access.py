"""Vectors of URIs, credentials and tokens."""

import hashlib
import hmac
import re
from typing import Any, Final

from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.connection.auth_token import (
    AnonymousAuthenticator,
    AuthenticationError,
    Authenticator,
    BasicCredentials,
    TokenAuthenticator,
    authenticate_call,
    make_token,
    percent_encode_password,
)
from mcnode.connection.uri import CLIENT, PEER, UriError, parse_uri
from mcnode.consensus.config.arguments import UsageError
from mcnode.consensus.config.token_generator import generate_text
from mcnode.consensus.metrics import method_label

Case = dict[str, Any]

_KINDS: Final = {"client": CLIENT, "peer": PEER}


@runs("service", r"uris[^/]*\.jsonl")
def run_uris(file: VectorFile, report: Report) -> None:
    """URIs, taken apart or refused."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} {case['uri']}"):
            _check_uri(case)


def _check_uri(case: Case) -> None:
    try:
        uri = parse_uri(case["uri"], _KINDS[case["kind"]])
    except UriError as error:
        expect(not case["ok"], f"refused: {error}")
        return
    expect(case["ok"], "accepted, must be refused")
    for name in ("addr", "responder_id", "use_tls", "username", "password"):
        expect_equal(name, getattr(uri, name), case[name])
    if "tls_hostname_override" in case:
        expect_equal("tls hostname", uri.tls_hostname_override, case["tls_hostname_override"])
    if "consensus_msg_key_hex" in case:
        found = uri.consensus_msg_key().to_bytes().hex()
        expect_equal("message key", found, case["consensus_msg_key_hex"])


@runs("service", r"authorization_headers[^/]*\.jsonl")
def run_authorization_headers(file: VectorFile, report: Report) -> None:
    """Header values under either authenticator."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            _check_header(case)


def _check_header(case: Case) -> None:
    authenticator: Authenticator = AnonymousAuthenticator()
    if case["authenticator"] == "token":
        authenticator = TokenAuthenticator(bytes.fromhex(case["shared_secret_hex"]), 86400)
    value = case["authorization"]
    metadata = [] if value is None else [("authorization", value)]
    user = None
    try:
        user = authenticate_call(authenticator, metadata, 0)
    except AuthenticationError as error:
        expect(not case["ok"], f"refused: {error}")
    expect_equal("user", user, case["user"])


@runs("service", r"client_auth_tokens[^/]*\.jsonl")
def run_client_auth_tokens(file: VectorFile, report: Report) -> None:
    """Passwords and headers of users at fixed times."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} {case['username']}"):
            secret = bytes.fromhex(case["shared_secret_hex"])
            made = make_token(secret, case["username"], case["timestamp"])
            expect_equal("password", made.password, case["password"])
            encoded = percent_encode_password(made.password)
            expect_equal("percent-encoded", encoded, case["password_percent_encoded"])
            expect_equal("header", made.to_header(), case["authorization_header"])
            user = TokenAuthenticator(secret, 1).authenticate(made, case["timestamp"])
            expect_equal("user", user, case["username"])


@runs("service", r"genuine-tools/auth_tokens[^/]*\.jsonl")
def run_generated_tokens(file: VectorFile, report: Report) -> None:
    """What the token generator prints, and its refusals."""
    for case in file.json_lines():
        with report.case(case["name"]):
            if "args" in case:
                _check_generator_refusal(case)
            else:
                _check_generated(case)


def _check_generated(case: Case) -> None:
    args = [f"--shared-secret={case['shared_secret_hex']}", f"--username={case['username']}"]
    lines = generate_text(args, {}, case["unix_time"]).splitlines()
    expect_equal(
        "printed",
        lines,
        [
            f"Username: {case['printed_username']}",
            f"Password: {case['password']}",
            f"Password (percent-encoded): {case['password_percent_encoded']}",
        ],
    )


def _check_generator_refusal(case: Case) -> None:
    try:
        printed = generate_text(case["args"], {}, 0)
    except UsageError as error:
        expect_equal("exit code", error.exit_code, case["exit_code"])
        expect_equal("stderr", str(error), case["stderr"].rstrip("\n"))
    else:
        expect(False, f"not refused: {printed}")


# ---- what a real node said to tokens that are wrong in some way -------------------------------

_SECRET: Final = bytes([0x11]) * 32
_LIFETIME_S: Final = 86400
_NOW: Final = 1_700_000_000
_OPEN_METHODS: Final = {"Check", "Ping", "GetBuildInfo", "GetNodeConfig"}
"""Served without a look at credentials."""


def _signed(username: str, seconds: str, *, mac_bytes: int = 10) -> str:
    """A header whose MAC covers the texts as they are written here."""
    signed = f"{username}:{seconds}"
    mac = hmac.digest(_SECRET, signed.encode(), hashlib.sha256)[:mac_bytes]
    return BasicCredentials(username, f"{signed}:{mac.hex()}").to_header()


def _altered_mac(change: Any) -> str:
    good = make_token(_SECRET, "alice", _NOW)
    start, _, mac = good.password.rpartition(":")
    return BasicCredentials("alice", f"{start}:{change(mac)}").to_header()


def _token_header(name: str) -> str | bool | None:
    """The header that `name` describes; None for no header, False for an unknown name."""
    dated = re.fullmatch(r"(expired|just_inside|future)_(\d+)", name)
    if dated:
        seconds = int(dated[2])
        shift = {"expired": -seconds - 1, "just_inside": -seconds, "future": seconds}[dated[1]]
        return _signed("alice", str(_NOW + shift))
    good = make_token(_SECRET, "alice", _NOW)
    headers: dict[str, str | None] = {
        "none": None,
        "valid": good.to_header(),
        "other_user": BasicCredentials("bob", good.password).to_header(),
        "other_secret": make_token(bytes(32), "alice", _NOW).to_header(),
        "user_with_colon": _signed("al:ice", str(_NOW)),
        "empty_user": _signed("", str(_NOW)),
        "time_not_number": _signed("alice", "now"),
        "time_negative": _signed("alice", f"-{_NOW}"),
        "time_plus_sign": _signed("alice", f"+{_NOW}"),
        "time_leading_zero": _signed("alice", f"0{_NOW}"),
        "time_empty": _signed("alice", ""),
        "sig_not_hex": _altered_mac(lambda mac: "zz" + mac[2:]),
        "sig_short": _altered_mac(lambda mac: mac[:-2]),
        "sig_upper": _altered_mac(str.upper),
        "sig_upper_case": _altered_mac(str.upper),
        "sig_uppercase": _altered_mac(str.upper),
        "sig_32_bytes": _signed("alice", str(_NOW), mac_bytes=32),
        "sig_empty": _altered_mac(lambda _mac: ""),
        "sig_wrong": _altered_mac(lambda mac: ("0" if mac[0] != "0" else "1") + mac[1:]),
        "plain_password": BasicCredentials("alice", "password").to_header(),
        "empty_password": BasicCredentials("alice", "").to_header(),
        "bearer": "Bearer " + good.to_header().partition(" ")[2],
    }
    return headers.get(name, False)


@runs("service", r"genuine-tools/token_checks[^/]*\.jsonl")
def run_token_checks(file: VectorFile, report: Report) -> None:
    """Tokens that are wrong in the way the case's name says."""
    for case in file.json_lines():
        name, _, method = case["name"].partition("@")
        header = _token_header(name)
        if header is False:
            report.notes.append(f"{case['name']}: no header is known under this name")
            continue
        with report.case(case["name"]):
            _check_token(case, method, header if isinstance(header, str) else None)


def _check_token(case: Case, method: str, header: str | None) -> None:
    status, message = "OK", None
    if method not in _OPEN_METHODS:
        metadata = [] if header is None else [("authorization", header)]
        try:
            authenticate_call(TokenAuthenticator(_SECRET, _LIFETIME_S), metadata, _NOW)
        except AuthenticationError as error:
            status, message = "UNAUTHENTICATED", str(error)
    expect_equal("status", status, case["status"])
    expect_equal("message", message, case.get("message"))


@runs("service", r"metric_method_names[^/]*\.jsonl")
def run_metric_method_names(file: VectorFile, report: Report) -> None:
    """Labels of gRPC paths."""
    for case in file.json_lines():
        with report.case(case["path_hex"]):
            path = bytes.fromhex(case["path_hex"]).decode(errors="replace")
            expect_equal("method", method_label(path), case["method"])
