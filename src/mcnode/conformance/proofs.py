"""Vectors of the proof layer: generators, ring signatures, range proofs."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from mcnode import _native
from mcnode.account.public_address import (
    BURN_ADDRESS_VIEW_PRIVATE,
    burn_address,
    short_address_hash,
)
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.related import Cases, cases_beside
from mcnode.conformance.vectors import (
    Report,
    VectorFile,
    expect,
    expect_equal,
    runs,
)
from mcnode.crypto.commitment import commit, value_generator
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.range_proof import (
    VALUES_MAX,
    FormatError,
    RangeClaim,
    RangeProofError,
    RangeProofSetting,
    check_range_proof,
    check_range_proof_in,
    judge_range_proofs,
    prove,
)
from mcnode.crypto.ring_signature import (
    RingMember,
    RingSecrets,
    RingSignature,
    check_ring_signature,
    key_image,
    sign,
)
from mcnode.crypto.rng import ChaCha12Rng, RandomBytes
from mcnode.errors import InvalidError
from mcnode.transaction.messages import RingMLSAG

Case = dict[str, Any]

DEFECT = "panic"
"""Where the network's software panics we refuse: with the error that says what is missing."""
_REFUSALS_FOR_DEFECTS = {"EmptyRing", "ProofError(NoValues)"}


def outcome(function: Callable[..., object], *arguments: object) -> str:
    """`ok`, or the network's name of the error that the call raises."""
    try:
        function(*arguments)
    except RangeProofError as error:
        name = type(error).__name__
        return f"parse: {name}" if isinstance(error, FormatError) else f"ProofError({name})"
    except InvalidError as error:
        parts = getattr(error, "parts", ())
        numbers = f"({', '.join(map(str, parts))})" if parts else ""
        return type(error).__name__ + numbers
    return "ok"


def expect_refusal_or_equal(found: str, expected: str, report: Report) -> None:
    """Compare an outcome with the recorded one; where a panic was recorded, want a refusal."""
    if expected == DEFECT:
        expect(found in _REFUSALS_FOR_DEFECTS, f"found {found}, expected a refusal")
        report.notes.append(f"{found} where the network's software panics")
    else:
        expect_equal("outcome", found, expected)


def replay(recorded: bytes) -> RandomBytes:
    """A generator that gives recorded bytes once, in order."""
    position = 0

    def draw(count: int) -> bytes:
        nonlocal position
        drawn = recorded[position : position + count]
        expect_equal("random bytes left", len(drawn), count)
        position += count
        return drawn

    return draw


def bytes_list(values: Iterable[str]) -> list[bytes]:
    """The byte strings of a list of hex texts."""
    return [bytes.fromhex(value) for value in values]


def ring_of(case: Case) -> list[RingMember]:
    """The ring of a case."""
    return [
        RingMember(bytes.fromhex(member["target_key"]), bytes.fromhex(member["commitment"]))
        for member in case["ring"]
    ]


def secrets_of(case: Case) -> RingSecrets:
    """What the signer of a case knows."""
    return RingSecrets(
        real_index=int(case["real_index"]),
        onetime_private_key=RistrettoPrivate(bytes.fromhex(case["onetime_private_key"])),
        value=int(case["value"]),
        token_id=int(case["token_id"]),
        blinding=bytes.fromhex(case["blinding"]),
        output_blinding=bytes.fromhex(case["output_blinding"]),
    )


def completed(case: Case, bases: Cases) -> Case:
    """A case with what it leaves to its base."""
    return {**bases.get(case["base"]), **case} if "base" in case else case


# Generators


