"""Contract of the native extension: one section per Rust module, in the order of `lib.rs`.

Everything here is deterministic, touches no file and no clock, and releases the GIL where a call
takes longer than about 50 microseconds. A panic becomes `pyo3_runtime.PanicException`.
"""

from collections.abc import Sequence

# curve: ristretto255. Scalars and points are 32 bytes; a wrong length, a scalar that is not
# canonical or bytes that are no point give ValueError. Constant time.

def scalar_is_canonical(bytes: bytes) -> bool: ...
def scalar_reduce(bytes: bytes) -> bytes:
    """Any 32 bytes, little-endian, modulo the group order."""

def scalar_from_wide(bytes: bytes) -> bytes:
    """64 bytes, little-endian, modulo the group order."""

def scalar_add(left: bytes, right: bytes) -> bytes: ...
def scalar_subtract(left: bytes, right: bytes) -> bytes: ...
def scalar_multiply(left: bytes, right: bytes) -> bytes: ...
def hash_to_scalar(tag: bytes, data: bytes) -> bytes:
    """Blake2b-512 of tag and data, reduced."""

def point_is_valid(bytes: bytes) -> bool: ...
def point_from_uniform(bytes: bytes) -> bytes:
    """The one-way map of 64 uniform bytes."""

def hash_to_point(tag: bytes, data: bytes) -> bytes:
    """Blake2b-512 of tag and data, through the one-way map."""

def base_multiply(factor: bytes) -> bytes: ...
def point_multiply(factor: bytes, of: bytes) -> bytes: ...
def point_add(left: bytes, right: bytes) -> bytes: ...
def point_subtract(left: bytes, right: bytes) -> bytes: ...
def create_output_keys(
    tx_private: bytes, view_public: bytes, spend_public: bytes
) -> tuple[bytes, bytes, bytes]:
    """(target key, public key, shared secret) of a new output."""

def scan_outputs(
    view_private: bytes, outputs: Sequence[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes] | None]:
    """For each (public key, target key): (shared secret, spend public key that would own it).

    None where one of the two keys is no point.
    """

def subaddress_tweak(view_private: bytes, index: int) -> bytes:
    """The scalar that makes subaddress `index` (64 bits) of the root keys."""

def subaddress_spend_publics(
    view_private: bytes, spend_public: bytes, indices: Sequence[int]
) -> list[bytes]: ...

# ed25519: keys and seeds 32 bytes, signatures 64; a wrong length gives ValueError.

def ed25519_public_is_valid(public: bytes) -> bool: ...
def ed25519_public(seed: bytes) -> bytes: ...
def ed25519_sign(seed: bytes, message: bytes) -> bytes: ...
def ed25519_verify_strict(public: bytes, message: bytes, signature: bytes) -> bool: ...
def ed25519_sign_prehashed(seed: bytes, message: bytes) -> bytes:
    """Ed25519ph: SHA-512 of the message, empty context."""

def ed25519_verify_prehashed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Without the small-order checks."""

# schnorrkel

def schnorrkel_sign(private: bytes, context: bytes, message: bytes) -> tuple[bytes, bytes]:
    """(R, s), both 32 bytes, without the marker bit."""

def schnorrkel_equation_holds(
    public: bytes, context: bytes, message: bytes, commitment: bytes, response: bytes
) -> bool:
    """Whether R is sG - kA. ValueError for a key that is no point or an s that is not canonical."""

# rng: deterministic generators, called with a count of bytes (at most 16 MiB).

class Hc128Rng:
    def __init__(self, seed: bytes) -> None: ...
    def __call__(self, count: int, /) -> bytes: ...
    def next_u32(self) -> int: ...
    def next_u64(self) -> int: ...

class ChaCha12Rng:
    def __init__(self, seed: bytes) -> None: ...
    def __call__(self, count: int, /) -> bytes: ...
    def next_u32(self) -> int: ...
    def next_u64(self) -> int: ...
