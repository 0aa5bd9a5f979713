import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.attest.key_exchange import BadRemoteIdentity
from mcnode.codec import protobuf
from mcnode.codec.errors import DecodeError
from mcnode.enclave.boundary import (
    CALLS,
    FRAME_BYTES_MAX,
    BoundaryError,
    Call,
    FrameTooLong,
    PackedProofs,
    UnknownCall,
    decode_call,
    frame,
    frame_length,
    pack_proofs,
    unpack_proofs,
)
from mcnode.enclave.error_codec import decode_error, encode_error
from mcnode.enclave.errors import EnclaveError, Kex, MalformedTx, NotFound
from mcnode.transaction.errors import network_name
from mcnode.transaction.messages import TxOutMembershipProof
from mcnode.transaction.validation.errors import (
    InvalidTransactionSignature,
    Ledger,
    TombstoneBlockExceeded,
)


def test_frame_limits():
    assert frame_length(frame(b"abc")[:4]) == 3
    assert frame_length(FRAME_BYTES_MAX.to_bytes(4, "big")) == FRAME_BYTES_MAX
    with pytest.raises(FrameTooLong):
        frame_length((FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(FrameTooLong):
        frame(bytes(FRAME_BYTES_MAX + 1))


def test_every_call_has_a_shape_and_unknown_numbers_are_refused():
    assert set(CALLS) == set(Call)
    assert decode_call(21) is Call.FORM_BLOCK
    with pytest.raises(UnknownCall):
        decode_call(0)


@given(st.lists(st.integers(0, 5), max_size=30), st.booleans())
def test_proofs_travel_once_each(indices, copied):
    proofs = {i: TxOutMembershipProof(i, i + 1) for i in range(6)}
    listed = [TxOutMembershipProof(i, i + 1) if copied else proofs[i] for i in indices]
    packed = protobuf.decode(PackedProofs, protobuf.encode(pack_proofs(listed)))
    assert len(packed.distinct) == len(set(indices))
    unpacked = unpack_proofs(packed)
    assert list(unpacked) == listed
    assert len({id(p) for p in unpacked}) == len(set(indices))


def test_different_proofs_of_one_index_stay_apart():
    listed = [TxOutMembershipProof(1, 5), TxOutMembershipProof(1, 6), TxOutMembershipProof(1, 5)]
    assert list(unpack_proofs(pack_proofs(listed))) == listed


def test_position_beyond_the_proofs():
    with pytest.raises(BoundaryError):
        unpack_proofs(PackedProofs((), (0,)))


@pytest.mark.parametrize(
    "error",
    [
        NotFound("session"),
        MalformedTx(TombstoneBlockExceeded(5, 9)),
        MalformedTx(InvalidTransactionSignature(Ledger("text"))),
        Kex(BadRemoteIdentity(bytes(32), b"\x01" * 32)),
        DecodeError(("Tx.prefix",), "invalid varint"),
        UnknownCall(3),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_keep_class_text_and_attributes(error):
    arrived = decode_error(encode_error(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert network_name(arrived) == network_name(error)
    for name, value in vars(error).items():
        if isinstance(value, Exception):
            assert str(getattr(arrived, name)) == str(value)
        else:
            assert getattr(arrived, name) == value


def test_inner_errors_keep_their_classes():
    arrived = decode_error(encode_error(MalformedTx(TombstoneBlockExceeded(5, 9))))
    assert isinstance(arrived.error, TombstoneBlockExceeded)
    assert (arrived.error.tombstone_block, arrived.error.current_block_index) == (5, 9)


def test_foreign_errors_show_only_their_kind():
    arrived = decode_error(encode_error(ValueError("secret")))
    assert isinstance(arrived, EnclaveError)
    assert str(arrived) == "internal error: ValueError"


@given(st.binary(max_size=60))
def test_garbage_becomes_an_error_too(data):
    assert isinstance(decode_error(data), EnclaveError)
