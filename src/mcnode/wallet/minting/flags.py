"""Sub-commands of the mint client and their flags. [docs/protocol/service.md#16.2]"""

import dataclasses
from pathlib import Path
from typing import Final

from mcnode.account.printable import parse_printable_address
from mcnode.connection.uri import CLIENT
from mcnode.consensus.config import sign_governors
from mcnode.consensus.config.arguments import Flag, Program
from mcnode.consensus.config.sign_governors import parse_signing_key
from mcnode.consensus.config.values import (
    ValueTextError,
    parse_hex,
    parse_listen_uri,
    parse_path,
    parse_unsigned,
)
from mcnode.crypto.der import parse_ed25519_public_pem, parse_pem
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import SIGNATURE_BYTES, Ed25519Public
from mcnode.errors import InvalidError
from mcnode.files import UnfitFileError, read_text
from mcnode.transaction.constants import MINT_NONCE_LENGTH
from mcnode.wallet.minting.config_file import MintConfigTxFile, load_mint_config_tx_file
from mcnode.wallet.minting.tx_file import TX_FILE_BYTES_MAX, MintingTx, load_tx_file

NAME: Final = "mc-consensus-mint-client"
ABOUT: Final = """Set up who may mint a token, mint, and collect the signatures for it offline.

Every flag can be given by its environment variable as well. Submitting commands end with the number
of the node's answer, 0 when it takes the transaction."""


@dataclasses.dataclass(frozen=True, slots=True)
class LoadedTx:
    """A transaction and the file it came from."""

    path: Path
    tx: MintingTx


def parse_config_file(text: str) -> MintConfigTxFile:
    """The mint configuration in a JSON file."""
    return load_mint_config_tx_file(parse_path(text))


def parse_tx_path(text: str) -> LoadedTx:
    """The transaction in a file."""
    path = parse_path(text)
    return LoadedTx(path, load_tx_file(path))


def parse_signature(text: str) -> bytes:
    """64 bytes: 128 hexadecimal digits, or a PEM file that holds them bare.

    A text of 128 characters is never taken for a file's name.
    """
    if len(text) == 2 * SIGNATURE_BYTES:
        return parse_hex(SIGNATURE_BYTES)(text)
    try:
        blocks = parse_pem(_read(text))
    except KeyFormatError as error:
        raise ValueTextError(f"Failed parsing PEM file {text}: {error}") from error
    if not blocks:
        raise ValueTextError(f"{text} holds no PEM block")
    signature = blocks[0][1]
    if len(signature) != SIGNATURE_BYTES:
        raise ValueTextError(f"{text} holds {len(signature)} bytes, needs {SIGNATURE_BYTES}")
    return signature


def parse_public_key(text: str) -> Ed25519Public:
    """The key in a `PUBLIC KEY` PEM file."""
    try:
        return parse_ed25519_public_pem(_read(text))
    except KeyFormatError as error:
        raise ValueTextError(f"Failed parsing PEM file {text}: {error}") from error


def _read(text: str) -> str:
    try:
        return read_text(parse_path(text), TX_FILE_BYTES_MAX)
    except OSError as error:
        raise ValueTextError(f"Failed reading file {text}: {error.strerror}") from error
    except UnfitFileError as error:
        raise ValueTextError(str(error)) from error


def parse_css_path(text: str) -> Path:
    """An existing file."""
    path = parse_path(text)
    if not path.is_file():
        raise InvalidError("no such file")
    return path


_CHAIN_ID = Flag("--chain-id", env="MC_CHAIN_ID", required=True, help="name of the network")
_CHAIN_ID_OPTIONAL = dataclasses.replace(_CHAIN_ID, required=False)
_NODE = Flag(
    "--node",
    parse_listen_uri(CLIENT),
    "MC_CONSENSUS_URI",
    required=True,
    help="node to submit to, mc://host/ or insecure-mc://host:port/",
)
_TOMBSTONE_FROM_NODE = Flag(
    "--tombstone-from-node",
    parse_listen_uri(CLIENT),
    "MC_CONSENSUS_URI",
    help="node to ask for the last block; the tombstone block will be 20159 blocks later",
)
_OUT = Flag(
    "--out",
    parse_path,
    "MC_MINTING_OUT_FILE",
    required=True,
    help="where to write the transaction, as JSON",
)
_CSS = Flag(
    "--fog-ingest-enclave-css",
    parse_css_path,
    "MC_FOG_INGEST_ENCLAVE_CSS",
    help="SIGSTRUCT of the fog enclave; taken note of only, see --recipient",
)
_SIGNING_KEYS = Flag(
    "--signing-key",
    parse_signing_key,
    "MC_MINTING_SIGNING_KEYS",
    "SIGNING_KEYS",
    multiple=True,
    help="PEM file of a private key to sign with; repeat it, or separate by commas",
)
_SIGNATURES = Flag(
    "--signature",
    parse_signature,
    "MC_MINTING_SIGNATURES",
    "SIGNATURES",
    multiple=True,
    help="signature to add: 128 hexadecimal digits, or a PEM file of 64 bytes; repeat it, or "
    "separate by commas",
)
_TOMBSTONE = Flag(
    "--tombstone",
    parse_unsigned(64),
    "MC_MINTING_TOMBSTONE",
    help="the transaction is void from this block on",
)
_NONCE = Flag(
    "--nonce",
    parse_hex(MINT_NONCE_LENGTH),
    "MC_MINTING_NONCE",
    help="64 bytes, as hex; random when absent",
)
_TX_FILE = Flag(
    "--tx-file",
    parse_tx_path,
    "MC_MINTING_TX_FILE",
    required=True,
    help="file of a transaction",
)

