"""Vectors of configuration files, signer identities and the node's command line."""

import json
import re
import tempfile
from base64 import b64decode
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
from mcnode.consensus.config.arguments import TextRequested, UsageError
from mcnode.consensus.config.documents import Document, parse_json, parse_toml
from mcnode.consensus.config.errors import (
    ConfigError,
    FeeOutOfBounds,
    NetworkLoadError,
    SignerIdentityError,
    TokensLoadError,
    UnknownSignerIdentity,
)
from mcnode.consensus.config.measurement import SIMULATION_FLAGS
from mcnode.consensus.config.network_file import NetworkConfig, parse_network
from mcnode.consensus.config.node import NODE_FLAGS, read_node_config
from mcnode.consensus.config.sign_governors import sign_governors
from mcnode.consensus.config.signer_identity import parse_signer_identity, resolve_signer_set
from mcnode.consensus.config.tokens_file import parse_tokens
from mcnode.crypto.der import (
    ed25519_private_from_der,
    ed25519_public_from_der,
    private_key_to_pem,
    public_key_to_der,
)
from mcnode.crypto.keys import Ed25519Private, Ed25519Public
from mcnode.crypto.multisig import SignerSet
from mcnode.enclave.config import BlockchainConfig, GovernorsMap
from mcnode.scp.types import NodeID

Case = dict[str, Any]

_NOT_A_PEER: Final = NodeID("nobody.invalid:1", bytes(32))


def _document(value: Any) -> Document:
    return parse_json(json.dumps(value))


def _error_name(error: ConfigError) -> str:
    """`Name` or `Name(arguments)`, as the files write errors."""
    if isinstance(error, FeeOutOfBounds):
        return f"FeeOutOfBounds({error.fee},{error.token_id})"
    if isinstance(error, UnknownSignerIdentity):
        return f"UnknownSignerIdentity({error.name})"
    token_id = getattr(error, "token_id", None)
    return type(error).__name__ + ("" if token_id is None else f"({token_id})")


@runs("service", r"network_files[^/]*\.json")
def run_network_files(file: VectorFile, report: Report) -> None:
    """The JSON and the TOML form of a network."""
    for case in file.json():
        with report.case(case["name"]):
            _check_network_pair(case)


def _check_network_pair(case: Case) -> None:
    from_json = parse_network(_document(case["json"]))
    from_toml = parse_network(parse_toml(case["toml"]))
    expect_equal("equal", from_json == from_toml, case["equal"])
    if "known_peers_present" in case:
        expect_equal("known_peers", from_json.known_peers is not None, case["known_peers_present"])
    if "node_keys_hex" in case:
        keys = {
            uri.responder_id: uri.consensus_msg_key().to_bytes().hex() for uri in from_json.peers
        }
        expect_equal("keys", keys, case["node_keys_hex"])
        _check_usable(from_json)


def _check_usable(network: NetworkConfig) -> None:
    """A complete network file passes our own checks as well, and survives being written."""
    network.check(_NOT_A_PEER.responder_id)
    resolved = network.resolve_quorum_set(_NOT_A_PEER)
    expect_equal("threshold", resolved.threshold, network.quorum_set.threshold)
    expect_equal("read again", parse_network(_document(network.to_json())), network)


@runs("service", r"genuine-tools/network/network_node_[^/]*\.json")
def run_genuine_network_file(file: VectorFile, report: Report) -> None:
    """The network file of a node that ran with it."""
    with report.case("accepted"):
        _check_usable(parse_network(parse_json(file.read_bytes().decode())))


@runs("service", r"tokens_files[^/]*\.jsonl")
def run_tokens_files(file: VectorFile, report: Report) -> None:
    """Tokens files and what is wrong with them."""
    for case in file.json_lines():
        with report.case(case["name"]):
            _check_tokens(case)


def _check_tokens(case: Case) -> None:
    found = None
    tokens = parse_tokens(_document(case["file"]))
    try:
        tokens.check()
    except ConfigError as error:
        found = _error_name(error)
    expect_equal("error", found, case["validate_error"])
    if case.get("fee_map") is not None:
        fees = {str(token_id): fee for token_id, fee in tokens.fee_map().items()}
        expect_equal("fees", fees, case["fee_map"])


