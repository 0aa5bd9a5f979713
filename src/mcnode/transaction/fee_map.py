"""The minimum fee of each token that may pay fees. [docs/protocol/transaction.md#7]"""

from collections.abc import Iterator, Mapping

from mcnode.codec.digest import digest32
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, SMALLEST_MINIMUM_FEE_LOG2
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.messages import TokenFee, TokenFees

_SMALLEST_MINIMUM_FEE = 1 << SMALLEST_MINIMUM_FEE_LOG2


class FeeMapError(TransactionError):
    """A map of minimum fees breaks a rule."""


class InvalidFeeTooSmall(FeeMapError):
    """A minimum fee is below 128 units."""

    def __init__(self, token_id: int, fee: int) -> None:
        super().__init__(
            f"minimum fee of token {token_id} is {fee}, must be at least {_SMALLEST_MINIMUM_FEE}",
            f"TokenId({token_id})",
            fee,
        )
        self.token_id = token_id
        self.fee = fee


class InvalidFeeNotDivisible(FeeMapError):
    """A minimum fee is no multiple of 128 units."""

    def __init__(self, token_id: int, fee: int) -> None:
        super().__init__(
            f"minimum fee of token {token_id} is {fee}, must be a multiple of "
            f"{_SMALLEST_MINIMUM_FEE}",
            f"TokenId({token_id})",
            fee,
        )
        self.token_id = token_id
        self.fee = fee


class MissingFee(FeeMapError):
    """The map has no fee for token 0."""

    def __init__(self, token_id: int) -> None:
        super().__init__(f"no minimum fee for token {token_id}", f"TokenId({token_id})")
        self.token_id = token_id


class FeeMap(Mapping[int, int]):
    """Token id to minimum fee in the token's smallest unit, by ascending token id.

    Without an argument: token 0 at 400,000,000.

    Raises:
        FeeMapError: one class per rule; the first rule that some entry breaks decides.
    """

    __slots__ = ("_digest", "_fees")

    def __init__(self, fees: Mapping[int, int] | None = None) -> None:
        chosen = {MOB: MINIMUM_FEE_MOB} if fees is None else fees
        self._fees = dict(sorted(chosen.items()))
        check_fees(self._fees)
        self._digest: bytes | None = None

    def __getitem__(self, token_id: int) -> int:
        return self._fees[token_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._fees)

    def __len__(self) -> int:
        return len(self._fees)

    def __hash__(self) -> int:
        return hash(tuple(self._fees.items()))

    def __repr__(self) -> str:
        return f"FeeMap({self._fees})"

    def canonical_digest(self) -> bytes:
        """32 bytes that a transaction may carry to say which fees its sender assumed."""
        if self._digest is None:
            entries = tuple(TokenFee(token_id, fee) for token_id, fee in self._fees.items())
            self._digest = digest32("mc-fee-map", TokenFees(entries))
        return self._digest


def check_fees(fees: Mapping[int, int]) -> None:
    """Check minimum fees, given by ascending token id.

    Raises:
        InvalidFeeTooSmall: some fee is below 128.
        InvalidFeeNotDivisible: some fee is no multiple of 128.
        MissingFee: token 0 has none.
    """
    for token_id, fee in fees.items():
        if fee < _SMALLEST_MINIMUM_FEE:
            raise InvalidFeeTooSmall(token_id, fee)
    for token_id, fee in fees.items():
        if fee % _SMALLEST_MINIMUM_FEE != 0:
            raise InvalidFeeNotDivisible(token_id, fee)
    if MOB not in fees:
        raise MissingFee(MOB)
