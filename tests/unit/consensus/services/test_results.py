"""The table from our errors to result codes and statuses, whole."""

import pytest

from mcnode.api.gen.consensus_client_pb2 import MintValidationResultCode
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.consensus.services.results import (
    mint_validation_result,
    not_serving,
    over_capacity,
    peer_tx_propose_status,
    propose_tx_result,
)
from mcnode.enclave.errors import CacheCipher, Cipher, EnclaveGoneError, MalformedTx, NotFound
from mcnode.errors import InvalidError
from mcnode.transaction import input_rules
from mcnode.transaction.input_rules import InputRuleError
from mcnode.transaction.mint.errors import MintValidationError
from mcnode.transaction.revealed_tx_out import (
    InvalidAmountSharedSecret,
    RevealedAmountError,
    RevealedTxOutConversion,
)
from mcnode.transaction.validation.errors import (
    InputRule,
    TransactionValidationError,
)


def without_init(cls: type) -> Exception:
    """An error of a class, whatever its arguments are."""
    error = cls.__new__(cls)
    error.parts = ()
    return error


@pytest.mark.parametrize(
    "cls", [cls for cls in TransactionValidationError.__subclasses__() if cls is not InputRule]
)
def test_every_transaction_rule_has_its_code(cls) -> None:
    code = propose_tx_result(without_init(cls))
    assert ProposeTxResult.Name(code) == cls.__name__


PARTIAL_FILL = {
    "PartialFillOutputsNotExpected",
    "MinPartialFillValueNotExpected",
    "MissingFractionalChangeOutput",
    "MissingFractionalOutput",
    "FractionalOutputTokenIdMismatch",
    "ZeroPartialFillChange",
    "MinPartialFillValueExceedsPartialFillChange",
    "FractionalOutputAmountDoesNotRespectFillFraction",
    "FractionalChangeOutputAmountExceedsLimit",
}
OTHERS = {
    "MissingRequiredOutput": ProposeTxResult.InputRuleMissingRequiredOutput,
    "MaxTombstoneBlockExceeded": ProposeTxResult.InputRuleMaxTombstoneBlockExceeded,
}
RULES = {cls.name or cls.__name__: cls for cls in InputRuleError.__subclasses__()}


def test_all_input_rules_are_known() -> None:
    assert set(RULES) == PARTIAL_FILL | set(OTHERS) | {"RevealedTxOut"}


@pytest.mark.parametrize("name", sorted(PARTIAL_FILL | set(OTHERS)))
def test_every_input_rule_has_its_code(name) -> None:
    error = without_init(InputRule)
    error.reason = without_init(RULES[name])
    expected = OTHERS.get(name, ProposeTxResult.InputRulePartialFill)
    assert propose_tx_result(error) == expected
    assert propose_tx_result(MalformedTx(error)) == expected


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (InvalidAmountSharedSecret, ProposeTxResult.InputRuleInvalidAmountSharedSecret),
        (RevealedTxOutConversion, ProposeTxResult.InputRuleTxOutConversion),
        (RevealedAmountError, ProposeTxResult.InputRuleAmount),
    ],
)
def test_an_output_that_cannot_be_revealed_says_why(cls, expected) -> None:
    error = without_init(InputRule)
    error.reason = without_init(input_rules.RevealedTxOutInRule)
    error.reason.reason = without_init(cls)
    assert propose_tx_result(error) == expected


def test_what_is_no_rule_has_no_code() -> None:
    assert propose_tx_result(InvalidError("something else")) is None


@pytest.mark.parametrize("cls", MintValidationError.__subclasses__())
def test_every_minting_rule_has_its_code(cls) -> None:
    error = without_init(cls)
    error.block_version, error.token_id, error.length = 2, 3, 4
    code = mint_validation_result(error).code
    assert MintValidationResultCode.Name(code) == (cls.name or cls.__name__)


def test_errors_are_not_shared_between_calls() -> None:
    assert over_capacity() is not over_capacity()
    assert not_serving() is not not_serving()


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            NotFound("session"),
            "PERMISSION_DENIED",
            "peer_tx_propose: Enclave-related error "
            "`Attested AKE error: Connection not found by node ID or session`.",
        ),
        (
            Cipher("does not decrypt"),
            "PERMISSION_DENIED",
            "peer_tx_propose: Enclave-related error `does not decrypt`.",
        ),
        (CacheCipher("not ours"), "INTERNAL", "peer_tx_propose: not ours"),
        (EnclaveGoneError("gone"), "INTERNAL", "peer_tx_propose: gone"),
    ],
)
def test_statuses_of_a_peers_proposal(error, status, text) -> None:
    made = peer_tx_propose_status(error)
    assert (made.code.name, made.message) == (status, text)
