"""`generate-sample-ledger`: a ledger that pays to given keys, the same for the same seed."""

import time
from pathlib import Path

import click

from mcnode.cli.main import run_command
from mcnode.cli.parameters import DIRECTORY, EXISTING_DIRECTORY, HEX32
from mcnode.errors import InvalidError

_DEFAULT_SEED_HEX = "21" * 32


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--output-dir",
    envvar="MC_OUTPUT_DIR",
    default="ledger",
    show_default=True,
    type=DIRECTORY,
    help="Where to write the ledger; must not hold one yet.",
)
@click.option(
    "--keys-dir",
    "--keys",
    "keys_dir",
    envvar="MC_KEYS_DIR",
    default="keys",
    show_default=True,
    type=EXISTING_DIRECTORY,
    help="Directory of the .pub files that are paid to.",
)
@click.option(
    "-t",
    "--txs",
    envvar="MC_TXS",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="Outputs per key and block (and token).",
)
@click.option(
    "-b",
    "--blocks",
    envvar="MC_BLOCKS",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Number of blocks.",
)
@click.option(
    "-k",
    "--key-images",
    envvar="MC_KEY_IMAGES",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="Only noted in conf.json.",
)
@click.option(
    "-s",
    "--seed",
    envvar="MC_SEED",
    default=_DEFAULT_SEED_HEX,
    show_default=True,
    type=HEX32,
    help="64 hexadecimal digits; the same seed gives the same ledger.",
)
@click.option(
    "--max-token-id",
    envvar="MC_MAX_TOKEN_ID",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Pay tokens 0 to this one; above 0, version 3 blocks.",
)
def generate_sample_ledger(
    *,
    output_dir: Path,
    keys_dir: Path,
    txs: int,
    blocks: int,
    key_images: int,
    seed: bytes,
    max_token_id: int,
) -> None:
    """Write a ledger whose outputs belong to the keys in --keys-dir (see sample-keys).

    250 million of each token are spread evenly over all outputs. conf.json in the current directory
    notes what was made. Start a node on the ledger with consensus-service --ledger-path.

    Example: generate-sample-ledger --keys-dir keys --output-dir ledger --txs 100
    """
    from mcnode.ledger.db import LedgerDB
    from mcnode.ledger.sample import SampleLedger, make_sample_blocks, sample_conf_json
    from mcnode.wallet.key_files import load_public_addresses

    recipients = load_public_addresses(keys_dir)
    if not recipients:
        raise InvalidError(f"{keys_dir} holds 0 .pub files, needs 1: make some with sample-keys")
    sample = SampleLedger(recipients, txs, blocks, max_token_id, seed)
    value = sample.value_per_output
    started = time.monotonic()
    with LedgerDB.create(output_dir, durable=False) as ledger:
        for block_data in make_sample_blocks(sample):
            ledger.append_block_data(block_data)
        ledger.flush()
    Path("conf.json").write_text(sample_conf_json(sample, key_images))
    click.echo(
        f"wrote {blocks} blocks with {sample.num_outputs} outputs of {value} each to {output_dir} "
        f"in {time.monotonic() - started:.1f} s"
    )


def main() -> None:
    """Entry point of the program `generate-sample-ledger`."""
    run_command(generate_sample_ledger)


if __name__ == "__main__":
    main()
