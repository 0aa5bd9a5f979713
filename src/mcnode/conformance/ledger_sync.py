"""Vectors of catching up: whom to trust, and which fetched blocks are safe."""

from typing import Any

from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.quorum_set import MetadataQuorumSet, quorum_set_of
from mcnode.conformance.ledger_common import (
    Case,
    base_chain,
    decode_hex,
    outcome_of_error,
    temporary_ledger,
    without_text,
)
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.errors import McNodeError
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import sample_node
from mcnode.ledger.sync.network_state import NetworkState
from mcnode.ledger.sync.planning import identify_safe_blocks
from mcnode.scp.types import NodeID


def _node_id(number: int) -> NodeID:
    node = sample_node(number)
    return NodeID(node.responder_id, node.public_key)


@runs("ledger", r"(.*/)?network_state\.json")
def run_network_state(file: VectorFile, report: Report) -> None:
    """Messages in order, then every question about the network."""
    for case in file.json():
        with report.case(case["name"]):
            quorum_set = quorum_set_of(decode_hex(MetadataQuorumSet, case["quorum_set_p"]))
            state = NetworkState(quorum_set)
            for message in case["messages"]:
                slot = message["slot"] if message["externalize"] else message["slot"] - 1
                state.push(_node_id(message["node"]), slot)
            behind = case["is_behind_for_local_index_0_to_12"]
            found = [state.is_behind(index) for index in range(len(behind))]
            expect_equal("is behind", found, behind)
            highest = case["highest_block_index_on_network"]
            expect_equal("highest block", state.highest_block_index(), highest)
            for numbers, expected in case["is_blocking_and_quorum"]:
                names = [_node_id(number).responder_id for number in numbers]
                trusted = state.is_blocking_and_quorum(names)
                expect_equal(f"trusted {numbers}", trusted, expected)


@runs("ledger", r"(.*/)?safe_blocks\.jsonl")
def run_safe_blocks(file: VectorFile, report: Report) -> None:
    """A downloaded list after a prefix of the base chain: how many are safe, what append says."""
    chain = base_chain(file)
    for number, case in enumerate(file.json_lines()):
        blocks = chain[: int(case["base_blocks"])]
        with report.case(f"{number} {case['name']}"), temporary_ledger(blocks) as ledger:
            _check_safe_blocks(ledger, case)


def _check_safe_blocks(ledger: LedgerDB, case: Case) -> None:
    downloaded = [decode_hex(BlockData, text) for text in case["block_data_p"]]
    safe = identify_safe_blocks(
        ledger.get_latest_block(),
        downloaded,
        lambda images: bool(ledger.find_spent_key_images(images)),
    )
    expect_equal("safe blocks", len(safe), case["safe_count"])
    results: list[Any] = []
    expected = [without_text(result) for result in case["append_results"]]
    for data in safe:
        try:
            ledger.append_block(data.block, data.contents, None, data.metadata)
        except McNodeError as error:
            at_hand = expected[len(results)] if len(results) < len(expected) else None
            results.append(outcome_of_error(error, at_hand))
            break
        results.append("ok")
    expect_equal("append", results, expected)
