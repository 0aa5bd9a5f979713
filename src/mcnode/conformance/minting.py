"""Vectors of mint and mint configuration transactions, of their signatures, and of fee maps."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from mcnode.codec.digest import digest32
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import MultiSig, SignerSet, check_multisig, is_valid_signer_set
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.messages import (
    MintConfig,
    MintConfigTx,
    MintTx,
    ValidatedMintConfigTx,
)
from mcnode.transaction.mint import validate_mint_config_tx, validate_mint_tx

Case = dict[str, Any]
_TEST_CONTEXT = "test"


def _result(check: Callable[[], object]) -> str:
    try:
        check()
    except TransactionError as error:
        return network_name(error)
    return "ok"


@runs("transaction", r"genuine/mint[^/]*\.jsonl")
def run_mint(file: VectorFile, report: Report) -> None:
    """Mint transactions of all kinds, and multi-signatures."""
    kinds = {
        "keys": _check_keys,
        "mint_config_tx": _check_mint_config_tx,
        "mint_tx": _check_mint_tx,
        "multisig": _check_multisig,
    }
    for case in file.json_lines():
        with report.case(case["id"]):
            expect(case["kind"] in kinds, f"unknown kind {case['kind']}")
            kinds[case["kind"]](case)


def _check_keys(case: Case) -> None:
    made = [Ed25519Private(bytes.fromhex(seed)).public_key() for seed in case["private"]]
    expect_equal("public", [str(key) for key in made], case["public"])


def _check_mint_config_tx(case: Case) -> None:
    data = bytes.fromhex(case["mint_config_tx"])
    tx = decode(MintConfigTx, data)
    governors = decode(SignerSet, bytes.fromhex(case["governors"]))
    expect_equal("re-encoding", encode(tx), data)
    prefix_hash = mint_config_tx_prefix_hash(tx.prefix)
    expect_equal("prefix_hash", prefix_hash.hex(), case["prefix_hash"])
    expect_equal("tx_digest_test", digest32(_TEST_CONTEXT, tx).hex(), case["tx_digest_test"])
    index = case["current_block_index"]
    found = _result(
        lambda: validate_mint_config_tx(
            tx, None if index is None else int(index), case["block_version"], governors
        )
    )
    expect_equal("result", found, case["result"])
    _check_matched(case, governors, prefix_hash, tx.signature)
    if case.get("validated_mint_config_tx"):
        data = bytes.fromhex(case["validated_mint_config_tx"])
        validated = decode(ValidatedMintConfigTx, data)
        expect_equal("validated, re-encoded", encode(validated), data)
        digest = digest32(_TEST_CONTEXT, validated).hex()
        expect_equal("validated_digest_test", digest, case["validated_digest_test"])
        expect_equal("validated", validated.mint_config_tx, tx)


def _check_mint_tx(case: Case) -> None:
    data = bytes.fromhex(case["mint_tx"])
    tx = decode(MintTx, data)
    config = decode(MintConfig, bytes.fromhex(case["mint_config"]))
    expect_equal("re-encoding", encode(tx), data)
    expect_equal("prefix_hash", mint_tx_prefix_hash(tx.prefix).hex(), case["prefix_hash"])
    expect_equal("tx_digest_test", digest32(_TEST_CONTEXT, tx).hex(), case["tx_digest_test"])
    index, version = int(case["current_block_index"]), case["block_version"]
    found = _result(lambda: validate_mint_tx(tx, index, version, config))
    expect_equal("result", found, case["result"])


def _check_multisig(case: Case) -> None:
    signer_set = decode(SignerSet, bytes.fromhex(case["signer_set"]))
    multi_sig = decode(MultiSig, bytes.fromhex(case["multi_sig"]))
    expect_equal("set_valid", is_valid_signer_set(signer_set), case["set_valid"])
    digest = digest32(_TEST_CONTEXT, signer_set).hex()
    expect_equal("set_digest_test", digest, case["set_digest_test"])
    if case["result"] == "ok":
        _check_matched(case, signer_set, bytes.fromhex(case["message"]), multi_sig)
        return
    with _expect_refused():
        check_multisig(signer_set, bytes.fromhex(case["message"]), multi_sig)


@contextlib.contextmanager
def _expect_refused() -> Iterator[None]:
    try:
        yield
    except SignatureError:
        return
    expect(False, "the multi-signature was accepted")


def _check_matched(case: Case, signer_set: SignerSet, signed: bytes, multi_sig: MultiSig) -> None:
    expected = case.get("matched_signers")
    if not isinstance(expected, list):
        with _expect_refused():
            check_multisig(signer_set, signed, multi_sig)
        return
    matched = check_multisig(signer_set, signed, multi_sig)
    expect_equal("matched_signers", [key.hex() for key in matched], expected)


@runs("transaction", r"genuine/fee_maps[^/]*\.jsonl")
def run_fee_maps(file: VectorFile, report: Report) -> None:
    """Fee maps: digest, or the rule that is broken."""
    for case in file.json_lines():
        with report.case(case["id"]):
            try:
                fee_map = FeeMap({int(token_id): int(fee) for token_id, fee in case["map"]})
            except TransactionError as error:
                expect_equal("result", network_name(error), case["result"])
                continue
            expect_equal("result", "ok", case["result"])
            expect_equal("digest", fee_map.canonical_digest().hex(), case["digest"])
