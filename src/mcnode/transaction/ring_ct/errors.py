"""Why the signature part of a transaction is refused, or cannot be made.

[docs/protocol/transaction.md#6.4]
"""

from mcnode.transaction.errors import TransactionError


class RingCtError(TransactionError):
    """A rule about ring signatures, range proofs or balance is broken."""


class LengthMismatch(RingCtError):
    """There are not as many parts of the signature as inputs."""

    def __init__(self, what: str, expected: int, found: int) -> None:
        super().__init__(f"{found} {what} for {expected} inputs", expected, found)


class IndexOutOfBounds(RingCtError):
    """The real input lies outside its ring."""

    def __init__(self, index: int, ring_size: int) -> None:
        super().__init__(f"real input is member {index} of a ring of {ring_size}")


class NoInputs(RingCtError):
    """There is nothing to sign."""

    def __init__(self) -> None:
        super().__init__("no rings to sign, needs at least 1")


class InvalidRingSize(RingCtError):
    """A ring is empty, or of another size than the first."""

    def __init__(self, count: int) -> None:
        super().__init__(f"ring has {count} members", count)


class DuplicateKeyImage(RingCtError):
    """Two inputs spend the same output."""

    def __init__(self, key_image: bytes) -> None:
        super().__init__(f"key image occurs twice: {key_image.hex()}")


class ValueNotConserved(RingCtError):
    """Outputs and fee are not worth what the inputs are."""

    def __init__(self) -> None:
        super().__init__("outputs and fee are not worth what the inputs are")


class RangeProof(RingCtError):
    """The range proof of a token's values does not verify."""

    def __init__(self, reason: Exception, network_text: str, token_id: int) -> None:
        super().__init__(
            f"range proof of token {token_id} does not verify: {reason}", f'"{network_text}"'
        )
        self.reason = reason


class RangeProofDeserialization(RingCtError):
    """The bytes of the range proof of a token's values have no such form."""

    def __init__(self, reason: Exception, token_id: int) -> None:
        super().__init__(f"range proof of token {token_id} cannot be read: {reason}")
        self.reason = reason


class TokenIdNotAllowed(RingCtError):
    """A token other than 0 is used below block version 2."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"token ids need block version 2, found {token_id}")


class MissingPseudoOutputTokenIds(RingCtError):
    """There are not as many pseudo-output token ids as pseudo-outputs."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"{found} pseudo-output token ids for {expected} pseudo-outputs")


class MissingOutputTokenIds(RingCtError):
    """There are not as many output token ids as outputs."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"{found} output token ids for {expected} outputs")


class PseudoOutputTokenIdsNotAllowed(RingCtError):
    """Pseudo-output token ids are given below block version 3."""

    def __init__(self, count: int) -> None:
        super().__init__(f"pseudo-output token ids need block version 3, found {count}")


class OutputTokenIdsNotAllowed(RingCtError):
    """Output token ids are given below block version 3."""

    def __init__(self, count: int) -> None:
        super().__init__(f"output token ids need block version 3, found {count}")


class MixedTransactionsNotAllowed(RingCtError):
    """A token other than that of the fee is used below block version 3."""

    def __init__(self, token_id: int, fee_token_id: int) -> None:
        super().__init__(f"token id is {token_id}, below block version 3 must be {fee_token_id}")


class TooManyRangeProofs(RingCtError):
    """Range proofs by token are given below block version 3."""

    def __init__(self, count: int) -> None:
        super().__init__(f"range proofs by token need block version 3, found {count}")


class UnexpectedRangeProof(RingCtError):
    """A single range proof is given from block version 3."""

    def __init__(self, length: int) -> None:
        super().__init__(f"single range proof has {length} bytes, limit 0 from block version 3")


class MissingRangeProofs(RingCtError):
    """There are not as many range proofs as tokens."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"{found} range proofs for {expected} tokens", expected, found)


class NoCommitmentsForTokenId(RingCtError):
    """A token is named but nothing is moved in it."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"nothing is moved in token {token_id}", f"TokenId({token_id})")


class AllRingsPresigned(RingCtError):
    """Every input has rules, so nobody has signed the transaction as a whole."""

    def __init__(self) -> None:
        super().__init__("every input has rules, needs at least 1 without")


class SignedInputRulesNotAllowed(RingCtError):
    """A presigned input is used below block version 3."""

    def __init__(self) -> None:
        super().__init__("presigned inputs need block version 3")


class RingSignature(RingCtError):
    """A ring signature does not verify, or a point of it is none; `place` names the input."""

    def __init__(self, reason: Exception, place: str = "") -> None:
        super().__init__(f"ring signature{place and f' of {place}'}: {reason}", reason)
        self.reason = reason


class Signer(RingCtError):
    """The holder of the keys refused to sign."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"signer: {reason}", reason)
        self.reason = reason
