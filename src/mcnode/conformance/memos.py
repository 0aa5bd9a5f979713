"""Vectors of memos and of fog's records of outputs."""

import dataclasses
from collections.abc import Callable
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from mcnode.account.account_key import AccountKey
from mcnode.account.mnemonic import account_key_from_mnemonic
from mcnode.account.printable import parse_printable_address
from mcnode.account.public_address import PublicAddress, short_address_hash
from mcnode.codec.protobuf import decode, decode_wrapper
from mcnode.codec.schema import RISTRETTO_PRIVATE
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.masked_amount import (
    InconsistentCommitment,
    MaskedAmountVersion,
    MaskedFields,
    OpenedAmount,
    amount_shared_secret,
    open_amount,
    open_amount_with_crc32,
)
from mcnode.crypto.memo import apply_memo_cipher
from mcnode.crypto.onetime_keys import scan_outputs, shared_secret_of
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.transaction.memo.authenticated import (
    AuthenticatedSenderMemo,
    SenderCredential,
    UnauthenticMemo,
)
from mcnode.transaction.memo.base import parse_memo
from mcnode.transaction.memo.destination import DestinationMemo

Case = dict[str, Any]
_PLAIN, _REQUEST = bytes.fromhex("0100"), bytes.fromhex("0101")
_UPSTREAM_SEED = bytes([2]) * 32
_UPSTREAM_ROWS_MAX = 256
"""A file holds a selection of the rows that were made one after another; none has more."""


def _hex(case: Case, key: str) -> bytes:
    return bytes.fromhex(case[key])


def _memo_of(memo_type: bytes, data: bytes) -> AuthenticatedSenderMemo:
    memo = parse_memo(memo_type + data)
    assert isinstance(memo, AuthenticatedSenderMemo)
    return memo


def _is_authentic(
    memo: AuthenticatedSenderMemo,
    sender: PublicAddress,
    view_private: RistrettoPrivate,
    public_key: bytes,
) -> bool:
    try:
        memo.check(sender, view_private, public_key)
    except UnauthenticMemo:
        return False
    return True


@runs("transaction", r"memo/authenticated_sender(_with_payment_request_id)?_memos[^/]*\.jsonl")
def run_sender_memos(file: VectorFile, report: Report) -> None:
    """Written by the sender, checked by the recipient, refused for another output."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            sender = decode(PublicAddress, _hex(case, "sender_public_address_hex_proto_bytes"))
            spend = RistrettoPrivate(_hex(case, "sender_subaddress_spend_private"))
            view = RistrettoPrivate(_hex(case, "recipient_subaddress_view_private"))
            recipient = RistrettoPublic(_hex(case, "recipient_view_public_key_hex_raw_bytes"))
            shared = view.multiply(sender.spend_public)
            expect_equal("shared point", str(shared), case["mac_shared_secret"])
            public_key = _hex(case, "tx_out_public_key")
            memo = _memo_of(_hex(case, "memo_type"), _hex(case, "memo_data"))
            expect_equal("request id", memo.payment_request_id, case.get("payment_request_id"))
            expect_equal("valid", _is_authentic(memo, sender, view, public_key), case["valid"])
            made = AuthenticatedSenderMemo.create(
                SenderCredential(short_address_hash(sender), spend),
                recipient,
                public_key,
                payment_request_id=case.get("payment_request_id"),
            )
            expect_equal("memo", made.data.hex(), case["memo_data"])
            other = bytes(32)
            expect(not _is_authentic(memo, sender, view, other), "passes for another output")


@runs(
    "transaction", r"memo/incorrect_encrypted_sender(_with_payment_request_id)?_memos[^/]*\.jsonl"
)
def run_wrong_sender_memos(file: VectorFile, report: Report) -> None:
    """Memos laid to somebody who did not write them."""
    memo_type = _REQUEST if "with_payment_request_id" in file.name else _PLAIN
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            name = "incorrect_sender_public_address_hex_proto_bytes"
            sender = decode(PublicAddress, _hex(case, name))
            view = RistrettoPrivate(_hex(case, "validate_with_view_private"))
            memo = _memo_of(memo_type, _wrong_memo_data(case))
            public_key = _hex(case, "tx_out_public_key")
            expect_equal("valid", _is_authentic(memo, sender, view, public_key), case["valid"])


def _wrong_memo_data(case: Case) -> bytes:
    (name,) = (key for key in case if key.startswith("encrypted_sender"))
    return _hex(case, name)


@runs("transaction", r"memo/destination_memos[^/]*\.jsonl")
def run_destination_memos(file: VectorFile, report: Report) -> None:
    """Written and read."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            recipient = decode(PublicAddress, _hex(case, "recipient_public_address"))
            recipient_hash = short_address_hash(recipient)
            expect_equal("hash", recipient_hash.hex(), case["recipient_short_address_hash"])
            fee, outlay = int(case["fee"]), int(case["total_outlay"])
            count = case["num_recipients"]
            made = DestinationMemo.create(recipient_hash, fee, outlay, number_of_recipients=count)
            expect_equal("memo", made.data.hex(), case["memo_data"])
            expect_equal("type", made.memo_type.hex(), case["memo_type"])
            read = parse_memo(made.to_payload())
            assert isinstance(read, DestinationMemo)
            fields = (read.fee, read.total_outlay, read.number_of_recipients)
            expect_equal("fields", fields, (fee, outlay, count))


