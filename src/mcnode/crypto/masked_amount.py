"""Hidden value and token of an output, opened with its shared secret. [docs/protocol/crypto.md#16]

Version 1 derives its masks from the shared secret itself; version 2 from a secret one hash further,
which may be handed out to open this one amount and nothing else.
"""

import dataclasses
import enum
import hashlib
import zlib
from typing import Final

from mcnode import _native
from mcnode.crypto.commitment import commit
from mcnode.crypto.hkdf import HashName, hkdf
from mcnode.errors import InvalidError

_AMOUNT_SHARED_SECRET_TAG: Final = b"mc_amount_shared_secret"
_VALUE_TAG: Final = b"mc_amount_value"
_TOKEN_ID_TAG: Final = b"mc_amount_token_id"
_BLINDING_TAG: Final = b"mc_amount_blinding"
_MASK_SALT: Final = b"mc_amount_blinding_factors"

SECRET_BYTES: Final = 32
MASKED_TOKEN_ID_BYTES: Final = 8


class AmountError(InvalidError):
    """A masked amount does not open."""


class InvalidMaskedTokenId(AmountError):
    """The masked token id has a length that its version does not allow."""


class InconsistentCommitment(AmountError):
    """The opened value does not make the commitment: the secret is not this output's."""


class AmountVersionTooOldForAmountSharedSecret(AmountError):
    """Version 1 has no amount shared secret."""


class MaskedAmountVersion(enum.Enum):
    """How the masks are derived."""

    V1 = 1
    V2 = 2


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedFields:
    """What an output shows of its amount."""

    commitment: bytes
    """32 bytes."""
    masked_value: int
    """64 bits."""
    masked_token_id: bytes
    """8 bytes; in version 1 also none, for token 0."""


@dataclasses.dataclass(frozen=True, slots=True)
class OpenedAmount:
    """Value and token, 64 bits each, and the commitment's blinding, a canonical scalar."""

    value: int
    token_id: int
    blinding: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class _Masks:
    value: int
    token_id: int
    blinding: bytes


def amount_shared_secret(shared_secret: bytes) -> bytes:
    """The 32-byte secret that opens a version 2 amount."""
    return hashlib.blake2b(_AMOUNT_SHARED_SECRET_TAG + shared_secret).digest()[:SECRET_BYTES]


def _masks_v1(shared_secret: bytes) -> _Masks:
    # The value's mask comes from the reduced scalar, the token's from the raw hash.
    token_mask = hashlib.blake2b(_TOKEN_ID_TAG + shared_secret).digest()[:8]
    return _Masks(
        int.from_bytes(_native.hash_to_scalar(_VALUE_TAG, shared_secret)[:8], "little"),
        int.from_bytes(token_mask, "little"),
        _native.hash_to_scalar(_BLINDING_TAG, shared_secret),
    )


def _masks_v2(secret: bytes) -> _Masks:
    def mask(info: bytes, length: int) -> bytes:
        return hkdf(HashName.SHA512, salt=_MASK_SALT, ikm=secret, info=info, length=length)

    return _Masks(
        int.from_bytes(mask(_VALUE_TAG, 8), "little"),
        int.from_bytes(mask(_TOKEN_ID_TAG, 8), "little"),
        _native.scalar_from_wide(mask(_BLINDING_TAG, 64)),
    )


def mask_amount(
    version: MaskedAmountVersion, value: int, token_id: int, shared_secret: bytes
) -> tuple[MaskedFields, bytes]:
    """The public fields and the blinding (32 bytes) of an amount, always with 8 token id bytes."""
    if version is MaskedAmountVersion.V1:
        return _mask(value, token_id, _masks_v1(shared_secret))
    return mask_amount_with_amount_shared_secret(
        value, token_id, amount_shared_secret(shared_secret)
    )


def mask_amount_with_amount_shared_secret(
    value: int, token_id: int, secret: bytes
) -> tuple[MaskedFields, bytes]:
    """As `mask_amount` for version 2, knowing only the 32-byte amount shared secret."""
    return _mask(value, token_id, _masks_v2(secret))


