"""Vectors of light clients and of the keys that may sign metadata."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.light_client import (
    HistoricalValidatorSet,
    LightClientVerifier,
    TrustedValidatorSet,
)
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.blockchain.quorum_set import (
    MetadataNode,
    MetadataQuorumSet,
    MetadataQuorumSetMember,
)
from mcnode.conformance.ledger_common import Case, base_chain, decode_hex
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.crypto.der import public_key_to_pem
from mcnode.crypto.keys import Ed25519Public
from mcnode.errors import McNodeError
from mcnode.ledger.metadata_validators import (
    KeyRange,
    KeyRangeFileError,
    MetadataValidator,
    load_metadata_validator,
)
from mcnode.transaction.messages import TxOut


@runs("ledger", r"(.*/)?light_client\.json")
def run_light_client(file: VectorFile, report: Report) -> None:
    """A block with metadata, and whether it convinces a verifier."""
    for case in file.json():
        with report.case(case["name"]):
            verifier = _verifier(case["verifier"])
            block = decode_hex(Block, case["block_p"])
            contents = decode_hex(BlockContents, case["contents_p"])
            metadata = [decode_hex(BlockMetadata, each) for each in case["metadata_p"]]
            tx_outs = [decode_hex(TxOut, each) for each in case["txouts_p"]]
            whole = (block, contents, metadata)
            made = {
                "verify_block": _outcome(verifier.check_block, block, metadata),
                "verify_block_and_block_contents": _outcome(
                    verifier.check_block_and_contents, *whole
                ),
                "verify_txos_in_block": _outcome(verifier.check_tx_outs_in_block, tx_outs, *whole),
            }
            for name, found in made.items():
                expect_equal(name, found, _name(case[name]))


def _outcome(check: Callable[..., object], *arguments: object) -> str:
    try:
        check(*arguments)
    except McNodeError as error:
        return getattr(error, "network_name", None) or type(error).__name__
    return "ok"


def _name(result: Any) -> Any:
    return result["error"] if isinstance(result, dict) else result


def _verifier(value: Case) -> LightClientVerifier:
    return LightClientVerifier(
        _validators(value["trusted_validator_set"]),
        value["trusted_validator_set_start_block"],
        tuple(
            HistoricalValidatorSet(covered["start"], covered["end"], _validators(validators))
            for covered, validators in value["historical_validator_sets"]
        ),
        frozenset(bytes(each) for each in value["known_valid_block_ids"]),
    )


def _validators(value: Case) -> TrustedValidatorSet:
    return TrustedValidatorSet(_quorum_set(value["quorum_set"]))


def _quorum_set(value: Case) -> MetadataQuorumSet:
    members: list[MetadataNode | MetadataQuorumSet | None] = []
    for member in value["members"]:
        if member is None:
            members.append(None)
        elif member["type"] == "Node":
            node = member["args"]
            members.append(MetadataNode(node["responder_id"], bytes(node["public_key"])))
        else:
            members.append(_quorum_set(member["args"]))
    return MetadataQuorumSet(
        value["threshold"], tuple(MetadataQuorumSetMember(member) for member in members)
    )


@runs("ledger", r"(.*/)?validators\.json")
def run_validators(file: VectorFile, report: Report) -> None:
    """Lists of key ranges, good and bad, and the metadata of the base chain against them."""
    cases = file.json()
    chain = base_chain(file)
    pem = next((case["config"] for case in cases if case["name"] == "pem public key inline"), "")
    for case in cases:
        with report.case(case["name"]), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / case["file"]
            path.write_text(case["config"])
            if pem:
                (Path(folder) / "k.pem").write_text(pem.split("'''")[1].strip())
            _check_key_ranges(case, path, chain)


def _check_key_ranges(case: Case, path: Path, chain: list[BlockData]) -> None:
    try:
        validator = load_metadata_validator(path)
    except KeyRangeFileError as error:
        expect_equal("load", error.network_name or type(error).__name__, _name(case["load"]))
        return
    expect_equal("load", "ok", case["load"])
    for each in case["validate"]:
        metadata = _metadata(chain, each["metadata_of_block"])
        found = _outcome(validator.check_metadata, metadata, int(each["index"]))
        what = f"block {each['metadata_of_block']} at {each['index']}"
        expect_equal(what, found, _bare(each["result"]))


def _metadata(chain: list[BlockData], which: int | str) -> BlockMetadata:
    """The metadata of a block, by its index, or by `INDEX with the signature replaced …`."""
    number = which if isinstance(which, int) else int(which.split()[0])
    metadata = chain[number].metadata
    assert metadata is not None
    if isinstance(which, int):
        return metadata
    return dataclasses.replace(metadata, signature=b"\x01" * 64)


def _bare(result: str) -> str:
    """`Err(Signature("signature error"))` as `Signature`."""
    return result.removeprefix("Err(").partition("(")[0].rstrip(")")


@runs("ledger", r"(.*/)?key_range/expected\.json")
def run_key_range(file: VectorFile, report: Report) -> None:
    """Validation outcomes of listed ranges, and PEM forms of keys."""
    cases = file.json()
    for key, text in cases["pem"].items():
        with report.case(f"PEM of {key}"):
            made = public_key_to_pem(Ed25519Public._unchecked(bytes.fromhex(key)))
            expect_equal("PEM", made.strip(), text.strip())
    ranges: dict[bytes, tuple[KeyRange, ...]] = {}
    for number, case in enumerate(cases["validate"]):
        if "keys" in case:
            ranges = {
                key.encode(): tuple(KeyRange(first, last) for first, last in listed)
                for key, listed in case["keys"].items()
            }
            continue
        with report.case(f"{number} {case['key']} at {case['index']}"):
            validator = MetadataValidator(ranges)
            key = case["key"].encode()
            found = _outcome(validator.check_key, key, case["index"])
            expect_equal("result", found, case["result"])


@runs("ledger", r"(.*/)?key_range/[^/]*signers[^/]*\.(json|toml)")
def run_key_range_file(file: VectorFile, report: Report) -> None:
    """A list of key ranges reads as the map beside it."""
    with report.case("ranges"):
        expected = VectorFile(file.sibling("expected.json"), "ledger", "expected.json").json()
        ranges = load_metadata_validator(file.path).ranges
        found = {
            key.hex(): [[each.first, each.last] for each in listed]
            for key, listed in ranges.items()
        }
        expect_equal("ranges", found, expected["validity_map"])
