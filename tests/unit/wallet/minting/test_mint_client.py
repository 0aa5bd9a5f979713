"""The mint client against a node that is played here."""

import contextlib
import json
import re

import pytest

from mcnode.account.key_files import sample_accounts
from mcnode.account.printable import to_printable
from mcnode.connection.attested import Accepted, BlockInfo
from mcnode.connection.errors import CallFailed, MintTxRefused
from mcnode.consensus.config.arguments import TextRequested, UsageError
from mcnode.crypto.der import private_key_to_pem, public_key_to_pem, to_pem
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import SignerSet, check_multisig
from mcnode.transaction.messages import MintConfigTx, MintTx
from mcnode.transaction.mint import validate_mint_config_tx, validate_mint_tx
from mcnode.wallet.minting.client import MintClient
from mcnode.wallet.minting.errors import (
    CannotWrite,
    MintClientError,
    NodeCallFailed,
    NotSigned,
    PrefixesDiffer,
    SubmissionRefused,
    TooManySignatures,
    TxCreationFailed,
    TxFileError,
)
from mcnode.wallet.minting.flags import PROGRAMS
from mcnode.wallet.minting.tx_file import load_tx_file, parse_tx_file, prefix_hash, tx_file_text

NODE = "insecure-mc://localhost:3223/"
NONCE = "07" * 64
LAST_BLOCK = 40


class PlayedNode:
    """Takes everything, or fails as told."""

    def __init__(self):
        self.asked = []
        self.proposed = []
        self.failure = None

    @contextlib.asynccontextmanager
    async def connect(self, uri, chain_id):
        self.asked.append((str(uri), chain_id))
        yield self

    async def fetch_block_info(self):
        return BlockInfo(LAST_BLOCK, {}, 4)

    async def _propose(self, tx):
        if self.failure is not None:
            raise self.failure
        self.proposed.append(tx)
        return Accepted(LAST_BLOCK + 1, 4)

    propose_mint_config_tx = propose_mint_tx = _propose


class Desk:
    """A client, its node and a folder with keys."""

    def __init__(self, folder):
        self.folder = folder
        self.node = PlayedNode()
        self.lines = []
        self.keys = {n: Ed25519Private(bytes([ord(n)]) * 32) for n in "abc"}
        self.key_files = {}
        for name, key in self.keys.items():
            self.key_files[name] = str(self._write(f"{name}.pem", private_key_to_pem(key)))
        (account,) = sample_accounts(bytes(32), 1)
        self.recipient = account.account_key().default_subaddress()

    def _write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def public_file(self, name):
        return str(self._write(f"{name}.pub.pem", public_key_to_pem(self.keys[name].public_key())))

    def config(self, **changes):
        single = {"type": "Single", "pub_key": public_key_to_pem(self.keys["a"].public_key())}
        content = {
            "token_id": 1,
            "total_mint_limit": 100,
            "configs": [{"mint_limit": 50, "minters": single}],
            **changes,
        }
        return str(self._write("config.json", json.dumps(content)))

    def run(self, *args, environment=None):
        self.lines.clear()
        client = MintClient(self.lines.append, self.node.connect, lambda count: b"\x05" * count)
        return client.run([str(arg) for arg in args], environment or {})

    def generate_config(self, *args, name="tx.json"):
        out = self.folder / name
        config = () if "--mint-config-tx-file" in args else ("--mint-config-tx-file", self.config())
        assert self.run("generate-mint-config-tx", "--out", out, *config, *args) == 0
        return out

    def mint_args(self, *, amount=7):
        address = to_printable(self.recipient)
        return "--recipient", address, "--token-id", "1", "--amount", str(amount)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def governors(desk):
    return SignerSet((desk.keys["b"].public_key().to_bytes(),), (), 1)


