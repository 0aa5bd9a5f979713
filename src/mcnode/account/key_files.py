"""Key files as the network's tools write and read them. [docs/protocol/crypto.md#22]

For an account `NAME`: `NAME.json` holds the key (a mnemonic, or in the older kind root entropy),
`NAME.pub` the default subaddress as protobuf, `NAME.b58pub` the same as printable code.
"""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, Final

from mcnode.account.account_key import AccountKey
from mcnode.account.mnemonic import account_key_from_mnemonic, mnemonic_from_entropy
from mcnode.account.printable import to_printable
from mcnode.account.root_identity import RootIdentity, account_key_from_root_identity
from mcnode.codec.protobuf import encode
from mcnode.codec.schema import BYTES, OPTIONAL, TEXT, UINT32, field, message
from mcnode.crypto.rng import Hc128Rng, RandomBytes
from mcnode.errors import InvalidError

PRIVATE_SUFFIX: Final = ".json"
PUBLIC_SUFFIX: Final = ".pub"
PRINTABLE_SUFFIX: Final = ".b58pub"
ENTROPY_BYTES: Final = 32
DEFAULT_SEED: Final = bytes([1]) * 32
DEFAULT_COUNT: Final = 10


class KeyFileError(InvalidError):
    """A key file is malformed."""


class NoMnemonic(KeyFileError):
    """The key has no mnemonic."""


class NoAccountIndex(KeyFileError):
    """The key has no account index."""


class MissingFogDetails(KeyFileError):
    """Only one of fog URL and fog authority key is given."""


@message
class UncheckedMnemonicAccount:
    """A mnemonic account as stored: nothing is checked and anything may be missing."""

    mnemonic: str | None = field(1, TEXT, presence=OPTIONAL)
    account_index: int | None = field(2, UINT32, presence=OPTIONAL)
    fog_report_url: str | None = field(3, TEXT, presence=OPTIONAL)
    fog_report_id: str | None = field(4, TEXT, presence=OPTIONAL)
    fog_authority_spki: bytes | None = field(5, BYTES, presence=OPTIONAL)

    def account_key(self) -> AccountKey:
        """The account.

        Raises:
            NoMnemonic, InvalidMnemonic, NoAccountIndex: looked at in this order.
        """
        if self.mnemonic is None:
            raise NoMnemonic("key has no mnemonic")
        if self.account_index is None:
            account_key_from_mnemonic(self.mnemonic)
            raise NoAccountIndex("key has no account index")
        keys = account_key_from_mnemonic(self.mnemonic, self.account_index)
        return dataclasses.replace(
            keys,
            fog_report_url=self.fog_report_url or "",
            fog_report_id=self.fog_report_id or "",
            fog_authority_spki=self.fog_authority_spki or b"",
        )

    def __repr__(self) -> str:
        return f"UncheckedMnemonicAccount(account_index={self.account_index})"


