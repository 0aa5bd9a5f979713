import pytest

from mcnode.transaction.fee_map import (
    FeeMap,
    InvalidFeeNotDivisible,
    InvalidFeeTooSmall,
    MissingFee,
)


def test_default_and_order():
    assert dict(FeeMap()) == {0: 400_000_000}
    assert list(FeeMap({2: 256, 0: 128})) == [0, 2]
    assert FeeMap({2: 256, 0: 128}) == {0: 128, 2: 256}
    assert hash(FeeMap()) == hash(FeeMap({0: 400_000_000}))


def test_digest_depends_on_every_entry():
    digests = {FeeMap(fees).canonical_digest() for fees in ({0: 128}, {0: 256}, {0: 128, 1: 128})}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("fees", "error"),
    [
        ({}, MissingFee),
        ({2: 1024}, MissingFee),
        ({0: 10}, InvalidFeeTooSmall),
        ({0: 127}, InvalidFeeTooSmall),
        ({0: 1024, 2: 0}, InvalidFeeTooSmall),
        ({0: 1024, 2: 80001}, InvalidFeeNotDivisible),
        ({0: 129, 5: 1}, InvalidFeeTooSmall),
        ({4: 129}, InvalidFeeNotDivisible),
    ],
)
def test_first_broken_rule_decides(fees, error):
    with pytest.raises(error):
        FeeMap(fees)


def test_empty_map_is_not_the_default():
    with pytest.raises(MissingFee, match="token 0"):
        FeeMap({})