@runs("service", r"genuine-tools/network/tokens\.signed[^/]*\.json")
def run_genuine_tokens_file(file: VectorFile, report: Report) -> None:
    """A signed tokens file, whose signer is the development trust root."""
    text = file.read_bytes().decode()
    with report.case("signature"):
        tokens = parse_tokens(parse_json(text))
        tokens.check()
        keys = json.loads(read_unpacked(file.sibling("../keys.json")))
        config = BlockchainConfig(
            tokens.fee_map(), tokens.governors_map(), tokens.governors_signature
        )
        config.check(Ed25519Public(bytes.fromhex(keys["trust_root"]["public_hex"])))
    with report.case("written again"):
        expect_equal("text", parse_tokens(parse_json(tokens.to_json_text())), tokens)


@runs("service", r"signer_identities[^/]*\.jsonl")
def run_signer_identities(file: VectorFile, report: Report) -> None:
    """Identities, resolved by name."""
    for case in file.json_lines():
        with report.case(case["name"]):
            _check_identity(case)


def _check_identity(case: Case) -> None:
    identities = {
        name: parse_signer_identity(_document(value)) for name, value in case["identities"].items()
    }
    try:
        resolved = resolve_signer_set(parse_signer_identity(_document(case["resolve"])), identities)
    except SignerIdentityError as error:
        expect_equal("error", _error_name(error), case.get("expect_error"))
        return
    expect_equal("signer set", resolved, _signer_set(case["expect"], "individual", "multi"))


def _signer_set(value: Case, individual: str, multi: str) -> SignerSet:
    return SignerSet(
        tuple(ed25519_public_from_der(b64decode(key)).to_bytes() for key in value[individual]),
        tuple(_signer_set(nested, individual, multi) for nested in value[multi]),
        value["threshold"],
    )


@runs("service", r"governors_signature[^/]*\.json")
def run_governors_signature(file: VectorFile, report: Report) -> None:
    """The digest of a governors map and the trust root's signature over it."""
    case = file.json()
    governors = GovernorsMap(
        {
            int(token_id): _signer_set(value, "signers", "multi_signers")
            for token_id, value in case["governors_map"].items()
        }
    )
    root = ed25519_private_from_der(b64decode(case["trust_root_private_key_der_b64"]))
    with report.case("public key"):
        expect_equal("key", root.public_key().to_bytes().hex(), case["trust_root_public_key_hex"])
    with report.case("digest"):
        expect_equal("digest", governors.signing_digest().hex(), case["digest_hex"])
    with report.case("signature"):
        made = root.sign(governors.signing_digest())
        expect_equal("signature", made.hex(), case["governors_signature_hex"])
        config = BlockchainConfig(governors_map=governors, governors_signature=made)
        config.check(root.public_key())


@runs("service", r"genuine-tools/keys[^/]*\.json")
def run_named_keys(file: VectorFile, report: Report) -> None:
    """Seeds and public keys by name."""
    for name, pair in file.json().items():
        with report.case(name):
            public = Ed25519Private(bytes.fromhex(pair["seed_hex"])).public_key()
            expect_equal("public key", public.to_bytes().hex(), pair["public_hex"])
            again = ed25519_public_from_der(public_key_to_der(public))
            expect_equal("by way of DER", again, Ed25519Public(public.to_bytes()))


@runs("service", r"genuine-tools/sign_governors[^/]*\.jsonl")
def run_sign_governors(file: VectorFile, report: Report) -> None:
    """What the signing tool writes, and its refusals."""
    with tempfile.TemporaryDirectory() as folder:
        for case in file.json_lines():
            with report.case(case["name"]):
                _check_signing(case, Path(folder))


_POSITION: Final = re.compile(r" at line \d+ column \d+")
_PLACE: Final = re.compile(r" at tokens\[\S+")


def _check_signing(case: Case, folder: Path) -> None:
    """Places in a file are given by path here and by line and column there."""
    key_path, tokens_path = folder / "key.pem", folder / f"{case['name']}.json"
    key = Ed25519Private(bytes.fromhex(case["signing_key_seed_hex"]))
    key_path.write_text(private_key_to_pem(key))
    tokens_path.write_text(json.dumps(case["tokens_in"]))
    try:
        signed = sign_governors([f"--signing-key={key_path}", f"--tokens={tokens_path}"], {})
    except UsageError as error:
        expect_equal("exit code", error.exit_code, case["exit_code"])
        found = _PLACE.sub("", str(error).replace(f"{folder}/", ""))
        expect_equal("stderr", found, _POSITION.sub("", case["stderr"]).rstrip("\n"))
        return
    expect_equal("exit code", 0, case["exit_code"])
    expect_equal("signature", signed.signature.hex(), case["governors_signature_hex"])
    expect_equal("file", signed.tokens.to_json_text(), case["tokens_out_text"])


