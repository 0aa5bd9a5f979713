"""All rules of a transaction, in the network's order. [docs/protocol/transaction.md#8]

`validate` makes these checks one after the other; `mcnode tx explain` shows them.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Final

from mcnode.crypto.known_points import KnownPoints
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.checks import Check
from mcnode.transaction.constants import (
    MAX_INPUTS,
    MAX_OUTPUTS,
    MAX_TOMBSTONE_BLOCKS,
    RING_SIZE,
)
from mcnode.transaction.messages import Tx, TxOutMembershipProof, TxPrefix
from mcnode.transaction.ring_ct.errors import RingCtError
from mcnode.transaction.ring_ct.verification import (
    RANGE_PROOFS,
    SIGNATURE_CHECKS,
    SignatureSubject,
)
from mcnode.transaction.validation.contents import (
    check_fee,
    check_key_images_are_unique,
    check_masked_amounts_exist,
    check_output_public_keys_are_unique,
    check_outputs_are_sorted,
    check_outputs_fit_block_version,
    check_tombstone,
)
from mcnode.transaction.validation.errors import InvalidTransactionSignature
from mcnode.transaction.validation.input_rules import check_all_input_rules
from mcnode.transaction.validation.membership import check_membership_proofs
from mcnode.transaction.validation.structure import (
    check_inputs_are_sorted,
    check_number_of_inputs,
    check_number_of_outputs,
    check_ring_elements_are_sorted,
    check_ring_elements_are_unique,
    check_ring_sizes,
)


@dataclasses.dataclass
class ValidationSubject:
    """A transaction and its surroundings; None stands for what is not known of these.

    `validate` knows all of them; whoever only explains a transaction may not.
    """

    tx: Tx
    block_version: BlockVersion
    current_block_index: int | None
    """Index of the block being built."""
    root_proofs: Sequence[TxOutMembershipProof] | None
    """The ledger's current proofs of `membership_proof_highest_indices(tx)`, in that order."""
    minimum_fee: int | None
    """In the smallest unit of the fee token."""
    signature_is_checked: bool = False
    """The same bytes passed the signature checks at this block version before."""
    known: KnownPoints | None = None
    """Points of the transactions that are judged together."""

    @functools.cached_property
    def signature(self) -> SignatureSubject:
        """The part that the signature checks look at."""
        return SignatureSubject(self.tx, self.block_version, self.known)

    @property
    def prefix(self) -> TxPrefix:
        """What is signed."""
        return self.tx.prefix


def _check_membership(subject: ValidationSubject) -> None:
    assert subject.root_proofs is not None
    check_membership_proofs(subject.prefix.inputs, subject.root_proofs)


def _check_fee(subject: ValidationSubject) -> None:
    assert subject.minimum_fee is not None
    check_fee(subject.prefix.fee, subject.minimum_fee)


def _check_tombstone(subject: ValidationSubject) -> None:
    assert subject.current_block_index is not None
    check_tombstone(subject.current_block_index, subject.prefix.tombstone_block)


def _check_outputs_are_sorted(subject: ValidationSubject) -> None:
    if subject.block_version.sorts_outputs:
        check_outputs_are_sorted(subject.prefix.outputs)


_AMOUNTS = "masked amounts exist"


def _in_transaction(check: Check[SignatureSubject]) -> Check[ValidationSubject]:
    """A check of the signature as one of the transaction."""

    def run(subject: ValidationSubject) -> None:
        if subject.signature_is_checked:
            return
        try:
            check.run(subject.signature)
        except RingCtError as error:
            raise InvalidTransactionSignature(error) from error

    return Check(
        _PREFIX + check.name,
        run,
        lambda subject: check.values(subject.signature),
        needs=(_AMOUNTS, *(_PREFIX + name for name in check.needs)),
    )


_PREFIX = "signature: "

