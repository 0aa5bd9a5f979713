"""Errors of configuration files, by the network's names and with its texts.
[docs/protocol/service.md#5]

A file's error ends the program before it serves anything. The exit status says which file.
"""

from typing import Final

from mcnode.errors import InvalidError

TOKENS_EXIT_CODE: Final = 101
NETWORK_EXIT_CODE: Final = 13


class ConfigError(InvalidError):
    """A configuration file cannot be used."""

    exit_code: int | None = None
    """With what status a program ends over it, where the network has a custom."""


class PathExtension(ConfigError):
    """The file's name does not say its format."""

    def __init__(self) -> None:
        super().__init__("Cannot figure out file extension")


class UnrecognizedExtension(ConfigError):
    """The file's name ends in something that is no known format."""

    def __init__(self, extension: str) -> None:
        super().__init__(f"Unrecognized file extension {extension}")


class FileReadError(ConfigError):
    """The file cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"IO: {reason}")


class FileSyntaxError(ConfigError):
    """The file is not in its format, or does not hold what it should."""

    def __init__(self, format_name: str, reason: str) -> None:
        super().__init__(f"{format_name}: {reason}")


class TokensLoadError(ConfigError):
    """Wraps what is wrong with the tokens file."""

    exit_code = TOKENS_EXIT_CODE

    def __init__(self, path: object, cause: ConfigError) -> None:
        super().__init__(f'failed loading tokens configuration from "{path}": {cause}')


class NetworkLoadError(ConfigError):
    """Wraps what is wrong with the network file."""

    exit_code = NETWORK_EXIT_CODE

    def __init__(self, path: object, cause: ConfigError) -> None:
        super().__init__(f'Failed loading network configuration from "{path}": {cause}')


# ---- network file ---------------------------------------------------------------------------


class UriConversion(ConfigError):
    """A peer's URI gives no responder id."""

    def __init__(self, uri: object, reason: str) -> None:
        super().__init__(f"URI conversion of {uri}: {reason}")


class KnownPeersContainOwnId(ConfigError):
    """The node is listed among its own peers."""

    def __init__(self, responder_id: str) -> None:
        super().__init__(f"Known peers should not contain our peer responder id ({responder_id})")


class DuplicateResponderId(ConfigError):
    """Two peers have the same responder id."""

    def __init__(self, responder_id: str) -> None:
        super().__init__(f"Duplicate responder id in network configuration: {responder_id}")


class MissingTxSourceUrls(ConfigError):
    """There are peers but nowhere to fetch blocks from."""

    def __init__(self) -> None:
        super().__init__("Missing tx_source_urls")


class UnsupportedTxSource(ConfigError):
    """An archive's URL has a scheme that no fetcher knows."""

    def __init__(self, url: str, schemes: tuple[str, ...]) -> None:
        super().__init__(f"tx source {url} is none of {', '.join(schemes)}")


class QuorumSetError(ConfigError):
    """The quorum set cannot be used; the message ends with what to do."""

    exit_code = NETWORK_EXIT_CODE


# ---- tokens file ----------------------------------------------------------------------------


class DuplicateTokenConfig(ConfigError):
    """A token is listed twice."""

    def __init__(self) -> None:
        super().__init__("Duplicate token configuration")


class MissingMobConfig(ConfigError):
    """Token 0 is not listed."""

    def __init__(self) -> None:
        super().__init__("Missing MOB token configuration")


class MissingMinimumFee(ConfigError):
    """A token other than 0 has no fee."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"Missing minimum fee for token id {token_id}")
        self.token_id = token_id


class FeeOutOfBounds(ConfigError):
    """Token 0's fee looks like a mistake."""

    def __init__(self, fee: int, token_id: int) -> None:
        super().__init__(f"Fee {fee} for token id {token_id} is out of bounds")
        self.fee = fee
        self.token_id = token_id


class AllowAnyFeeNotAllowed(ConfigError):
    """The escape from token 0's bounds was used on another token."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"allow_any_fee cannot be used for token id {token_id}")
        self.token_id = token_id


class MintConfigNotAllowed(ConfigError):
    """Token 0 has governors, but cannot be minted."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"Mint configuration is not allowed for token id {token_id}")
        self.token_id = token_id


class InvalidSignerSet(ConfigError):
    """A token's governors do not make a signer set."""

    def __init__(self, token_id: int, cause: "SignerIdentityError") -> None:
        super().__init__(f"Invalid signer set for token id {token_id}: {cause}")
        self.token_id = token_id
        self.cause = cause


class FeeMapConfigError(ConfigError):
    """The fees break a rule of fee maps."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Fee map: {reason}")


class GovernorsMapConfigError(ConfigError):
    """The governors break a rule of governors maps."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Governors map: {reason}")


class SignerIdentityError(ConfigError):
    """A signer identity does not resolve to a signer set."""


class SignerSetValidationFailed(SignerIdentityError):
    """A threshold is 0 or above the number of signers."""

    def __init__(self) -> None:
        super().__init__("SignerSet validation failed")


class UnknownSignerIdentity(SignerIdentityError):
    """A name is not among the token's identities."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Unknown signer identity "{name}"')
        self.name = name


class NestingTooDeep(SignerIdentityError):
    """Identities refer to one another for more than 32 steps."""

    def __init__(self) -> None:
        super().__init__("Signer set nesting depth exceeded")