@runs("crypto", r"generators[^/]*\.json")
def run_generators(file: VectorFile, report: Report) -> None:
    """Value bases, bases of range proofs, the burn address."""
    data = file.json()
    for token_id, expected in data["pedersen_value_generator_by_token_id"].items():
        with report.case(f"token {token_id}"):
            expect_equal("value generator", value_generator(int(token_id)).hex(), expected)
    parties = [_native.range_proof_generators(index) for index in range(VALUES_MAX)]
    for side, name in enumerate("GH"):
        for position, expected in data[f"bulletproof_{name}"].items():
            party, number = map(int, position.split(","))
            with report.case(f"{name} {position}"):
                found = parties[party][side][32 * number : 32 * number + 32]
                expect_equal("generator", found.hex(), expected)
        with report.case(f"all {name}"):
            digest = hashlib.sha256(b"".join(party[side] for party in parties)).hexdigest()
            expect_equal("hash", digest, data[f"bulletproof_all_{name}_sha256"])
    with report.case("burn address"):
        _check_burn_address(data["burn_address"])


def _check_burn_address(expected: Case) -> None:
    address = burn_address()
    view_private = BURN_ADDRESS_VIEW_PRIVATE.to_bytes()
    expect_equal("view private", view_private.hex(), expected["view_private"])
    expect_equal("spend public", address.spend_public_key.hex(), expected["spend_public"])
    expect_equal("view public", address.view_public_key.hex(), expected["view_public"])
    expect_equal("hash", short_address_hash(address).hex(), expected["short_address_hash"])


# Ring signatures


@runs("crypto", r"mlsag[^/]*\.jsonl")
def run_mlsag(file: VectorFile, report: Report) -> None:
    """Verify; recompute what the secrets imply; sign anew."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            _check_mlsag(case)


def _check_mlsag(case: Case) -> None:
    message, ring, secrets = bytes.fromhex(case["message"]), ring_of(case), secrets_of(case)
    output = bytes.fromhex(case["output_commitment"])
    parts = RingSignature(
        bytes.fromhex(case["c_zero"]),
        tuple(bytes_list(case["responses"])),
        bytes.fromhex(case["key_image"]),
    )
    found = outcome(check_ring_signature, message, ring, output, parts)
    expect_equal("outcome", found.partition("(")[0], case["result"])
    if case["result"] == "ok":
        implied = commit(secrets.value, secrets.output_blinding, secrets.token_id)
        expect_equal("output commitment", implied.hex(), case["output_commitment"])
        image = key_image(secrets.onetime_private_key)
        expect_equal("key image", image.hex(), case["key_image"])
        made = sign(message, ring, secrets, ChaCha12Rng(bytes(32)))
        check_ring_signature(message, ring, output, made)


@runs("transaction", r"genuine/mlsag[^/]*\.jsonl")
def run_genuine_mlsag(file: VectorFile, report: Report) -> None:
    """Sign again from the recorded random bytes, verify, verify what was spoilt."""
    bases = cases_beside(file, "mlsag")
    for line in file.json_lines():
        with report.case(line["id"]):
            case = completed(line, bases)
            if case["kind"] == "sign-error":
                found = _sign_anew(case)
            else:
                if case["kind"] == "signed":
                    _check_signing(case)
                found = outcome(_verify_genuine_mlsag, case)
            expect_refusal_or_equal(found, case["result"], report)


def _sign_anew(case: Case) -> str:
    arguments = bytes.fromhex(case["message"]), ring_of(case), secrets_of(case)
    return outcome(sign, *arguments, ChaCha12Rng(bytes(32)))


def _check_signing(case: Case) -> None:
    secrets = secrets_of(case)
    rng = replay(bytes.fromhex(case["rng_bytes"]))
    made = sign(bytes.fromhex(case["message"]), ring_of(case), secrets, rng)
    message = RingMLSAG(made.c_zero, made.responses, made.key_image)
    expect_equal("signature", encode(message).hex(), case["mlsag"])
    expect_equal("key image", made.key_image.hex(), case["key_image"])
    output = commit(secrets.value, secrets.output_blinding, secrets.token_id)
    expect_equal("output commitment", output.hex(), case["output_commitment"])


def _verify_genuine_mlsag(case: Case) -> None:
    check_ring_signature(
        bytes.fromhex(case["message"]),
        ring_of(case),
        bytes.fromhex(case["output_commitment"]),
        decode(RingMLSAG, bytes.fromhex(case["mlsag"])),
    )


# Range proofs


@runs("crypto", r"bulletproof_(fork|historical)[^/]*\.jsonl?")
def run_bulletproof_other_settings(file: VectorFile, report: Report) -> None:
    """Proofs with their own transcript label, bit count and bases."""
    cases = file.json() if file.name.endswith(".json") else file.json_lines()
    for number, case in enumerate(cases):
        with report.case(number):
            setting = RangeProofSetting(
                label=case["transcript_label"].encode(),
                bits=case["n"],
                value_base=bytes.fromhex(case["B"]),
                blinding_base=bytes.fromhex(case["B_blinding"]),
            )
            commitments = case.get("commitments") or case["commitments_before_padding"]
            proof, points = bytes.fromhex(case["proof"]), bytes_list(commitments)
            found = outcome(check_range_proof_in, setting, proof, points)
            expect_equal("verifies", found == "ok", case.get("valid", True))


@runs("crypto", r"bulletproof_mobilecoin[^/]*\.jsonl")
def run_bulletproof_mobilecoin(file: VectorFile, report: Report) -> None:
    """Proofs in the setting of transactions."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            token_id, blindings = case["token_id"], bytes_list(case["blindings"])
            made = [
                commit(value, blinding, token_id).hex()
                for value, blinding in zip(case["values"], blindings, strict=True)
            ]
            expect_equal("commitments", made, case["commitments_before_padding"])
            claim = RangeClaim(bytes.fromhex(case["proof"]), bytes_list(made), token_id)
            expect_equal("length", len(claim.proof), case["proof_len"])
            found = outcome(check_range_proof, *claim)
            expected = "ok" if case["valid"] else case["error"]
            expect(expected in found, f"found {found}, expected {expected}")


