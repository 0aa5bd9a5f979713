"""What the trusted process claims to be in simulated mode. [docs/protocol/enclave.md#6]

Simulated evidence proves nothing, but peers and wallets still compare its measurement with the one
they expect. To stand among other simulated nodes, or before a given wallet, a node is told which
measurement to present: that of a SIGSTRUCT file, or four values.
"""

import dataclasses
from pathlib import Path
from typing import Final

from mcnode.consensus.config.arguments import Arguments, Flag
from mcnode.consensus.config.values import parse_hex, parse_path, parse_unsigned
from mcnode.errors import InvalidError

MEASUREMENT_BYTES: Final = 32


class MeasurementError(InvalidError):
    """The settings contradict one another."""


@dataclasses.dataclass(frozen=True, slots=True)
class SimulatedMeasurement:
    """Settings as given; None where the trusted process's own default holds."""

    css_path: Path | None = None
    mr_enclave: bytes | None = None
    """32 bytes."""
    mr_signer: bytes | None = None
    """32 bytes."""
    product_id: int | None = None
    security_version: int | None = None


SIMULATION_FLAGS: Final = (
    Flag(
        "--sim-css",
        parse_path,
        "MC_SIM_CSS",
        help="SIGSTRUCT file whose measurement simulated evidence shows",
    ),
    Flag(
        "--sim-mr-enclave",
        parse_hex(MEASUREMENT_BYTES),
        "MC_SIM_MR_ENCLAVE",
        help="MRENCLAVE that simulated evidence shows, 32 bytes hex",
    ),
    Flag(
        "--sim-mr-signer",
        parse_hex(MEASUREMENT_BYTES),
        "MC_SIM_MR_SIGNER",
        help="MRSIGNER that simulated evidence shows, 32 bytes hex",
    ),
    Flag(
        "--sim-product-id",
        parse_unsigned(16),
        "MC_SIM_PRODUCT_ID",
        help="product id that simulated evidence shows",
    ),
    Flag(
        "--sim-security-version",
        parse_unsigned(16),
        "MC_SIM_SECURITY_VERSION",
        help="security version that simulated evidence shows",
    ),
)


def simulated_measurement(arguments: Arguments) -> SimulatedMeasurement:
    """The settings from a command line that has `SIMULATION_FLAGS`.

    Raises:
        MeasurementError: a SIGSTRUCT file and single values are given together.
    """
    keys = [flag.key for flag in SIMULATION_FLAGS]
    css_key, *value_keys = keys
    both = [key for key in value_keys if key in arguments.given]
    if css_key in arguments.given and both:
        raise MeasurementError(
            f"--sim-css gives the whole measurement, --{both[0].replace('_', '-')} a part of it: "
            "keep one of them"
        )
    css, mr_enclave, mr_signer, product_id, security_version = (arguments[key] for key in keys)
    return SimulatedMeasurement(css, mr_enclave, mr_signer, product_id, security_version)
