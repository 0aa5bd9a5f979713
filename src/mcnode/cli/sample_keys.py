"""`sample-keys`: account keys for tests and local networks, the same for the same seed."""

import base64
import binascii
from pathlib import Path

import click

from mcnode.cli.main import run_command
from mcnode.cli.parameters import DIRECTORY, EXISTING_FILE, HEX32
from mcnode.errors import InvalidError

_DEFAULT_SEED_HEX = "01" * 32


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-n",
    "--num",
    envvar="MC_NUM",
    default=10,
    show_default=True,
    type=click.IntRange(1),
    help="How many accounts.",
)
@click.option(
    "-s",
    "--seed",
    envvar="MC_SEED",
    default=_DEFAULT_SEED_HEX,
    show_default=True,
    type=HEX32,
    help="64 hexadecimal digits; the same seed gives the same keys.",
)
@click.option(
    "--output-dir",
    envvar="MC_OUTPUT_DIR",
    default="keys",
    show_default=True,
    type=DIRECTORY,
    help="Where to write; made if missing.",
)
@click.option(
    "--fog-report-url", envvar="MC_FOG_REPORT_URL", help="Fog report server of every account."
)
@click.option("--fog-report-id", envvar="MC_FOG_REPORT_ID", default="", help="Fog report id.")
@click.option(
    "--fog-authority-root",
    envvar="MC_FOG_AUTHORITY_ROOT",
    type=EXISTING_FILE,
    help="PEM certificate of the fog authority.",
)
@click.option(
    "--fog-authority-spki",
    envvar="MC_FOG_AUTHORITY_SPKI",
    help="Public key of the fog authority, base64 of DER.",
)
def sample_keys(
    *,
    num: int,
    seed: bytes,
    output_dir: Path,
    fog_report_url: str | None,
    fog_report_id: str,
    fog_authority_root: Path | None,
    fog_authority_spki: str | None,
) -> None:
    """Write account keys for tests: never put value on them, anybody can make them again.

    For account N three files appear: account_keys_N.json (the secret mnemonic), account_keys_N.pub
    and account_keys_N.b58pub (the address).

    Example: sample-keys --num 3 --output-dir keys
    """
    from mcnode.account.key_files import FogDetails, sample_accounts
    from mcnode.wallet.key_files import save_key_files

    fog = None
    if fog_report_url:
        spki = _authority_key(fog_authority_root, fog_authority_spki)
        fog = FogDetails(fog_report_url, fog_report_id, spki)
    for number, account in enumerate(sample_accounts(seed, num, fog)):
        save_key_files(output_dir, f"account_keys_{number}", account)
    click.echo(f"wrote the keys of {num} accounts to {output_dir}")


def _authority_key(root: Path | None, spki: str | None) -> bytes:
    """The authority's public key as DER, from either option; empty when neither is given."""
    if spki:
        try:
            return base64.b64decode(spki, validate=True)
        except binascii.Error as error:
            raise InvalidError(f"--fog-authority-spki is not base64: {error}") from error
    if root is None:
        return b""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        certificate = x509.load_pem_x509_certificate(root.read_bytes())
    except ValueError as error:
        raise InvalidError(f"{root} is not a PEM certificate: {error}") from error
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def main() -> None:
    """Entry point of the program `sample-keys`."""
    run_command(sample_keys)


if __name__ == "__main__":
    main()
