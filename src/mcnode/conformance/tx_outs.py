"""Vectors of making and reading single outputs."""

from typing import Any

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.masked_amount import AmountError, commitment_crc32
from mcnode.crypto.onetime_keys import confirmation_number, recover_onetime_private_key
from mcnode.crypto.ring_signature import key_image
from mcnode.transaction.amounts import (
    TokenIdNotSupportedAtBlockVersion,
    derive_amount_shared_secret,
    open_masked_amount_with_amount_shared_secret,
)
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.errors import network_name
from mcnode.transaction.hashing import tx_out_hash
from mcnode.transaction.membership_proof import leaf_hash
from mcnode.transaction.messages import Amount, TxOut
from mcnode.transaction.ring_ct.rings import ReducedTxOut
from mcnode.transaction.tx_out import (
    ViewKeyMatchError,
    create_tx_out,
    decrypt_memo,
    is_subaddress_match,
    view_key_match,
)

Case = dict[str, Any]


def _bytes(case: Case, key: str) -> bytes:
    return bytes.fromhex(case[key])


@runs("transaction", r"genuine/tx_outs[^/]*\.jsonl")
def run_tx_outs(file: VectorFile, report: Report) -> None:
    """Outputs of each version made from all secrets, read with right and wrong keys."""
    kinds = {None: _check_made, "new": _check_not_made, "read": _check_read}
    for case in file.json_lines():
        with report.case(case["id"]):
            expect(case.get("kind") in kinds, f"unknown kind {case.get('kind')}")
            kinds[case.get("kind")](case)


def _check_made(case: Case) -> None:
    given = decode(TxOut, _bytes(case, "tx_out"))
    amount = Amount(int(case["value"]), int(case["token_id"]))
    made, shared_secret = create_tx_out(
        BlockVersion(case["block_version"]),
        amount,
        decode(PublicAddress, _bytes(case, "recipient")),
        RistrettoPrivate(_bytes(case, "tx_private_key")),
        given.e_fog_hint,
        make_memo=lambda _: _bytes(case, "memo_payload_given"),
    )
    expect_equal("tx_out", encode(made).hex(), case["tx_out"])
    expect_equal("hash", tx_out_hash(made).hex(), case["hash"])
    expect_equal("leaf_hash", leaf_hash(made).hex(), case["leaf_hash"])
    expect_equal("shared_secret", str(shared_secret), case["shared_secret"])
    secret = shared_secret.to_bytes()
    expect_equal("confirmation", confirmation_number(secret).hex(), case["confirmation"])
    memo = decrypt_memo(made, shared_secret)
    expect_equal("memo_payload_read", memo.hex(), case["memo_payload_read"])
    _check_amount(case, made, secret)
    _check_owner(case, made, amount)


def _check_amount(case: Case, made: TxOut, secret: bytes) -> None:
    assert made.masked_amount is not None
    crc32 = commitment_crc32(made.masked_amount.commitment)
    expect_equal("commitment_crc32", crc32, case["commitment_crc32"])
    derived = derive_amount_shared_secret(secret)
    try:
        open_masked_amount_with_amount_shared_secret(made.masked_amount, derived)
    except AmountError as error:
        expect_equal("amount_shared_secret", network_name(error), case["amount_shared_secret"])
    else:
        expect_equal("amount_shared_secret", derived.hex(), case["amount_shared_secret"])
    reduced = ReducedTxOut.of(made)
    for name, expected in case["reduced"].items():
        expect_equal(f"reduced {name}", getattr(reduced, name).hex(), expected)


def _check_owner(case: Case, made: TxOut, amount: Amount) -> None:
    account = AccountKey.from_keys(
        RistrettoPrivate(_bytes(case, "view_private")),
        RistrettoPrivate(_bytes(case, "spend_private")),
    )
    viewed = view_key_match(made, account.view_private)
    expect_equal("value", viewed.amount.value, amount.value)
    expect_equal("token_id", viewed.amount.token_id, amount.token_id)
    expect_equal("blinding", viewed.amount.blinding.hex(), case["blinding"])
    index = int(case["subaddress_index"])
    matches = is_subaddress_match(account, index, made)
    expect_equal("subaddress_matches", matches, case["subaddress_matches"])
    other = (index + 1) % 2**64
    expect_equal(
        "other_subaddress_matches",
        is_subaddress_match(account, other, made),
        case["other_subaddress_matches"],
    )
    key = recover_onetime_private_key(
        RistrettoPublic(made.public_key),
        account.view_private,
        account.subaddress_spend_private(index),
    )
    expect_equal("onetime_private_key", key.to_bytes().hex(), case["onetime_private_key"])
    expect_equal("key_image", key_image(key).hex(), case["key_image"])
    other_view = RistrettoPrivate(_bytes(case, "other_view_private"))
    expect_equal("other_view_key_match", _read(made, other_view), case["other_view_key_match"])


def _check_not_made(case: Case) -> None:
    nobody = RistrettoPrivate(b"\x01" + bytes(31))
    public_key = nobody.public_key().to_bytes()
    try:
        create_tx_out(
            BlockVersion(case["block_version"]),
            Amount(int(case["value"]), int(case["token_id"])),
            PublicAddress(view_public_key=public_key, spend_public_key=public_key),
            nobody,
            bytes(84),
        )
    except TokenIdNotSupportedAtBlockVersion as error:
        expect_equal("result", f"Amount({network_name(error)})", case["result"])
    else:
        expect_equal("result", "ok", case["result"])


def _check_read(case: Case) -> None:
    tx_out = decode(TxOut, _bytes(case, "tx_out"))
    expect_equal("hash", tx_out_hash(tx_out).hex(), case["hash"])
    view_private = RistrettoPrivate(_bytes(case, "view_private"))
    expect_equal("result", _read(tx_out, view_private), case["result"])
    try:
        for key in (tx_out.target_key, tx_out.public_key):
            RistrettoPublic(key)
    except KeyFormatError as error:
        expect_equal("subaddress_matches", network_name(error), case["subaddress_matches"])
    else:
        expect(case["subaddress_matches"] in ("true", "false"), "a key that is none was read")


def _read(tx_out: TxOut, view_private: RistrettoPrivate) -> str:
    try:
        amount = view_key_match(tx_out, view_private).amount
    except ViewKeyMatchError as error:
        return network_name(error)
    return f"ok {amount.value} {amount.token_id}"
