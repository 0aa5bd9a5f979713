"""`mcnode tokens`: what a tokens file says, and whether a node would take it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.parameters import EXISTING_FILE
from mcnode.errors import InvalidError

if TYPE_CHECKING:
    from mcnode.crypto.keys import Ed25519Public

EXIT_DOES_NOT_HOLD = 1


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", type=EXISTING_FILE)
@click.option(
    "--trust-root",
    type=EXISTING_FILE,
    help="PEM file of the minting trust root's public key. Default: that of development builds.",
)
@click.option(
    "--block-version",
    default=4,
    show_default=True,
    type=click.IntRange(0, 4),
    help="Of the network: nested governors need 3.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def tokens(file: Path, trust_root: Path | None, block_version: int, as_json: bool) -> None:
    """Show fees and governors of a tokens FILE, and check its signature.

    Checked are the rules of the file, of its fees and governors, and the signature of the minting
    trust root over the governors; the status is 1 when a node would not take the file. The
    signature is made by `sign-governors`, or elsewhere over the 32 bytes shown here.

    Example: mcnode tokens mc-local-network/tokens.json
    """
    from mcnode.consensus.config.tokens_file import load_tokens
    from mcnode.enclave.config import BlockchainConfig
    from mcnode.transaction.block_version import BlockVersion

    config = load_tokens(file)
    fees, governors = config.fee_map(), config.governors_map()
    root, problem = _trust_root(trust_root), ""
    try:
        BlockchainConfig(
            fees, governors, config.governors_signature, BlockVersion(block_version)
        ).check(root)
    except InvalidError as error:
        problem = f"{type(error).__name__}: {error}"
    found: dict[str, Any] = {
        "tokens": [
            {
                "token_id": token_id,
                "minimum_fee": str(fee),
                "governors": list(_signer_lines(governors.get(token_id))),
            }
            for token_id, fee in fees.items()
        ],
        "fee_map_digest": fees.canonical_digest().hex(),
        "governors_digest": governors.signing_digest().hex() if governors else None,
        "is_signed": config.governors_signature is not None,
        "problem": problem or None,
    }
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _show(found)
    if problem:
        sys.exit(EXIT_DOES_NOT_HOLD)


def _trust_root(path: Path | None) -> "Ed25519Public":
    from mcnode.crypto.der import parse_ed25519_public_pem
    from mcnode.crypto.errors import KeyFormatError
    from mcnode.crypto.keys import Ed25519Public
    from mcnode.enclave.trusted.constants import DEFAULT_MINTING_TRUST_ROOT

    if path is None:
        return Ed25519Public(DEFAULT_MINTING_TRUST_ROOT)
    try:
        return parse_ed25519_public_pem(path.read_text("ascii"))
    except (OSError, UnicodeDecodeError, KeyFormatError) as error:
        raise InvalidError(f"cannot read a public key in {path}: {error}") from None


def _signer_lines(signer_set: Any) -> list[str]:
    from mcnode.wallet.minting.dump import signer_lines

    return [] if signer_set is None else list(signer_lines(signer_set, ""))


def _show(found: dict[str, Any]) -> None:
    for token in found["tokens"]:
        click.echo(f"token {token['token_id']}: minimum fee {token['minimum_fee']}")
        for line in token["governors"]:
            click.echo(f"  {line}")
        if not token["governors"]:
            click.echo("  no governors: it cannot be minted")
    click.echo(f"fee map digest    {found['fee_map_digest']}")
    click.echo(f"governors digest  {found['governors_digest'] or 'none'}")
    if found["problem"]:
        click.echo(f"REFUSED {found['problem']}")
    else:
        signed = "the signature holds" if found["is_signed"] else "there is nothing to sign"
        click.echo(f"a node takes this file: {signed}")
