"""`mcnode tx`: reading, showing and judging transactions."""

import base64
import dataclasses
import json

import pytest
from click.testing import CliRunner

from mcnode.blockchain.block import make_child_block, make_origin_block
from mcnode.blockchain.contents import BlockContents
from mcnode.cli.main import cli
from mcnode.cli.tx import _NAME_COLUMNS
from mcnode.cli.tx_tree import TX_FILE_BYTES_MAX, UnreadableFile, bytes_of_file, parse_root_proofs
from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import encode
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.errors import InvalidError
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import tx_hash
from mcnode.transaction.validation import CHECKS, membership_proof_highest_indices


@pytest.fixture(scope="module")
def fixture():
    return TxFixture(BlockVersion(0), tx_out_count=22)


@pytest.fixture(scope="module")
def payment(fixture):
    return fixture.payment()


@pytest.fixture
def file(tmp_path, payment):
    path = tmp_path / "tx.bin"
    path.write_bytes(encode(payment))
    return path


@pytest.fixture
def ledger(tmp_path, fixture):
    """The fixture's outputs in an origin block."""
    path = tmp_path / "ledger"
    path.mkdir()
    with LedgerDB.create(path, durable=False) as made:
        made.append_block(*make_origin_block([owned.tx_out for owned in fixture.owned]))
    return path


def run(*arguments, expected=0, stdin=None):
    done = CliRunner().invoke(cli, ["tx", *map(str, arguments)], input=stdin)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == expected, done.output
    return done.output


def checks_of(output):
    return {check["name"]: check for check in json.loads(output)["checks"]}


def test_every_encoding_reads_the_same(tmp_path, payment):
    data = encode(payment)
    wrapped = base64.encodebytes(data)
    for name, content in (("raw", data), ("hex", data.hex().encode()), ("base64", wrapped)):
        path = tmp_path / name
        path.write_bytes(content)
        for encoding in ("auto", name):
            shown = json.loads(run("decode", path, "--json", "--format", encoding))
            assert shown["hash"] == tx_hash(payment).hex()
            assert shown["bytes"] == len(data)
    assert "prefix hash" in run("decode", "-", stdin=data)


def test_decode_shows_every_member(file, payment):
    shown = json.loads(run("decode", file, "--json", "--full"))["tx"]
    member = payment.prefix.inputs[0].ring[3]
    assert shown["prefix"]["inputs"][0]["ring"][3]["masked_amount_v1"]["commitment"] == (
        member.masked_amount.commitment.hex()
    )
    assert shown["prefix"]["fee"] == payment.prefix.fee
    elements = shown["prefix"]["inputs"][0]["proofs"][0]["elements"]
    proof = payment.prefix.inputs[0].proofs[0]
    assert [e["hash"] for e in elements] == [e.hash.hex() for e in proof.elements]
    short = json.loads(run("decode", file, "--json"))["tx"]
    proof_shown = short["prefix"]["inputs"][0]["proofs"][0]
    assert proof_shown["elements"] == f"{len(proof.elements)} elements"
    text = run("decode", file)
    assert "    inputs[0]\n" in text
    assert payment.signature.ring_signatures[0].key_image.hex() in text


def test_explain_without_a_ledger(file):
    output = run("explain", file, "--json", "--block-version", "0")
    checks = checks_of(output)
    assert list(checks) == [check.name for check in CHECKS]
    not_run = {name for name, check in checks.items() if check["outcome"] == "not run"}
    assert not_run == {"membership proofs", "tombstone block"}
    assert json.loads(output)["answer"] is None
    assert "not run: membership proofs, tombstone block" in run(
        "explain", file, "--block-version=0"
    )


def test_explain_with_proofs(file, tmp_path, fixture, payment):
    indices = membership_proof_highest_indices(payment)
    texts = [encode(fixture.tree.proof(index)).hex() for index in indices]
    for value in (texts, dict(zip(map(str, indices), texts, strict=True))):
        path = tmp_path / "proofs.json"
        path.write_text(json.dumps(value))
        output = run(
            "explain", file, "--json", "--block-version=0", "--block-index=1", "--proofs", path
        )
        assert json.loads(output)["answer"] == "ok"