_FORM: Final[tuple[Check[ValidationSubject], ...]] = (
    Check(
        "number of inputs",
        lambda s: check_number_of_inputs(s.prefix.inputs),
        lambda s: f"{len(s.prefix.inputs)}, must be 1 to {MAX_INPUTS}",
    ),
    Check(
        "number of outputs",
        lambda s: check_number_of_outputs(s.prefix.outputs),
        lambda s: f"{len(s.prefix.outputs)}, must be 1 to {MAX_OUTPUTS}",
    ),
    Check(
        "ring sizes",
        lambda s: check_ring_sizes(s.prefix.inputs),
        lambda s: f"{[len(tx_in.ring) for tx_in in s.prefix.inputs]}, must be {RING_SIZE}",
    ),
    Check(
        "ring members differ from each other",
        lambda s: check_ring_elements_are_unique(s.prefix.inputs),
        lambda s: f"{sum(len(tx_in.ring) for tx_in in s.prefix.inputs)} members",
    ),
    Check(
        "order of ring members",
        lambda s: check_ring_elements_are_sorted(s.prefix.inputs),
        lambda s: "must ascend by public key",
    ),
    Check(
        "order of inputs",
        lambda s: check_inputs_are_sorted(s.prefix.inputs),
        lambda s: "must ascend by the public key of the first member",
    ),
)

_MEMBERSHIP: Final[Check[ValidationSubject]] = Check(
    "membership proofs",
    _check_membership,
    lambda s: (
        f"{sum(len(tx_in.proofs) for tx_in in s.prefix.inputs)} proofs, "
        f"{len(s.root_proofs or ())} root proofs"
    ),
    knows="root_proofs",
)

_CONTENTS: Final[tuple[Check[ValidationSubject], ...]] = (
    Check(
        _AMOUNTS,
        lambda s: check_masked_amounts_exist(s.prefix.inputs, s.prefix.outputs),
        lambda s: "in every ring member and output",
    ),
    *map(_in_transaction, SIGNATURE_CHECKS),
    Check(
        "fee",
        _check_fee,
        lambda s: f"{s.prefix.fee}, minimum {s.minimum_fee}, token {s.prefix.fee_token_id}",
        knows="minimum_fee",
    ),
    Check(
        "key images differ",
        lambda s: check_key_images_are_unique(s.tx.signature.ring_signatures),
        lambda s: f"{len(s.tx.signature.ring_signatures)} key images",
    ),
    Check(
        "output public keys differ",
        lambda s: check_output_public_keys_are_unique(s.prefix.outputs),
        lambda s: f"{len(s.prefix.outputs)} public keys",
    ),
    Check(
        "tombstone block",
        _check_tombstone,
        lambda s: (
            f"{s.prefix.tombstone_block}, must be above {s.current_block_index}, at most "
            f"{MAX_TOMBSTONE_BLOCKS} above"
        ),
        knows="current_block_index",
    ),
    Check(
        "memos and token ids of outputs",
        lambda s: check_outputs_fit_block_version(s.prefix.outputs, s.block_version),
        lambda s: (
            f"memos {'required' if s.block_version.has_memos else 'not allowed'}, token ids "
            f"{'required' if s.block_version.has_masked_token_ids else 'not allowed'} at block "
            f"version {s.block_version}"
        ),
    ),
    Check(
        "order of outputs",
        _check_outputs_are_sorted,
        lambda s: (
            "must ascend by public key"
            if s.block_version.sorts_outputs
            else f"free at block version {s.block_version}"
        ),
    ),
    Check(
        "input rules",
        lambda s: check_all_input_rules(s.prefix, s.block_version),
        lambda s: (
            f"{sum(tx_in.input_rules is not None for tx_in in s.prefix.inputs)} of "
            f"{len(s.prefix.inputs)} inputs have rules, "
            f"{'allowed' if s.block_version.has_input_rules else 'not allowed'} at block version "
            f"{s.block_version}"
        ),
    ),
)

CHECKS: Final[tuple[Check[ValidationSubject], ...]] = (*_FORM, _MEMBERSHIP, *_CONTENTS)
"""Every check of `validate`, in the order that decides which error a bad transaction gets."""

SHARED_FROM: Final = next(
    place for place, check in enumerate(CHECKS) if check.name == _PREFIX + RANGE_PROOFS
)
"""Where the check stands whose work several transactions can share."""
