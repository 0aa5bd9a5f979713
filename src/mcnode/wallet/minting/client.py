"""The mint client: one sub-command a call. [docs/protocol/service.md#16.2]"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mcnode.connection.uri import Uri
from mcnode.consensus.config.arguments import Arguments, parse_arguments, select_program
from mcnode.consensus.config.sign_governors import sign_governors
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.rng import RandomBytes
from mcnode.errors import McNodeError
from mcnode.transaction.messages import MintConfigTx, MintTx
from mcnode.wallet.minting.building import (
    check_submittable,
    default_tombstone,
    make_mint_config_tx,
    make_mint_tx,
    merged,
    signed,
)
from mcnode.wallet.minting.dump import dump_lines
from mcnode.wallet.minting.errors import CannotWrite, NodeCallFailed, SubmissionRefused
from mcnode.wallet.minting.flags import ABOUT, NAME, PROGRAMS
from mcnode.wallet.minting.tx_file import MintingTx, prefix_hash, save_tx_file

if TYPE_CHECKING:  # half of the sub-commands work offline and need not wait for the network's code
    from mcnode.connection.attested import Accepted, AttestedClient, BlockInfo

T = TypeVar("T")
Show = Callable[[str], object]


class MintNode(Protocol):
    """What is asked of a node."""

    async def fetch_block_info(self) -> "BlockInfo":
        """Where it is."""
        ...

    async def propose_mint_config_tx(self, tx: MintConfigTx) -> "Accepted":
        """Hand in a mint configuration."""
        ...

    async def propose_mint_tx(self, tx: MintTx) -> "Accepted":
        """Hand in a mint transaction."""
        ...


ConnectNode = Callable[[Uri, str], AbstractAsyncContextManager[MintNode]]
"""From URI and chain id to a connection."""


def connect_node(uri: Uri, chain_id: str) -> "AttestedClient":
    """A connection that needs nothing attested, as minting is public."""
    from mcnode.connection.attested import AttestedClient

    return AttestedClient(uri, chain_id=chain_id, trust=None)


class MintClient:
    """Carries out command lines.

    Args:
        show: gets each line of output.
        connect, random_bytes: the world, replaced in tests.
    """

    def __init__(self, show: Show, connect: ConnectNode, random_bytes: RandomBytes) -> None:
        self._show = show
        self._connect = connect
        self._random_bytes = random_bytes

    def run(self, args: Sequence[str], environment: Mapping[str, str]) -> int:
        """Do what a command line without the program's name says; the exit status.

        Raises:
            UsageError, TextRequested: see `select_program` and `parse_arguments`.
            MintClientError, NodeCallFailed, CannotWrite: with the exit status.
        """
        name, rest = select_program(NAME, ABOUT, PROGRAMS, args)
        if name == "sign-governors":
            return self._sign_governors(rest, environment)
        given = parse_arguments(PROGRAMS[name], rest, environment)
        action: Callable[[Arguments], int | None] = {
            "generate-and-submit-mint-config-tx": self._generate_and_submit_config,
            "generate-mint-config-tx": self._generate_config,
            "hash-mint-config-tx": self._hash_config,
            "submit-mint-config-tx": self._submit_config,
            "generate-and-submit-mint-tx": self._generate_and_submit_mint,
            "generate-mint-tx": self._generate_mint,
            "hash-mint-tx": self._hash_mint,
            "submit-mint-tx": self._submit_mint,
            "hash-tx-file": self._hash_file,
            "dump": self._dump,
            "sign": self._sign,
            "check-sig": self._check_signature,
        }[name]
        return action(given) or 0

    # ---- making ---------------------------------------------------------------------------------

    def _make_config(self, given: Arguments, tombstone: int | None) -> MintConfigTx:
        return make_mint_config_tx(
            given["mint_config_tx_file"],
            nonce=given["nonce"],
            tombstone_block=tombstone,
            random_bytes=self._random_bytes,
        )

    def _make_mint(self, given: Arguments, tombstone: int | None) -> MintTx:
        return make_mint_tx(
            given["recipient"],
            given["token_id"],
            given["amount"],
            nonce=given["nonce"],
            tombstone_block=tombstone,
            random_bytes=self._random_bytes,
        )

    def _hash_config(self, given: Arguments) -> None:
        self._show_hash(self._make_config(given, given["tombstone"]))

    def _hash_mint(self, given: Arguments) -> None:
        self._show_hash(self._make_mint(given, given["tombstone"]))

    def _show_hash(self, tx: MintingTx) -> None:
        self._show(f"Nonce: {tx.prefix.nonce.hex()}")
        self._show(f"Hash: {prefix_hash(tx).hex()}")

    def _generate_config(self, given: Arguments) -> None:
        tombstone = given["tombstone"]
        if tombstone is None and given["mint_config_tx_file"].tombstone_block is None:
            tombstone = self._tombstone_of(given["tombstone_from_node"], "")
        self._save_new(given, self._make_config(given, tombstone))

    def _generate_mint(self, given: Arguments) -> None:
        tombstone = given["tombstone"]
        if tombstone is None:
            chain_id = given["chain_id"] or ""
            tombstone = self._tombstone_of(given["tombstone_from_node"], chain_id)
        self._save_new(given, self._make_mint(given, tombstone))

    def _save_new(self, given: Arguments, tx: Any) -> None:
        complete = signed(tx, given["signing_key"], given["signature"])
        save_tx_file(given["out"], complete)
        self._show_hash(complete)
        self._show(f"Wrote {given['out']}")

    # ---- submitting -----------------------------------------------------------------------------

    def _generate_and_submit_config(self, given: Arguments) -> None:
        tombstone = given["tombstone"]
        if tombstone is None and given["mint_config_tx_file"].tombstone_block is None:
            tombstone = self._tombstone_of(given["node"], given["chain_id"])
        tx = signed(self._make_config(given, tombstone), given["signing_key"], given["signature"])
        self._submit(given, tx)

    def _generate_and_submit_mint(self, given: Arguments) -> None:
        tombstone = given["tombstone"]
        if tombstone is None:
            tombstone = self._tombstone_of(given["node"], given["chain_id"])
        tx = signed(self._make_mint(given, tombstone), given["signing_key"], given["signature"])
        self._submit(given, tx)

    def _submit_config(self, given: Arguments) -> None:
        self._submit(given, merged(MintConfigTx, [loaded.tx for loaded in given["tx_file"]]))

    def _submit_mint(self, given: Arguments) -> None:
        self._submit(given, merged(MintTx, [loaded.tx for loaded in given["tx_file"]]))

    def _submit(self, given: Arguments, tx: MintingTx) -> None:
        check_submittable(tx)
        self._show_hash(tx)

        async def propose(node: MintNode) -> "Accepted":
            if isinstance(tx, MintConfigTx):
                return await node.propose_mint_config_tx(tx)
            return await node.propose_mint_tx(tx)

        accepted = self._ask(given["node"], given["chain_id"], propose)
        self._show(f"Ok: taken by {given['node']}, which has {accepted.block_count} blocks")

    def _tombstone_of(self, uri: Uri | None, chain_id: str) -> int | None:
        """The default tombstone block by what a node says; None without a node."""
        if uri is None:
            return None
        info = self._ask(uri, chain_id, lambda node: node.fetch_block_info())
        return default_tombstone(info.block_index)

    def _ask(self, uri: Uri, chain_id: str, question: Callable[[MintNode], Awaitable[T]]) -> T:
        from mcnode.connection.errors import MintTxRefused

        async def ask() -> T:
            async with self._connect(uri, chain_id) as node:
                return await question(node)

        try:
            return asyncio.run(ask())
        except MintTxRefused as error:
            raise SubmissionRefused(error.name, error.code) from error
        except McNodeError as error:
            raise NodeCallFailed(error) from error

    # ---- files and signatures -------------------------------------------------------------------

    def _hash_file(self, given: Arguments) -> None:
        self._show(prefix_hash(given["tx_file"].tx).hex())

    def _dump(self, given: Arguments) -> None:
        for line in dump_lines(given["tx_file"].tx):
            self._show(line)

    def _sign(self, given: Arguments) -> None:
        loaded = given["tx_file"]
        save_tx_file(loaded.path, signed(loaded.tx, given["signing_key"], given["signature"]))

    def _check_signature(self, given: Arguments) -> int:
        try:
            given["public_key"].verify(given["hash"], given["signature"])
        except SignatureError:
            self._show("signature::Error {}")
            return 1
        self._show("signature Ok")
        return 0

    def _sign_governors(self, args: Sequence[str], environment: Mapping[str, str]) -> int:
        outcome = sign_governors(args, environment, PROGRAMS["sign-governors"])
        self._show(f"Signature: {outcome.signature.hex()}")
        if outcome.output_path is not None:
            try:
                outcome.output_path.write_text(outcome.tokens.to_json_text())
            except OSError as error:
                raise CannotWrite(
                    f"cannot write {outcome.output_path}: {error.strerror}"
                ) from error
            self._show(f"Wrote {outcome.output_path}")
        return 0
