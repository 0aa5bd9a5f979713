"""Vectors of whole transactions: signed ones, broken ones, and ones with input rules."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from mcnode.account.public_address import PublicAddress
from mcnode.codec.digest import decode_and_digest32
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.membership import LedgerContext
from mcnode.conformance.rebuilding import check_built_again
from mcnode.conformance.related import Cases, cases_beside
from mcnode.conformance.splicing import splice
from mcnode.conformance.summaries import check_report
from mcnode.conformance.vectors import (
    Report,
    VectorFile,
    expect,
    expect_equal,
    read_unpacked,
    runs,
)
from mcnode.crypto.commitment import commit
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import confirmation_number
from mcnode.crypto.ring_signature import key_image
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.transaction.amounts import OpenedAmount, open_masked_amount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.hashing import (
    input_rules_digest,
    tx_hash,
    tx_hash_display,
    tx_in_signed_digest,
    tx_out_hash,
    tx_prefix_hash,
)
from mcnode.transaction.membership_proof import leaf_hash
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    Tx,
    TxOut,
    TxOutMembershipProof,
    TxPrefix,
    TxSummaryUnblindingData,
)
from mcnode.transaction.ring_ct.rings import (
    InputRing,
    OnetimeKeySigner,
    PresignedRing,
    ReducedTxOut,
    SignableRing,
)
from mcnode.transaction.ring_ct.signing import make_signing_data
from mcnode.transaction.ring_ct.signing_digest import (
    extended_message_digest,
    mlsag_signing_message,
)
from mcnode.transaction.summary.tx_summary import make_tx_summary
from mcnode.transaction.summary.verifier import verify_tx_summary
from mcnode.transaction.tx_out import commitment_of, create_tx_out, decrypt_memo
from mcnode.transaction.validation import (
    Candidate,
    membership_proof_highest_indices,
    validate,
    validate_batch,
)
from mcnode.transaction.validation.input_rules import check_all_input_rules

Case = dict[str, Any]
_TX_CONTEXT = "mobilecoin-tx"


def outcome(
    tx: Tx, case: Case, block_version: int, root_proofs: Sequence[TxOutMembershipProof]
) -> str:
    """`ok`, or the network's name of the error that validation gives."""
    index, minimum_fee = int(case["current_block_index"]), int(case["minimum_fee"])
    try:
        validate(tx, index, block_version, root_proofs, minimum_fee)
    except TransactionError as error:
        return network_name(error)
    return "ok"


def _candidate(
    tx: Tx, case: Case, block_version: int, root_proofs: Sequence[TxOutMembershipProof]
) -> Candidate:
    index, minimum_fee = int(case["current_block_index"]), int(case["minimum_fee"])
    return Candidate(tx, index, block_version, root_proofs, minimum_fee)


class Batch:
    """Judges transactions together in the end, which must give what each gets alone."""

    def __init__(self) -> None:
        self._candidates: list[Candidate] = []
        self._expected: list[str] = []

    def outcome(
        self, tx: Tx, case: Case, block_version: int, root_proofs: Sequence[TxOutMembershipProof]
    ) -> str:
        """The outcome alone, remembered."""
        found = outcome(tx, case, block_version, root_proofs)
        self._candidates.append(_candidate(tx, case, block_version, root_proofs))
        self._expected.append(found)
        return found

    def check(self, report: Report) -> None:
        """Judge all of them at once."""
        with report.guard("all in one batch"):
            verdicts = validate_batch(self._candidates)
            found = ["ok" if each is None else network_name(each) for each in verdicts]
            expect_equal("verdicts", found, self._expected)


@dataclasses.dataclass(frozen=True)
class RootProofs:
    """Root proofs of a case by index, and those of the shared ledger behind them."""

    given: dict[int, TxOutMembershipProof]
    ledger: LedgerContext

    @classmethod
    def of(cls, case: Case, ledger: LedgerContext) -> "RootProofs":
        """Those of a case with `root_proofs`."""
        proofs = case.get("root_proofs") or {}
        return cls({int(i): _proof(proof) for i, proof in proofs.items()}, ledger)

    def at(self, index: int) -> TxOutMembershipProof:
        """The ledger's proof of the output at `index`."""
        return self.given[index] if index in self.given else self.ledger.proof(index)

    def of_tx(self, tx: Tx) -> list[TxOutMembershipProof]:
        """The proofs that validation of a transaction asks for.

        An index outside of the ledger gets the proof of the last output: a transaction that names
        one is refused for other reasons before the proof is looked at.
        """
        last = self.ledger.num_tx_outs - 1
        return [
            self.at(index if index <= last else last)
            for index in membership_proof_highest_indices(tx)
        ]

    def overridden(self, entries: Sequence[Case]) -> list[TxOutMembershipProof]:
        """The flat list that a case prescribes."""
        return [
            _proof(entry["proof"]) if "proof" in entry else self.at(int(entry["index"]))
            for entry in entries
        ]


