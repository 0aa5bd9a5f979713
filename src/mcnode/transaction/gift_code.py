"""Gift codes: an output given away by handing over its keys. [docs/protocol/transaction.md#16]

To fund one, pay with `TransactionBuilder.add_gift_code_output` and `GiftCodeFundingMemoBuilder`.
Receiver and sender alike spend it to their own change subaddress (`InputCredentials.from_gift_code`
or with the account's keys) and `GiftCodeSenderMemoBuilder` or `GiftCodeCancellationMemoBuilder`.
"""

from mcnode.account.account_key import AccountKey
from mcnode.account.subaddress import GIFT_CODE_SUBADDRESS_INDEX
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.messages import TxOut, TxOutGiftCode
from mcnode.transaction.tx_out import is_subaddress_match, view_key_match


class NotAGiftCodeOutput(TransactionError):
    """The output does not belong to the account's gift code subaddress."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(
            f"output with public key {public_key.hex()} is not at the gift code subaddress"
        )


def make_gift_code(account: AccountKey, tx_out: TxOut, global_index: int) -> TxOutGiftCode:
    """What gives an output away: whoever has it can spend the output, and so can the account.

    Raises:
        ViewKeyMatchError: the output is not the account's.
        NotAGiftCodeOutput: it is at another subaddress.
    """
    viewed = view_key_match(tx_out, account.view_private)
    if not is_subaddress_match(account, GIFT_CODE_SUBADDRESS_INDEX, tx_out):
        raise NotAGiftCodeOutput(tx_out.public_key)
    onetime_private_key = recover_onetime_private_key(
        RistrettoPublic(tx_out.public_key),
        account.view_private,
        account.subaddress_spend_private(GIFT_CODE_SUBADDRESS_INDEX),
    )
    return TxOutGiftCode(
        global_index, onetime_private_key.to_bytes(), viewed.shared_secret.to_bytes()
    )