_CONFIG_PREFIX = (
    Flag(
        "--mint-config-tx-file",
        parse_config_file,
        "MC_MINTING_MINT_CONFIG_TX_FILE",
        required=True,
        help="JSON file that says who may mint how much of which token",
    ),
    _TOMBSTONE,
    _NONCE,
)
_CONFIG = (_SIGNING_KEYS, _SIGNATURES, *_CONFIG_PREFIX)
_MINT_PREFIX = (
    Flag(
        "--recipient",
        parse_printable_address,
        "MC_MINTING_RECIPIENT",
        required=True,
        help="printable address, without a fog server",
    ),
    Flag(
        "--token-id",
        parse_unsigned(64),
        "MC_MINTING_TOKEN_ID",
        required=True,
        help="the token to mint",
    ),
    Flag(
        "--amount",
        parse_unsigned(64),
        "MC_MINTING_AMOUNT",
        required=True,
        help="how much, in the token's smallest units",
    ),
    _TOMBSTONE,
    _NONCE,
)
_MINT = (_SIGNING_KEYS, _SIGNATURES, *_MINT_PREFIX)


def _tx_files(env: str) -> Flag:
    return dataclasses.replace(
        _TX_FILE,
        env=env,
        metavar="TX_FILES",
        multiple=True,
        help="files of the same transaction, whose signatures are put together; repeat it, or "
        "separate by commas",
    )


def _program(name: str, about: str, *flags: Flag) -> tuple[str, Program]:
    return name, Program(f"{NAME} {name}", about, None, flags)


PROGRAMS: Final = dict(
    [
        _program(
            "generate-and-submit-mint-config-tx",
            "Make, sign and submit a mint configuration.",
            _CHAIN_ID,
            _NODE,
            *_CONFIG,
        ),
        _program(
            "generate-mint-config-tx",
            "Make a mint configuration and write it to a file.",
            _OUT,
            _TOMBSTONE_FROM_NODE,
            *_CONFIG,
        ),
        _program(
            "hash-mint-config-tx",
            "Print what the signers of a mint configuration sign.",
            *_CONFIG_PREFIX,
        ),
        _program(
            "submit-mint-config-tx",
            "Submit a mint configuration, signatures of several files put together.",
            _CHAIN_ID,
            _NODE,
            _tx_files("MC_MINTING_CONFIG_TX_FILES"),
        ),
        _program(
            "generate-and-submit-mint-tx",
            "Make, sign and submit a mint transaction.",
            _CHAIN_ID,
            _NODE,
            _CSS,
            *_MINT,
        ),
        _program(
            "generate-mint-tx",
            "Make a mint transaction and write it to a file.",
            _OUT,
            _CSS,
            _CHAIN_ID_OPTIONAL,
            _TOMBSTONE_FROM_NODE,
            *_MINT,
        ),
        _program(
            "hash-mint-tx",
            "Print what the signers of a mint transaction sign.",
            *_MINT_PREFIX,
        ),
        _program(
            "submit-mint-tx",
            "Submit a mint transaction, signatures of several files put together.",
            _CHAIN_ID,
            _NODE,
            _tx_files("MC_MINTING_TX_FILES"),
        ),
        _program("hash-tx-file", "Print what the signers of a file's transaction sign.", _TX_FILE),
        _program("sign-governors", sign_governors.PROGRAM.about, *sign_governors.PROGRAM.flags),
        _program("dump", "Print a file's transaction for people.", _TX_FILE),
        _program(
            "sign",
            "Add signatures to a file's transaction; the file is rewritten.",
            _TX_FILE,
            _SIGNING_KEYS,
            _SIGNATURES,
        ),
        _program(
            "check-sig",
            "Check a signature; the status is 1 when it is not the key's.",
            Flag(
                "--signature",
                parse_signature,
                "MC_MINTING_SIGNATURE",
                required=True,
                help="128 hexadecimal digits, or a PEM file of 64 bytes",
            ),
            Flag(
                "--hash",
                parse_hex(32),
                "MC_MINTING_HASH",
                required=True,
                help="what was signed: 32 bytes, as hex",
            ),
            Flag(
                "--public-key",
                parse_public_key,
                "MC_MINTING_PUBLIC_KEY",
                required=True,
                help="PEM file of the public key",
            ),
        ),
    ]
)
"""By the name of the sub-command."""
