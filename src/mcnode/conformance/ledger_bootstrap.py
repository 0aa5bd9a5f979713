"""Vectors of sample keys and sample ledgers: the same bytes for the same arguments."""

import json
from pathlib import Path
from typing import Any

from mcnode.account.key_files import (
    UncheckedMnemonicAccount,
    mnemonic_account_to_json,
    parse_key_json,
    sample_accounts,
    sorted_names,
)
from mcnode.account.mnemonic import mnemonic_from_entropy
from mcnode.account.printable import parse_printable_address, to_printable
from mcnode.account.public_address import PublicAddress
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.metadata import metadata_digest
from mcnode.blockchain.quorum_set import MetadataNode
from mcnode.blockchain.signature import block_signature_digest
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.ledger_blocks import block_from_json, tx_out_from_json
from mcnode.conformance.ledger_common import Case, element_to_json, rebuilt_dump, temporary_ledger
from mcnode.conformance.ledger_db import expect_same_records
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    runs,
)
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.sample import SampleLedger, make_sample_blocks, sample_conf_json
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import tx_out_hash


@runs("ledger", r"(.*/)?keys/[^/]+\.(json|pub|b58pub)")
def run_key_file(file: VectorFile, report: Report) -> None:
    """A key file reads and writes the same, and agrees with the secret beside it."""
    with report.case("file"):
        stem = Path(file.name).stem
        text = file.read_bytes()
        secret = file.sibling(f"{stem}.json").read_text()
        address = parse_key_json(secret).default_subaddress()
        if file.name.endswith(".pub"):
            expect_equal("address", decode(PublicAddress, text), address)
            expect_equal("bytes", encode(address), text)
        elif file.name.endswith(".b58pub"):
            expect_equal("address", parse_printable_address(text.decode().strip()), address)
            expect_equal("text", to_printable(address), text.decode())
        else:
            _check_secret(secret)
            for public in file.siblings(f"{stem}.pub"):
                expect_equal(
                    "address beside it", decode(PublicAddress, public.read_bytes()), address
                )


def _check_secret(text: str) -> None:
    """The secret is written as it was read."""
    stored = json.loads(text)
    spki = stored["fog_authority_spki"]
    account = UncheckedMnemonicAccount(
        stored["mnemonic"],
        stored["account_index"],
        stored["fog_report_url"],
        stored["fog_report_id"],
        None if spki is None else bytes(spki),
    )
    expect_equal("text", mnemonic_account_to_json(account), text)


@runs("ledger", r"(.*/)?sample_keys[^/]*\.json")
def run_sample_keys(file: VectorFile, report: Report) -> None:
    """Entropies and mnemonics of a seed; some accounts are left out of the list."""
    cases = file.json()
    rng = Hc128Rng(bytes.fromhex(cases["seed"]))
    numbers = {int(case["file"].rpartition("_")[2]): case for case in cases["accounts"]}
    for number in range(max(numbers) + 1):
        entropy = rng(32)
        if number in numbers:
            with report.case(number):
                expect_equal("entropy", entropy.hex(), numbers[number]["entropy"])
                phrase = mnemonic_from_entropy(entropy)
                expect_equal("mnemonic", phrase, numbers[number]["mnemonic"])


@runs("ledger", r"(.*/)?sample_ledgers[^/]*\.json")
def run_sample_ledgers(file: VectorFile, report: Report) -> None:
    """Whole ledgers from their arguments, block by block."""
    for case in file.json():
        sample = _sample_of_case(case)
        with report.case(f"{case['name']} keys"):
            expect_equal("outputs", sample.num_outputs, case["total_outputs"])
            expect_equal("value", str(sample.value_per_output), case["amount_per_output"])
            for address, expected in zip(sample.recipients, case["accounts"], strict=True):
                expect_equal("address", encode(address).hex(), expected["pub_file_hex"])
        with temporary_ledger() as ledger:
            for data, expected in zip(make_sample_blocks(sample), case["blocks"], strict=True):
                with report.case(f"{case['name']} block {data.block.index}"):
                    ledger.append_block_data(data)
                    _check_block(data, expected)
                    root = element_to_json(ledger.get_root_tx_out_membership_element())
                    wanted = expected["merkle_root_after"]
                    made = {"range_from": root["from"], "range_to": root["to"]}
                    expect_equal("root", {**made, "hash": root["hash"]}, wanted)


def _sample_of_case(case: Case) -> SampleLedger:
    keys, generate = case["sample_keys"], case["generate"]
    accounts = sample_accounts(bytes.fromhex(keys["seed"]), int(keys["num"]))
    return SampleLedger(
        [account.account_key().default_subaddress() for account in accounts],
        generate["txs"],
        generate["blocks"],
        generate["max_token_id"],
        bytes.fromhex(generate["seed"]),
    )


