"""Vectors of signed contingent inputs."""

import hashlib
from typing import Any

from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.membership import LedgerContext
from mcnode.conformance.related import cases_beside
from mcnode.conformance.splicing import splice
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.hashing import input_rules_digest, tx_in_signed_digest, tx_out_hash
from mcnode.transaction.messages import Amount, SignedContingentInput
from mcnode.transaction.sci import ContingentAmounts, balance_sheet, validate_contingent_input

Case = dict[str, Any]


@runs("transaction", r"genuine/signed_contingent_inputs[^/]*\.jsonl")
def run_contingent_inputs(file: VectorFile, report: Report) -> None:
    """Good ones: digests, amounts, and what they cost at several fill values."""
    ledger = LedgerContext.beside(file)
    for case in file.json_lines():
        with report.case(case["id"]):
            data = bytes.fromhex(case["sci"])
            sci = decode(SignedContingentInput, data)
            expect_equal("re-encoding", encode(sci), data)
            expect_equal("block_version", sci.block_version, case["block_version"])
            _check_digests(case, sci, ledger)
            expect_equal("result", _result(sci), case["result"])
            amounts = validate_contingent_input(sci)
            expect_equal("amounts", _shown(amounts), case["amounts"])
            for fill_value, expected in case["balance_sheets"]:
                found = _sheet(amounts, int(fill_value))
                expect_equal(f"balance sheet at {fill_value}", found, expected)


def _check_digests(case: Case, sci: SignedContingentInput, ledger: LedgerContext) -> None:
    rules = sci.tx_in.input_rules
    assert rules is not None
    signed = tx_in_signed_digest(sci.tx_in)
    expect_equal("signed_digest", signed and signed.hex(), case["signed_digest"])
    expect_equal("input_rules_digest", input_rules_digest(rules).hex(), case["input_rules_digest"])
    expect_equal("key_image", sci.mlsag.key_image.hex(), case["key_image"])
    indices = [int(index) for index in case["ring_global_indices"]]
    expect_equal("ring_global_indices", list(sci.tx_out_global_indices), indices)
    ring = [ledger.tx_out(index) for index in indices]
    expect_equal("ring", list(sci.tx_in.ring), ring)
    expect_equal("real_global_index", indices[case["real_index"]], int(case["real_global_index"]))
    hashes = [tx_out_hash(tx_out).hex() for tx_out in rules.required_outputs]
    expect_equal("required_output_hashes", hashes, case["required_output_hashes"])


def _result(sci: SignedContingentInput) -> str:
    try:
        validate_contingent_input(sci)
    except TransactionError as error:
        return network_name(error)
    return "ok"


def _pair(amount: Amount) -> list[str]:
    return [str(amount.value), str(amount.token_id)]


def _shown(amounts: ContingentAmounts) -> Case:
    change = amounts.partial_fill_change
    return {
        "pseudo_output": _pair(amounts.pseudo_output),
        "required_outputs": [_pair(amount) for amount in amounts.required_outputs],
        "partial_fill_outputs": [_pair(amount) for amount in amounts.partial_fill_outputs],
        "partial_fill_change": None if change is None else _pair(change),
    }


def _sheet(amounts: ContingentAmounts, fill_value: int) -> list[list[str]] | str:
    try:
        sheet = balance_sheet(amounts, fill_value)
    except TransactionError as error:
        return network_name(error)
    return [[str(token_id), str(total)] for token_id, total in sheet.items()]


@runs("transaction", r"genuine/sci_negatives[^/]*\.jsonl")
def run_broken_contingent_inputs(file: VectorFile, report: Report) -> None:
    """Broken ones, spliced from good ones: each gets its exact error."""
    bases = cases_beside(file, "signed_contingent_inputs")
    for case in file.json_lines():
        with report.case(case["id"]):
            base = bytes.fromhex(bases.get(case["base"])["sci"])
            data = splice(base, case["sci_splice"])
            expect_equal("sci_sha256", hashlib.sha256(data).hexdigest(), case["sci_sha256"])
            sci = decode(SignedContingentInput, data)
            expect_equal("result", _result(sci), case["result"])
            _check_changed_digests(case, sci)


def _check_changed_digests(case: Case, sci: SignedContingentInput) -> None:
    if "signed_digest" in case:
        signed = tx_in_signed_digest(sci.tx_in)
        expect_equal("signed_digest", signed and signed.hex(), case["signed_digest"])
    if "input_rules_digest" in case:
        assert sci.tx_in.input_rules is not None
        digest = input_rules_digest(sci.tx_in.input_rules)
        expect_equal("input_rules_digest", digest.hex(), case["input_rules_digest"])
