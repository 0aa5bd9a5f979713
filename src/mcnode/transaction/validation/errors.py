"""One class for each rule that validation checks. [docs/protocol/transaction.md#8.2]

The class names are the network's own; the consensus API maps them to its result codes.
"""

from mcnode.transaction.constants import (
    MAX_INPUTS,
    MAX_OUTPUTS,
    MAX_TOMBSTONE_BLOCKS,
    RING_SIZE,
    TOKEN_ID_LENGTH,
)
from mcnode.transaction.errors import TransactionError


class TransactionValidationError(TransactionError):
    """A transaction may not enter the ledger."""


class NoInputs(TransactionValidationError):
    """There is nothing to spend."""

    def __init__(self) -> None:
        super().__init__("transaction has 0 inputs, needs at least 1")


class TooManyInputs(TransactionValidationError):
    """There are more than 16 inputs."""

    def __init__(self, count: int) -> None:
        super().__init__(f"transaction has {count} inputs, limit {MAX_INPUTS}")
        self.count = count


class NoOutputs(TransactionValidationError):
    """There is nobody to pay."""

    def __init__(self) -> None:
        super().__init__("transaction has 0 outputs, needs at least 1")


class TooManyOutputs(TransactionValidationError):
    """There are more than 16 outputs."""

    def __init__(self, count: int) -> None:
        super().__init__(f"transaction has {count} outputs, limit {MAX_OUTPUTS}")
        self.count = count


class InsufficientRingSize(TransactionValidationError):
    """A ring has less than 11 members."""

    def __init__(self, input_index: int, count: int) -> None:
        super().__init__(f"ring of input {input_index} has {count} members, needs {RING_SIZE}")
        self.count = count


class ExcessiveRingSize(TransactionValidationError):
    """A ring has more than 11 members."""

    def __init__(self, input_index: int, count: int) -> None:
        super().__init__(f"ring of input {input_index} has {count} members, limit {RING_SIZE}")
        self.count = count


class DuplicateRingElements(TransactionValidationError):
    """An output occurs twice where it may occur once."""

    def __init__(self, input_index: int, member_index: int) -> None:
        super().__init__(
            f"member {member_index} of the ring of input {input_index} occurs a second time"
        )


class UnsortedRingElements(TransactionValidationError):
    """The members of a ring do not ascend by public key."""

    def __init__(self, input_index: int, member_index: int) -> None:
        super().__init__(
            f"members do not ascend by public key at member {member_index} of the ring of input "
            f"{input_index}"
        )


class UnsortedInputs(TransactionValidationError):
    """The inputs do not ascend by the public key of their first ring members."""

    def __init__(self, input_index: int) -> None:
        super().__init__(f"inputs do not ascend by first public key at input {input_index}")


class UnsortedOutputs(TransactionValidationError):
    """The outputs do not ascend by public key."""

    def __init__(self, output_index: int) -> None:
        super().__init__(f"outputs do not ascend by public key at output {output_index}")


class MissingTxOutMembershipProof(TransactionValidationError):
    """An input has another number of proofs than of ring members."""

    def __init__(self, input_index: int, found: int, expected: int) -> None:
        super().__init__(
            f"input {input_index} has {found} membership proofs for {expected} ring members"
        )


class InvalidLedgerContext(TransactionValidationError):
    """The root proofs that the ledger gave are of no use; the transaction is not to blame."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"root proofs from the ledger cannot be used: {reason}")


class MembershipProofValidationError(TransactionValidationError):
    """A membership proof does not hang together; `place` names it: input and ring member."""

    def __init__(self, reason: Exception, place: str) -> None:
        super().__init__(f"membership proof is not sound: {place}: {reason}")
        self.reason = reason


class InvalidTxOutMembershipProof(TransactionValidationError):
    """A membership proof leads to another root than the ledger's; `place` names it."""

    def __init__(self, reason: Exception, place: str) -> None:
        super().__init__(f"membership proof is not of this ledger: {place}: {reason}")
        self.reason = reason


class UnknownMaskedAmountVersion(TransactionValidationError):
    """An output has no masked amount of a known version."""

    def __init__(self, where: str) -> None:
        super().__init__(f"no masked amount of a known version in {where}")


