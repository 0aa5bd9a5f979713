"""The names that `mcnode.wallet` offers, and what they do besides paying."""

import ast
import contextlib
import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import mcnode.wallet
import mcnode.wallet.wallet as wallet_module
from mcnode.account.mnemonic import account_key_from_mnemonic
from mcnode.account.printable import (
    PaymentRequest,
    PrintableGiftCode,
    TransferPayload,
    to_printable,
)
from mcnode.account.public_address import short_address_hash
from mcnode.api.gen.consensus_client_pb2 import MintValidationResultCode
from mcnode.cli.main import cli
from mcnode.connection.errors import MintTxRefused
from mcnode.consensus.config.signer_identity import SingleSigner
from mcnode.crypto.keys import Ed25519Private
from mcnode.ledger.errors import LedgerError
from mcnode.wallet import (
    MintConfigTxFile,
    MinterConfig,
    MintingSession,
    PaymentOrder,
    PaymentState,
    Wallet,
    WalletSettings,
)
from mcnode.wallet.errors import SettingsError
from mcnode.wallet.minting.errors import NotSigned, SubmissionRefused
from mcnode.wallet.wallet import parse_account

MOB = 10**12
WORDS = " ".join(["abandon"] * 23 + ["art"])


def test_names_are_the_same_to_type_checkers_and_at_run_time():
    tree = ast.parse(Path(mcnode.wallet.__file__).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    declared = {
        (statement.module, alias.name)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    homes = {(home, name) for home, names in mcnode.wallet._HOMES.items() for name in names}
    assert declared == homes
    assert mcnode.wallet.__all__ == sorted(name for _, name in homes)
    for name in mcnode.wallet.__all__:
        assert getattr(mcnode.wallet, name).__name__ == name
        assert name in dir(mcnode.wallet)
    with pytest.raises(AttributeError, match="no attribute 'Purse'"):
        _ = mcnode.wallet.Purse


def test_history_as_files(world, run, tmp_path):
    async def go():
        wallet = await world.open()
        await wallet.sync()
        to = world.network.accounts[1].default_subaddress()
        order = PaymentOrder(to, MOB // 2, payment_intent_id=11)
        await wallet.wait_final(await wallet.carry_out(order), timeout_s=5)
        count = wallet.export_history(tmp_path / "h.csv")
        assert wallet.export_history(str(tmp_path / "h.json")) == count == len(wallet.history())
        with (tmp_path / "h.csv").open() as file:
            rows = list(csv.DictReader(file))
        values = json.loads((tmp_path / "h.json").read_text())
        assert [row["value"] for row in rows] == [value["value"] for value in values]
        assert (rows[-1]["direction"], rows[-1]["value"]) == ("sent", str(MOB // 2))
        with pytest.raises(SettingsError, match=r"name a \.csv or \.json file"):
            wallet.export_history(tmp_path / "h.xls")
        other = await world.open(1)
        await other.sync()
        assert other.history()[-1].payment_id == 11, "the memo says what the payer calls it"

    run(go())


def test_blocks_of_a_node_on_this_machine(world, run, tmp_path):
    """Without archive, without a copy; new blocks are seen as they come."""

    async def go():
        ledger = world.network.ledger.path
        wallet = await world.open(archives=(), node_ledger=ledger)
        assert await wallet.sync() == 2
        payment = await wallet.send(world.network.accounts[1].default_subaddress(), MOB)
        final = await wallet.wait_final(payment, timeout_s=5)
        assert (final.state, final.final_in_block) == (PaymentState.FINAL, 2)
        assert await wallet.fetch_height() == 3
        assert not (world.root / "wallet0.db.ledger").exists()
        kept = WalletSettings.from_json(wallet.settings.to_json())
        assert kept == wallet.settings and kept.node_ledger == ledger
        nowhere = await world.open(1, archives=(), node_ledger=tmp_path / "nowhere")
        with pytest.raises(LedgerError):
            await nowhere.sync()
        assert not (tmp_path / "nowhere").exists(), "a node's ledger is never made"

    run(go())


def test_settings_of_earlier_versions():
    older = json.loads(WalletSettings().to_json())
    del older["node_ledger"]
    assert WalletSettings.from_json(json.dumps(older)) == WalletSettings()


def test_accounts_of_a_mnemonic(tmp_path):
    assert parse_account(WORDS) == account_key_from_mnemonic(WORDS)
    third = parse_account(WORDS, 3)
    assert third == account_key_from_mnemonic(WORDS, 3) != parse_account(WORDS)
    with pytest.raises(SettingsError, match="a key file has only account 0"):
        parse_account('{"view"', 1)
    for index in (-1, 1 << 31):
        with pytest.raises(SettingsError, match="limit 2147483647"):
            parse_account(WORDS, index)
    words = tmp_path / "words"
    words.write_text(WORDS)
    path = tmp_path / "w.db"
    done = CliRunner().invoke(
        cli, ["wallet", "import", str(words), "--account", "3", "--wallet", str(path)]
    )
    assert done.exit_code == 0, done.output
    opened = Wallet.open(path)
    assert opened.account == third
    opened._store.close()


def test_commands_that_list_and_follow(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)

    def call(*words):
        done = CliRunner().invoke(cli, ["wallet", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    made = Wallet.import_("wallet.db", world.network.settings(), world.network.accounts[0])
    made._store.close()
    assert len(call("outputs", "--token", "0").splitlines()) == 16
    listed = json.loads(call("outputs", "--json"))
    coin = next(each for each in listed if each["token_id"] == 0)
    to = mcnode.wallet.Wallet.open("wallet.db")
    there = to.address(5)
    to._store.close()
    world.network.makes_blocks = False
    sent = json.loads(
        call("send", there, "0.5", "--input", coin["public_key"], "--no-wait", "--json")
    )
    assert sent["state"] == "submitted"
    looked = call("follow", sent["tx_hash"], "--no-wait")
    assert looked.startswith("submitted: 0.5 MOB")
    world.network.make_block()
    assert call("follow", sent["tx_hash"]).startswith("final in block 2: 0.5 MOB")
    everything = call("outputs", "--all")
    assert f"{coin['public_key']}" in everything and "spent in block 2" in everything
    assert coin["public_key"] not in call("outputs")
    world.network.ledger.close()


def test_what_codes_are_about(world):
    address = world.network.accounts[0].default_subaddress()
    secret = bytes([3]) + bytes(31)
    codes = {
        "address": address,
        "payment request": PaymentRequest(address, 5, "tea", 1, 9),
        "gift code": PrintableGiftCode(77, secret, address.view_public_key),
        "transfer code": TransferPayload(b"", bytes(32), "for you", bytes(32)),
    }
    found = {}
    for kind, value in codes.items():
        done = CliRunner().invoke(cli, ["wallet", "code", to_printable(value), "--json"])
        assert done.exit_code == 0, done.output
        found[kind] = json.loads(done.stdout)
        assert found[kind]["kind"] == kind and secret.hex() not in done.stdout
        assert CliRunner().invoke(cli, ["wallet", "code", to_printable(value)]).exit_code == 0
    request = found["payment request"]
    assert (request["value"], request["token_id"], request["payment_id"]) == ("5", 1, "9")
    assert found["gift code"] == {"kind": "gift code", "output": "77"}
    assert found["address"]["address_hash"] == short_address_hash(address).hex()
    assert found["transfer code"]["note"] == "for you"
    world.network.ledger.close()


# ---- minting ------------------------------------------------------------------------------------


class FakeMintNode:
    """Takes what is handed in, or refuses it."""

    def __init__(self, refusal=None):
        self.refusal = refusal
        self.taken = []

    async def fetch_block_info(self):
        return type("Info", (), {"block_index": 41})()

    async def propose_mint_tx(self, tx):
        if self.refusal is not None:
            raise self.refusal
        self.taken.append(tx)

    propose_mint_config_tx = propose_mint_tx

    @contextlib.asynccontextmanager
    async def connected(self, uri, chain_id):
        assert (str(uri), chain_id) == ("insecure-mc://one:1/", "test")
        yield self


def session_at(node):
    return MintingSession(
        "insecure-mc://one:1/",
        "test",
        connect=node.connected,
        random_bytes=lambda n: bytes([7]) * n,
    )


async def mint_all(session, world):
    key = Ed25519Private.from_bytes(bytes([9]) * 32)
    minters = MinterConfig(500, SingleSigner(key.public_key()))
    config = await session.configure(MintConfigTxFile(1, 1000, (minters,)), [key])
    to = world.network.accounts[0].default_subaddress()
    return config, await session.mint(to, 77, token_id=1, minters=[key])


def test_minting_from_a_program(world, run):
    node = FakeMintNode()
    config, tx = run(mint_all(session_at(node), world))
    assert node.taken == [config, tx]
    assert (config.prefix.token_id, config.prefix.total_mint_limit) == (1, 1000)
    assert (tx.prefix.amount, tx.prefix.nonce) == (77, bytes([7]) * 64)
    assert tx.prefix.tombstone_block == config.prefix.tombstone_block == 41 + 20160 - 1
    assert len(tx.signature.signatures) == 1


def test_refused_mints_and_unsigned_ones(world, run):
    async def go():
        with pytest.raises(SubmissionRefused, match="NoGovernors"):
            await mint_all(session_at(FakeMintNode(refusal)), world)
        to = world.network.accounts[0].default_subaddress()
        with pytest.raises(NotSigned):
            await session_at(FakeMintNode()).mint(to, 77, token_id=1, minters=[])

    code = MintValidationResultCode.Value("NoGovernors")
    refusal = MintTxRefused(code, 0)
    run(go())
