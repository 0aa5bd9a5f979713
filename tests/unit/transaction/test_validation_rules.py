"""Single rules, where a whole transaction would fail an earlier one first."""

import dataclasses

import pytest

from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import (
    InputRules,
    MaskedAmountV2,
    RingMLSAG,
    TxIn,
    TxOut,
    TxPrefix,
)
from mcnode.transaction.validation import contents, errors, structure
from mcnode.transaction.validation.input_rules import check_all_input_rules


def key(number):
    return bytes([number]) * 32


def members(*numbers):
    return tuple(TxOut(public_key=key(number)) for number in numbers)


def output(*, memo=True, token_id_length=8):
    amount = MaskedAmountV2(masked_token_id=bytes(token_id_length))
    return TxOut(amount, e_memo=bytes(66) if memo else None)


@pytest.mark.parametrize("count", [0, 1, 25, 26, 99])
def test_counts_with_another_limit(count):
    for check, none, many in (
        (structure.check_number_of_inputs, errors.NoInputs, errors.TooManyInputs),
        (structure.check_number_of_outputs, errors.NoOutputs, errors.TooManyOutputs),
    ):
        expected = none if count == 0 else many if count > 25 else None
        if expected is None:
            check((None,) * count, 25)
        else:
            with pytest.raises(expected):
                check((None,) * count, 25)


def test_ring_sizes():
    ring = members(*range(11))
    structure.check_ring_sizes([TxIn(ring), TxIn(ring)])
    with pytest.raises(errors.InsufficientRingSize, match="input 1 has 10"):
        structure.check_ring_sizes([TxIn(ring), TxIn(ring[1:])])
    with pytest.raises(errors.ExcessiveRingSize, match="input 0 has 22"):
        structure.check_ring_sizes([TxIn(ring * 2), TxIn(())])


def test_uniqueness_is_of_whole_outputs():
    first = TxIn(members(1, 2))
    other_targets = TxIn(tuple(dataclasses.replace(m, target_key=key(9)) for m in first.ring))
    structure.check_ring_elements_are_unique([first, other_targets])
    with pytest.raises(errors.DuplicateRingElements, match="input 1"):
        structure.check_ring_elements_are_unique([first, TxIn(members(2, 3))])


def test_a_ring_with_rules_is_only_compared_with_itself():
    plain, presigned = TxIn(members(1, 2)), TxIn(members(1, 2), input_rules=InputRules())
    structure.check_ring_elements_are_unique([plain, presigned, presigned])
    with pytest.raises(errors.DuplicateRingElements):
        structure.check_ring_elements_are_unique(
            [plain, TxIn(members(3, 3), input_rules=InputRules())]
        )


def test_order_of_inputs():
    structure.check_inputs_are_sorted([TxIn(members(1)), TxIn(members(2))])
    for wrong in ([2, 1], [1, 1]):
        with pytest.raises(errors.UnsortedInputs, match="input 1"):
            structure.check_inputs_are_sorted([TxIn(members(number)) for number in wrong])
    with pytest.raises(errors.UnsortedInputs, match="input 0"):
        structure.check_inputs_are_sorted([TxIn(())])


def test_order_of_outputs():
    contents.check_outputs_are_sorted(members(1, 2))
    for wrong in ((2, 1), (1, 1)):
        with pytest.raises(errors.UnsortedOutputs, match="output 1"):
            contents.check_outputs_are_sorted(members(*wrong))


def test_public_keys_compare_as_unsigned_bytes():
    contents.check_outputs_are_sorted(members(0x7F, 0x80, 0xFF))


@pytest.mark.parametrize(
    ("current", "tombstone", "error"),
    [
        (7, 7, errors.TombstoneBlockExceeded),
        (888, 7, errors.TombstoneBlockExceeded),
        (7, 8, None),
        (7, 20167, None),
        (7, 20168, errors.TombstoneBlockTooFar),
        (2**64 - 2, 2**64 - 1, errors.TombstoneBlockTooFar),
    ],
)
def test_tombstone(current, tombstone, error):
    if error is None:
        contents.check_tombstone(current, tombstone)
    else:
        with pytest.raises(error, match=str(tombstone)):
            contents.check_tombstone(current, tombstone)


@pytest.mark.parametrize(
    ("version", "given", "error"),
    [
        (0, {"memo": False, "token_id_length": 0}, None),
        (0, {"memo": True, "token_id_length": 0}, errors.MemosNotAllowed),
        (0, {"memo": False, "token_id_length": 8}, errors.MaskedTokenIdNotAllowed),
        (1, {"memo": True, "token_id_length": 0}, None),
        (1, {"memo": False, "token_id_length": 0}, errors.MissingMemo),
        (1, {"memo": True, "token_id_length": 8}, errors.MaskedTokenIdNotAllowed),
        (2, {"memo": True, "token_id_length": 8}, None),
        (2, {"memo": True, "token_id_length": 0}, errors.MissingMaskedTokenId),
        (4, {"memo": True, "token_id_length": 7}, errors.MissingMaskedTokenId),
        (4, {"memo": False, "token_id_length": 7}, errors.MissingMemo),
    ],
)
def test_form_of_outputs(version, given, error):
    check = contents.check_outputs_fit_block_version
    if error is None:
        check([output(**given)] * 2, BlockVersion(version))
    else:
        with pytest.raises(error, match="output 0"):
            check([output(**given)], BlockVersion(version))


def test_first_output_is_judged_wholly_before_the_second():
    bad_token, bad_memo = output(token_id_length=0), output(memo=False)
    with pytest.raises(errors.MissingMaskedTokenId, match="output 0"):
        contents.check_outputs_fit_block_version([bad_token, bad_memo], BlockVersion(4))


def test_uniqueness_of_key_images_and_public_keys():
    contents.check_key_images_are_unique([RingMLSAG(key_image=key(1)), RingMLSAG(key_image=key(2))])
    with pytest.raises(errors.DuplicateKeyImages, match="0101"):
        contents.check_key_images_are_unique([RingMLSAG(key_image=key(1))] * 2)
    contents.check_output_public_keys_are_unique(members(1, 2))
    with pytest.raises(errors.DuplicateOutputPublicKey, match="0101"):
        contents.check_output_public_keys_are_unique(members(1, 1))


def test_amounts_of_ring_members_must_exist():
    with pytest.raises(errors.UnknownMaskedAmountVersion, match="ring of input 0"):
        contents.check_masked_amounts_exist([TxIn(members(1))], [])
    with pytest.raises(errors.UnknownMaskedAmountVersion, match="output 1"):
        contents.check_masked_amounts_exist([], [output(), TxOut()])


def test_input_rules_need_version_3():
    prefix = TxPrefix(inputs=(TxIn(), TxIn(input_rules=InputRules())))
    with pytest.raises(errors.InputRulesNotAllowed, match="input 1"):
        check_all_input_rules(prefix, BlockVersion(2))
    check_all_input_rules(prefix, BlockVersion(3))
