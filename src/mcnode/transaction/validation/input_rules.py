"""Rules of inputs, by block version. [docs/protocol/transaction.md#8] rule 17"""

from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.input_rules import InputRuleError, check_input_rules
from mcnode.transaction.messages import TxPrefix
from mcnode.transaction.validation.errors import InputRule, InputRulesNotAllowed


def check_all_input_rules(prefix: TxPrefix, block_version: BlockVersion) -> None:
    """Check the rules of every input in turn.

    Raises:
        InputRulesNotAllowed: some input has rules below block version 3.
        InputRule: a rule is broken; carries which.
    """
    for input_index, tx_in in enumerate(prefix.inputs):
        if tx_in.input_rules is None:
            continue
        if not block_version.has_input_rules:
            raise InputRulesNotAllowed(input_index)
        try:
            check_input_rules(tx_in.input_rules, prefix)
        except InputRuleError as error:
            raise InputRule(error, input_index) from error