def _proof(text: str) -> TxOutMembershipProof:
    return decode(TxOutMembershipProof, bytes.fromhex(text))


@runs("transaction", r"genuine/transactions[^/]*\.jsonl")
def run_transactions(file: VectorFile, report: Report) -> None:
    """Signed transactions: digests, verdict at every version, and signing them again."""
    ledger = LedgerContext.beside(file)
    accounts = json.loads(read_unpacked(file.sibling("context.json")))["accounts"]
    view_privates = {
        name: RistrettoPrivate(bytes.fromhex(account["view_private"]))
        for name, account in accounts.items()
    }
    batch = Batch()
    for case in file.json_lines():
        with report.case(case["id"]):
            tx = _check_identity(case)
            version = BlockVersion(case["block_version"])
            _check_digests(case, tx, version)
            roots = RootProofs.of(case, ledger).of_tx(tx)
            found = batch.outcome(tx, case, version.value, roots)
            expect_equal("result", found, case["result"])
            for other, expected in case["result_at_version"].items():
                found = batch.outcome(tx, case, int(other), roots)
                expect_equal(f"result at version {other}", found, expected)
            _check_outputs(case, tx, version)
            _check_signed_again(case, tx, version)
            check_built_again(case, tx, version, view_privates)
            if case["summary_report"] is not None:
                _check_summary_report(case, tx, accounts)
    batch.check(report)


def _check_identity(case: Case) -> Tx:
    data = bytes.fromhex(case["tx"])
    decoded, digest = decode_and_digest32(Tx, _TX_CONTEXT, data)
    tx: Tx = decoded
    expect_equal("tx_len", len(data), case["tx_len"])
    expect_equal("re-encoding", encode(tx), data)
    expect_equal("tx_hash", digest.hex(), case["tx_hash"])
    expect_equal("tx_hash of the message", tx_hash(tx), digest)
    expect_equal("display", tx_hash_display(digest), case["tx_hash_display"])
    expect_equal("fee", tx.prefix.fee, int(case["fee"]))
    expect_equal("fee_token_id", tx.prefix.fee_token_id, int(case["fee_token_id"]))
    expect_equal("tombstone_block", tx.prefix.tombstone_block, int(case["tombstone_block"]))
    expect_equal("fee_map_digest", tx.fee_map_digest.hex(), case["fee_map_digest"])
    if case["fee_map"] is not None:
        fee_map = FeeMap({int(token_id): int(fee) for token_id, fee in case["fee_map"]})
        expect_equal("fee map", fee_map.canonical_digest(), tx.fee_map_digest)
    images = [signature.key_image.hex() for signature in tx.signature.ring_signatures]
    expect_equal("key_images", images, case["key_images"])
    keys = [tx_out.public_key.hex() for tx_out in tx.prefix.outputs]
    expect_equal("output_public_keys", keys, case["output_public_keys"])
    indices = sorted(set(membership_proof_highest_indices(tx)))
    expect_equal("highest_indices", indices, sorted(map(int, set(case["highest_indices"]))))
    return tx


def _check_digests(case: Case, tx: Tx, version: BlockVersion) -> None:
    signature = tx.signature
    prefix_hash = tx_prefix_hash(tx.prefix)
    expect_equal("prefix_hash", prefix_hash.hex(), case["prefix_hash"])
    proven = (
        signature.pseudo_output_commitments,
        signature.range_proof_bytes,
        signature.range_proofs,
    )
    message = mlsag_signing_message(version, tx.prefix, *proven)
    expect_equal("mlsag_signing_digest", message.hex(), case["mlsag_signing_digest"])
    if version.signs_extended_message_digest:
        digest = extended_message_digest(prefix_hash, *proven)
        expect_equal("extended_message", digest.hex(), case["extended_message"])
    summary = make_tx_summary(tx.prefix, signature.pseudo_output_commitments)
    expect_equal("tx_summary", encode(summary).hex(), case["tx_summary"])
    for tx_in, given in zip(tx.prefix.inputs, case["inputs"], strict=True):
        signed = tx_in_signed_digest(tx_in)
        expect_equal("signed_digest", signed and signed.hex(), given.get("signed_digest"))
        if tx_in.input_rules is not None:
            digest = input_rules_digest(tx_in.input_rules)
            expect_equal("input_rules_digest", digest.hex(), given["input_rules_digest"])


