"""What a wallet without the spend key does instead of paying. [docs/protocol/transaction.md#15]"""

from mcnode.account.printable import to_printable
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX, DEFAULT_SUBADDRESS_INDEX
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.onetime_keys import create_output_keys
from mcnode.errors import InvalidError
from mcnode.transaction.builder import AddedOutput
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.hashing import tx_hash
from mcnode.transaction.messages import Tx, TxOut, TxOutSummaryUnblindingData
from mcnode.wallet.draft import Account, BuiltPayment, make_receipt
from mcnode.wallet.records import Payment


class NotWhatWasAsked(InvalidError):
    """A signed transaction is not the one that was to be signed."""

    def __init__(self) -> None:
        super().__init__("the signed transaction is not that of the request")


def payment_of_signed(
    account: Account, unsigned: UnsignedTx, tx: Tx, *, made_at: int
) -> BuiltPayment:
    """How the wallet remembers a transaction that was signed elsewhere.

    Raises:
        NotWhatWasAsked: inputs, outputs, fee or tombstone are not those of the request.
    """
    if tx.prefix != unsigned.prefix or not unsigned.outputs:
        raise NotWhatWasAsked
    own = [
        account.subaddress(index).spend_public_key
        for index in (DEFAULT_SUBADDRESS_INDEX, CHANGE_SUBADDRESS_INDEX)
    ]
    pairs = list(zip(unsigned.prefix.outputs, unsigned.outputs, strict=True))
    foreign = [
        pair
        for pair in pairs
        if pair[1].address is not None and pair[1].address.spend_public_key not in own
    ]
    tx_out, data = (foreign or pairs)[0]
    back = tuple(out.public_key for out, _ in pairs if (out, _) not in foreign and out != tx_out)
    payment = Payment(
        tx_hash=tx_hash(tx),
        recipient="" if data.address is None else to_printable(data.address),
        value=data.unmasked_amount.value,
        token_id=data.unmasked_amount.token_id,
        fee=tx.prefix.fee,
        tombstone_block=tx.prefix.tombstone_block,
        output_public_key=tx_out.public_key,
        change_public_key=back[0] if back else None,
        made_at=made_at,
        fee_token_id=tx.prefix.fee_token_id,
        receipt=_receipt(tx_out, data, tx.prefix.tombstone_block),
    )
    images = tuple(signature.key_image for signature in tx.signature.ring_signatures)
    return BuiltPayment(tx, payment, images, back)


def _receipt(tx_out: TxOut, data: TxOutSummaryUnblindingData, tombstone_block: int) -> bytes:
    if data.address is None or data.tx_private_key is None:
        return b""
    key = RistrettoPrivate(data.tx_private_key)
    keys = create_output_keys(key, data.address.view_public, data.address.spend_public)
    return make_receipt(AddedOutput(tx_out, keys.shared_secret), tombstone_block)
