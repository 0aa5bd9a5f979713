"""Vectors of the key layer: signatures, one-time keys, masked amounts, boxes, generators."""

from collections.abc import Callable
from typing import Any

from mcnode import _native
from mcnode.account.account_key import AccountKey
from mcnode.account.mnemonic import account_key_from_mnemonic
from mcnode.account.printable import parse_printable
from mcnode.account.public_address import short_address_hash
from mcnode.codec.base58 import InsufficientBytes, PrintableError
from mcnode.codec.digest import Transcript
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto import crypto_box, der, masked_amount, onetime_keys, schnorrkel
from mcnode.crypto.commitment import commit
from mcnode.crypto.errors import InvalidPublicKey, SignatureError
from mcnode.crypto.fog_hint import decrypt_fog_hint
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate, RistrettoPublic
from mcnode.crypto.masked_amount import MaskedAmountVersion
from mcnode.crypto.memo import apply_memo_cipher
from mcnode.crypto.ring_signature import key_image
from mcnode.crypto.rng import Hc128Rng

Case = dict[str, Any]
_HASH_TO_POINT_TAG = b"mc_onetime_key_hash_to_point"


def unhex(case: Case, key: str) -> bytes:
    """The bytes behind a hex member."""
    return bytes.fromhex(case[key])


@runs("crypto", r"schnorrkel[^/]*\.jsonl")
def run_schnorrkel(file: VectorFile, report: Report) -> None:
    """Sign, compare, verify perhaps with something else."""
    for number, case in enumerate(file.json_lines()):
        with report.case(case.get("case", number)):
            private = RistrettoPrivate(unhex(case, "signer_private"))
            message = case["sign_message"].encode()
            made = schnorrkel.sign(private, case["sign_context"].encode(), message)
            expect_equal("signature", made.hex(), case["signature"])
            public = RistrettoPublic(unhex(case, "verify_public"))
            expect_equal("verifies", _verifies(public, case, made), case["verifies"])


def _verifies(public: RistrettoPublic, case: Case, signature: bytes) -> bool:
    context, message = case["verify_context"].encode(), case["verify_message"].encode()
    try:
        schnorrkel.verify(public, context, message, signature)
    except SignatureError:
        return False
    return True


