"""The growing root equals the recorded one at every size."""

from mcnode.ledger.db import LedgerDB
from mcnode.ledger.output_tree import OutputTree
from mcnode.transaction.membership_proof import leaf_hash


def test_the_root_at_every_size(ledger: LedgerDB, chain):
    tree = OutputTree()
    assert tree.root_element() is None
    for block_data in chain.blocks(40):
        ledger.append_block_data(block_data)
        for tx_out in block_data.contents.outputs:
            tree.append(leaf_hash(tx_out))
        assert tree.root_element() == ledger.get_root_tx_out_membership_element()
    assert tree.num_leaves == 40
