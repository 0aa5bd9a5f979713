"""Vectors of transaction summaries as signers verify them."""

from typing import Any

from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.messages import TxSummary, TxSummaryUnblindingData
from mcnode.transaction.summary.report import Entity, Party, SummaryReport
from mcnode.transaction.summary.verifier import verify_tx_summary

Case = dict[str, Any]


@runs("transaction", r"genuine/tx_summary[^/]*\.jsonl")
def run_tx_summaries(file: VectorFile, report: Report) -> None:
    """Summaries, right and wrong: digest and balance changes, or the exact error."""
    for case in file.json_lines():
        with report.case(case["id"]):
            summary = decode(TxSummary, bytes.fromhex(case["tx_summary"]))
            data = bytes.fromhex(case["tx_summary_unblinding_data"])
            unblinding = decode(TxSummaryUnblindingData, data)
            expect_equal("summary, re-encoded", encode(summary).hex(), case["tx_summary"])
            expect_equal("unblinding data, re-encoded", encode(unblinding), data)
            digest = bytes.fromhex(case["extended_message_digest"])
            view_private = RistrettoPrivate(bytes.fromhex(case["view_private"]))
            try:
                found = verify_tx_summary(digest, summary, unblinding, view_private)
            except TransactionError as error:
                expect_equal("error", network_name(error), case["report"].get("error"))
            else:
                expect("error" not in case["report"], "a wrong summary was accepted")
                check_report(case["report"], *found)


def check_report(expected: Case, digest: bytes, found: SummaryReport) -> None:
    """Compare a report with the one that a case expects."""
    expect_equal("digest", digest.hex(), expected["digest"])
    changes = [
        [_shown(entity), str(token_id), str(total)]
        for entity, token_id, total in found.balance_changes
    ]
    expect_equal("balance_changes", changes, expected["balance_changes"])
    fee = [str(found.fee_token_id), str(found.network_fee)]
    expect_equal("network_fee", fee, expected["network_fee"])
    expect_equal("tombstone_block", str(found.tombstone_block), expected["tombstone_block"])
    expect_equal("display", str(found), expected["display"])


def _shown(entity: Entity) -> str:
    if entity.party is Party.ADDRESS:
        return f"address {entity.address_hash.hex()}"
    return entity.party.name.lower()