def test_explain_with_a_ledger(file, ledger, payment):
    output = run("explain", file, "--json", "--ledger", ledger)
    shown = json.loads(output)
    assert shown["answer"] == "ok"
    assert [check["outcome"] for check in shown["besides"]] == ["passed"] * 3
    with LedgerDB.open(ledger) as made:
        images = tuple(each.key_image for each in payment.signature.ring_signatures)
        contents = BlockContents(images, payment.prefix.outputs, (), ())
        made.append_block(make_child_block(made.get_latest_block(), 0, contents), contents)
    text = run("explain", file, "--ledger", ledger, expected=1)
    assert "ContainsSpentKeyImage" in text
    assert "ContainsExistingOutputPublicKey" in text
    text = run("explain", file, "--ledger", ledger, "--block-index", "100", expected=1)
    assert "refused: TombstoneBlockExceeded" in text


def test_proofs_from_a_longer_ledger(tmp_path, ledger):
    longer = TxFixture(BlockVersion(0), tx_out_count=33)
    path = tmp_path / "longer.bin"
    path.write_bytes(encode(longer.payment()))
    output = run("explain", path, "--json", "--ledger", ledger, expected=1)
    assert json.loads(output)["besides"][0]["error"] == "LedgerTxOutIndexOutOfBounds(32)"
    assert checks_of(output)["membership proofs"]["outcome"] == "not run"


def test_explain_goes_on_after_the_first_failure(file, tmp_path, payment):
    broken = dataclasses.replace(
        payment,
        prefix=dataclasses.replace(
            payment.prefix, outputs=payment.prefix.outputs[:1] * 2, fee=payment.prefix.fee - 1
        ),
    )
    path = tmp_path / "broken.bin"
    path.write_bytes(encode(broken))
    text = run("explain", path, "--block-version", "1", "--block-index", "200", expected=1)
    refused = [line for line in text.splitlines() if line.startswith(("refused", "next"))]
    signature = "InvalidTransactionSignature"
    assert refused == [
        f'refused: {signature}(RangeProof("ProofError: `VerificationError`")) '
        "(check: signature: range proofs)",
        f"next would be: {signature}(ValueNotConserved) (check: signature: balance)",
        f"next would be: {signature}(RingSignature(InvalidSignature)) "
        "(check: signature: ring signatures)",
        "next would be: TxFeeError (check: fee)",
        "next would be: DuplicateOutputPublicKey (check: output public keys differ)",
        "next would be: TombstoneBlockExceeded (check: tombstone block)",
        "next would be: MissingMemo (check: memos and token ids of outputs)",
    ]
    assert "range proof of token 0 does not verify" in text
    assert "ring signature of input 0" in text


def test_explain_tells_of_the_right_block_version(file, payment):
    output = run("explain", file, "--json", "--block-version", "3", expected=1)
    assert json.loads(output)["at other block versions"] == {"0": "no check failed"}
    text = run("explain", file, expected=1)
    assert text.endswith("at block version 0: no check failed\nnot run: " + text.split("run: ")[-1])


def test_columns_hold_the_longest_name():
    assert max(len(check.name) for check in CHECKS) == _NAME_COLUMNS


def test_nothing_at_all_is_a_transaction(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    text = run("explain", path, expected=1)
    assert "refused: NoInputs" in text
    assert "next would be: NoOutputs" in text


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(b"xyz", "hex"), (b"abc", "hex"), (b"a$b=", "base64"), (b"abc", "base64")],
)
def test_files_in_another_encoding(data, encoding):
    with pytest.raises(UnreadableFile, match=f"not {encoding}"):
        bytes_of_file(data, encoding)


def test_files_have_an_end():
    with pytest.raises(UnreadableFile, match="more than 4194304 bytes"):
        bytes_of_file(bytes(TX_FILE_BYTES_MAX + 1))
    with pytest.raises(UnreadableFile, match="more than 4194304 bytes"):
        parse_root_proofs(bytes(TX_FILE_BYTES_MAX + 1), [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "neither an object nor a list"),
        ("[7]", "not a string of hex"),
        ('["xx"]', "not a string of hex"),
        ('{"1": ""}', "none for index 5"),
    ],
)
def test_bad_files_of_proofs(text, message):
    with pytest.raises(UnreadableFile, match=message):
        parse_root_proofs(text.encode(), [5])


def test_what_is_no_transaction(tmp_path):
    path = tmp_path / "junk"
    path.write_bytes(b"\x0a\xff")
    for command in ("explain", "decode"):
        with pytest.raises(DecodeError):
            run(command, path)
    assert issubclass(DecodeError, InvalidError)


def test_ledger_and_proofs_exclude_each_other(file, ledger):
    text = run("explain", file, "--ledger", ledger, "--proofs", file, expected=2)
    assert "not both" in text
