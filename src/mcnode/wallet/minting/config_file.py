"""The file in which governors write down who may mint. [docs/protocol/service.md#16.2]"""

import dataclasses
from pathlib import Path

from mcnode.consensus.config.documents import Document, parse_json
from mcnode.consensus.config.errors import SignerIdentityError
from mcnode.consensus.config.signer_identity import (
    SignerIdentity,
    parse_signer_identity,
    resolve_signer_set,
)
from mcnode.transaction.messages import MintConfig
from mcnode.wallet.minting.errors import TxCreationFailed
from mcnode.wallet.minting.tx_file import load_text


@dataclasses.dataclass(frozen=True, slots=True)
class MinterConfig:
    """These minters together may mint that much."""

    mint_limit: int
    """In the token's smallest units."""
    minters: SignerIdentity


@dataclasses.dataclass(frozen=True, slots=True)
class MintConfigTxFile:
    """A mint configuration as people write it."""

    token_id: int
    total_mint_limit: int
    """Of all configurations together, in the token's smallest units."""
    configs: tuple[MinterConfig, ...]
    nonce: bytes = b""
    """Empty: to be chosen."""
    tombstone_block: int | None = None
    signer_identities: dict[str, SignerIdentity] = dataclasses.field(default_factory=dict)

    def mint_configs(self) -> tuple[MintConfig, ...]:
        """The configurations with names and nesting resolved.

        Raises:
            TxCreationFailed: minters do not resolve to a signer set.
        """
        return tuple(self._mint_config(number) for number in range(len(self.configs)))

    def _mint_config(self, number: int) -> MintConfig:
        config = self.configs[number]
        try:
            signer_set = resolve_signer_set(config.minters, self.signer_identities)
        except SignerIdentityError as error:
            raise TxCreationFailed(f"minters of configs[{number}]: {error}") from error
        return MintConfig(self.token_id, signer_set, config.mint_limit)


def parse_mint_config_tx_file(document: Document) -> MintConfigTxFile:
    """The configuration that a JSON document describes.

    Raises:
        FileSyntaxError: a field is absent or of the wrong type.
    """
    tombstone = document.optional("tombstone_block")
    identities = document.optional("signer_identities")
    return MintConfigTxFile(
        token_id=document.member("token_id").unsigned(64),
        total_mint_limit=document.member("total_mint_limit").unsigned(64),
        configs=tuple(
            MinterConfig(
                config.member("mint_limit").unsigned(64),
                parse_signer_identity(config.member("minters")),
            )
            for config in document.member("configs").items()
        ),
        nonce=_parse_nonce(document.optional("nonce")),
        tombstone_block=None if tombstone is None else tombstone.unsigned(64),
        signer_identities={
            name: parse_signer_identity(identity)
            for name, identity in (() if identities is None else identities.members())
        },
    )


def _parse_nonce(document: Document | None) -> bytes:
    if document is None:
        return b""
    try:
        return bytes.fromhex(document.text())
    except ValueError as error:
        raise document.fault("nonce is not hex") from error


def load_mint_config_tx_file(path: Path) -> MintConfigTxFile:
    """The configuration in a JSON file.

    Raises:
        TxFileError: the file cannot be read.
        FileSyntaxError: it does not describe a mint configuration.
    """
    return parse_mint_config_tx_file(parse_json(load_text(path)))
