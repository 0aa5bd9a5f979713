"""Vectors of blocks: ids, hashes, signatures, metadata; real chain data; minting messages."""

from typing import Any

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.blockchain.block import (
    Block,
    block_digest,
    block_id_of,
    check_block_id,
    make_block,
    make_origin_block,
)
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents, contents_hash
from mcnode.blockchain.metadata import BlockMetadata, check_metadata_signature, metadata_digest
from mcnode.blockchain.signature import (
    BlockSignature,
    block_signature_digest,
    check_block_signature,
)
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.ledger_common import (
    Case,
    all_blocks,
    decode_hex,
    element_to_json,
    genuine_ledger,
    temporary_ledger,
)
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.multisig import MultiSig, SignerSet, check_multisig
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.archive.paths import block_path, merged_path
from mcnode.ledger.sample import draw_key_image, make_blocks, make_sample_output
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import (
    mint_config_tx_prefix_hash,
    mint_tx_prefix_hash,
    tx_out_hash,
)
from mcnode.transaction.membership_proof import leaf_hash_of
from mcnode.transaction.messages import (
    Amount,
    MaskedAmountV1,
    MaskedAmountV2,
    MintConfigTx,
    MintTx,
    Range,
    TxOut,
    TxOutMembershipElement,
)


def tx_out_from_json(value: Case) -> TxOut:
    """An output from its readable form."""
    amount = value["masked_amount"]
    made = MaskedAmountV1 if amount["version"] == 1 else MaskedAmountV2
    return TxOut(
        made(
            bytes.fromhex(amount["commitment"]),
            int(amount["masked_value"]),
            bytes.fromhex(amount["masked_token_id"]),
        ),
        bytes.fromhex(value["target_key"]),
        bytes.fromhex(value["public_key"]),
        bytes.fromhex(value["e_fog_hint"]),
        bytes.fromhex(value["e_memo"]) if value.get("e_memo") else None,
    )


def _root_from_json(value: Case) -> TxOutMembershipElement:
    covered = Range(int(value["range_from"]), int(value["range_to"]))
    return TxOutMembershipElement(covered, bytes.fromhex(value["hash"]))


def block_from_json(value: Case) -> Block:
    """A header from its readable form."""
    return Block(
        bytes.fromhex(value["id"]),
        int(value["version"]),
        bytes.fromhex(value["parent_id"]),
        int(value["index"]),
        int(value["cumulative_txo_count"]),
        _root_from_json(value["root_element"]),
        bytes.fromhex(value["contents_hash"]),
    )


