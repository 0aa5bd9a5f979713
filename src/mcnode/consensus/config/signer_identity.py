"""Who may sign, by key, by threshold or by name. [docs/protocol/service.md#5]

Tokens files describe signers as people think of them: named identities that refer to one another.
`resolve` turns one into the signer set that is hashed and verified.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

from mcnode.consensus.config.documents import Document
from mcnode.consensus.config.errors import (
    NestingTooDeep,
    SignerSetValidationFailed,
    UnknownSignerIdentity,
)
from mcnode.crypto.der import ed25519_public_from_der, parse_pem, public_key_to_pem
from mcnode.crypto.errors import KeyFormatError, LengthMismatch
from mcnode.crypto.keys import Ed25519Public
from mcnode.crypto.multisig import SignerSet, is_valid_signer_set

DEPTH_MAX: Final = 32
"""Steps from an identity to a key, through members and names; the network's own limit."""

_PARSE_DEPTH_MAX: Final = 64
"""Levels of nesting that are read at all."""

_SIGNERS_RESOLVED_MAX: Final = 10_000
"""Signers of one token after resolution: names may be used many times over, and fan out."""

_OLD_PEM_CHARS_MAX: Final = 65_536
"""Concatenated keys of the older form; a key has about 120 characters."""


@dataclasses.dataclass(frozen=True, slots=True)
class SingleSigner:
    """One key."""

    public_key: Ed25519Public


@dataclasses.dataclass(frozen=True, slots=True)
class MultiSigner:
    """`threshold` of several identities."""

    threshold: int
    signers: "tuple[SignerIdentity, ...]"


@dataclasses.dataclass(frozen=True, slots=True)
class NamedSigner:
    """The identity of that name, in the same token's list; letter case counts."""

    name: str


SignerIdentity = SingleSigner | MultiSigner | NamedSigner
Identities = Mapping[str, SignerIdentity]


def resolve_signer_set(identity: SignerIdentity, identities: Identities) -> SignerSet:
    """The signer set that `identity` stands for.

    A member that comes to one key joins the individual signers (its own threshold is lost), any
    other becomes a nested set; both keep the order of the file.

    Raises:
        NestingTooDeep: more than 32 steps, or a circle of names.
        UnknownSignerIdentity: a name that is not there.
        SignerSetValidationFailed: a threshold of 0 or above the number of signers.
    """
    resolved = _Resolver(identities).resolve(identity, 0)
    if not is_valid_signer_set(resolved):
        raise SignerSetValidationFailed
    return resolved


class _Resolver:
    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._resolved_count = 0

    def resolve(self, identity: SignerIdentity, depth: int) -> SignerSet:
        if depth >= DEPTH_MAX:
            raise NestingTooDeep
        self._resolved_count += 1
        if self._resolved_count > _SIGNERS_RESOLVED_MAX:
            raise NestingTooDeep
        match identity:
            case SingleSigner(public_key):
                return SignerSet((public_key.to_bytes(),), (), 1)
            case NamedSigner(name):
                if name not in self._identities:
                    raise UnknownSignerIdentity(name)
                return self.resolve(self._identities[name], depth + 1)
            case MultiSigner(threshold, signers):
                return self._combine(threshold, signers, depth)

    def _combine(
        self, threshold: int, signers: tuple[SignerIdentity, ...], depth: int
    ) -> SignerSet:
        individual: list[bytes] = []
        nested: list[SignerSet] = []
        for signer in signers:
            resolved = self.resolve(signer, depth + 1)
            if len(resolved.individual_signers) == 1 and not resolved.multi_signers:
                individual += resolved.individual_signers
            else:
                nested.append(resolved)
        return SignerSet(tuple(individual), tuple(nested), threshold)


def parse_signer_identity(document: Document, depth: int = 1) -> SignerIdentity:
    """An identity from a file; the form of older releases is understood too.

    Raises:
        FileSyntaxError: a member is absent, of the wrong type or no key.
    """
    if depth > _PARSE_DEPTH_MAX:
        raise document.fault(f"more than {_PARSE_DEPTH_MAX} nested signer identities")
    kind = document.optional("type")
    if kind is None and document.optional("signers") is not None:
        return _parse_older_form(document)
    match document.member("type").text():
        case "Single":
            return SingleSigner(_parse_key(document.member("pub_key")))
        case "MultiSig":
            members = document.member("signers").items()
            return MultiSigner(
                document.member("threshold").unsigned(32),
                tuple(parse_signer_identity(member, depth + 1) for member in members),
            )
        case "Identity":
            return NamedSigner(document.member("name").text())
        case other:
            raise document.fault(
                f"unknown variant `{other}`, expected one of `Single`, `MultiSig`, `Identity`"
            )


def _parse_older_form(document: Document) -> MultiSigner:
    """`signers`: PEM texts one after another; `threshold`. [#6]"""
    text = document.member("signers").text()
    threshold = document.member("threshold").unsigned(32)
    try:
        blocks = parse_pem(text, chars_max=_OLD_PEM_CHARS_MAX)
        keys = [SingleSigner(ed25519_public_from_der(der)) for _, der in blocks]
    except KeyFormatError as error:
        raise document.fault(f"Failed to parse public keys {json.dumps(text)}: {error}") from error
    if not keys:
        raise document.fault("signers holds no PEM block")
    return MultiSigner(threshold, tuple(keys))


def _parse_key(document: Document) -> Ed25519Public:
    text = document.text()
    quoted = json.dumps(text, ensure_ascii=False)
    try:
        blocks = parse_pem(text)
    except KeyFormatError as error:
        raise document.fault_at_end(f"Failed to parse PEM {quoted}: {error}") from error
    if not blocks:
        raise document.fault_at_end(f"Failed to parse PEM {quoted}: malformedframing")
    try:
        return ed25519_public_from_der(blocks[0][1])
    except LengthMismatch as error:
        reason = (
            "The length of the given data does not match the algorithm's expected\n"
            f"length, provided {error.found}, required {error.required}"
        )
        raise document.fault_at_end(f"Failed to parse public key {quoted}: {reason}") from error
    except KeyFormatError as error:
        raise document.fault_at_end(f"Failed to parse public key {quoted}: {error}") from error


def signer_identity_json(identity: SignerIdentity) -> dict[str, Any]:
    """The identity as tokens files write it."""
    match identity:
        case SingleSigner(public_key):
            return {"type": "Single", "pub_key": public_key_to_pem(public_key)}
        case MultiSigner(threshold, signers):
            return {
                "type": "MultiSig",
                "threshold": threshold,
                "signers": [signer_identity_json(signer) for signer in signers],
            }
        case NamedSigner(name):
            return {"type": "Identity", "name": name}
