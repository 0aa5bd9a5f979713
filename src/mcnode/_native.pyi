"""Contract of the native extension: one section per Rust module, in the order of `lib.rs`.

Everything here is deterministic, touches no file and no clock, and releases the GIL where a call
takes longer than about 50 microseconds. A panic becomes `pyo3_runtime.PanicException`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, overload

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

# generators: bases that are derived from hashes.

def value_generator(token_id: int) -> bytes:
    """`H_t`, the value base of commitments in token `token_id` (64 bits)."""

def range_proof_generators(party_index: int) -> tuple[bytes, bytes]:
    """(64 points G, 64 points H) of party 0..63 of a range proof, each packed into 2048 bytes."""

# commitment: Pedersen commitments. Lists of points are packed, 32 bytes each. Blindings are 32
# bytes, reduced modulo the group order.

def commit(value: int, blinding: bytes, token_id: int) -> bytes:
    """`value H_t + blinding G`, constant time."""

class KnownPoints:
    """Points that were decoded or hashed before, at most `limit` of each kind.

    Whoever verifies makes one, hands it to each step, and drops it. It changes no verdict.
    """

    def __new__(cls, limit: int) -> KnownPoints: ...
    def __len__(self) -> int:
        """Of both kinds."""

def first_invalid_point(points: bytes, known: KnownPoints | None = None) -> int | None:
    """Position of the first element that is no point."""

def commitments_balance(
    inputs: bytes,
    outputs: bytes,
    fee: int,
    fee_token_id: int,
    known: KnownPoints | None = None,
) -> bool:
    """Whether outputs plus fee less inputs is the identity. ValueError if one is no point."""

# ring_signature: MLSAG. A ring is packed, 64 bytes a member: target key, commitment. Scalars are
# reduced modulo the group order.

def key_image(onetime_private_key: bytes) -> bytes:
    """`x Hp(xG)`, constant time."""

def mlsag_verify(
    message: bytes,
    ring: bytes,
    output_commitment: bytes,
    c_zero: bytes,
    responses: bytes,
    key_image: bytes,
    known: KnownPoints | None = None,
) -> tuple[int, int]:
    """(0, 0), or (fault, position). Variable time.

    The first of: 1 = ring point `position` is none (2i target key, 2i + 1 commitment of member i);
    2 = not two responses a member; 3 = key image is no point; 4 = output commitment is no point;
    5 = the challenges do not close the ring.
    """

def mlsag_sign(
    message: bytes,
    ring: bytes,
    real_index: int,
    onetime_private_key: bytes,
    value: int,
    blinding: bytes,
    output_blinding: bytes,
    token_id: int,
    randomness: bytes,
) -> tuple[int, int, bytes, bytes, bytes]:
    """(0, 0, c_zero, packed responses, key image), or (fault, position, b"", b"", b"").

    `randomness` is 128 bytes a member: 64 for each scalar, in the order of the draws. Faults as for
    `mlsag_verify`, and 6 = the real member's commitment does not open to value and blinding.
    Constant time.
    """

# range_proof: aggregated Bulletproofs over 64 bits.

def range_proofs_verify(
    claims: Sequence[tuple[bytes, bytes, int]], known: KnownPoints | None = None
) -> bytes:
    """One verdict byte for each claim (proof, packed commitments, token id), all in one product.

    0 = verified, 1 = cannot be parsed, 2 = does not verify, 3 = too many commitments. Commitments
    are padded here to a power of two with copies of the last; none gives ValueError.
    """

def range_proof_verify_in(
    label: bytes,
    bits: int,
    value_base: bytes,
    blinding_base: bytes,
    proof: bytes,
    commitments: bytes,
) -> int:
    """The verdict on one proof in another setting: transcript label, bits of a value, bases."""

def range_proof_prove(
    values: Sequence[int], blindings: bytes, token_id: int, randomness: bytes
) -> bytes:
    """A proof over 1, 2, 4, ... 64 values and as many packed blindings.

    `randomness` is 8448 bytes a value: 64 for each scalar, in the order of the draws.
    """

# membership: Merkle proofs of outputs.

def membership_fold(proofs: Sequence[bytes]) -> list[tuple[int, int, int, int, bytes]]:
    """For each proof: (fault, position, begin, end, hash) of the root it implies.

    A proof is rows of 48 bytes, leaf first: begin and end of the range, 8 bytes little-endian each,
    then the hash. Faults: 0 = none, 1 = the element at `position` has a reversed range, 2 = it is
    not adjacent to those before it (also: there are no elements).
    """

# merkle: nodes of the ledger's tree, named by inclusive ranges of leaves.

def merkle_proof_keys(indices: Sequence[int], num_leaves: int) -> list[bytes]:
    """Keys (16 bytes: both ends big-endian) of the stored nodes that proofs of these leaves need.

    Ascending, each once.
    """

def merkle_proof_rows(
    indices: Sequence[int], num_leaves: int, nodes: Sequence[tuple[bytes, bytes]], nil: bytes
) -> list[bytes]:
    """For each leaf, rows of its proof: both ends as 8 bytes little-endian, the hash of 32.

    `nodes` are (key, hash); ValueError when a needed one is missing.
    """

# schema: the message engine. `specs` are `mcnode.codec.schema.MessageSpec`, the root first, closed
# under reference; contexts and labels are UTF-8. Reading raises `mcnode.codec.errors.DecodeError`,
# a Python value that does not fit `EncodeError`. Above 2 KiB reading and hashing release the GIL.

class MessageSchema:
    def __new__(cls, specs: Sequence[object]) -> MessageSchema: ...
    def encode(self, message: object, rust_protobuf: bool) -> bytes: ...
    def decode(self, data: bytes, rust_protobuf: bool, elements_max: int) -> Any: ...
    def digest32(self, context: bytes, message: object) -> bytes: ...
    def digest32_encoded(self, context: bytes, data: bytes, elements_max: int) -> bytes:
        """The digest of what `data` (prost form) decodes to, no Python object made."""

    def decode_and_digest32(
        self, context: bytes, data: bytes, elements_max: int
    ) -> tuple[Any, bytes]: ...
    def unpacked(self, rows: bytes, paths: list[str]) -> Any:
        """A LazySequence from rows of fixed-size values, the inverse of `LazySequence.packed`.

        ValueError when `rows` are not whole rows. Values are taken as they are.
        """

    def appends(self, context: bytes, message: object) -> list[tuple[bytes, bytes]]:
        """The (label, data) messages that a transcript of `message` takes."""

class LazySequence:
    """Read-only list of messages, each made when it is asked for; equals the tuple of them."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: int, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...
    def __iter__(self) -> Iterator[Any]: ...
    def count(self, value: object, /) -> int: ...
    def index(self, value: object, /) -> int: ...
    def packed(self, paths: list[str]) -> bytes:
        """Rows of the values at `paths` ("range.to"): integers as 8 bytes little-endian, wrappers
        of fixed length as they are. Another path gives TypeError."""

class Transcript:
    """Merlin."""

    def __new__(cls, label: bytes) -> Transcript: ...
    def append_message(self, label: bytes, message: bytes) -> None: ...
    def append_pairs(self, pairs: list[tuple[bytes, bytes]]) -> None: ...
    def append_declared(self, context: bytes, schema: MessageSchema, message: object) -> None: ...
    def challenge_bytes(self, label: bytes, length: int) -> bytes: ...
    def copy(self) -> Transcript: ...

def decode_wrapper(kind: object, data: bytes) -> bytes:
    """The value in a message that wraps one value of `kind` (`mcnode.codec.schema.Kind`)."""

def encode_wrapper(kind: object, value: object) -> bytes: ...

# cbor: items as Python values. An array is a list, a map a tuple of (key, value), undefined is
# Ellipsis, every float 0.0; tags are skipped. Refusals are ValueError.

def cbor_read(data: bytes, depth_max: int, objects_max: int) -> Any:
    """The one item that `data` is; at most so many containers open at once, and so many strings,
    arrays and maps in all."""

def cbor_write(item: Any, depth_max: int) -> bytes:
    """Shortest definite encoding; ints are unsigned, up to 64 bits."""
