"""A wallet that sees and a signer that spends, with the files between them."""

import json
import stat

import pytest
from click.testing import CliRunner

import mcnode.wallet.wallet as wallet_module
from mcnode.account.mnemonic import account_key_from_mnemonic
from mcnode.account.printable import to_printable
from mcnode.cli.main import cli
from mcnode.errors import InvalidError
from mcnode.wallet.errors import ViewOnlyWallet
from mcnode.wallet.offline import (
    OfflineFileError,
    OtherAccount,
    PresignedRingRefused,
    account_id,
    answer_sign_request,
    answer_sync_request,
    load_json,
    parse_account_info,
    parse_sign_request,
    save_json,
)

WORDS = " ".join(["abandon"] * 23 + ["art"])


@pytest.fixture
def call(world, tmp_path, monkeypatch):
    """Call `mcnode …` in an empty directory; account 0 of the network is that of the words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)

    def invoke(*arguments):
        return CliRunner().invoke(cli, list(arguments))

    yield invoke
    world.network.ledger.close()


def fund(world, account, value):
    """A block with three outputs to an account."""
    from mcnode.blockchain.contents import BlockContents
    from mcnode.ledger.sample import draw_key_image, make_sample_output
    from mcnode.transaction.messages import Amount

    network = world.network
    made = [
        make_sample_output(network.rng, network.version, Amount(value, 0), account.subaddress(0))
        for _ in range(3)
    ]
    network.append(BlockContents((draw_key_image(network.rng),), tuple(made), (), ()))


def done(result):
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def synced(call, *extra):
    done(call("wallet", "view", "sync-request", "--output", "ask.json", *extra))
    done(call("signer", "--secret-file", "s.json", "sync-txos", "--input", "ask.json",
              "--output", "told.json"))  # fmt: skip
    return done(call("wallet", "view", "sync-answer", "told.json"))


def test_the_whole_way(call, world, tmp_path):
    account = account_key_from_mnemonic(WORDS)
    fund(world, account, 1_000_000_000_000)
    done(call("signer", "import", WORDS, "--output", "s.json"))
    assert load_json(tmp_path / "s.json") == {"mnemonic": WORDS}
    assert stat.S_IMODE((tmp_path / "s.json").stat().st_mode) == 0o600
    done(call("signer", "--secret-file", "s.json", "get-account", "--output", "a.json"))
    info = load_json(tmp_path / "a.json")
    assert list(info) == ["view_private", "spend_public", "account_index"]
    assert parse_account_info(info) == account.view_account_key()
    imported = done(
        call("wallet", "view", "import", "a.json", "--node", "insecure-mc://one:1/",
             "--archive", world.network.url, "--chain-id", "test")
    )  # fmt: skip
    assert to_printable(account.default_subaddress()) in imported
    assert done(call("wallet", "balance")).startswith("0 MOB, pending 3 MOB")
    assert synced(call) == "3 outputs learned\n"
    assert done(call("wallet", "balance")).splitlines()[0] == "3 MOB"
    check_payment(call, world, tmp_path, account)


def check_payment(call, world, tmp_path, account):
    to = to_printable(world.network.accounts[1].default_subaddress())
    shown = done(call("wallet", "view", "export", to, "1.5", "--output", "tx.json"))
    assert "Self:\n\t0: -1500400000000\n" in shown
    request = load_json(tmp_path / "tx.json")
    assert sorted(request) == [
        "account_id", "block_version", "rings", "tx_out_unblinding_data", "tx_prefix",
    ]  # fmt: skip
    signed = done(call("signer", "--secret-file", "s.json", "sign-tx", "--input", "tx.json",
                       "--output", "signed.json"))  # fmt: skip
    assert "Self:\n\t0: -1500400000000\n" in signed and "Network fee: 0: 400000000" in signed
    answer = load_json(tmp_path / "signed.json")
    assert sorted(answer) == ["account_id", "tx", "txos"] and len(answer["txos"]) == 2
    assert answer["tx"]["fee_map_digest"] == []
    refused = call("wallet", "view", "submit", "signed.json", "--request", "a.json")
    assert isinstance(refused.exception, InvalidError)
    paid = done(call("wallet", "view", "submit", "signed.json", "--request", "tx.json"))
    assert paid.startswith("final in block 3: 1.5 MOB, fee 0.0004 MOB\n")
    [sent] = [e for e in json.loads(done(call("wallet", "history", "--json")))
              if e["direction"] == "sent"]  # fmt: skip
    assert (sent["value"], sent["counterparty"]) == ("1500000000000", to)
    assert synced(call) == "1 outputs learned\n"
    assert done(call("wallet", "balance")).splitlines()[0] == "1.4996 MOB"
    assert isinstance(call("wallet", "send", to, "1").exception, ViewOnlyWallet)
    assert isinstance(call("wallet", "gift", "list").exception, ViewOnlyWallet)


def test_a_restored_view_wallet_sees_what_was_spent(call, world, run):
    """Key images that come after the block which has them are found in the ledger."""
    account = account_key_from_mnemonic(WORDS)
    fund(world, account, 10**12)
    done(call("signer", "import", WORDS, "--output", "s.json"))

    async def spend():
        from mcnode.wallet.wallet import Wallet

        path = world.root / "full.db"
        await Wallet.import_(path, world.network.settings(), account).close()
        full = await world._stack.enter_async_context(Wallet.open(path, connect=world.connect))
        await full.sync()
        await full.send(full.address(), 10**12)

    import asyncio

    asyncio.run(spend())
    done(call("signer", "--secret-file", "s.json", "get-account", "--output", "a.json"))
    done(call("wallet", "view", "import", "a.json", "--archive", world.network.url))
    assert synced(call) == "5 outputs learned\n"
    assert done(call("wallet", "balance")).splitlines()[0] == "2.9996 MOB"


def test_secrets_are_never_overwritten(call, tmp_path):
    done(call("signer", "create", "--output", "s.json"))
    words = load_json(tmp_path / "s.json")["mnemonic"]
    assert len(words.split()) == 24
    for again in (("create",), ("import", WORDS)):
        result = call("signer", *again, "--output", "s.json")
        assert isinstance(result.exception, OfflineFileError)
    assert load_json(tmp_path / "s.json")["mnemonic"] == words
    for name in ("s.txt", "s"):
        result = call("signer", "create", "--output", name)
        assert "unsupported output file format" in str(result.exception)
    assert isinstance(call("signer", "import", "no words", "--output", "t.json").exception,
                      InvalidError)  # fmt: skip
    first, second = (
        done(call("signer", "--secret-file", "s.json", "get-account", "--account", number,
                  "--output", f"a{number}.json"))
        for number in ("0", "1")
    )  # fmt: skip
    assert first.split()[1] != second.split()[1]


def test_files_that_are_wrong(tmp_path):
    account = account_key_from_mnemonic(WORDS)
    other = account_key_from_mnemonic(WORDS, 1)
    good = {"account_id": account_id(account).hex(), "txos": []}
    assert answer_sync_request(account, good) == good
    with pytest.raises(OtherAccount):
        answer_sync_request(other, good)
    key = account.default_subaddress().spend_public_key.hex()
    for txos in (
        None, [1], [{}], [{"subaddress": 0, "tx_out_public_key": key}],
        [{"subaddress": "-1", "tx_out_public_key": key}],
        [{"subaddress": str(1 << 64), "tx_out_public_key": key}],
        [{"subaddress": "9" * 5000, "tx_out_public_key": key}],
        [{"subaddress": "0", "tx_out_public_key": "zz"}],
        [{"subaddress": "0", "tx_out_public_key": "ff" * 32}],
    ):  # fmt: skip
        with pytest.raises(InvalidError):
            answer_sync_request(account, {**good, "txos": txos})
    for text in ("", "[]", "{", "[" * 100_000):
        (tmp_path / "f.json").write_text(text)
        with pytest.raises(OfflineFileError):
            load_json(tmp_path / "f.json")
    with pytest.raises(OfflineFileError, match="unsupported"):
        save_json(tmp_path / "f.txt", {})
    with pytest.raises(InvalidError):
        parse_sign_request(good, account)
    with pytest.raises(InvalidError):
        parse_account_info({"view_private": "ff" * 32, "spend_public": key})


def test_requests_of_older_wallets_and_of_others(call, world, tmp_path):
    account = account_key_from_mnemonic(WORDS)
    fund(world, account, 10**12)
    done(call("signer", "import", WORDS, "--output", "s.json"))
    done(call("signer", "--secret-file", "s.json", "get-account", "--output", "a.json"))
    done(call("wallet", "view", "import", "a.json", "--node", "insecure-mc://one:1/",
              "--archive", world.network.url))  # fmt: skip
    synced(call)
    to = to_printable(world.network.accounts[1].default_subaddress())
    done(call("wallet", "view", "export", to, "0.5", "--output", "tx.json"))
    request = load_json(tmp_path / "tx.json")
    data = request.pop("tx_out_unblinding_data")
    request["output_secrets"] = [
        {
            "amount": {name: each["unmasked_amount"][name] for name in ("value", "token_id")},
            "blinding": each["unmasked_amount"]["blinding"]["scalar"],
        }
        for each in data
    ]
    unsigned = parse_sign_request(request, account)
    assert answer_sign_request(account, unsigned)["txos"]
    mlsag = answer_sign_request(account, unsigned)["tx"]["signature"]["ring_signatures"][0]
    secret = request["rings"][0]["Signable"]["input_secret"]
    request["rings"][0] = {
        "Presigned": {
            "mlsag": mlsag,
            "pseudo_output_secret": {k: secret[k] for k in ("amount", "blinding")},
        }
    }
    with pytest.raises(PresignedRingRefused):
        answer_sign_request(account, parse_sign_request(request, account))
