"""`mcnode tokens`: what a tokens file says, and whether a node would take it."""

import json

import pytest
from click.testing import CliRunner

from mcnode.cli.main import cli
from mcnode.consensus.config.signer_identity import MultiSigner, SingleSigner
from mcnode.consensus.config.tokens_file import TokenConfig, TokensConfig
from mcnode.crypto.der import public_key_to_pem
from mcnode.crypto.keys import Ed25519Private

ROOT, GOVERNOR = (Ed25519Private.from_bytes(bytes([n]) * 32) for n in (1, 2))
SINGLE = SingleSigner(GOVERNOR.public_key())


@pytest.fixture
def call(tmp_path):
    root = tmp_path / "root.pem"
    root.write_text(public_key_to_pem(ROOT.public_key()))

    def invoke(config, *words):
        path = tmp_path / "tokens.json"
        path.write_text(config.to_json_text())
        return CliRunner().invoke(cli, ["tokens", str(path), "--trust-root", str(root), *words])

    return invoke


def config(governors):
    return TokensConfig(tokens=(TokenConfig(0), TokenConfig(1, 1024, governors=governors)))


def test_a_file_that_a_node_takes(call):
    done = call(config(SINGLE).signed_by(ROOT))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "token 0: minimum fee 400000000"
    assert lines[1] == "  no governors: it cannot be minted"
    assert lines[2:5] == [
        "token 1: minimum fee 1024",
        "  1 of 1",
        f"    key {GOVERNOR.public_key().to_bytes().hex()}",
    ]
    assert lines[-1] == "a node takes this file: the signature holds"


def test_the_digest_is_what_is_signed_elsewhere(call):
    unsigned = config(SINGLE)
    done = call(unsigned, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["problem"].startswith("MissingGovernorsSignature")
    signature = ROOT.sign(bytes.fromhex(found["governors_digest"]))
    assert signature == unsigned.signed_by(ROOT).governors_signature
    assert found["fee_map_digest"] == unsigned.fee_map().canonical_digest().hex()
    assert found["tokens"][1]["minimum_fee"] == "1024"


def test_a_signature_of_somebody_else(call):
    done = call(config(SINGLE).signed_by(GOVERNOR))
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1].startswith("REFUSED InvalidGovernorsSignature")


def test_nested_governors_need_block_version_3(call):
    nested = config(MultiSigner(1, (SINGLE, MultiSigner(1, (SINGLE, SINGLE))))).signed_by(ROOT)
    assert call(nested).exit_code == 0
    done = call(nested, "--block-version", "2")
    assert done.exit_code == 1
    assert "REFUSED NestedMultiSigGovernorsNotSupported" in done.stdout


def test_nothing_to_sign(call):
    done = call(TokensConfig())
    assert done.stdout.splitlines()[-1] == "a node takes this file: there is nothing to sign"


def test_bad_files(call, tmp_path):
    no_key = tmp_path / "no.pem"
    no_key.write_text("x")
    done = call(TokensConfig(), "--trust-root", str(no_key))
    assert "cannot read a public key" in str(done.exception)
    done = CliRunner().invoke(cli, ["tokens", str(no_key)])
    assert str(no_key) in str(done.exception)
