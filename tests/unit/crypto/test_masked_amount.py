"""Masked amounts of both versions."""

import dataclasses

import pytest

from mcnode.crypto.masked_amount import (
    AmountVersionTooOldForAmountSharedSecret,
    InconsistentCommitment,
    InvalidMaskedTokenId,
    MaskedAmountVersion,
    MaskedFields,
    amount_shared_secret,
    commitment_crc32,
    mask_amount,
    open_amount,
    open_amount_with_amount_shared_secret,
    open_amount_with_crc32,
)

SECRET = bytes(range(32))
V1, V2 = MaskedAmountVersion.V1, MaskedAmountVersion.V2
EDGES = [(0, 0), (1, 0), (2**64 - 1, 2**64 - 1), (10**12, 8192)]


@pytest.mark.parametrize("version", MaskedAmountVersion)
@pytest.mark.parametrize(("value", "token_id"), EDGES)
def test_round_trip(version: MaskedAmountVersion, value: int, token_id: int) -> None:
    fields, blinding = mask_amount(version, value, token_id, SECRET)
    opened = open_amount(version, fields, SECRET)
    assert (opened.value, opened.token_id, opened.blinding) == (value, token_id, blinding)
    assert blinding.hex() not in repr(opened)


@pytest.mark.parametrize("version", MaskedAmountVersion)
def test_other_secrets_and_changed_fields_are_inconsistent(version: MaskedAmountVersion) -> None:
    fields, _ = mask_amount(version, 5, 1, SECRET)
    with pytest.raises(InconsistentCommitment):
        open_amount(version, fields, bytes(32))
    other = MaskedAmountVersion.V1 if version is V2 else V2
    for changed in (
        dataclasses.replace(fields, masked_value=fields.masked_value ^ 1),
        dataclasses.replace(fields, masked_token_id=bytes(8)),
        dataclasses.replace(fields, commitment=bytes(32)),
    ):
        with pytest.raises(InconsistentCommitment):
            open_amount(version, changed, SECRET)
    with pytest.raises(InconsistentCommitment):
        open_amount(other, fields, SECRET)


def test_version_1_may_leave_out_the_token_id_of_token_0() -> None:
    fields, _ = mask_amount(V1, 5, 0, SECRET)
    bare = dataclasses.replace(fields, masked_token_id=b"")
    assert open_amount(V1, bare, SECRET).token_id == 0
    of_token_1, _ = mask_amount(V1, 5, 1, SECRET)
    with pytest.raises(InconsistentCommitment):
        open_amount(V1, dataclasses.replace(of_token_1, masked_token_id=b""), SECRET)


@pytest.mark.parametrize(("version", "length"), [(V1, 1), (V1, 7), (V1, 9), (V2, 0), (V2, 7)])
def test_lengths_of_the_masked_token_id(version: MaskedAmountVersion, length: int) -> None:
    fields = MaskedFields(bytes(32), 0, bytes(length))
    with pytest.raises(InvalidMaskedTokenId, match=f"{length} bytes, needs 8"):
        open_amount(version, fields, SECRET)


def test_amount_shared_secret_opens_version_2_only() -> None:
    secret = amount_shared_secret(SECRET)
    fields, _ = mask_amount(V2, 77, 3, SECRET)
    opened = open_amount_with_amount_shared_secret(V2, fields, secret)
    assert (opened.value, opened.token_id) == (77, 3)
    with pytest.raises(AmountVersionTooOldForAmountSharedSecret):
        open_amount_with_amount_shared_secret(V1, fields, secret)


@pytest.mark.parametrize("version", MaskedAmountVersion)
def test_opening_by_checksum(version: MaskedAmountVersion) -> None:
    fields, _ = mask_amount(version, 9, 0, SECRET)
    crc = commitment_crc32(fields.commitment)
    opened, commitment = open_amount_with_crc32(
        version, fields.masked_value, fields.masked_token_id, crc, SECRET
    )
    assert (opened.value, commitment) == (9, fields.commitment)
    with pytest.raises(InconsistentCommitment):
        open_amount_with_crc32(
            version, fields.masked_value, fields.masked_token_id, crc ^ 1, SECRET
        )
