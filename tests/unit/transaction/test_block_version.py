import pytest

from mcnode.errors import InvalidError
from mcnode.transaction.block_version import (
    LATEST_BLOCK_VERSION,
    BlockVersion,
    UnsupportedBlockVersion,
    parse_block_version,
)

FIRST_VERSION = {
    "has_memos": 1,
    "has_masked_token_ids": 2,
    "has_mint_transactions": 2,
    "signs_extended_message_digest": 2,
    "sorts_outputs": 3,
    "mints_to_fog_addresses": 3,
    "mixes_token_ids": 3,
    "has_input_rules": 3,
    "masks_amounts_v2": 3,
    "requires_block_metadata": 3,
    "signs_tx_summary": 3,
    "has_nested_multisigs": 3,
}


def test_every_predicate_is_in_the_table():
    predicates = {n for n, p in vars(BlockVersion).items() if isinstance(p, property)}
    assert predicates == set(FIRST_VERSION)


@pytest.mark.parametrize(("predicate", "first"), FIRST_VERSION.items())
def test_features_begin_at_their_version(predicate, first):
    found = [getattr(BlockVersion(version), predicate) for version in range(5)]
    assert found == [version >= first for version in range(5)]


@pytest.mark.parametrize("value", [5, 2**32 - 1, -1])
def test_unknown_versions_are_refused(value):
    with pytest.raises(UnsupportedBlockVersion, match=f"{value}.*4") as caught:
        BlockVersion(value)
    assert (caught.value.value, caught.value.limit) == (value, 4)


def test_parsing():
    assert parse_block_version("4") == LATEST_BLOCK_VERSION
    with pytest.raises(UnsupportedBlockVersion):
        parse_block_version("5")
    for text in ("", "x", "-1", "²", "1.0", " 1"):
        with pytest.raises(InvalidError, match="not a decimal number"):
            parse_block_version(text)
