import pytest

from mcnode.api.convert import from_generated, to_generated
from mcnode.api.gen import blockchain_pb2, external_pb2
from mcnode.blockchain.block import Block
from mcnode.codec.errors import DecodeError
from mcnode.crypto.multisig import SignerSet
from mcnode.transaction.messages import MaskedAmountV2, TxOut

BASE_POINT = bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666")


def test_block_header_round_trip() -> None:
    block = Block(id=bytes([1]) * 32, version=4, index=1 << 63, contents_hash=bytes([2]) * 32)
    made = to_generated(block, blockchain_pb2.Block)
    assert made.id.data == block.id
    assert made.index == 1 << 63
    assert from_generated(made, Block) == block


def test_oneof_and_nested_sets() -> None:
    out = TxOut(masked_amount=MaskedAmountV2(masked_value=7), e_memo=bytes(66))
    made = to_generated(out, external_pb2.TxOut)
    assert made.WhichOneof("masked_amount") == "masked_amount_v2"
    assert from_generated(made, TxOut) == out
    nested = SignerSet((BASE_POINT,), (SignerSet((BASE_POINT, BASE_POINT), (), 2),), 1)
    assert from_generated(to_generated(nested, external_pb2.Ed25519SignerSet), SignerSet) == nested


def test_wrong_length_is_refused() -> None:
    made = blockchain_pb2.Block(id=blockchain_pb2.BlockID(data=b"short"))
    with pytest.raises(DecodeError, match=r"Block\.id: Expected exactly 32 bytes, got 5"):
        from_generated(made, Block)