class InvalidTransactionSignature(TransactionValidationError):
    """A ring signature, a range proof or the balance is wrong."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"transaction signature is not valid: {reason}", reason)
        self.reason = reason


class TxFeeError(TransactionValidationError):
    """The fee is below the token's minimum."""

    def __init__(self, fee: int, minimum_fee: int) -> None:
        super().__init__(f"fee is {fee}, needs at least {minimum_fee}")
        self.fee = fee
        self.minimum_fee = minimum_fee


class DuplicateKeyImages(TransactionValidationError):
    """Two inputs spend the same output."""

    def __init__(self, key_image: bytes) -> None:
        super().__init__(f"key image occurs twice: {key_image.hex()}")


class DuplicateOutputPublicKey(TransactionValidationError):
    """Two outputs have the same public key."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"output public key occurs twice: {public_key.hex()}")


class TombstoneBlockExceeded(TransactionValidationError):
    """The tombstone block has been reached."""

    def __init__(self, tombstone_block: int, current_block_index: int) -> None:
        super().__init__(
            f"tombstone block is {tombstone_block}, must be above {current_block_index}"
        )
        self.tombstone_block = tombstone_block
        self.current_block_index = current_block_index


class TombstoneBlockTooFar(TransactionValidationError):
    """The tombstone block is more than 20,160 blocks ahead."""

    def __init__(self, tombstone_block: int, current_block_index: int) -> None:
        super().__init__(
            f"tombstone block is {tombstone_block}, limit "
            f"{current_block_index + MAX_TOMBSTONE_BLOCKS}"
        )
        self.tombstone_block = tombstone_block
        self.current_block_index = current_block_index


class MissingMemo(TransactionValidationError):
    """An output lacks the memo that its block version asks for."""

    def __init__(self, output_index: int) -> None:
        super().__init__(f"no memo in output {output_index}")


class MemosNotAllowed(TransactionValidationError):
    """An output has a memo below block version 1."""

    def __init__(self, output_index: int) -> None:
        super().__init__(f"memos need block version 1, found one in output {output_index}")


class MissingMaskedTokenId(TransactionValidationError):
    """An output's masked token id is not 8 bytes."""

    def __init__(self, output_index: int, length: int) -> None:
        super().__init__(
            f"masked token id of output {output_index} has {length} bytes, needs {TOKEN_ID_LENGTH}"
        )


class MaskedTokenIdNotAllowed(TransactionValidationError):
    """An output has a masked token id below block version 2."""

    def __init__(self, output_index: int, length: int) -> None:
        super().__init__(f"masked token id of output {output_index} has {length} bytes, limit 0")


class InputRulesNotAllowed(TransactionValidationError):
    """An input has rules below block version 3."""

    def __init__(self, input_index: int) -> None:
        super().__init__(f"input rules need block version 3, found some at input {input_index}")


class InputRule(TransactionValidationError):
    """The rules of an input are broken."""

    def __init__(self, reason: Exception, input_index: int) -> None:
        super().__init__(f"a rule of input {input_index} is broken: {reason}", reason)
        self.reason = reason


class TokenNotYetConfigured(TransactionValidationError):
    """A token has no minimum fee yet."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"token has no minimum fee: {token_id}")
        self.token_id = token_id


class ContainsSpentKeyImage(TransactionValidationError):
    """An input is spent already."""

    def __init__(self, key_image: bytes) -> None:
        super().__init__(f"key image is in the ledger already: {key_image.hex()}")
        self.key_image = key_image


class ContainsExistingOutputPublicKey(TransactionValidationError):
    """An output's public key is in use already."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"output public key is in the ledger already: {public_key.hex()}")
        self.public_key = public_key


class LedgerTxOutIndexOutOfBounds(TransactionValidationError):
    """A membership proof is from a longer ledger."""

    def __init__(self, index: int) -> None:
        super().__init__(f"output is not in the ledger: index {index}", index)
        self.index = index


class Ledger(TransactionValidationError):
    """The ledger could not be read, or its block version is unknown."""

    def __init__(self, text: str) -> None:
        super().__init__(f"ledger: {text}", f'"{text}"')
        self.text = text