def _mask(value: int, token_id: int, masks: _Masks) -> tuple[MaskedFields, bytes]:
    fields = MaskedFields(
        commit(value, masks.blinding, token_id),
        value ^ masks.value,
        (token_id ^ masks.token_id).to_bytes(MASKED_TOKEN_ID_BYTES, "little"),
    )
    return fields, masks.blinding


def open_amount(
    version: MaskedAmountVersion, fields: MaskedFields, shared_secret: bytes
) -> OpenedAmount:
    """Unmask and check against the commitment.

    Raises:
        InvalidMaskedTokenId: neither 8 bytes nor, in version 1, none.
        InconsistentCommitment: the secret is not this output's.
    """
    if version is MaskedAmountVersion.V1:
        return _open(fields, _masks_v1(shared_secret), token_id_optional=True)
    return open_amount_with_amount_shared_secret(
        version, fields, amount_shared_secret(shared_secret)
    )


def open_amount_with_amount_shared_secret(
    version: MaskedAmountVersion, fields: MaskedFields, secret: bytes
) -> OpenedAmount:
    """As `open_amount`, knowing only the amount shared secret.

    Raises:
        AmountVersionTooOldForAmountSharedSecret: version 1.
        InvalidMaskedTokenId: not 8 bytes.
        InconsistentCommitment: the secret is not this output's.
    """
    if version is MaskedAmountVersion.V1:
        raise AmountVersionTooOldForAmountSharedSecret(
            "a version 1 amount has no amount shared secret, needs version 2"
        )
    return _open(fields, _masks_v2(secret), token_id_optional=False)


def open_amount_with_crc32(
    version: MaskedAmountVersion,
    masked_value: int,
    masked_token_id: bytes,
    crc32: int,
    shared_secret: bytes,
) -> tuple[OpenedAmount, bytes]:
    """Open an amount of which only a checksum of the commitment is at hand; returns it as well.

    Raises:
        InvalidMaskedTokenId: as `open_amount`.
        InconsistentCommitment: the commitment has another checksum.
    """
    is_v1 = version is MaskedAmountVersion.V1
    masks = _masks_v1(shared_secret) if is_v1 else _masks_v2(amount_shared_secret(shared_secret))
    opened = _unmask(masked_value, masked_token_id, masks, token_id_optional=is_v1)
    commitment = commit(opened.value, opened.blinding, opened.token_id)
    found = commitment_crc32(commitment)
    if found != crc32:
        raise InconsistentCommitment(f"checksum of the commitment is {found}, needs {crc32}")
    return opened, commitment


def _open(fields: MaskedFields, masks: _Masks, *, token_id_optional: bool) -> OpenedAmount:
    opened = _unmask(
        fields.masked_value, fields.masked_token_id, masks, token_id_optional=token_id_optional
    )
    if commit(opened.value, opened.blinding, opened.token_id) != fields.commitment:
        raise InconsistentCommitment(
            f"opened amount does not make commitment {fields.commitment.hex()}"
        )
    return opened


def _unmask(
    masked_value: int, masked_token_id: bytes, masks: _Masks, *, token_id_optional: bool
) -> OpenedAmount:
    if len(masked_token_id) == MASKED_TOKEN_ID_BYTES:
        token_id = int.from_bytes(masked_token_id, "little") ^ masks.token_id
    elif token_id_optional and not masked_token_id:
        token_id = 0
    else:
        raise InvalidMaskedTokenId(
            f"masked token id has {len(masked_token_id)} bytes, needs {MASKED_TOKEN_ID_BYTES}"
        )
    return OpenedAmount(masked_value ^ masks.value, token_id, masks.blinding)


def commitment_crc32(commitment: bytes) -> int:
    """CRC-32 of the 32 commitment bytes, as records of outputs carry it."""
    return zlib.crc32(commitment)
