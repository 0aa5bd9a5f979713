"""Rules that all nodes of a network share, and their digest. [docs/protocol/enclave.md#2.2]

The digest is part of the name under which a node shakes hands with its peers, so nodes with other
fees, governors or another block version cannot even connect.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cached_property

from mcnode.codec.digest import digest32
from mcnode.codec.schema import (
    ED25519_SIGNATURE,
    OPTIONAL,
    UINT32,
    UINT64,
    field,
    message,
    repeated,
)
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import Ed25519Public
from mcnode.crypto.multisig import SignerSet, is_valid_signer_set
from mcnode.enclave.errors import (
    FeeMapInvalid,
    InvalidGovernorsSignature,
    MissingGovernorsSignature,
    NestedMultiSigGovernorsNotSupported,
)
from mcnode.errors import InvalidError
from mcnode.transaction.block_version import LATEST_BLOCK_VERSION, BlockVersion
from mcnode.transaction.constants import MOB
from mcnode.transaction.fee_map import FeeMap, FeeMapError, check_fees
from mcnode.transaction.messages import TokenFee, TokenFees

_TOKEN_ID = dataclasses.replace(UINT64, digest_struct="TokenId")
_BLOCK_VERSION = dataclasses.replace(UINT32, digest_struct="BlockVersion")


@message(digest_name="Tuple")
class TokenGovernors:
    """One entry of a governors map."""

    token_id: int = field(1, _TOKEN_ID, digest="0")
    governors: SignerSet = field(2, SignerSet, digest="1")


@message(digest_name="GovernorsMap")
class TokenGovernorsList:
    """The entries of a governors map by ascending token id."""

    entries: tuple[TokenGovernors, ...] = repeated(1, TokenGovernors, digest="map")


@message(digest_name="BlockchainConfig")
class BlockchainConfigMessage:
    """A configuration as it is hashed and as it crosses into the trusted process."""

    fee_map: TokenFees = field(1, TokenFees)
    governors_map: TokenGovernorsList = field(2, TokenGovernorsList)
    governors_signature: bytes | None = field(3, ED25519_SIGNATURE, presence=OPTIONAL)
    block_version: int = field(4, _BLOCK_VERSION)


class GovernorsMapError(InvalidError):
    """A map of governors breaks a rule."""


class MobTokenNotAllowed(GovernorsMapError):
    """Token 0 cannot be minted, so it has no governors."""

    def __init__(self) -> None:
        super().__init__(f"governors are given for token {MOB}, which cannot be minted")


class InvalidSignerSet(GovernorsMapError):
    """A token's governors are not a valid signer set."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"governors of token {token_id} are not a valid signer set")
        self.token_id = token_id


class GovernorsMap(Mapping[int, SignerSet]):
    """Token id to the signers who may set up minting of that token, by ascending token id.

    Raises:
        MobTokenNotAllowed: token 0 is in it.
        InvalidSignerSet: a set's threshold is 0 or above its number of signers, or a nested one's.
    """

    __slots__ = ("_governors",)

    def __init__(self, governors: Mapping[int, SignerSet] | None = None) -> None:
        self._governors = dict(sorted((governors or {}).items()))
        if MOB in self._governors:
            raise MobTokenNotAllowed
        for token_id, signer_set in self._governors.items():
            if not is_valid_signer_set(signer_set):
                raise InvalidSignerSet(token_id)

    def __getitem__(self, token_id: int) -> SignerSet:
        return self._governors[token_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._governors)

    def __len__(self) -> int:
        return len(self._governors)

    def __repr__(self) -> str:
        return f"GovernorsMap({self._governors})"

    def to_message(self) -> TokenGovernorsList:
        """The entries as a declared message."""
        return TokenGovernorsList(tuple(TokenGovernors(t, s) for t, s in self.items()))

    def signing_digest(self) -> bytes:
        """The 32 bytes that the minting trust root signs, as a plain Ed25519 message."""
        return digest32("Governors map signature", self.to_message())


@dataclasses.dataclass(frozen=True)
class BlockchainConfig:
    """Fees, governors and block version. [docs/protocol/enclave.md#2.2]"""

    fee_map: FeeMap = dataclasses.field(default_factory=FeeMap)
    governors_map: GovernorsMap = dataclasses.field(default_factory=GovernorsMap)
    governors_signature: bytes | None = None
    """64 bytes: Ed25519, by the minting trust root."""
    block_version: BlockVersion = LATEST_BLOCK_VERSION

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that name this configuration."""
        return digest32("mc-blockchain-config", self.to_message())

    def peer_responder_id(self, responder_id: str) -> str:
        """The name under which a node with this configuration is spoken to by its peers."""
        return f"{responder_id}-{self.digest.hex()}"

    def check(self, trust_root: Ed25519Public) -> None:
        """Check everything the network asks of a configuration; `trust_root` signs governors.

        Raises:
            FeeMapInvalid: the fees break a rule.
            MissingGovernorsSignature: there are governors but no signature.
            InvalidGovernorsSignature: the signature is not the trust root's over them.
            NestedMultiSigGovernorsNotSupported: the block version has no nested signer sets.
        """
        try:
            check_fees(self.fee_map)
        except FeeMapError as error:
            raise FeeMapInvalid(error) from error
        if self.governors_map:
            self._check_governors_signature(trust_root)
        if self.block_version.has_nested_multisigs:
            return
        for token_id, signer_set in self.governors_map.items():
            if signer_set.multi_signers:
                raise NestedMultiSigGovernorsNotSupported(token_id, int(self.block_version))

    def _check_governors_signature(self, trust_root: Ed25519Public) -> None:
        if self.governors_signature is None:
            raise MissingGovernorsSignature
        try:
            trust_root.verify(self.governors_map.signing_digest(), self.governors_signature)
        except SignatureError:
            raise InvalidGovernorsSignature from None

    def to_message(self) -> BlockchainConfigMessage:
        """The configuration as a declared message."""
        fees = tuple(TokenFee(token_id, fee) for token_id, fee in self.fee_map.items())
        return BlockchainConfigMessage(
            TokenFees(fees),
            self.governors_map.to_message(),
            self.governors_signature,
            int(self.block_version),
        )

    @classmethod
    def from_message(cls, message: BlockchainConfigMessage) -> "BlockchainConfig":
        """The configuration that a message holds.

        Raises:
            FeeMapInvalid, GovernorsMapError, UnsupportedBlockVersion: a part breaks its rules.
        """
        try:
            fee_map = FeeMap({entry.token_id: entry.fee for entry in message.fee_map.entries})
        except FeeMapError as error:
            raise FeeMapInvalid(error) from error
        governors = {entry.token_id: entry.governors for entry in message.governors_map.entries}
        return cls(
            fee_map,
            GovernorsMap(governors),
            message.governors_signature,
            BlockVersion(message.block_version),
        )