@runs("transaction", r"memo/real_txout_authenticated_sender[^/]*\.json")
def run_real_output(file: VectorFile, report: Report) -> None:
    """An output of the real chain, from its owner's mnemonic to its sender."""
    case = file.json()
    with report.case(case.get("source", "output")):
        account = account_key_from_mnemonic(case["mnemonic"], case["account_index"])
        expect_equal("view", account.view_private_key.hex(), case["view_private"])
        expect_equal("spend", account.spend_private_key.hex(), case["spend_private"])
        secret = _check_ownership(account, case)
        _check_amount(secret, case)
        _check_memo(account, secret, case)


def _check_ownership(account: AccountKey, case: Case) -> bytes:
    tx_out = case["tx_out"]
    (seen,) = scan_outputs(
        account.view_private, [(_hex(tx_out, "public_key"), _hex(tx_out, "target_key"))]
    )
    assert seen is not None
    owner = account.subaddress(case["subaddress_index"]).spend_public_key
    expect_equal("owner", seen.spend_public.hex(), owner.hex())
    expect_equal("shared secret", seen.shared_secret.hex(), case["shared_secret"])
    return seen.shared_secret


def _check_amount(secret: bytes, case: Case) -> None:
    tx_out = case["tx_out"]
    derived = amount_shared_secret(secret)
    expect_equal("amount shared secret", derived.hex(), case["amount_shared_secret"])
    fields = MaskedFields(
        _hex(tx_out, "commitment"), int(tx_out["masked_value"]), _hex(tx_out, "masked_token_id")
    )
    opened = open_amount(MaskedAmountVersion(tx_out["masked_amount_version"]), fields, secret)
    expected = (int(case["value"]), int(case["token_id"]))
    expect_equal("amount", (opened.value, opened.token_id), expected)


def _check_memo(account: AccountKey, secret: bytes, case: Case) -> None:
    tx_out = case["tx_out"]
    payload = apply_memo_cipher(secret, _hex(tx_out, "e_memo"))
    expect_equal("memo", payload.hex(), case["memo_payload"])
    memo = parse_memo(payload)
    assert isinstance(memo, AuthenticatedSenderMemo)
    sender = parse_printable_address(case["sender_b58"])
    expect_equal("sender", short_address_hash(sender).hex(), case["sender_short_address_hash"])
    view = account.subaddress_view_private(case["subaddress_index"])
    authentic = _is_authentic(memo, sender, view, _hex(tx_out, "public_key"))
    expect_equal("memo valid", authentic, case["memo_valid"])


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """The keys that the generator of the published memo vectors drew for one row."""

    sender: AccountKey
    recipient: AccountKey
    tx_public_key: bytes

    @property
    def sender_hash(self) -> bytes:
        return short_address_hash(self.sender.default_subaddress())


def _find_row(is_it: Callable[[_Row], bool], *, with_tx_key: bool) -> _Row:
    draw = ChaCha12Rng(_UPSTREAM_SEED)
    for _ in range(_UPSTREAM_ROWS_MAX):
        sender, recipient = AccountKey.random(draw), AccountKey.random(draw)
        tx_key = RistrettoPublic.random(draw).to_bytes() if with_tx_key else b""
        row = _Row(sender, recipient, tx_key)
        if is_it(row):
            return row
    expect(False, f"no row of the first {_UPSTREAM_ROWS_MAX} has these addresses")
    raise AssertionError