# ---- the node's command line --------------------------------------------------------------------

_CHAIN_ID: Final = "--chain-id <CHAIN_ID>"
_OBSOLETE: Final = {flag.name for flag in NODE_FLAGS if flag.obsolete}
_LISTED_FLAG: Final = re.compile(r"--[a-z-]+ <[A-Z_]+>")
_REMARK: Final = re.compile(r"\[(?:env: \w+|default: [^\]]*)")


@runs("service", r"genuine-tools/node_cli[^/]*\.jsonl")
def run_node_cli(file: VectorFile, report: Report) -> None:
    """The node's command line, as far as it ends before a ledger is opened."""
    decided = 0
    for case in file.json_lines():
        if _is_decided_otherwise(case):
            decided += 1
            with report.case(case["name"]):
                _run_command_line(case["args"], expect_refusal=False)
            continue
        with report.case(case["name"]):
            _check_command_line(case)
    if decided:
        report.notes.append(
            f"{decided} command lines that the network refuses are accepted on purpose: "
            "obsolete attestation flags, no chain id"
        )


def _is_decided_otherwise(case: Case) -> bool:
    """Refused by the network's program only for what this one accepts. [#6]"""
    for line in case["stderr"].splitlines()[:1]:
        unexpected = re.fullmatch(r"error: unexpected argument '(.*)' found", line)
        if unexpected:
            return unexpected[1] in _OBSOLETE
    missing = [line for line in case["stderr"].splitlines() if line.startswith("  --")]
    return missing == [f"  {_CHAIN_ID}"]


def _check_command_line(case: Case) -> None:
    code, stdout, stderr = _run_command_line(case["args"], expect_refusal=True)
    expect_equal("exit code", code, case["exit_code"])
    if code == 0:
        _check_requested_text(stdout, case["stdout"])
    elif code == UsageError.exit_code:
        expect_equal("stderr", _without_own_flags(stderr), _without_chain_id(case["stderr"]))
    else:
        expected = case["stderr"].splitlines()[0] if case["stderr"] else ""
        expect(stderr.startswith(expected), f"stderr is {stderr!r}, needs {expected!r} first")


def _run_command_line(args: list[str], *, expect_refusal: bool) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a start that reads the files it is given."""
    try:
        config = read_node_config(args, {})
        config.load_blockchain_config()
        if expect_refusal:
            config.load_network().resolve_quorum_set(config.node_id)
    except TextRequested as text:
        return 0, str(text), ""
    except (UsageError, TokensLoadError, NetworkLoadError) as error:
        expect(expect_refusal, f"refused: {error}")
        return error.exit_code, "", str(error)
    expect(not expect_refusal, "not refused")
    return 0, "", ""


def _without_chain_id(text: str) -> str:
    """The chain id may be left out here, so it is not among the required flags."""
    lines = [line for line in text.rstrip("\n").splitlines() if line != f"  {_CHAIN_ID}"]
    return "\n".join(line.replace(f" {_CHAIN_ID}", "") for line in lines)


def _without_own_flags(text: str) -> str:
    """Lists of all flags hold some here that the network's program does not have."""
    own = [flag for flag in NODE_FLAGS if flag.key == "enclave_mode" or flag in SIMULATION_FLAGS]
    for flag in own:
        text = text.replace(f"|{flag.usage}", "")
    return text


def _check_requested_text(found: str, expected: str) -> None:
    """Help lists the same flags, variables and defaults; the version names the same release."""
    if "Options:" not in expected:
        release = expected.partition(" commit:")[0].strip()
        expect(found.startswith(release), f"version is {found!r}, needs {release!r}")
        return
    for part in (*_LISTED_FLAG.findall(expected), *_REMARK.findall(expected)):
        expect(part in found, f"help has no {part}")
