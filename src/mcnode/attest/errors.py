"""Errors of quotes, evidence and verification. [docs/protocol/enclave.md#5.3]

Evidence passes four stages, and the error's class says at which one it failed: decoding the
protobuf message (`mcnode.codec` errors), taking its parts apart (`ConversionError`), putting the
evidence together (`EvidenceError`), and the checks themselves (`VerificationError`).
"""

from mcnode.errors import InvalidError


class AttestationError(InvalidError):
    """Evidence, or a part of it, is not acceptable."""


class ConversionError(AttestationError):
    """A part of the evidence is not what it must be."""


class MissingField(ConversionError):
    """A part of the evidence message is absent."""

    def __init__(self, name: str) -> None:
        super().__init__(f"evidence has no {name}")
        self.name = name


class LengthMismatch(ConversionError):
    """A field has a wrong number of bytes."""

    def __init__(self, name: str, provided: int, required: int) -> None:
        super().__init__(f"{name} has {provided} bytes, needs {required}")
        self.name = name
        self.provided = provided
        self.required = required


class InvalidContents(ConversionError):
    """A field does not parse."""


class EvidenceError(AttestationError):
    """The parts do not make up evidence that can be checked."""


class UnsupportedQuoteCertificationData(EvidenceError):
    """The quote does not carry a certificate chain."""

    def __init__(self, why: str) -> None:
        super().__init__(f"quote certification data must be a PEM certificate chain: {why}")


class MissingSgxExtension(EvidenceError):
    """The first certificate of a quote's chain does not describe a processor."""

    def __init__(self, why: str) -> None:
        super().__init__(f"leaf certificate has no usable SGX extension: {why}")


class FmspcMismatch(EvidenceError):
    """TCB info is of another family of processors than the certificate."""

    def __init__(self, found: bytes, expected: bytes) -> None:
        super().__init__(f"TCB info is for FMSPC {found.hex()}, certificate has {expected.hex()}")


class UnsupportedTcbLevel(EvidenceError):
    """The processor's security versions are below every level of the TCB info."""

    def __init__(self, component_svns: tuple[int, ...], pce_svn: int) -> None:
        super().__init__(
            f"no TCB level fits component versions {list(component_svns)} and PCE version {pce_svn}"
        )


class JsonError(EvidenceError):
    """A JSON text of the collateral breaks its rules."""


class VerificationError(AttestationError):
    """The checks did not all hold; the text has one line per check, `[x]` held or `[ ]` failed."""