def test_a_generated_configuration_is_what_a_node_accepts(desk):
    args = ("--signing-key", desk.key_files["b"], "--tombstone-from-node", NODE)
    tx = load_tx_file(desk.generate_config(*args))
    assert isinstance(tx, MintConfigTx)
    assert tx.prefix.nonce == b"\x05" * 64
    assert tx.prefix.tombstone_block == LAST_BLOCK + 20_159
    validate_mint_config_tx(tx, LAST_BLOCK + 1, 4, governors(desk))
    assert desk.lines[:2] == [f"Nonce: {'05' * 64}", f"Hash: {prefix_hash(tx).hex()}"]


def test_generate_and_submit_a_mint(desk):
    args = ["--chain-id", "test", "--node", NODE, "--signing-key", desk.key_files["a"]]
    assert desk.run("generate-and-submit-mint-tx", *args, *desk.mint_args()) == 0
    assert set(desk.node.asked) == {(NODE, "test")}
    (tx,) = desk.node.proposed
    assert isinstance(tx, MintTx)
    assert tx.prefix.amount == 7
    assert tx.prefix.spend_public_key == desk.recipient.spend_public_key
    config_tx = load_tx_file(desk.generate_config("--tombstone", "9"))
    validate_mint_tx(tx, LAST_BLOCK + 1, 4, config_tx.prefix.configs[0])


def test_flags_by_environment(desk):
    address = to_printable(desk.recipient)
    environment = {
        "MC_MINTING_RECIPIENT": address,
        "MC_MINTING_TOKEN_ID": "1",
        "MC_MINTING_AMOUNT": "3",
        "MC_MINTING_NONCE": NONCE,
        "MC_MINTING_TOMBSTONE": "12",
        "MC_MINTING_SIGNING_KEYS": f"{desk.key_files['a']},{desk.key_files['b']}",
        "MC_MINTING_OUT_FILE": str(desk.folder / "mint.json"),
    }
    assert desk.run("generate-mint-tx", environment=environment) == 0
    tx = load_tx_file(desk.folder / "mint.json")
    assert (tx.prefix.amount, tx.prefix.tombstone_block) == (3, 12)
    assert tx.prefix.nonce == bytes.fromhex(NONCE)
    assert len(tx.signature.signatures) == 2


def test_signatures_collected_offline_are_joined(desk):
    """Two governors sign copies of one file, a third hands in a bare signature."""
    first = desk.generate_config("--tombstone", "99", name="first.json")
    second = desk.folder / "second.json"
    second.write_bytes(first.read_bytes())
    message = prefix_hash(load_tx_file(first))
    assert desk.run("hash-tx-file", "--tx-file", first) == 0
    assert desk.lines == [message.hex()]

    assert desk.run("sign", "--tx-file", first, "--signing-key", desk.key_files["a"]) == 0
    bare = desk.folder / "bare.pem"
    bare.write_text(to_pem("SIGNATURE", desk.keys["c"].sign(message)))
    of_b = desk.keys["b"].sign(message).hex()
    assert desk.run("sign", "--tx-file", second, "--signature", f"{of_b},{bare}") == 0

    submit = ["submit-mint-config-tx", "--chain-id", "test", "--node", NODE]
    assert desk.run(*submit, "--tx-file", f"{first},{second}") == 0
    (tx,) = desk.node.proposed
    public = tuple(key.public_key().to_bytes() for key in desk.keys.values())
    assert check_multisig(SignerSet(public, (), 3), message, tx.signature) == tuple(sorted(public))
    assert list(tx.signature.signatures) == sorted(tx.signature.signatures)


def test_signing_twice_changes_nothing(desk):
    path = desk.generate_config("--tombstone", "99", "--signing-key", desk.key_files["a"])
    before = path.read_bytes()
    assert desk.run("sign", "--tx-file", path, "--signing-key", desk.key_files["a"]) == 0
    assert path.read_bytes() == before
    assert sorted(each.name for each in desk.folder.glob(".*")) == []


def test_check_sig(desk):
    hashed = "ab" * 32
    signature = desk.keys["a"].sign(bytes.fromhex(hashed)).hex()
    args = ["check-sig", "--signature", signature, "--hash", hashed, "--public-key"]
    assert desk.run(*args, desk.public_file("a")) == 0
    assert desk.lines == ["signature Ok"]
    assert desk.run(*args, desk.public_file("b")) == 1
    assert desk.lines == ["signature::Error {}"]