@runs("crypto", r"onetime_keys[^/]*\.jsonl")
def run_onetime_keys(file: VectorFile, report: Report) -> None:
    """An output as its sender makes it and as its owner finds, reads and spends it."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            account = AccountKey(
                unhex(case, "account_view_private"),
                unhex(case, "account_spend_private"),
                "",
                "",
                b"",
            )
            _check_output_keys(account, case)
            _check_owner_view(account, case)


def _check_output_keys(account: AccountKey, case: Case) -> None:
    address = account.subaddress(case["subaddress_index"])
    expect_equal("view", address.view_public_key.hex(), case["subaddress_view_public"])
    expect_equal("spend", address.spend_public_key.hex(), case["subaddress_spend_public"])
    expect_equal("hash", short_address_hash(address).hex(), case["short_address_hash"])
    tx_private = RistrettoPrivate(unhex(case, "tx_private_key"))
    made = onetime_keys.create_output_keys(tx_private, address.view_public, address.spend_public)
    expect_equal("target key", str(made.target_key), case["tx_out_target_key"])
    expect_equal("public key", str(made.public_key), case["tx_out_public_key"])
    expect_equal("shared secret", str(made.shared_secret), case["shared_secret"])


def _check_owner_view(account: AccountKey, case: Case) -> None:
    target, public = unhex(case, "tx_out_target_key"), unhex(case, "tx_out_public_key")
    (seen,) = onetime_keys.scan_outputs(account.view_private, [(public, target)])
    assert seen is not None
    expect_equal("scanned secret", seen.shared_secret.hex(), case["shared_secret"])
    expect_equal("scanned owner", seen.spend_public.hex(), case["subaddress_spend_public"])
    recovered = onetime_keys.recover_spend_public(
        account.view_private, RistrettoPublic(target), RistrettoPublic(public)
    )
    expect_equal("owner", str(recovered), case["subaddress_spend_public"])
    private = onetime_keys.recover_onetime_private_key(
        RistrettoPublic(public),
        account.view_private,
        account.subaddress_spend_private(case["subaddress_index"]),
    )
    expect_equal("one-time key", private.to_bytes().hex(), case["onetime_private_key"])
    hashed = RistrettoPublic.from_hash(_HASH_TO_POINT_TAG, target)
    expect_equal("Hp", str(hashed), case["hash_to_point_of_target"])
    expect_equal("key image", key_image(private).hex(), case["key_image"])
    confirmation = onetime_keys.confirmation_number(seen.shared_secret)
    expect_equal("confirmation number", confirmation.hex(), case["confirmation_number"])
    memo = apply_memo_cipher(seen.shared_secret, unhex(case, "memo_plaintext"))
    expect_equal("memo", memo.hex(), case["memo_ciphertext"])


@runs("crypto", r"masked_amounts[^/]*\.jsonl")
def run_masked_amounts(file: VectorFile, report: Report) -> None:
    """Both versions, masked and opened."""
    for number, case in enumerate(file.json_lines()):
        secret = unhex(case, "shared_secret")
        for version in MaskedAmountVersion:
            expected = case.get(version.name.lower())
            if expected is None:
                continue
            with report.case(f"{number} {version.name}"):
                _check_masked(version, secret, case["value"], case["token_id"], expected)


def _check_masked(
    version: MaskedAmountVersion, secret: bytes, value: int, token_id: int, expected: Case
) -> None:
    fields, blinding = masked_amount.mask_amount(version, value, token_id, secret)
    expect_equal("masked value", fields.masked_value, expected["masked_value"])
    expect_equal("masked token id", fields.masked_token_id.hex(), expected["masked_token_id"])
    expect_equal("commitment", fields.commitment.hex(), expected["commitment"])
    expect_equal("blinding", blinding.hex(), expected["blinding"])
    if "commitment_crc32" in expected:
        crc = masked_amount.commitment_crc32(fields.commitment)
        expect_equal("crc32", crc, expected["commitment_crc32"])
    if "amount_shared_secret" in expected:
        derived = masked_amount.amount_shared_secret(secret)
        expect_equal("amount shared secret", derived.hex(), expected["amount_shared_secret"])
        opened = masked_amount.open_amount_with_amount_shared_secret(version, fields, derived)
        expect_equal("value by amount secret", opened.value, value)
    opened = masked_amount.open_amount(version, fields, secret)
    expect_equal("opened", (opened.value, opened.token_id), (value, token_id))


@runs("crypto", r"external_outputs_v2[^/]*\.jsonl")
def run_external_outputs(file: VectorFile, report: Report) -> None:
    """Outputs that another program made."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            made = onetime_keys.create_output_keys(
                RistrettoPrivate(unhex(case, "tx_private_key")),
                RistrettoPublic(unhex(case, "view_public")),
                RistrettoPublic(unhex(case, "spend_public")),
            )
            expect_equal("target key", str(made.target_key), case["target_key"])
            expect_equal("public key", str(made.public_key), case["public_key"])
            expect_equal("shared secret", str(made.shared_secret), case["shared_secret"])
            secret = made.shared_secret.to_bytes()
            version = MaskedAmountVersion.V2
            _check_masked(version, secret, case["value"], case["token_id"], case)
            memo = apply_memo_cipher(secret, unhex(case, "e_memo"))
            expect_equal("memo", memo.hex(), case["memo_plaintext"])


@runs("crypto", r"external_inputs[^/]*\.jsonl")
def run_external_inputs(file: VectorFile, report: Report) -> None:
    """Inputs that another program spent, from the mnemonic on."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            account = account_key_from_mnemonic(case["mnemonic"], case["account_index"])
            private = onetime_keys.recover_onetime_private_key(
                RistrettoPublic(unhex(case, "tx_out_public_key")),
                account.view_private,
                account.subaddress_spend_private(case["subaddress_index"]),
            )
            expect_equal("target key", str(private.public_key()), case["tx_out_target_key"])
            expect_equal("key image", key_image(private).hex(), case["key_image_computed"])
            commitment = commit(case["value"], unhex(case, "blinding"), case["token_id"])
            expect_equal("commitment", commitment.hex(), case["commitment"])


@runs("crypto", r"crypto_box[^/]*\.jsonl")
def run_crypto_box(file: VectorFile, report: Report) -> None:
    """Encrypt where the ephemeral key is given, decrypt always."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            recipient = RistrettoPrivate(unhex(case, "recipient_private"))
            expect_equal("recipient", str(recipient.public_key()), case["recipient_public"])
            plaintext, cryptogram = unhex(case, "plaintext"), unhex(case, "cryptogram")
            if "ephemeral_private" in case:
                ephemeral = RistrettoPrivate(unhex(case, "ephemeral_private"))
                made = crypto_box.encrypt_with_ephemeral(
                    ephemeral, recipient.public_key(), plaintext
                )
                expect_equal("cryptogram", made.hex(), cryptogram.hex())
            opened = crypto_box.decrypt(recipient, cryptogram)
            expect(opened.is_authentic, "cryptogram does not authenticate")
            expect_equal("plaintext", opened.plaintext.hex(), plaintext.hex())
            _check_damaged(recipient, cryptogram)
            if case["kind"] == "fog_hint":
                hint = decrypt_fog_hint(recipient, cryptogram)
                expect_equal("hint", str(hint), plaintext[:32].hex())


