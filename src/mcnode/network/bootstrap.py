"""Files of a local network: funded accounts, the origin ledger, configuration of every node."""

import contextlib
import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mcnode.account.key_files import sample_accounts
from mcnode.consensus.config.signer_identity import SingleSigner
from mcnode.consensus.config.tokens_file import TokenConfig, TokensConfig
from mcnode.consensus.startup import copy_origin
from mcnode.crypto.der import private_key_to_pem
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.rng import Hc128Rng
from mcnode.errors import InvalidError, UnavailableError
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import SampleLedger, make_sample_blocks
from mcnode.network.plan import NetworkPlan
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB
from mcnode.wallet.key_files import load_public_addresses, save_key_files

DEVELOPMENT_TRUST_ROOT_SEED = bytes.fromhex("ab" * 32)
"""Anybody can sign governors with the key made from it: development only. [service.md#5.1]"""
SAMPLE_KEYS_SEED = bytes.fromhex("01" * 32)
SAMPLE_LEDGER_SEED = bytes.fromhex("21" * 32)
MINTED_TOKENS = (1, 2)
MINTED_TOKEN_FEE = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Funding:
    """How much there is to play with: outputs are spread evenly over the accounts."""

    account_count: int = 6
    outputs_per_account: int = 40


class DirectoryInUse(InvalidError):
    """The work directory has files that are not a network's."""


class CannotWrite(UnavailableError):
    """The work directory cannot be written."""


def write_network(plan: NetworkPlan, funding: Funding) -> None:
    """Write everything that the nodes of `plan` need to start, or, on any failure, nothing.

    Raises:
        DirectoryInUse: the directory has files.
        CannotWrite: no right, no space, no such disk.
    """
    with _all_or_nothing(plan.directory):
        write_accounts(plan, funding)
        write_origin_ledger(plan, funding)
        write_tokens(plan)
        for node in plan.nodes:
            node.directory.mkdir()
            path = node.directory / "network.json"
            path.write_text(json.dumps(plan.network_file(node), indent=2) + "\n")
            copy_origin(plan.origin_directory, node.ledger_path)
        plan.save()


@contextlib.contextmanager
def _all_or_nothing(directory: Path) -> Iterator[None]:
    """A new directory that is gone again if what is done inside does not come to its end."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise DirectoryInUse(
                f"{directory} has files but no network; remove it or choose another --work-dir"
            )
    except OSError as error:
        raise CannotWrite(f"cannot write {directory}: {error.strerror}") from error
    try:
        yield
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise CannotWrite(f"cannot write {directory}: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def write_accounts(plan: NetworkPlan, funding: Funding) -> None:
    """Key files of the funded accounts, the same in every local network."""
    plan.keys_directory.mkdir()
    for number, account in enumerate(sample_accounts(SAMPLE_KEYS_SEED, funding.account_count)):
        save_key_files(plan.keys_directory, f"account_keys_{number}", account)


def write_origin_ledger(plan: NetworkPlan, funding: Funding) -> None:
    """A ledger whose only block pays the accounts."""
    recipients = load_public_addresses(plan.keys_directory)
    sample = SampleLedger(recipients, funding.outputs_per_account, 1, 0, SAMPLE_LEDGER_SEED)
    with LedgerDB.create(plan.origin_directory, durable=False) as ledger:
        for block_data in make_sample_blocks(sample):
            ledger.append_block_data(block_data)
        ledger.flush()


def write_tokens(plan: NetworkPlan) -> None:
    """MOB and two tokens to mint, each with one governor, signed by the development trust root."""
    tokens = [TokenConfig(MOB, MINIMUM_FEE_MOB)]
    for token_id in MINTED_TOKENS:
        governor = Ed25519Private.from_bytes(os.urandom(32))
        write_private_key(plan.directory / f"governor-{token_id}.pem", governor)
        tokens.append(
            TokenConfig(token_id, MINTED_TOKEN_FEE, governors=SingleSigner(governor.public_key()))
        )
    signed = TokensConfig(tokens=tuple(tokens)).signed_by(development_trust_root())
    plan.tokens_path.write_text(signed.to_json_text() + "\n")


def write_private_key(path: Path, key: Ed25519Private) -> None:
    """A PEM file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(private_key_to_pem(key))


def development_trust_root() -> Ed25519Private:
    """The key that development builds trust with governors."""
    return Ed25519Private.from_bytes(Hc128Rng(DEVELOPMENT_TRUST_ROOT_SEED)(32))
