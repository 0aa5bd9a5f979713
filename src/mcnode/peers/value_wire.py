"""Consensus values as CBOR. [docs/protocol/service.md#12.4]"""

import functools
from typing import NamedTuple, TypeVar

from mcnode.codec.cbor import (
    U32,
    U64,
    ByteString,
    CborError,
    Enum,
    IntArray,
    Later,
    Mapped,
    Member,
    Option,
    Seq,
    Shape,
    Struct,
    Variant,
)
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import Ed25519Public, RistrettoPublic
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.peers.consensus_value import VARIANT_NAMES, ConsensusValue, ValueKind
from mcnode.transaction.messages import (
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
)

KEY_BYTES = 32
SIGNATURE_BYTES = 64
TX_HASH_BYTES = 32
FOG_HINT_BYTES = 84

KEYS_REMEMBERED_MAX = 4096
"""Message keys known to be points: every statement repeats those of a whole quorum set."""

T = TypeVar("T")


def _same(value: T) -> T:
    return value


@functools.lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def _checked_ed25519(data: bytes) -> bytes:
    try:
        return Ed25519Public.from_bytes(data).to_bytes()
    except KeyFormatError as error:
        raise CborError(str(error)) from error


def _checked_ristretto(data: bytes) -> bytes:
    try:
        return RistrettoPublic.from_bytes(data).to_bytes()
    except KeyFormatError as error:
        raise CborError(str(error)) from error


ED25519_PUBLIC_SHAPE: Shape[bytes] = Mapped(ByteString(KEY_BYTES), _checked_ed25519, _same)
_RISTRETTO_PUBLIC: Shape[bytes] = Mapped(ByteString(KEY_BYTES), _checked_ristretto, _same)

_SIGNER_SET: Struct[SignerSet] = Struct(
    SignerSet,
    Member("individual_signers", Seq(ED25519_PUBLIC_SHAPE)),
    Member("multi_signers", Seq(Later(lambda: _SIGNER_SET))),
    Member("threshold", U32),
)
_MULTI_SIG = Struct(
    MultiSig, Member("signatures", Seq(IntArray(SIGNATURE_BYTES, or_byte_string=True)))
)
_MINT_CONFIG = Struct(
    MintConfig,
    Member("token_id", U64),
    Member("signer_set", _SIGNER_SET),
    Member("mint_limit", U64),
)
_MINT_CONFIG_TX_PREFIX = Struct(
    MintConfigTxPrefix,
    Member("token_id", U64),
    Member("configs", Seq(_MINT_CONFIG)),
    Member("nonce", IntArray()),
    Member("tombstone_block", U64),
    Member("total_mint_limit", U64),
)


class _FogHint(NamedTuple):
    """A hint under the name that it has on the wire."""

    bytes: bytes


_FOG_HINT: Shape[bytes] = Mapped(
    Struct(_FogHint, Member("bytes", IntArray(FOG_HINT_BYTES))),
    lambda hint: hint.bytes,
    _FogHint,
)
_MINT_TX_PREFIX = Struct(
    MintTxPrefix,
    Member("token_id", U64),
    Member("amount", U64),
    Member("view_public_key", _RISTRETTO_PUBLIC),
    Member("spend_public_key", _RISTRETTO_PUBLIC),
    Member("nonce", IntArray()),
    Member("tombstone_block", U64),
    Member("e_fog_hint", Option(_FOG_HINT)),
)


def _value_of(content: bytes | MintConfigTx | MintTx) -> ConsensusValue:
    match content:
        case bytes():
            return ConsensusValue(ValueKind.TX_HASH, content)
        case MintConfigTx():
            return ConsensusValue(ValueKind.MINT_CONFIG_TX, content)
        case MintTx():
            return ConsensusValue(ValueKind.MINT_TX, content)


VALUE_SHAPE: Shape[ConsensusValue] = Mapped(
    Enum(
        Variant(VARIANT_NAMES[0], bytes, IntArray(TX_HASH_BYTES)),
        Variant(
            VARIANT_NAMES[1],
            MintConfigTx,
            Struct(
                MintConfigTx,
                Member("prefix", _MINT_CONFIG_TX_PREFIX),
                Member("signature", _MULTI_SIG),
            ),
        ),
        Variant(
            VARIANT_NAMES[2],
            MintTx,
            Struct(MintTx, Member("prefix", _MINT_TX_PREFIX), Member("signature", _MULTI_SIG)),
        ),
    ),
    _value_of,
    lambda value: value.content,
)