@runs("transaction", r"genuine/range_proofs[^/]*\.jsonl")
def run_genuine_range_proofs(file: VectorFile, report: Report) -> None:
    """Prove again from the recorded seed, verify, verify what was spoilt."""
    bases = cases_beside(file, "range_proofs")
    for line in file.json_lines():
        with report.case(line["id"]):
            case = completed(line, bases)
            if case["kind"] == "prove-error":
                count = case["count"]
                rng = ChaCha12Rng(bytes(32))
                found = outcome(prove, [0] * count, [bytes(32)] * count, 0, rng)
            else:
                if case["kind"] == "proved":
                    _check_proving(case)
                found = outcome(check_range_proof, *claim_of(case))
            expect_refusal_or_equal(found, case["result"], report)


def _check_proving(case: Case) -> None:
    values, token_id = [int(value) for value in case["values"]], int(case["token_id"])
    blindings = bytes_list(case["blindings"])
    made = prove(values, blindings, token_id, ChaCha12Rng(bytes.fromhex(case["rng_seed"])))
    expect_equal("proof", made.hex(), case["proof"])
    expect_equal("length", len(made), case["proof_len"])
    commitments = [
        commit(value, blinding, token_id).hex()
        for value, blinding in zip(values, blindings, strict=True)
    ]
    expect_equal("commitments", commitments, case["commitments"])


def claim_of(case: Case) -> RangeClaim:
    """What a case says that its proof proves.

    With `commitments_count`, the first is taken so many times: the count alone is refused.
    """
    commitments = bytes_list(case["commitments"])
    if "commitments_count" in case:
        commitments = commitments[:1] * case["commitments_count"]
    return RangeClaim(bytes.fromhex(case["proof"]), commitments, int(case["token_id"]))


@runs("transaction", r"genuine/range_batches[^/]*\.jsonl")
def run_genuine_range_batches(file: VectorFile, report: Report) -> None:
    """Batches in which each proof must get its own verdict."""
    proofs = cases_beside(file, "range_proofs")
    for case in file.json_lines():
        with report.case(case["id"]):
            items = [(completed(proofs.get(name), proofs), good) for name, good in case["items"]]
            claims = [claim_of(item) for item, _ in items]
            found = [error is None for error in judge_range_proofs(claims)]
            expect_equal("verdicts", found, [good for _, good in items])
