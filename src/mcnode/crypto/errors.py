"""Errors of keys, signatures and sealed data. [docs/protocol/crypto.md#1]

Classes carry the network's own names, so that a wire status can be made from them in one table.
"""

from mcnode.errors import InvalidError


class KeyFormatError(InvalidError):
    """Bytes that should be a key or a signature are not."""


class LengthMismatch(KeyFormatError):
    """A fixed-size value came with another length."""

    def __init__(self, found: int, required: int) -> None:
        super().__init__(f"expected exactly {required} bytes, got {found}")
        self.found = found
        self.required = required


class AlgorithmMismatch(KeyFormatError):
    """The object identifier names another algorithm than the one asked for."""


class InvalidPublicKey(KeyFormatError):
    """The bytes are no public key: no point, or a wrong prefix."""


class InvalidPrivateKey(KeyFormatError):
    """The bytes are no private key: no canonical scalar, or a wrong prefix."""


class InternalKeyError(KeyFormatError):
    """A well-framed key whose payload is bad; the network calls it `InternalError`."""


class SignatureError(InvalidError):
    """A signature is malformed or was not made by this key over this message."""


class AeadError(InvalidError):
    """Sealed data is malformed or does not open."""


def check_length(value: bytes, required: int) -> None:
    """Refuse `value` unless it has exactly `required` bytes.

    Raises:
        LengthMismatch: it has another length.
    """
    if len(value) != required:
        raise LengthMismatch(len(value), required)
