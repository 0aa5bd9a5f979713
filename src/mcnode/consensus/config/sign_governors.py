"""Signing the governors of a tokens file. [docs/protocol/service.md#16.2]"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mcnode.consensus.config.arguments import Flag, Program, parse_arguments
from mcnode.consensus.config.documents import load_document
from mcnode.consensus.config.errors import ConfigError
from mcnode.consensus.config.tokens_file import TokensConfig, parse_tokens
from mcnode.consensus.config.values import ValueTextError, parse_path
from mcnode.crypto.der import PEM_CHARS_MAX, parse_ed25519_private_pem
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import Ed25519Private


def parse_signing_key(text: str) -> Ed25519Private:
    """The key in a `PRIVATE KEY` PEM file."""
    path = parse_path(text)
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            pem = file.read(PEM_CHARS_MAX + 1)
    except OSError as error:
        raise ValueTextError(f"Failed reading file {text}: {error.strerror}") from error
    try:
        return parse_ed25519_private_pem(pem)
    except KeyFormatError as error:
        raise ValueTextError(f"Failed parsing PEM file {text}: {error}") from error


def parse_tokens_path(text: str) -> TokensConfig:
    """The tokens file of that path, checked."""
    config = parse_tokens(load_document(parse_path(text)))
    config.check()
    return config


PROGRAM: Final = Program(
    name="sign-governors",
    about="Sign the governors of a tokens file with the minting trust root's key.",
    version_text="sign-governors 7.0.0",
    flags=(
        Flag(
            "--signing-key",
            parse_signing_key,
            "MC_MINTING_SIGNING_KEY",
            required=True,
            help="PEM file of the minting trust root's private key",
        ),
        Flag(
            "--tokens",
            parse_tokens_path,
            "MC_MINTING_TOKENS_CONFIG",
            required=True,
            help="tokens file",
        ),
        Flag(
            "--output-json",
            parse_path,
            "MC_MINTING_OUTPUT_JSON",
            help="where to write the signed tokens file",
        ),
    ),
    closing="Example:\n"
    "  sign-governors --signing-key root.pem --tokens tokens.json --output-json signed.json",
)


@dataclasses.dataclass(frozen=True, slots=True)
class SignedGovernors:
    """The outcome: a signature of 64 bytes, and the file with it."""

    tokens: TokensConfig
    signature: bytes
    output_path: Path | None


def sign_governors(
    args: Sequence[str], environment: Mapping[str, str], program: Program = PROGRAM
) -> SignedGovernors:
    """Read the command line and sign; the file is left to the caller.

    Raises:
        UsageError, TextRequested: see `parse_arguments`; a bad tokens file counts as a bad value.
        ConfigError: governors of token 0.
    """
    arguments = parse_arguments(program, args, environment)
    tokens: TokensConfig = arguments["tokens"]
    signed = tokens.signed_by(arguments["signing_key"])
    if signed.governors_signature is None:
        raise ConfigError("tokens file was not signed")
    return SignedGovernors(signed, signed.governors_signature, arguments["output_json"])
