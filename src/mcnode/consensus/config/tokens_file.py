"""The tokens file: minimum fees, and who may set up minting. [docs/protocol/service.md#5]"""

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

from mcnode.consensus.config.documents import Document, load_document
from mcnode.consensus.config.errors import (
    AllowAnyFeeNotAllowed,
    ConfigError,
    DuplicateTokenConfig,
    FeeMapConfigError,
    FeeOutOfBounds,
    GovernorsMapConfigError,
    InvalidSignerSet,
    MintConfigNotAllowed,
    MissingMinimumFee,
    MissingMobConfig,
    SignerIdentityError,
    TokensLoadError,
)
from mcnode.consensus.config.signer_identity import (
    SignerIdentity,
    parse_signer_identity,
    resolve_signer_set,
    signer_identity_json,
)
from mcnode.crypto.keys import SIGNATURE_BYTES, Ed25519Private
from mcnode.crypto.multisig import SignerSet
from mcnode.enclave.config import GovernorsMap, GovernorsMapError
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB
from mcnode.transaction.fee_map import (
    FeeMap,
    FeeMapError,
    InvalidFeeNotDivisible,
    InvalidFeeTooSmall,
    MissingFee,
)

MOB_FEE_MIN: Final = 10_000
MOB_FEE_LIMIT: Final = 1_000_000_000_000
"""Token 0's fee, unless `allow_any_fee`, is at least the first and below the second, in picoMOB."""


@dataclasses.dataclass(frozen=True, slots=True)
class TokenConfig:
    """One entry of the file."""

    token_id: int
    minimum_fee: int | None = None
    allow_any_fee: bool = False
    signer_identities: dict[str, SignerIdentity] = dataclasses.field(default_factory=dict)
    governors: SignerIdentity | None = None

    @property
    def fee(self) -> int | None:
        """The minimum fee; only token 0 has a default."""
        if self.minimum_fee is None and self.token_id == MOB:
            return MINIMUM_FEE_MOB
        return self.minimum_fee

    def governors_signer_set(self) -> SignerSet | None:
        """The governors, resolved, or None.

        Raises:
            SignerIdentityError: they do not resolve.
        """
        if self.governors is None:
            return None
        return resolve_signer_set(self.governors, self.signer_identities)

    def check(self) -> None:
        """The rules of one entry, in the network's order.

        Raises:
            MissingMinimumFee, FeeOutOfBounds, AllowAnyFeeNotAllowed, MintConfigNotAllowed,
            InvalidSignerSet
        """
        fee = self.fee
        if fee is None:
            raise MissingMinimumFee(self.token_id)
        if self.token_id != MOB:
            if self.allow_any_fee:
                raise AllowAnyFeeNotAllowed(self.token_id)
        elif not self.allow_any_fee and not MOB_FEE_MIN <= fee < MOB_FEE_LIMIT:
            raise FeeOutOfBounds(fee, self.token_id)
        if self.token_id == MOB and self.governors is not None:
            raise MintConfigNotAllowed(self.token_id)
        try:
            self.governors_signer_set()
        except SignerIdentityError as error:
            raise InvalidSignerSet(self.token_id, error) from error