def _check_block(data: BlockData, expected: Case) -> None:
    contents = data.contents
    expect_equal("header", data.block, block_from_json(expected["block"]))
    images = [image.hex() for image in contents.key_images]
    expect_equal("key images", images, expected["key_images"])
    hashes = [tx_out_hash(output).hex() for output in contents.outputs]
    expect_equal("output hashes", hashes, expected["tx_out_hashes"])
    outputs = tuple(tx_out_from_json(output) for output in expected["outputs"])
    expect_equal("outputs", tuple(contents.outputs), outputs)
    assert data.signature is not None
    made = {
        "signature": data.signature.signature.hex(),
        "signer": data.signature.signer.hex(),
        "signed_at": data.signature.signed_at,
        "expected_digest": block_signature_digest(data.block).hex(),
    }
    expect_equal("signature", made, expected["block_signature"])
    expect_equal("metadata", _metadata_json(data), expected["block_metadata"])


def _metadata_json(data: BlockData) -> Case:
    metadata = data.metadata
    assert metadata is not None
    contents = metadata.contents
    report: Any = contents.attestation_evidence
    nodes = [wrapper.member for wrapper in contents.quorum_set.members]
    return {
        "contents": {
            "block_id": contents.block_id.hex(),
            "quorum_set": {
                "threshold": contents.quorum_set.threshold,
                "members": [
                    {"responder_id": node.responder_id, "public_key": node.public_key.hex()}
                    for node in nodes
                    if isinstance(node, MetadataNode)
                ],
            },
            "verification_report": {
                "sig": report.sig.hex(),
                "chain_len_of_empty_entries": len([each for each in report.chain if not each]),
                "http_body": report.http_body,
            },
            "responder_id": contents.responder_id,
        },
        "node_key": metadata.node_key.hex(),
        "signature": metadata.signature.hex(),
        "expected_digest": metadata_digest(contents).hex(),
    }


@runs("ledger", r"(.*/)?lmdb_contents_[^/]*\.json")
def run_lmdb_contents(file: VectorFile, report: Report) -> None:
    """The records of a sample ledger, made from the arguments of the case of its name."""
    name = Path(file.name).stem.removeprefix("lmdb_contents_")
    case = _named_case(file, name)
    made = rebuilt_dump(make_sample_blocks(_sample_of_case(case)))
    expect_same_records(report, made, file.json())


def _named_case(file: VectorFile, name: str) -> Case:
    for path in file.siblings("sample_ledgers.json"):
        for case in VectorFile(path, file.area, "sample_ledgers.json").json():
            if case["name"] == name:
                found: Case = case
                return found
    raise MismatchError(f"no case {name} in a sample_ledgers.json")


@runs("ledger", r"(.*/)?ledgers/[^/]+/args\.json")
def run_args(file: VectorFile, report: Report) -> None:
    """Make the ledger again from its arguments, where a tool with arguments made it."""
    args = file.json()
    lines = list(VectorFile(file.sibling("blocks.jsonl"), "ledger", "blocks.jsonl").json_lines())
    if "txs" not in args:
        with report.case("number of blocks"):
            expect_equal("blocks", len(lines), int(args.get("blocks", len(lines))))
        return
    sample = _sample_of_args(file, args)
    for data, line in zip(make_sample_blocks(sample), lines, strict=True):
        with report.case(f"block {data.block.index}"):
            expect_equal("id", data.block.id.hex(), line["id"])
            assert data.signature is not None and data.metadata is not None
            signature = data.signature.signature.hex()
            expect_equal("signature", signature, line["signature"]["signature"])
            expect_equal("metadata", encode(data.metadata).hex(), line["metadata"]["p"])


def _sample_of_args(file: VectorFile, args: Case) -> SampleLedger:
    folder = f"../{args['keys_of']}/keys" if "keys_of" in args else "keys"
    keys = file.sibling(folder)
    names = sorted_names(path.name for path in keys.iterdir() if path.suffix == ".pub")
    expect(len(names) >= int(args["keys"]), f"{len(names)} keys, needs {args['keys']}")
    return SampleLedger(
        [decode(PublicAddress, (keys / name).read_bytes()) for name in names[: int(args["keys"])]],
        int(args["txs"]),
        int(args["blocks"]),
        int(args["max_token_id"]),
        bytes.fromhex(args["seed"]),
        BlockVersion(int(args["block_version"])),
    )


@runs("ledger", r"(.*/)?conf\.json")
def run_conf(file: VectorFile, report: Report) -> None:
    """The note beside a sample ledger."""
    with report.case("text"):
        args = VectorFile(file.sibling("args.json"), "ledger", file.name).json()
        sample = _sample_of_args(file, args)
        key_images = file.json()["NUM_EXTRA_KEY_IMAGES_PER_BLOCK"]
        expect_equal("text", sample_conf_json(sample, key_images), file.read_bytes().decode())