def _check_outputs(case: Case, tx: Tx, version: BlockVersion) -> None:
    for tx_out, given in zip(tx.prefix.outputs, case["outputs"], strict=True):
        expect_equal("tx_out_hash", tx_out_hash(tx_out).hex(), given["tx_out_hash"])
        expect_equal("leaf_hash", leaf_hash(tx_out).hex(), given["leaf_hash"])
        amount = _opened(given)
        expect_equal(
            "commitment",
            commitment_of(tx_out),
            commit(amount.value, amount.blinding, amount.token_id),
        )
        if given["address"] is not None:
            _check_own_output(given, tx_out, amount, version)


def _check_own_output(
    given: Case, tx_out: TxOut, amount: OpenedAmount, version: BlockVersion
) -> None:
    """An output that the sender made, not one that input rules asked for."""
    shared_secret = RistrettoPublic(bytes.fromhex(given["shared_secret"]))
    secret = shared_secret.to_bytes()
    assert tx_out.masked_amount is not None
    expect_equal("amount", open_masked_amount(tx_out.masked_amount, secret), amount)
    expect_equal("confirmation", confirmation_number(secret).hex(), given["confirmation"])
    memo = bytes.fromhex(given["memo_payload"] or "")
    if memo:
        expect_equal("memo_payload", decrypt_memo(tx_out, shared_secret), memo)
    made, made_secret = create_tx_out(
        version,
        Amount(amount.value, amount.token_id),
        decode(PublicAddress, bytes.fromhex(given["address"])),
        RistrettoPrivate(bytes.fromhex(given["tx_private_key"])),
        tx_out.e_fog_hint,
        make_memo=lambda _: memo,
    )
    expect_equal("output made again", made, tx_out)
    expect_equal("shared_secret", made_secret, shared_secret)


def _check_summary_report(case: Case, tx: Tx, accounts: dict[str, Case]) -> None:
    """What a signer with the viewer's view key is told."""
    expected = case["summary_report"]
    summary = make_tx_summary(tx.prefix, tx.signature.pseudo_output_commitments)
    data = decode(TxSummaryUnblindingData, bytes.fromhex(case["tx_summary_unblinding_data"]))
    view_private = RistrettoPrivate(bytes.fromhex(accounts[expected["viewer"]]["view_private"]))
    extended_message = bytes.fromhex(case["extended_message"])
    try:
        found = verify_tx_summary(extended_message, summary, data, view_private)
    except TransactionError as error:
        expect_equal("summary error", network_name(error), expected.get("error"))
    else:
        expect("error" not in expected, "a summary was accepted that should not be")
        check_report(expected, *found)


def _opened(given: Case) -> OpenedAmount:
    blinding = bytes.fromhex(given["blinding"])
    return OpenedAmount(int(given["value"]), int(given["token_id"]), blinding)


def _check_signed_again(case: Case, tx: Tx, version: BlockVersion) -> None:
    """The same secrets and random bytes must give the same signature, byte for byte."""
    rings = [_ring(given, tx, position) for position, given in enumerate(case["inputs"])]
    for ring, ring_signature in zip(rings, tx.signature.ring_signatures, strict=True):
        if isinstance(ring, SignableRing) and isinstance(ring.key, RistrettoPrivate):
            expect_equal("key image", key_image(ring.key), ring_signature.key_image)
    outputs = [_opened(given) for given in case["outputs"]]
    random_bytes = ChaCha12Rng(bytes.fromhex(case["sign_rng_seed"]))
    data = make_signing_data(version, tx.prefix, rings, outputs, random_bytes)
    signature = data.sign(rings, OnetimeKeySigner(), random_bytes)
    expect(signature == tx.signature, "signed again, the signature differs")


