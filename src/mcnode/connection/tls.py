"""Certificates of listeners and the roots that clients trust. [docs/protocol/service.md#7.3]

A listener with a TLS scheme names its PEM files in its URI (`tls-chain`, `tls-key`). They are read
anew for the next handshake after `ServerCertificates.request_reload`, which the node calls on
SIGHUP. A client trusts `ca-bundle` if its URI names one, or else what the system trusts.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import grpc
import structlog

from mcnode.connection.uri import Uri
from mcnode.errors import InvalidError
from mcnode.files import UnfitFileError, read_bytes

_log = structlog.get_logger(__name__)

PEM_BYTES_MAX: Final = 16 * 1024 * 1024
"""Of one file, and of a bundle made from a directory; a system's bundle has about 200 kB."""

BUNDLE_FILES: Final = (
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
)
BUNDLE_DIRS: Final = (
    "/etc/ssl/certs",
    "/system/etc/security/cacerts",
    "/usr/local/share/certs",
    "/etc/pki/tls/certs",
    "/etc/openssl/certs",
)
_BUNDLE_SUFFIXES: Final = (".pem", ".crt")


class TlsConfigError(InvalidError):
    """A certificate, key or bundle that a URI asks for cannot be used."""


class ServerCertificates:
    """The certificate chain and key of one listener, read again when asked."""

    def __init__(self, uri: Uri) -> None:
        """Read the files that `uri` names.

        Raises:
            TlsConfigError: a parameter is absent or a file unreadable.
        """
        chain, key = uri.param("tls-chain"), uri.param("tls-key")
        if chain is None:
            raise TlsConfigError("Uri must have tls-chain when using TLS")
        if key is None:
            raise TlsConfigError("Uri must have tls-key in when using TLS")
        self._chain_path = Path(chain)
        self._key_path = Path(key)
        self._reload_wanted = False
        self._initial = self._load()

    def request_reload(self) -> None:
        """Read the files again before the next handshake. Safe in a signal handler."""
        self._reload_wanted = True

    def credentials(self) -> grpc.ServerCredentials:
        """What a gRPC server needs; client certificates are not asked for."""
        return grpc.dynamic_ssl_server_credentials(
            self._initial,
            self._fetch,  # type: ignore[arg-type]  # the stub forgets that it may give None
        )

    def _load(self) -> grpc.ServerCertificateConfiguration:
        key, chain = _read_pem(self._key_path), _read_pem(self._chain_path)
        return grpc.ssl_server_certificate_configuration([(key, chain)])

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC, in a thread of its own, before each handshake; None: nothing new."""
        if not self._reload_wanted:
            return None
        self._reload_wanted = False
        try:
            loaded = self._load()
        except TlsConfigError as error:
            _log.error("certificate reload failed, keeping the old one", error=str(error))
            return None
        _log.info("certificate reloaded", chain=str(self._chain_path))
        return loaded


def channel_credentials(
    uri: Uri, environment: Mapping[str, str] = os.environ
) -> grpc.ChannelCredentials:
    """The roots to check a server's certificate against.

    Raises:
        TlsConfigError: the URI names a bundle that cannot be read.
    """
    bundle = uri.param("ca-bundle")
    if bundle is not None:
        path = Path(bundle)
        roots = _read_bundle_dir(path) if path.is_dir() else _read_pem(path)
        if not roots:
            raise TlsConfigError(f"failed getting ca bundle: no certificate in {bundle}")
        return grpc.ssl_channel_credentials(root_certificates=roots)
    return grpc.ssl_channel_credentials(root_certificates=system_roots(environment))


def system_roots(environment: Mapping[str, str] = os.environ) -> bytes | None:
    """PEM of what this machine trusts, best effort; None: use those built into gRPC."""
    files = [environment["SSL_CERT_FILE"]] if environment.get("SSL_CERT_FILE") else []
    dirs = [environment["SSL_CERT_DIR"]] if environment.get("SSL_CERT_DIR") else []
    chosen: list[Path] = [*map(Path, files), *map(Path, dirs)]
    for path in (*chosen, *map(Path, BUNDLE_FILES), *map(Path, BUNDLE_DIRS)):
        try:
            roots = _read_bundle_dir(path) if path.is_dir() else _read_pem(path)
        except TlsConfigError:
            continue
        if roots:
            return roots
    return None


def _read_bundle_dir(directory: Path) -> bytes:
    """All `.pem` and `.crt` files of a directory, one after another, in order of name."""
    parts: list[bytes] = []
    size = 0
    try:
        paths = sorted(path for path in directory.iterdir() if path.is_file())
    except OSError as error:
        raise TlsConfigError(f"failed getting ca bundle: {error}") from error
    for path in paths:
        if path.suffix.lower() in _BUNDLE_SUFFIXES:
            parts.append(_read_pem(path))
            size += len(parts[-1])
            if size > PEM_BYTES_MAX:
                raise TlsConfigError(
                    f"certificates in {directory} have {size} bytes, limit {PEM_BYTES_MAX}"
                )
    return b"\n".join(parts)


def _read_pem(path: Path) -> bytes:
    try:
        return read_bytes(path, PEM_BYTES_MAX)
    except OSError as error:
        raise TlsConfigError(f"failed reading {path}: {error.strerror}") from error
    except UnfitFileError as error:
        raise TlsConfigError(str(error)) from error
