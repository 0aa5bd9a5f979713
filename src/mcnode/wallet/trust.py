"""Which enclave a wallet hands its payments to. [docs/protocol/enclave.md#5.3]

A wallet pins the signer, product and least security version of one enclave, so that an upgraded
enclave of the same maker is accepted. The root of the evidence is either one that a file gives
(Intel's, for real enclaves) or the simulation root, never both.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Self

from mcnode.attest.certificate import Certificate, parse_pem_chain
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.errors import AttestationError
from mcnode.attest.identity import TrustedMrSigner
from mcnode.attest.sigstruct import Sigstruct
from mcnode.attest.simulation import simulation_anchor
from mcnode.connection.attested import Trust
from mcnode.enclave.trusted.simulated import SimulatedMeasurement
from mcnode.wallet.errors import SettingsError

SIMULATION_WARNING: Final = (
    "SIMULATED attestation: nothing proves that the node keeps payments private. For test networks "
    "only; pin a real enclave with --trust-css FILE --trust-anchor FILE"
)


@dataclasses.dataclass(frozen=True, slots=True)
class TrustedEnclave:
    """The enclave that payments may be sent to; by default the documented simulated one."""

    mr_signer: bytes = SimulatedMeasurement().mr_signer
    product_id: int = SimulatedMeasurement().product_id
    minimum_svn: int = SimulatedMeasurement().security_version
    anchor_pem: str = ""
    """The root of real evidence; empty: the simulation root."""

    @classmethod
    def from_sigstruct(cls, data: bytes, anchor_pem: str = "") -> Self:
        """The enclave of a SIGSTRUCT file (`.css`).

        Raises:
            SigstructError: the bytes are none.
            SettingsError: the root is no certificate.
        """
        css = Sigstruct.from_bytes(data)
        made = cls(css.mr_signer, css.isv_prod_id, css.isv_svn, anchor_pem)
        made.anchor()
        return made

    @property
    def is_simulated(self) -> bool:
        """Whether the evidence proves nothing."""
        return not self.anchor_pem

    def anchor(self) -> Certificate:
        """The only root that evidence may lead to. Raises `SettingsError` for no certificate."""
        if self.is_simulated:
            return simulation_anchor()
        try:
            return parse_pem_chain(self.anchor_pem.encode())[0]
        except (AttestationError, LookupError) as error:
            raise SettingsError(f"trust anchor is no PEM certificate: {error}") from None

    def to_trust(self) -> Trust:
        """What a connection needs to check evidence with."""
        identity = TrustedMrSigner(self.mr_signer, self.product_id, self.minimum_svn)
        return Trust(DcapVerifier(self.anchor(), (identity,), allow_debug=self.is_simulated))

    def to_json(self) -> dict[str, Any]:
        """For the settings in a wallet file."""
        return {**dataclasses.asdict(self), "mr_signer": self.mr_signer.hex()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`."""
        fields = dict(value)
        return cls(bytes.fromhex(fields.pop("mr_signer")), **fields)