@dataclasses.dataclass(frozen=True, slots=True)
class TokensConfig:
    """A tokens file. Without one, token 0 with its default fee and no governors."""

    governors_signature: bytes | None = None
    """64 bytes."""
    tokens: tuple[TokenConfig, ...] = (TokenConfig(MOB),)

    def check(self) -> None:
        """The rules of the file, in the network's order.

        Raises:
            ConfigError: one class per rule.
        """
        token_ids = [token.token_id for token in self.tokens]
        if len(set(token_ids)) != len(token_ids):
            raise DuplicateTokenConfig
        if MOB not in token_ids:
            raise MissingMobConfig
        for token in self.tokens:
            token.check()

    def fee_map(self) -> FeeMap:
        """Minimum fees by token. Call `check` first.

        Raises:
            FeeMapConfigError: a fee is below 128 or no multiple of it.
        """
        try:
            return FeeMap({token.token_id: token.fee or 0 for token in self.tokens})
        except InvalidFeeTooSmall as error:
            why = f"Token `{error.token_id}` has invalid fee (too small) `{error.fee}`"
        except InvalidFeeNotDivisible as error:
            why = f"Token `{error.token_id}` has invalid fee (not divisible) `{error.fee}`"
        except MissingFee as error:
            why = f"Token `{error.token_id}` is missing from the fee map"
        except FeeMapError as error:
            why = str(error)
        raise FeeMapConfigError(why)

    def governors_map(self) -> GovernorsMap:
        """Governors by token, those that have some.

        Raises:
            InvalidSignerSet: an entry's do not resolve.
            GovernorsMapConfigError: token 0 has some.
        """
        governors: dict[int, SignerSet] = {}
        for token in self.tokens:
            try:
                signer_set = token.governors_signer_set()
            except SignerIdentityError as error:
                raise InvalidSignerSet(token.token_id, error) from error
            if signer_set is not None:
                governors[token.token_id] = signer_set
        try:
            return GovernorsMap(governors)
        except GovernorsMapError as error:
            raise GovernorsMapConfigError(str(error)) from error

    def signed_by(self, trust_root: Ed25519Private) -> "TokensConfig":
        """The same with the trust root's signature over its governors."""
        signature = trust_root.sign(self.governors_map().signing_digest())
        return dataclasses.replace(self, governors_signature=signature)

    def to_json_text(self) -> str:
        """The file as the network's signing tool writes it."""
        signature = self.governors_signature
        document = {
            "governors_signature": None if signature is None else signature.hex(),
            "tokens": [_token_json(token) for token in self.tokens],
        }
        return json.dumps(document, indent=2, ensure_ascii=False)


def _token_json(token: TokenConfig) -> dict[str, Any]:
    identities = sorted(token.signer_identities.items())
    return {
        "token_id": token.token_id,
        "minimum_fee": token.minimum_fee,
        "allow_any_fee": token.allow_any_fee,
        "signer_identities": {name: signer_identity_json(each) for name, each in identities},
        "governors": None if token.governors is None else signer_identity_json(token.governors),
    }


def load_tokens(path: Path | None) -> TokensConfig:
    """Read and check a tokens file; None gives the default.

    Raises:
        TokensLoadError: with the cause in its text.
    """
    if path is None:
        return TokensConfig()
    try:
        config = parse_tokens(load_document(path))
        config.check()
    except ConfigError as error:
        raise TokensLoadError(path, error) from error
    return config


def parse_tokens(document: Document) -> TokensConfig:
    """A tokens file's content from its document.

    Raises:
        FileSyntaxError: a field is absent or of the wrong type.
    """
    return TokensConfig(
        governors_signature=_parse_signature(document.optional("governors_signature")),
        tokens=tuple(_parse_token(token) for token in document.member("tokens").items()),
    )


def _parse_token(document: Document) -> TokenConfig:
    minimum_fee = document.optional("minimum_fee")
    allow_any_fee = document.optional("allow_any_fee")
    identities = document.optional("signer_identities")
    governors = document.optional("governors")
    return TokenConfig(
        token_id=document.member("token_id").unsigned(64),
        minimum_fee=None if minimum_fee is None else minimum_fee.unsigned(64),
        allow_any_fee=False if allow_any_fee is None else allow_any_fee.flag(),
        signer_identities={
            name: parse_signer_identity(identity)
            for name, identity in (() if identities is None else identities.members())
        },
        governors=None if governors is None else parse_signer_identity(governors),
    )


def _parse_signature(document: Document | None) -> bytes | None:
    """Hex of 64 bytes; absent, null and empty all mean none."""
    if document is None or not document.text():
        return None
    try:
        signature = bytes.fromhex(document.text())
    except ValueError as error:
        raise document.fault("governors_signature is not hex") from error
    if len(signature) != SIGNATURE_BYTES:
        raise document.fault(
            f"governors_signature has {len(signature)} bytes, needs {SIGNATURE_BYTES}"
        )
    return signature
