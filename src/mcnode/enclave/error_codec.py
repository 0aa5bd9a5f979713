"""Errors across the process boundary.

An error travels as its class name, its text and its attributes, and arrives as the same class with
the same text and attributes, so the node's tables of error classes work on both sides. Only classes
of this program that are loaded and descend from `InvalidError` are made; any other name arrives as
a plain `EnclaveError` with the text.
"""

from typing import Any, Final

import cbor2

# Loaded here so that their errors have classes on the node's side too.
from mcnode.attest import dcap, ias, key_exchange  # noqa: F401
from mcnode.enclave import boundary  # noqa: F401
from mcnode.enclave.errors import EnclaveError
from mcnode.errors import InvalidError, McNodeError
from mcnode.transaction.mint import errors as _mint_errors  # noqa: F401
from mcnode.transaction.validation import validate as _validate  # noqa: F401

_DEPTH_MAX: Final = 8
"""Errors within errors: real ones nest three deep."""
_ERROR_MARK: Final = "error"
_TUPLE_MARK: Final = "tuple"


class EnclaveInternalError(EnclaveError):
    """The trusted process met an error that it did not expect; the text has only its kind."""


def encode_error(error: BaseException) -> bytes:
    """An error as bytes. One that is not of this program shows only its class, never its text."""
    if not isinstance(error, McNodeError):
        error = EnclaveInternalError(f"internal error: {type(error).__name__}")
    return cbor2.dumps(_simplify(error, 0))


def decode_error(data: bytes) -> McNodeError:
    """The error that was encoded."""
    try:
        value = _restore(cbor2.loads(data))
    except (cbor2.CBORDecodeError, ValueError, TypeError, KeyError, IndexError) as error:
        return EnclaveError(f"the trusted process sent an error that does not parse: {error}")
    return value if isinstance(value, McNodeError) else EnclaveError(str(value))


def _simplify(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | str | bytes):
        return value
    if depth >= _DEPTH_MAX:
        return str(value)
    if isinstance(value, Exception):
        attributes = {k: _simplify(v, depth + 1) for k, v in vars(value).items()}
        return [_ERROR_MARK, _name_of(type(value)), str(value), attributes]
    if isinstance(value, tuple | list):
        return [_TUPLE_MARK, *(_simplify(item, depth + 1) for item in value)]
    return str(value)


def _restore(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    mark, *rest = value
    if mark == _TUPLE_MARK:
        return tuple(_restore(item) for item in rest)
    name, text, attributes = rest
    cls = _loaded_errors().get(name, EnclaveError)
    made = cls.__new__(cls)
    Exception.__init__(made, text)
    if cls is not EnclaveError:
        vars(made).update((str(key), _restore(item)) for key, item in attributes.items())
    return made


def _name_of(cls: type[BaseException]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _loaded_errors() -> dict[str, type[InvalidError]]:
    """Every class below `InvalidError` that was imported so far, by its full name."""
    found: dict[str, type[InvalidError]] = {}
    waiting: list[type[InvalidError]] = [InvalidError]
    while waiting:
        cls = waiting.pop()
        found[_name_of(cls)] = cls
        waiting.extend(cls.__subclasses__())
    return found