def _check_damaged(recipient: RistrettoPrivate, cryptogram: bytes) -> None:
    damaged = bytes([cryptogram[0] ^ 1]) + cryptogram[1:]
    expect(not crypto_box.decrypt(recipient, damaged).is_authentic, "damage goes unnoticed")


@runs("crypto", r"primitives[^/]*\.json")
def run_primitives(file: VectorFile, report: Report) -> None:
    """One check for each member of the file."""
    checks: dict[str, Callable[[Any], None]] = {
        "merlin": _check_merlin,
        "hc128": _check_hc128,
        "seeded_ed25519": _check_seeded_ed25519,
        "scalar_reduction": _check_scalar_reduction,
        "invalid_ristretto_encodings": _check_invalid_encodings,
        "b58_too_short": _check_b58_error,
    }
    for name, value in file.json().items():
        with report.case(name):
            expect(name in checks, f"no check is known for {name}")
            checks[name](value)


def _check_merlin(value: Case) -> None:
    transcript = Transcript(value["protocol"])
    for label, message in value["append"]:
        transcript.append_message(label, message.encode())
    found = transcript.challenge_bytes(value["challenge_label"], 32)
    expect_equal("challenge", found.hex(), value["challenge_32"])


def _check_hc128(value: list[Case]) -> None:
    for case in value:
        stream = Hc128Rng(unhex(case, "seed"))
        expect_equal("keystream", stream(64).hex(), case["keystream_64"])


def _check_seeded_ed25519(value: Case) -> None:
    key = Ed25519Private.random(Hc128Rng(unhex(value, "seed")))
    expect_equal("secret", key.to_bytes().hex(), value["secret"])
    expect_equal("private DER", der.private_key_to_der(key).hex(), value["private_der"])
    expect_equal("public DER", der.public_key_to_der(key.public_key()).hex(), value["public_der"])
    expect_equal("read back", der.ed25519_private_from_der(unhex(value, "private_der")), key)


def _check_scalar_reduction(value: Case) -> None:
    expect(not _native.scalar_is_canonical(unhex(value, "l")), "the group order is canonical")
    expect_equal("reduced order", _native.scalar_reduce(unhex(value, "l")), bytes(32))
    reduced = _native.scalar_reduce(unhex(value, "l_plus_2"))
    expect_equal("reduced", reduced.hex(), value["reduces_to"])


def _check_invalid_encodings(value: list[str]) -> None:
    for encoding in value:
        try:
            RistrettoPublic(bytes.fromhex(encoding))
        except InvalidPublicKey:
            continue
        expect(False, f"{encoding} is taken for a point")


def _check_b58_error(value: Case) -> None:
    found = "ok"
    try:
        parse_printable(value["input"])
    except InsufficientBytes as error:
        found = f"InsufficientBytes({error.found})"
    except PrintableError as error:
        found = type(error).__name__
    expect_equal("error", found, value["error"])


@runs("service", r"seeded_keys[^/]*\.jsonl")
def run_seeded_keys(file: VectorFile, report: Report) -> None:
    """Ed25519 keys of seeded generators."""
    for case in file.json_lines():
        with report.case(case["name"]):
            key = Ed25519Private.random(Hc128Rng(unhex(case, "hc128_seed_hex")))
            expect_equal("seed", key.to_bytes().hex(), case["ed25519_seed_hex"])
            expect_equal("public key", str(key.public_key()), case["public_key_hex"])
