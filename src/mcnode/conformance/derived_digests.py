"""Vectors of the small digests around a transaction: tree, fees, rules, signing messages."""

import json
from typing import Any

from mcnode.account.public_address import (
    BURN_ADDRESS_VIEW_PRIVATE,
    burn_address,
    short_address_hash,
)
from mcnode.conformance.codec import tx_out_of
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, read_unpacked, runs
from mcnode.crypto.onetime_keys import confirmation_number
from mcnode.ledger.db.merkle import changed_nodes
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.hashing import input_rules_digest, tx_prefix_hash
from mcnode.transaction.membership_proof import NIL_HASH, leaf_hash
from mcnode.transaction.memo.gift_code import funding_short_hash
from mcnode.transaction.messages import InputRules, TxIn, TxOut, TxPrefix
from mcnode.transaction.ring_ct.signing_digest import (
    extended_message_and_tx_summary_digest,
    extended_message_digest,
    mlsag_signing_message,
)
from mcnode.transaction.summary.tx_summary import make_tx_summary


@runs("transaction", r"derived_digests[^/]*\.json")
def derived_digests(file: VectorFile, report: Report) -> None:
    """Each section of the file, the outputs taken from the file that it names."""
    content = file.json()
    source = content["merkle"]["leaves_from"].split()[0]
    outputs = [
        tx_out_of(case) for case in json.loads(read_unpacked(file.sibling(source)))["outputs"]
    ]
    _check_tree(content["merkle"], outputs, report)
    for case in content["fee_map"]:
        with report.case(f"fees of {len(case['map'])} tokens"):
            fees = FeeMap({int(token): int(fee) for token, fee in case["map"].items()})
            expect_equal("digest", fees.canonical_digest().hex(), case["canonical_digest"])
    with report.case("empty input rules"):
        digest = input_rules_digest(InputRules()).hex()
        expect_equal("digest", digest, content["input_rules_default"]["canonical_digest"])
    with report.case("burn address"):
        _check_burn_address(content["burn_address"])
    _check_signing(content["signing"], outputs, report)
    with report.case("confirmation number"):
        case = content["confirmation_number"]
        made = confirmation_number(bytes.fromhex(case["shared_secret"]))
        expect_equal("number", made.hex(), case["confirmation"])
    with report.case("gift code funding"):
        case = content["gift_funding_short_hash"]
        made = funding_short_hash(bytes.fromhex(case["tx_out_public_key"]))
        expect_equal("short hash", made.hex(), case["hash4"])


def _check_tree(section: dict[str, Any], outputs: list[TxOut], report: Report) -> None:
    with report.case("nil hash"):
        expect_equal("hash", NIL_HASH.hex(), section["nil_hash"])
    leaves = [leaf_hash(tx_out) for tx_out in outputs]
    for count, expected in section["roots"].items():
        with report.case(f"tree of {count} leaves"):
            nodes: dict[tuple[int, int], bytes] = {}
            for from_, to, hash_ in changed_nodes(0, leaves[: int(count)], lambda *_: b""):
                nodes[from_, to] = hash_
            expect_equal(
                "root", nodes[max(nodes, key=lambda node: node[1] - node[0])].hex(), expected
            )


def _check_burn_address(case: dict[str, str]) -> None:
    address = burn_address()
    expect_equal(
        "view private key", BURN_ADDRESS_VIEW_PRIVATE.to_bytes().hex(), case["view_private"]
    )
    expect_equal("view key", address.view_public_key.hex(), case["view_public"])
    expect_equal("spend key", address.spend_public_key.hex(), case["spend_public"])
    expect_equal("short hash", short_address_hash(address).hex(), case["short_address_hash"])


def _check_signing(section: dict[str, Any], outputs: list[TxOut], report: Report) -> None:
    prefix = TxPrefix(outputs=tuple(outputs[:2]), fee=400_000_000, tombstone_block=100)
    prefix_hash = tx_prefix_hash(prefix)
    commitments = [bytes.fromhex(text) for text in section["pseudo_output_commitments"]]
    older = bytes.fromhex(section["range_proof_bytes"])
    proofs = [bytes.fromhex(text) for text in section["range_proofs"]]
    with report.case("prefix hash"):
        expect_equal("hash", prefix_hash.hex(), section["prefix_hash"])
    with report.case("extended message digest"):
        digest = extended_message_digest(prefix_hash, commitments, older, proofs)
        expect_equal("digest", digest.hex(), section["extended_message_digest"])
        # The summary counts an input without rules for each commitment; the prefix hashed has none.
        summary = make_tx_summary(
            TxPrefix((TxIn(),) * len(commitments), prefix.outputs, prefix.fee, 100), commitments
        )
        signed = extended_message_and_tx_summary_digest(digest, summary)
        expect_equal("signing digest", signed.hex(), section["mlsag_signing_digest_v3"])
    # The older form of proof: all of it in one byte string, no list of proofs.
    for name, expected in section.items():
        stem, _, proof_hex = name.partition("_with_range_proof_bytes_")
        if not proof_hex:
            continue
        with report.case(name):
            version = BlockVersion(1 if stem.endswith("v0_v1") else 2)
            message = mlsag_signing_message(
                version, prefix, commitments, bytes.fromhex(proof_hex), ()
            )
            expect_equal("message", message.hex(), expected)
