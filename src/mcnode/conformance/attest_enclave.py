"""Runs the vectors of the trusted process. [docs/protocol/enclave.md#2]"""

from collections.abc import Mapping
from typing import Any

from mcnode.attest.evidence import ReportDataContents
from mcnode.attest.sealed_data import SealedData
from mcnode.attest.simulation import root_private_key
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate
from mcnode.crypto.message_cipher import MessageCipher
from mcnode.crypto.multisig import SignerSet
from mcnode.crypto.rng import Hc128Rng
from mcnode.enclave.config import BlockchainConfig, GovernorsMap
from mcnode.enclave.trusted.constants import MeasuredConstants
from mcnode.enclave.trusted.new_outputs import sort_zeroes_to_end
from mcnode.enclave.trusted.tx_desk import priority_of
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.fee_map import FeeMap

Json = Mapping[str, Any]


@runs("attest", r"enclave/blockchain_config_digest[^/]*\.jsonl")
def blockchain_config_digest(file: VectorFile, report: Report) -> None:
    """Digests of configurations, and the names that contain them."""
    trust_root = MeasuredConstants().minting_trust_root()
    for case in file.json_lines():
        with report.case(case["name"]):
            config = _config(case)
            expected = case["expect"]
            expect_equal("config", config.digest.hex(), expected["config_digest_hex"])
            fees = config.fee_map.canonical_digest().hex()
            expect_equal("fee map", fees, expected["fee_map_digest_hex"])
            governors = config.governors_map.signing_digest().hex()
            expect_equal("governors", governors, expected["governors_map_message_hex"])
            name = config.peer_responder_id("node1.test.mobilecoin.com:8443")
            expect_equal("responder id", name, expected["responder_id_for_node1"])
            if config.governors_signature is not None:
                trust_root.verify(config.governors_map.signing_digest(), config.governors_signature)


def _config(case: Json) -> BlockchainConfig:
    signature = case["governors_signature_hex"]
    return BlockchainConfig(
        FeeMap({int(token): fee for token, fee in case["fee_map"].items()}),
        GovernorsMap({int(t): _signer_set(s) for t, s in case["governors_map"].items()}),
        None if signature is None else bytes.fromhex(signature),
        BlockVersion(case["block_version"]),
    )


def _signer_set(value: Json) -> SignerSet:
    return SignerSet(
        tuple(bytes.fromhex(key) for key in value["signers"]),
        tuple(_signer_set(nested) for nested in value["multi_signers"]),
        value["threshold"],
    )


@runs("attest", r"enclave/report_data_contents[^/]*\.jsonl")
def report_data_contents(file: VectorFile, report: Report) -> None:
    """What report data binds."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            custom = case["custom_identity_hex"]
            contents = ReportDataContents(
                bytes.fromhex(case["nonce_hex"]),
                bytes.fromhex(case["key_hex"]),
                None if custom is None else bytes.fromhex(custom),
            )
            expect_equal("hash", contents.sha256().hex(), case["sha256_hex"])


@runs("attest", r"enclave/ct_divide[^/]*\.jsonl")
def division(file: VectorFile, report: Report) -> None:
    """The quotient that priorities are: by a minimum fee that is 128 times the divisor."""
    for case in file.json_lines():
        with report.case(f"{case['n']} / {case['d']}"):
            quotient = priority_of(case["n"], case["d"] << 7)
            expect_equal("quotient", quotient, case["q"])
            expect_equal("remainder", case["n"] - quotient * case["d"], case["r"])


@runs("attest", r"enclave/ct_sort_zeroes_to_end[^/]*\.jsonl")
def sorted_fee_table(file: VectorFile, report: Report) -> None:
    """The exchange order of the table of fees."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            found = sort_zeroes_to_end([(token, total) for token, total in case["input"]])
            expect_equal("order", [list(pair) for pair in found], case["full_order"])
            zeroes = sorted(token for token, total in found if total == 0)
            expect_equal("zeroes", zeroes, sorted(case["trailing_zero_token_ids"]))


@runs("attest", r"enclave/default_keys[^/]*\.json")
def default_keys(file: VectorFile, report: Report) -> None:
    """The constants of development builds."""
    keys = file.json()
    constants = MeasuredConstants()
    with report.case("fee recipient"):
        spend, view = constants.fee_recipient()
        expect_equal("spend", spend.to_bytes().hex(), keys["fee_spend_public_key_hex"])
        expect_equal("view", view.to_bytes().hex(), keys["fee_view_public_key_hex"])
        private = RistrettoPrivate(bytes.fromhex(keys["fee_view_private_key_hex"]))
        expect_equal("view key", private.multiply(spend), view)
    with report.case("minting trust root"):
        root = constants.minting_trust_root()
        expect_equal("key", root.to_bytes().hex(), keys["minting_trust_root_public_key_hex"])
        seed = Hc128Rng(bytes.fromhex(keys["minting_trust_root_seed_hex"]))(32)
        expect_equal("private", seed.hex(), keys["minting_trust_root_private_key_hex"])
        expect_equal("public", Ed25519Private(seed).public_key(), root)


@runs("attest", r"enclave/message_cipher[^/]*\.jsonl")
def message_cipher(file: VectorFile, report: Report) -> None:
    """The cipher of cached transactions."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            plaintext = bytes.fromhex(case["plaintext_hex"])
            cipher = _cipher_before(case)
            expect_equal("sealed", cipher.encrypt(plaintext).hex(), case["ciphertext_hex"])
            opened = cipher.decrypt(bytes.fromhex(case["ciphertext_hex"]))
            expect_equal("opened", opened, plaintext)


def _cipher_before(case: Json) -> MessageCipher:
    """A cipher whose next message has the case's key index (0 or 1) and number."""
    key = bytes.fromhex(case["key_hex"])
    number = case["message_index"]
    if case["key_index"] == 0:
        return MessageCipher(lambda _: key, first_nonce=number)
    expect_equal("key index", case["key_index"], 1)
    cipher = MessageCipher(lambda _: key, first_nonce=(1 << 96) - 1)
    for _ in range(number):
        cipher.encrypt(b"")
    return cipher


@runs("attest", r"enclave/sealed_blob_mock[^/]*\.json")
def sealed_blob_mock(file: VectorFile, report: Report) -> None:
    """The layout of sealed data."""
    case = file.json()
    with report.case("layout"):
        parsed = SealedData.from_bytes(bytes.fromhex(case["blob_hex"]))
        expect_equal("ciphertext", parsed.ciphertext.hex(), case["plaintext_hex"])
        expect_equal("text", parsed.mac_text.hex(), case["mac_text_hex"])


@runs("attest", r"sim/sim_root_key[^/]*\.json")
def simulation_root_key(file: VectorFile, report: Report) -> None:
    """The root key of a seed."""
    case = file.json()
    with report.case("root key"):
        key = root_private_key(bytes.fromhex(case["mc_seed_hex"]))
        scalar = key.private_numbers().private_value
        expect_equal("scalar", scalar, int(case["root_private_scalar_hex"], 16))
        point = bytes.fromhex(case["root_public_point_uncompressed_hex"])
        numbers = key.public_key().public_numbers()
        expect_equal("point", (numbers.x, numbers.y), _coordinates(point))
    if "hc128_check" in case:
        with report.case("stream"):
            check = case["hc128_check"]
            stream = Hc128Rng(bytes.fromhex(check["seed_hex"]))
            expect_equal("start", stream(16).hex(), check["first_16_bytes_hex"])


def _coordinates(point: bytes) -> tuple[int, int]:
    expect(point[0] == 4, "point is not uncompressed")
    return int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
