"""Which network a wallet belongs to, as its file remembers it."""

import dataclasses
import json
from pathlib import Path
from typing import Self

from mcnode.connection.uri import CLIENT, Uri, parse_uri
from mcnode.ledger.archive.fetcher import BlockFetcher
from mcnode.wallet.errors import SettingsError, WalletFileError
from mcnode.wallet.trust import TrustedEnclave


@dataclasses.dataclass(frozen=True, slots=True)
class WalletSettings:
    """Where a wallet reads blocks, where it hands payments in, and whom it trusts with them.

    Raises:
        UriError, SourceUrlError: a node's URI or an archive's URL cannot be used.
    """

    nodes: tuple[str, ...] = ()
    """`mc://host/` or `insecure-mc://host:port/`; the next one is asked when one fails."""
    archives: tuple[str, ...] = ()
    """Directories of blocks as URLs."""
    chain_id: str = ""
    """Name of the network; empty: do not say."""
    ledger_copy: Path | None = None
    """Directory of the blocks read so far; several wallets may share one. None: beside the file."""
    enclave: TrustedEnclave = dataclasses.field(default_factory=TrustedEnclave)
    node_ledger: Path | None = None
    """Directory of a node's ledger on this machine, to read instead of archives and a copy."""

    def __post_init__(self) -> None:
        for uri in self.nodes:
            parse_uri(uri, CLIENT)
        if self.archives:
            BlockFetcher.from_urls(self.archives)

    def node_uris(self) -> list[Uri]:
        """The nodes. Raises `SettingsError` when there is none."""
        if not self.nodes:
            raise SettingsError("0 nodes are known, needs 1: set --node, insecure-mc://host:port/")
        return [parse_uri(uri, CLIENT) for uri in self.nodes]

    def fetcher(self) -> BlockFetcher:
        """The archives. Raises `SettingsError` when there is none."""
        if not self.archives:
            raise SettingsError(
                "0 archives are known, needs 1: set --archive, file:///directory, or --node-ledger"
            )
        return BlockFetcher.from_urls(self.archives)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(
            {
                "nodes": self.nodes,
                "archives": self.archives,
                "chain_id": self.chain_id,
                "ledger_copy": None if self.ledger_copy is None else str(self.ledger_copy),
                "enclave": self.enclave.to_json(),
                "node_ledger": None if self.node_ledger is None else str(self.node_ledger),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse of `to_json`. Raises `WalletFileError` for something else."""
        try:
            value = json.loads(text)
            copy, node_ledger = value["ledger_copy"], value.get("node_ledger")
            return cls(
                tuple(value["nodes"]),
                tuple(value["archives"]),
                value["chain_id"],
                None if copy is None else Path(copy),
                TrustedEnclave.from_json(value["enclave"]),
                None if node_ledger is None else Path(node_ledger),
            )
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise WalletFileError(f"settings of the wallet cannot be read: {error!r}") from None