def _ring(given: Case, tx: Tx, position: int) -> InputRing:
    if given["kind"] == "presigned":
        blinding = bytes.fromhex(given["pseudo_output_blinding"])
        amount = OpenedAmount(int(given["value"]), int(given["token_id"]), blinding)
        return PresignedRing(tx.signature.ring_signatures[position], amount)
    members = tuple(ReducedTxOut.of(member) for member in tx.prefix.inputs[position].ring)
    key = RistrettoPrivate(bytes.fromhex(given["onetime_private_key"]))
    return SignableRing(members, given["real_index"], key, _opened(given))


@runs("transaction", r"genuine/negatives[^/]*\.jsonl")
def run_negatives(file: VectorFile, report: Report) -> None:
    """Transactions with one thing wrong, spliced from good ones: each gets its exact error."""
    ledger = LedgerContext.beside(file)
    bases = cases_beside(file, "transactions")
    batch = Batch()
    for case in file.json_lines():
        with report.case(case["id"]):
            base = bases.get(case["base"])
            data = splice(bytes.fromhex(base["tx"]), case["tx_splice"])
            expect_equal("tx_len", len(data), case["tx_len"])
            expect_equal("tx_sha256", hashlib.sha256(data).hexdigest(), case["tx_sha256"])
            tx, digest = decode_and_digest32(Tx, _TX_CONTEXT, data)
            expect_equal("tx_hash", digest.hex(), case["tx_hash"])
            proofs = RootProofs.of(base, ledger)
            override = case.get("root_proofs_override")
            roots = proofs.of_tx(tx) if override is None else proofs.overridden(override)
            found = batch.outcome(tx, case, case["block_version"], roots)
            expect_equal("result", found, case["result"])
            for version, expected in (case.get("result_at_version") or {}).items():
                found = batch.outcome(tx, case, int(version), roots)
                expect_equal(f"result at version {version}", found, expected)
    batch.check(report)


@runs("transaction", r"genuine/rules_signed[^/]*\.jsonl")
def run_rules_signed(file: VectorFile, report: Report) -> None:
    """Signed transactions whose contingent inputs' rules are met or broken."""
    ledger = LedgerContext.beside(file)
    for case in file.json_lines():
        with report.case(case["id"]):
            tx, digest = decode_and_digest32(Tx, _TX_CONTEXT, bytes.fromhex(case["tx"]))
            expect_equal("tx_hash", digest.hex(), case["tx_hash"])
            roots = RootProofs.of(case, ledger).of_tx(tx)
            found = outcome(tx, case, case["block_version"], roots)
            expect_equal("result", found, case["result"])
            found = _rules_outcome(tx.prefix, BlockVersion(case["block_version"]))
            expect_equal("rules_only", found, case["rules_only"])


@runs("transaction", r"genuine/rules_only[^/]*\.jsonl")
def run_rules_only(file: VectorFile, report: Report) -> None:
    """The rules of one input replaced; nothing but the rules is looked at."""
    bases = cases_beside(file, "transactions")
    decoded = functools.cache(lambda name: _tx_of(bases, name))
    for case in file.json_lines():
        with report.case(case["id"]):
            tx = decoded(case["base"])
            rules = decode(InputRules, bytes.fromhex(case["input_rules"]))
            expect_equal(
                "input_rules_digest", input_rules_digest(rules).hex(), case["input_rules_digest"]
            )
            inputs = list(tx.prefix.inputs)
            position = int(case["input"])
            inputs[position] = dataclasses.replace(inputs[position], input_rules=rules)
            signed = tx_in_signed_digest(inputs[position])
            expect_equal(
                "tx_in_signed_digest", signed and signed.hex(), case["tx_in_signed_digest"]
            )
            prefix = dataclasses.replace(tx.prefix, inputs=tuple(inputs))
            version = BlockVersion(bases.get(case["base"])["block_version"])
            expect_equal("rules_only", _rules_outcome(prefix, version), case["rules_only"])


def _tx_of(bases: Cases, name: str) -> Tx:
    return decode(Tx, bytes.fromhex(bases.get(name)["tx"]))


def _rules_outcome(prefix: TxPrefix, version: BlockVersion) -> str:
    try:
        check_all_input_rules(prefix, version)
    except TransactionError as error:
        return network_name(error)
    return "ok"