@runs("ledger", r"(.*/)?real_blocks[^/]*\.jsonl")
def run_real_blocks(file: VectorFile, report: Report) -> None:
    """Blocks of public chains hash to their ids, and their nodes' signatures verify."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} block {case['block']['index']}"):
            block = block_from_json(case["block"])
            outputs = tuple(tx_out_from_json(output) for output in case["outputs"])
            key_images = tuple(bytes.fromhex(image) for image in case["key_images"])
            contents = BlockContents(key_images, outputs, (), ())
            expected = case["expected"]
            hashes = [tx_out_hash(output).hex() for output in outputs]
            expect_equal("output hashes", hashes, expected["tx_out_hashes"])
            expect_equal("contents hash", contents_hash(contents).hex(), expected["contents_hash"])
            expect_equal("block id", block_id_of(block).hex(), expected["block_id"])
            check_block_id(block)
            digest = block_signature_digest(block).hex()
            expect_equal("signed digest", digest, expected["block_sig_digest"])
            for each in case.get("signatures", []):
                signature = BlockSignature(
                    bytes.fromhex(each["signature"]), bytes.fromhex(each["signer"]), 0
                )
                check_block_signature(signature, block)


@runs("ledger", r"(.*/)?blocks\.jsonl")
def run_blocks(file: VectorFile, report: Report) -> None:
    """Every hash, digest and signature of a genuine ledger, and the tree after each block."""
    with genuine_ledger(file) as source, temporary_ledger() as ledger:
        stored = list(all_blocks(source))
        for line in file.json_lines():
            with report.case(f"block {line['index']}"):
                data = stored[int(line["index"])]
                _check_header(line, data)
                if "block_p" in line:
                    _check_stored_forms(line, data)
                ledger.append_block_data(data)
                root = element_to_json(ledger.get_root_tx_out_membership_element())
                expect_equal("root after", root, line["root_after"])


def _check_header(line: Case, data: BlockData) -> None:
    block = data.block
    for name in ("version", "index", "cumulative_txo_count"):
        expect_equal(name, getattr(block, name), int(line[name]))
    for name in ("id", "parent_id", "contents_hash"):
        expect_equal(name, getattr(block, name).hex(), line[name])
    expect_equal("root element", element_to_json(block.root_element), line["root_element"])
    check_block_id(block)
    expect_equal("contents hash", contents_hash(data.contents), block.contents_hash)
    hashes = [tx_out_hash(output).hex() for output in data.contents.outputs]
    expect_equal("output hashes", hashes, line["tx_out_hashes"])


def _check_stored_forms(line: Case, data: BlockData) -> None:
    contents = data.contents
    expect_equal("header read", decode_hex(Block, line["block_p"]), data.block)
    expect_equal("header bytes", encode(data.block).hex(), line["block_p"])
    expect_equal("contents read", decode_hex(BlockContents, line["contents_p"]), contents)
    expect_equal("contents bytes", encode(contents).hex(), line["contents_p"])
    leaves = [leaf_hash_of(bytes.fromhex(hash_)).hex() for hash_ in line["tx_out_hashes"]]
    expect_equal("leaves", leaves, line["leaf_hashes"])
    expect_equal("key images", [i.hex() for i in contents.key_images], line["key_images"])
    expect_equal("digest", block_digest(data.block).hex(), line["block_digest"])
    signed = block_signature_digest(data.block).hex()
    expect_equal("signed digest", signed, line["block_sig_digest"])
    mints = [mint_tx_prefix_hash(each.prefix).hex() for each in contents.mint_txs]
    expect_equal("mint prefixes", mints, line["mint_tx_prefix_hashes"])
    configs = [
        mint_config_tx_prefix_hash(each.mint_config_tx.prefix).hex()
        for each in contents.validated_mint_config_txs
    ]
    expect_equal("mint config prefixes", configs, line["mint_config_tx_prefix_hashes"])
    _check_signature(line["signature"], data)
    _check_metadata(line["metadata"], data)


def _check_signature(expected: Case | None, data: BlockData) -> None:
    if expected is None:
        expect_equal("signature", data.signature, None)
        return
    signature = decode_hex(BlockSignature, expected["p"])
    expect_equal("signature", data.signature, signature)
    expect_equal("signature bytes", encode(signature).hex(), expected["p"])
    expect_equal("signer", signature.signer.hex(), expected["signer"])
    expect_equal("signed at", signature.signed_at, expected["signed_at"])
    check_block_signature(signature, data.block)


def _check_metadata(expected: Case | None, data: BlockData) -> None:
    if expected is None:
        expect_equal("metadata", data.metadata, None)
        return
    metadata = decode_hex(BlockMetadata, expected["p"])
    expect_equal("metadata", data.metadata, metadata)
    expect_equal("metadata bytes", encode(metadata).hex(), expected["p"])
    expect_equal("digest", metadata_digest(metadata.contents).hex(), expected["digest"])
    expect_equal("node key", metadata.node_key.hex(), expected["node_key"])
    check_metadata_signature(metadata)


@runs("ledger", r"(.*/)?archive_paths[^/]*\.json")
def run_archive_paths(file: VectorFile, report: Report) -> None:
    """Where a block lies in an archive."""
    for case in file.json():
        with report.case(case["path"]):
            index, bucket = int(case["block_index"]), case["bucket_size"]
            made = block_path(index) if bucket is None else merged_path(int(bucket), index)
            expect_equal("path", made, case["path"])


@runs("ledger", r"(.*/)?mint_txs_real[^/]*\.json")
def run_real_mints(file: VectorFile, report: Report) -> None:
    """A real mint transaction and the configurations it was made under."""
    case = file.json()
    config_tx = decode(MintConfigTx, bytes.fromhex(case["mint_config_tx"]["protobuf_hex"]))
    with report.case("mint configuration"):
        prefix_hash = mint_config_tx_prefix_hash(config_tx.prefix).hex()
        expect_equal("prefix hash", prefix_hash, case["mint_config_tx"]["computed_prefix_hash"])
        expect_equal("bytes", encode(config_tx).hex(), case["mint_config_tx"]["protobuf_hex"])
    with report.case("mint"):
        mint = case["mint_tx"]
        mint_tx = decode(MintTx, bytes.fromhex(mint["protobuf_hex"]))
        signed = mint_tx_prefix_hash(mint_tx.prefix)
        expect_equal("prefix hash", signed.hex(), mint["expected_prefix_hash"])
        expect_equal("bytes", encode(mint_tx).hex(), mint["protobuf_hex"])
        for config, expected in zip(
            config_tx.prefix.configs, mint["matching_signers_per_config"], strict=True
        ):
            found = _matching_signers(config.signer_set, signed, mint_tx.signature)
            expect_equal("signers", sorted(found), sorted(expected))


def _matching_signers(signer_set: SignerSet, signed: bytes, signature: MultiSig) -> list[str]:
    found = []
    for key in signer_set.individual_signers:
        try:
            check_multisig(SignerSet((key,), (), 1), signed, signature)
        except SignatureError:
            continue
        found.append(key.hex())
    return found


@runs("ledger", r"(.*/)?upstream_digest_constants[^/]*\.json")
def run_digest_constants(file: VectorFile, report: Report) -> None:
    """Constants of unit tests, whose inputs come from seeded generators."""
    constants = file.json()
    recipients = _accounts(constants["origin_block"]["accounts_seed"])
    origin, contents = _origin(constants["origin_block"], recipients)
    with report.case("origin block"):
        _check_origin(constants["origin_block"], origin, contents.outputs[0])
    for version, hashes in constants.get("chain", {}).get("contents_hashes", {}).items():
        with report.case(f"chain {version}"):
            made = _chain_hashes(constants["chain"], recipients, int(version[1:]), origin)
            expect_equal("contents hashes", made, hashes)
    if "block_rs" in constants:
        with report.case("blocks of random contents"):
            _check_random_blocks(constants["block_rs"])


def _accounts(seed: str) -> list[PublicAddress]:
    rng = Hc128Rng(bytes.fromhex(seed))
    return [AccountKey.random(rng).default_subaddress() for _ in range(5)]


def _origin(case: Case, recipients: list[PublicAddress]) -> tuple[Block, BlockContents]:
    rng = Hc128Rng(bytes.fromhex(case["tx_outs_seed"]))
    return make_origin_block(
        [
            make_sample_output(rng, BlockVersion(0), Amount(rng.next_u32(), 0), recipient)
            for recipient in recipients
        ]
    )


def _check_origin(case: Case, block: Block, first: TxOut) -> None:
    expect_equal("id", block.id.hex(), case["id"])
    expect_equal("contents hash", block.contents_hash.hex(), case["contents_hash"])
    expect_equal("count", block.cumulative_txo_count, case["cumulative_txo_count"])
    expected = dict(case["first_tx_out"])
    assert first.masked_amount is not None
    made = {
        "commitment": first.masked_amount.commitment,
        "masked_value_le": first.masked_amount.masked_value.to_bytes(8, "little"),
        "masked_token_id": first.masked_amount.masked_token_id,
        "target_key": first.target_key,
        "public_key": first.public_key,
        "e_fog_hint": first.e_fog_hint,
    }
    expect_equal("first output", {name: data.hex() for name, data in made.items()}, expected)


def _chain_hashes(
    case: Case, recipients: list[PublicAddress], version: int, origin: Block
) -> list[str]:
    """The contents hashes of sample blocks that follow the origin block."""
    blocks = make_blocks(
        Hc128Rng(bytes.fromhex(case["blocks_seed"])),
        recipients,
        outputs_per_recipient=case["outputs_per_recipient"],
        num_blocks=case["num_blocks"],
        num_tokens=case["num_tokens"],
        value=case["amount"],
        version=BlockVersion(version),
        parent=origin,
    )
    return [data.block.contents_hash.hex() for data in blocks]


def _check_random_blocks(case: Case) -> None:
    """Three blocks in a row from one generator: eight outputs and three key images each."""
    rng = Hc128Rng(bytes([7]) * 32)
    version = case["block_version"]
    with_memo = [_random_contents(rng, BlockVersion(version)) for _ in range(2)]
    without_memo = _random_contents(rng, BlockVersion(0))
    made: dict[str, Any] = {
        "id_with_memo": _random_block(case, with_memo[0]).id.hex(),
        "second_contents_hash": contents_hash(with_memo[1]).hex(),
        "third_block_no_memo_id": _random_block(case, without_memo).id.hex(),
        "third_block_no_memo_contents_hash": contents_hash(without_memo).hex(),
    }
    expect_equal("constants", made, {name: case[name] for name in made})


def _random_contents(rng: Hc128Rng, version: BlockVersion) -> BlockContents:
    recipient = AccountKey.random(rng).default_subaddress()
    outputs = tuple(
        make_sample_output(rng, version, Amount(rng.next_u64(), 0), recipient) for _ in range(8)
    )
    return BlockContents(tuple(draw_key_image(rng) for _ in range(3)), outputs, (), ())


def _random_block(case: Case, contents: BlockContents) -> Block:
    return make_block(
        version=case["block_version"],
        parent_id=bytes.fromhex(case["parent_id"]),
        index=case["index"],
        cumulative_txo_count=case["cumulative_txo_count"],
        root_element=_root_from_json(case["root_element"]),
        contents=contents,
    )