def test_dump_shows_what_is_signed(desk):
    nested = {
        "type": "MultiSig",
        "threshold": 2,
        "signers": [
            {"type": "Identity", "name": "office"},
            {"type": "Single", "pub_key": public_key_to_pem(desk.keys["c"].public_key())},
        ],
    }
    office = {
        "type": "MultiSig",
        "threshold": 1,
        "signers": [
            {"type": "Single", "pub_key": public_key_to_pem(desk.keys[name].public_key())}
            for name in "ab"
        ],
    }
    config = desk.config(
        configs=[{"mint_limit": 5, "minters": nested}], signer_identities={"office": office}
    )
    path = desk.generate_config("--mint-config-tx-file", config, "--tombstone", "99")
    assert desk.run("dump", "--tx-file", path) == 0
    text = "\n".join(desk.lines)
    for key in desk.keys.values():
        assert key.public_key().to_bytes().hex() in text
    assert "2 of 2" in text and "1 of 2" in text and prefix_hash(load_tx_file(path)).hex() in text

    out = desk.folder / "mint.json"
    assert desk.run("generate-mint-tx", "--out", out, "--tombstone", "9", *desk.mint_args()) == 0
    assert desk.run("dump", "--tx-file", out) == 0
    assert f"recipient: {to_printable(desk.recipient)}" in desk.lines
    assert "amount: 7" in desk.lines


def test_sign_governors(desk):
    tokens = desk.folder / "tokens.json"
    tokens.write_text(json.dumps({"tokens": [{"token_id": 0}]}))
    signed = desk.folder / "signed.json"
    args = ["sign-governors", "--signing-key", desk.key_files["a"], "--tokens", tokens]
    assert desk.run(*args, "--output-json", signed) == 0
    written = json.loads(signed.read_text())["governors_signature"]
    assert desk.lines == [f"Signature: {written}", f"Wrote {signed}"]
    with pytest.raises(CannotWrite):
        desk.run(*args, "--output-json", desk.folder / "missing" / "signed.json")


SUBMIT = ["submit-mint-tx", "--chain-id", "test", "--node", NODE]


@pytest.fixture
def mint_file(desk):
    out = desk.folder / "mint.json"
    args = ["--out", out, "--tombstone", "9", "--signing-key", desk.key_files["a"]]
    desk.run("generate-mint-tx", *args, *desk.mint_args())
    return out


def test_the_nodes_answer_is_the_exit_status(desk, mint_file):
    desk.node.failure = MintTxRefused(6, 41)
    with pytest.raises(SubmissionRefused) as refused:
        desk.run(*SUBMIT, "--tx-file", mint_file)
    assert refused.value.exit_code == 6


def test_a_node_that_does_not_answer(desk, mint_file):
    import grpc

    desk.node.failure = CallFailed(NODE, grpc.StatusCode.UNAVAILABLE, "gone")
    with pytest.raises(NodeCallFailed, match="gone") as failed:
        desk.run(*SUBMIT, "--tx-file", mint_file)
    assert failed.value.exit_code == 101


def test_files_that_cannot_be_joined(desk, mint_file):
    other = desk.folder / "other.json"
    desk.run("generate-mint-tx", "--out", other, "--tombstone", "9", *desk.mint_args(amount=8))
    with pytest.raises(PrefixesDiffer):
        desk.run(*SUBMIT, "--tx-file", f"{mint_file},{other}")
    with pytest.raises(NotSigned):
        desk.run(*SUBMIT, "--tx-file", other)
    config = desk.generate_config("--tombstone", "9", name="config_tx.json")
    with pytest.raises(TxFileError, match="holds a MintConfigTx, needs a MintTx"):
        desk.run(*SUBMIT, "--tx-file", config)
    desk.run("sign", "--tx-file", mint_file, *(f"--signature={n:0128x}" for n in range(10)))
    with pytest.raises(TooManySignatures):
        desk.run(*SUBMIT, "--tx-file", mint_file)
    assert desk.node.proposed == []