def mnemonic_account_to_json(account: UncheckedMnemonicAccount) -> str:
    """One line without line end, keys in the network's order."""
    spki = account.fog_authority_spki
    return json.dumps(
        {
            "mnemonic": account.mnemonic,
            "account_index": account.account_index,
            "fog_report_url": account.fog_report_url,
            "fog_report_id": account.fog_report_id,
            "fog_authority_spki": None if spki is None else list(spki),
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )


def root_identity_to_json(identity: RootIdentity) -> str:
    """The older kind: one line without line end."""
    return json.dumps(
        {
            "root_entropy": list(identity.root_entropy),
            "fog_url": identity.fog_report_url,
            "fog_report_id": identity.fog_report_id,
            "fog_authority_spki": list(identity.fog_authority_spki),
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )


def parse_key_json(text: str) -> AccountKey:
    """The account of a key file of either kind; with `root_entropy` it is the older one.

    Raises:
        KeyFileError: not JSON, not an object, or a member of a wrong type.
        NoMnemonic, InvalidMnemonic, NoAccountIndex: of the mnemonic kind.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise KeyFileError(f"key file is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise KeyFileError(f"key file holds a {type(value).__name__}, needs an object")
    if "root_entropy" in value:
        return account_key_from_root_identity(_root_identity(value))
    return UncheckedMnemonicAccount(
        mnemonic=_text(value, "mnemonic"),
        account_index=_index(value, "account_index"),
        fog_report_url=_text(value, "fog_report_url"),
        fog_report_id=_text(value, "fog_report_id"),
        fog_authority_spki=_bytes(value, "fog_authority_spki"),
    ).account_key()


def _root_identity(value: dict[str, Any]) -> RootIdentity:
    entropy = _bytes(value, "root_entropy") or b""
    if len(entropy) != ENTROPY_BYTES:
        raise KeyFileError(f"root_entropy has {len(entropy)} bytes, needs {ENTROPY_BYTES}")
    return RootIdentity(
        entropy,
        _text(value, "fog_url") or "",
        _text(value, "fog_report_id") or "",
        _bytes(value, "fog_authority_spki") or b"",
    )


def _text(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    if found is not None and not isinstance(found, str):
        raise KeyFileError(f"{key} is a {type(found).__name__}, needs a string")
    return found


def _index(value: dict[str, Any], key: str) -> int | None:
    found = value.get(key)
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 1 << 32:
        raise KeyFileError(f"{key} needs a number from 0 to {(1 << 32) - 1}")
    return found


def _bytes(value: dict[str, Any], key: str) -> bytes | None:
    found = value.get(key)
    if found is None:
        return None
    try:
        if isinstance(found, list) and not any(isinstance(number, bool) for number in found):
            return bytes(found)
    except (TypeError, ValueError):
        pass
    raise KeyFileError(f"{key} needs a list of numbers from 0 to 255")


@dataclasses.dataclass(frozen=True, slots=True)
class FogDetails:
    """Where an account's fog server is and who vouches for it."""

    report_url: str
    report_id: str
    authority_spki: bytes

    def __post_init__(self) -> None:
        if bool(self.report_url) != bool(self.authority_spki):
            raise MissingFogDetails(
                "fog report URL and fog authority key go together; one is empty"
            )


def mnemonic_account(entropy: bytes, fog: FogDetails | None = None) -> UncheckedMnemonicAccount:
    """What the key tools write for 32 bytes of entropy: account index 0, empty fog report id."""
    return UncheckedMnemonicAccount(
        mnemonic=mnemonic_from_entropy(entropy),
        account_index=0,
        fog_report_url=fog.report_url if fog else None,
        fog_report_id=fog.report_id if fog else "",
        fog_authority_spki=fog.authority_spki if fog else None,
    )


def sample_accounts(
    seed: bytes, count: int, fog: FogDetails | None = None
) -> list[UncheckedMnemonicAccount]:
    """The first `count` accounts of a 32-byte seed; each takes the generator's next 32 bytes."""
    generator: RandomBytes = Hc128Rng(seed)
    return [mnemonic_account(generator(ENTROPY_BYTES), fog) for _ in range(count)]


def key_file_contents(account: UncheckedMnemonicAccount) -> dict[str, bytes]:
    """What the files of an account hold, by suffix: `.json` (secret), `.pub` and `.b58pub`."""
    address = account.account_key().default_subaddress()
    return {
        PRIVATE_SUFFIX: mnemonic_account_to_json(account).encode(),
        PUBLIC_SUFFIX: encode(address),
        PRINTABLE_SUFFIX: to_printable(address).encode(),
    }


def sorted_names(names: Iterable[str]) -> list[str]:
    """File names in the order in which tools read them: by length, then by bytes.

    So `account_keys_2` comes before `account_keys_10`.
    """
    return sorted(names, key=lambda name: (len(name.encode()), name.encode()))