@runs("crypto", r"upstream/memos/(in)?correct_encrypted_sender[^/]*\.jsonl")
def run_upstream_sender_memos(file: VectorFile, report: Report) -> None:
    """Published memo data, its keys drawn anew; the wrong files name sender and recipient swapped.

    The data is plain, whatever the file's name says.
    """
    is_wrong = "/incorrect_" in file.name
    prefix = "incorrect_" if is_wrong else ""
    memo_type = _REQUEST if "with_payment_request_id" in file.name else _PLAIN
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            name = f"{prefix}sender_public_address_hex_proto_bytes"
            named_sender = decode(PublicAddress, _hex(case, name))
            row = _find_row(
                lambda row, named=named_sender: (  # type: ignore[misc]
                    (row.recipient if is_wrong else row.sender).default_subaddress() == named
                ),
                with_tx_key=True,
            )
            reader = row.sender if is_wrong else row.recipient
            view_name = f"{prefix}recipient_view_public_key_hex_raw_bytes"
            reader_view = reader.default_subaddress().view_public_key
            expect_equal("recipient", reader_view.hex(), case[view_name])
            memo = _memo_of(memo_type, _wrong_memo_data(case))
            view = reader.subaddress_view_private(0)
            authentic = _is_authentic(memo, named_sender, view, row.tx_public_key)
            expect_equal("valid", authentic, not is_wrong)
            _check_written_memo(row, memo, case.get("payment_request_id"))


def _check_written_memo(row: _Row, memo: AuthenticatedSenderMemo, request_id: int | None) -> None:
    made = AuthenticatedSenderMemo.create(
        SenderCredential.from_account(row.sender),
        row.recipient.default_subaddress().view_public,
        row.tx_public_key,
        payment_request_id=request_id,
    )
    expect_equal("memo", made.data.hex(), memo.data.hex())


@runs("crypto", r"upstream/memos/(in)?correct_encrypted_destination_memos[^/]*\.jsonl")
def run_upstream_destination_memos(file: VectorFile, report: Report) -> None:
    """Published memo data. Its labels are swapped: the address is the recipient's, the hash is the
    sender's, and the memo holds the recipient's hash.
    """
    swapped = 0
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            named = decode(PublicAddress, _hex(case, "sender_public_address_hex_proto_bytes"))
            row = _find_row(
                lambda row, named=named: (  # type: ignore[misc]
                    named in (row.sender.default_subaddress(), row.recipient.default_subaddress())
                ),
                with_tx_key=False,
            )
            recipient_hash = short_address_hash(row.recipient.default_subaddress())
            is_swapped = row.recipient.default_subaddress() == named
            hash_name = "recipient_short_address_hash_hex_raw_bytes"
            expected_hash = row.sender_hash if is_swapped else recipient_hash
            expect_equal("hash", expected_hash.hex(), case[hash_name])
            swapped += is_swapped
            made = DestinationMemo.create(recipient_hash, case["fee"], case["total_outlay"])
            data = _hex(case, "encrypted_destination_memo_hex_raw_bytes")
            expect_equal("memo", made.data.hex(), data.hex())
    if swapped:
        report.notes.append(f"{swapped} lines have the labels of sender and recipient swapped")


def _tx_out_record_class() -> Any:
    """Fog's record of an output, of which this program has no other use."""
    file = descriptor_pb2.FileDescriptorProto(
        name="conformance_record.proto", package="conformance", syntax="proto3"
    )
    record = file.message_type.add(name="TxOutRecord")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, name, kind in (
        (2, "masked_value", kinds.TYPE_FIXED64),
        (3, "target_key", kinds.TYPE_BYTES),
        (4, "public_key", kinds.TYPE_BYTES),
        (8, "commitment_crc32", kinds.TYPE_FIXED32),
        (9, "e_memo", kinds.TYPE_BYTES),
    ):
        record.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("conformance.TxOutRecord"))


@runs("crypto", r"upstream/tx_out_records/(in)?correct_tx_out_records[^/]*\.jsonl")
def run_tx_out_records(file: VectorFile, report: Report) -> None:
    """Records open to 10 of token 0 and an empty memo, and only with the right view key."""
    is_wrong = "/incorrect_" in file.name
    record_class = _tx_out_record_class()
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            (key_name,) = (key for key in case if "view_private_key" in key)
            view = RistrettoPrivate(decode_wrapper(RISTRETTO_PRIVATE, _hex(case, key_name)))
            record = record_class.FromString(_hex(case, "tx_out_record_hex_proto_bytes"))
            secret = shared_secret_of(view, RistrettoPublic(record.public_key)).to_bytes()
            opened = _open_record(record, secret)
            expect_equal("opens", opened is not None, not is_wrong)
            if opened is not None:
                expect_equal("amount", (opened.value, opened.token_id), (10, 0))
                memo = apply_memo_cipher(secret, record.e_memo)
                expect_equal("memo", memo.hex(), bytes(66).hex())


def _open_record(record: Any, secret: bytes) -> OpenedAmount | None:
    try:
        opened, _ = open_amount_with_crc32(
            MaskedAmountVersion.V1, record.masked_value, b"", record.commitment_crc32, secret
        )
    except InconsistentCommitment:
        return None
    return opened