def test_what_cannot_be_made(desk):
    with pytest.raises(TxCreationFailed, match="tombstone"):
        desk.run("hash-mint-tx", *desk.mint_args())
    config = desk.config(nonce="00" * 63, tombstone_block=4)
    with pytest.raises(TxCreationFailed, match="Nonce must be 64 bytes, got 63"):
        desk.run("hash-mint-config-tx", "--mint-config-tx-file", config)
    config = desk.config(
        configs=[{"mint_limit": 1, "minters": {"type": "Identity", "name": "nobody"}}]
    )
    with pytest.raises(TxCreationFailed, match='Unknown signer identity "nobody"'):
        desk.run("hash-mint-config-tx", "--mint-config-tx-file", config, "--tombstone", "1")


def test_recipients_with_fog_are_refused(desk):
    import dataclasses

    desk.recipient = dataclasses.replace(desk.recipient, fog_report_url="fog://fog.example")
    with pytest.raises(TxCreationFailed, match="fog server"):
        desk.run("hash-mint-tx", "--tombstone", "9", *desk.mint_args())


def test_a_file_that_cannot_be_written_leaves_nothing(desk):
    with pytest.raises(CannotWrite):
        desk.generate_config("--tombstone", "1", name="missing/tx.json")


def _without_nonce(value):
    del value["MintTx"]["prefix"]["nonce"]


def _bad_point(value):
    value["MintTx"]["prefix"]["view_public_key"] = [255] * 32


def _short_key(value):
    value["MintTx"]["prefix"]["view_public_key"].pop()


def _big_amount(value):
    value["MintTx"]["prefix"]["amount"] = 1 << 64


def _two_kinds(value):
    value["MintConfigTx"] = value["MintTx"]


def _no_byte(value):
    value["MintTx"]["signature"]["signatures"][0][3] = 256


@pytest.mark.parametrize(
    "spoil", [_without_nonce, _bad_point, _short_key, _big_amount, _two_kinds, _no_byte]
)
def test_a_spoiled_file_is_refused(desk, mint_file, spoil):
    value = json.loads(mint_file.read_text())
    spoil(value)
    mint_file.write_text(json.dumps(value))
    with pytest.raises(UsageError, match=r"invalid value '.*' for '--tx-file <TX_FILE>': "):
        desk.run("hash-tx-file", "--tx-file", mint_file)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Tx": {}}', '{"MintTx": 1}', "[" * 100_000])
def test_no_transaction_file(text):
    with pytest.raises(TxFileError):
        parse_tx_file(text)


def test_a_file_without_fog_hint_is_read(mint_file):
    value = json.loads(mint_file.read_text())
    del value["MintTx"]["prefix"]["e_fog_hint"]
    tx = parse_tx_file(json.dumps(value))
    assert tx.prefix.e_fog_hint is None
    assert tx_file_text(tx) == mint_file.read_text()


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["--recipient", "xyz"], "--recipient"),
        (["--amount", "-1"], "--amount"),
        (["--signature", "zz" * 64], "Invalid character"),
        (["--signature", "nowhere.pem"], "Failed reading file nowhere.pem"),
        (["--signing-key", "nowhere.pem"], "Failed reading file nowhere.pem"),
    ],
)
def test_bad_values(desk, args, reason):
    with pytest.raises(UsageError, match=re.escape(reason)):
        desk.run("generate-mint-tx", *args)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_sub_command_has_help_and_needs_something(desk, name):
    with pytest.raises(TextRequested, match=f"Usage: mc-consensus-mint-client {name}"):
        desk.run(name, "--help")
    with pytest.raises(UsageError, match="required arguments"):
        desk.run(name)


@pytest.mark.parametrize("error", [PrefixesDiffer(), NotSigned(), TxCreationFailed("why")])
def test_refusals_end_with_the_status_of_the_networks_panics(error):
    assert isinstance(error, MintClientError)
    assert error.exit_code == 101
