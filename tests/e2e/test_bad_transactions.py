"""Transactions that break a rule, handed to a running node by an attested wallet.

Each gets the network's own result code with a text, is forgotten at once, and leaves the output
that it would have spent free for an honest payment.
"""

import dataclasses

import pytest

from mcnode.connection.errors import TxRefused
from mcnode.crypto.commitment import check_balance
from mcnode.transaction.constants import MAX_TOMBSTONE_BLOCKS, MINIMUM_FEE_MOB, RING_SIZE
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.tx_out import commitment_of
from support.forgery import flip_bit, sign_unbalanced, with_input_proofs, with_signature
from support.world import ONE_MOB


@pytest.fixture(scope="module")
def node(make_module_node):
    return make_module_node().start_and_serve()


@pytest.fixture(scope="module")
def purse(world):
    return world.purse()


def bad_range_proof(purse, output):
    tx = purse.payment(output)
    return with_signature(tx, range_proofs=(flip_bit(tx.signature.range_proofs[0], 40),))


def short_range_proof(purse, output):
    tx = purse.payment(output)
    return with_signature(tx, range_proofs=(tx.signature.range_proofs[0][:-1],))


def bad_ring_signature(purse, output):
    tx = purse.payment(output)
    [ring] = tx.signature.ring_signatures
    swapped = (ring.responses[1], ring.responses[0], *ring.responses[2:])
    return with_signature(tx, ring_signatures=(dataclasses.replace(ring, responses=swapped),))


def no_ring_signature(purse, output):
    return with_signature(purse.payment(output), ring_signatures=())


def bad_membership_proof(purse, output):
    def spoil(proof):
        leaf, sibling, *others = proof.elements
        sibling = dataclasses.replace(sibling, hash=flip_bit(sibling.hash))
        return dataclasses.replace(proof, elements=(leaf, sibling, *others))

    return with_input_proofs(purse.payment(output), spoil)


def proofs_of_a_longer_ledger(purse, output):
    tx = purse.payment(output)
    return with_input_proofs(tx, lambda p: dataclasses.replace(p, highest_index=1_000_000))


def value_from_nothing(purse, output):
    """The outputs are worth more than the input, openly."""
    return sign_unbalanced(purse, output, [output.value + ONE_MOB, ONE_MOB])


def negative_value(purse, output):
    """Less than nothing in one output makes up for too much in the other: the sums do balance."""
    debt = ONE_MOB + MINIMUM_FEE_MOB
    tx = sign_unbalanced(purse, output, [output.value + ONE_MOB, 2**64 - debt], debt=debt)
    check_balance(
        tx.signature.pseudo_output_commitments,
        [commitment_of(tx_out) for tx_out in tx.prefix.outputs],
        MINIMUM_FEE_MOB,
        0,
    )
    return tx


def other_minimum_fees(purse, output):
    builder = purse.builder(output)
    builder.set_fee_map(FeeMap({0: 2 * MINIMUM_FEE_MOB}))
    return builder.build()


BROKEN = {
    "ring of 10": (
        lambda p, o: p.payment(o, ring_size=RING_SIZE - 1),
        "InsufficientRingSize",
    ),
    "ring of 12": (lambda p, o: p.payment(o, ring_size=RING_SIZE + 1), "ExcessiveRingSize"),
    "fee too low": (lambda p, o: p.payment(o, fee=MINIMUM_FEE_MOB - 1), "TxFeeError"),
    "no fee": (lambda p, o: p.payment(o, fee=0), "TxFeeError"),
    "tombstone 0": (lambda p, o: p.payment(o, tombstone=0), "TombstoneBlockExceeded"),
    "tombstone never": (
        lambda p, o: p.payment(o, tombstone=2**64 - 1),
        "TombstoneBlockTooFar",
    ),
    "range proof altered": (bad_range_proof, "InvalidTransactionSignature"),
    "range proof cut": (short_range_proof, "InvalidTransactionSignature"),
    "ring signature altered": (bad_ring_signature, "InvalidTransactionSignature"),
    "ring signature left out": (no_ring_signature, "InvalidTransactionSignature"),
    "membership proof altered": (bad_membership_proof, "InvalidTxOutMembershipProof"),
    "membership proof of another ledger": (
        proofs_of_a_longer_ledger,
        "LedgerTxOutIndexOutOfBounds",
    ),
    "value from nothing": (value_from_nothing, "InvalidTransactionSignature"),
    "negative value": (negative_value, "InvalidTransactionSignature"),
    "other minimum fees": (other_minimum_fees, "FeeMapDigestMismatch"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_transaction(node, purse, name):
    make, result = BROKEN[name]
    output, height = purse.take(), node.block_count()
    with pytest.raises(TxRefused) as caught:
        node.propose(make(purse, output))
    assert caught.value.name == result
    assert caught.value.err_msg
    assert caught.value.block_count == height
    node.propose(purse.payment(output))
    node.wait_final(output)
    assert node.block_count() == height + 1


def test_text_for_other_minimum_fees_is_the_networks(node, purse):
    with pytest.raises(TxRefused, match=r"^FeeMapDigestMismatch: Fee Map Digest Mismatch$"):
        node.propose(other_minimum_fees(purse, purse.take()))


@pytest.mark.parametrize(
    ("offset", "result"),
    [
        (0, "TombstoneBlockExceeded"),
        (1, None),
        (MAX_TOMBSTONE_BLOCKS - 1, None),
        (MAX_TOMBSTONE_BLOCKS, "TombstoneBlockTooFar"),
    ],
)
def test_tombstone_at_the_limits(node, purse, offset, result):
    """The offset is from the number of blocks, that is from the index of the next one."""
    output, height = purse.take(), node.block_count()
    tx = purse.payment(output, tombstone=height + offset)
    if result is None:
        node.propose(tx)
        node.wait_final(output)
        assert node.block_count() == height + 1
        return
    with pytest.raises(TxRefused) as caught:
        node.propose(tx)
    assert caught.value.name == result
    assert node.block_count() == height


def test_spent_key_image(node, purse):
    output = purse.take()
    payment, again = purse.payment(output), purse.payment(output, value=2 * ONE_MOB)
    node.propose(payment)
    node.wait_final(output)
    height = node.block_count()
    for tx in (payment, again):
        with pytest.raises(TxRefused) as caught:
            node.propose(tx)
        assert caught.value.name == "ContainsSpentKeyImage"
    assert node.block_count() == height


def test_two_payments_of_one_output_at_the_same_time(node, purse):
    """Both are valid when they come; one block takes one of them, and the other one never."""
    output, other, height = purse.take(), purse.take(), node.block_count()

    async def propose_both(client):
        for tx in (purse.payment(output), purse.payment(output), purse.payment(other)):
            try:
                await client.propose_tx(tx)
            except TxRefused as refused:  # the first one is final already
                assert refused.name == "ContainsSpentKeyImage"

    node.ask(propose_both)
    node.wait_final(output, other)
    with node.ledger() as ledger:
        images = [
            image
            for index in range(height, ledger.num_blocks())
            for image in ledger.get_key_images_by_block(index)
        ]
    assert sorted(images) == sorted([output.key_image, other.key_image])


def test_a_refused_transaction_shows_nowhere(node, purse):
    """Neither log nor ledger names what is inside a transaction that was refused."""
    output = purse.take()
    tx = bad_ring_signature(purse, output)
    with pytest.raises(TxRefused):
        node.propose(tx)
    secrets = [output.key_image, output.public_key, *(o.public_key for o in tx.prefix.outputs)]
    log = node.daemon.log()
    assert not any(secret.hex() in log for secret in secrets)
    assert not node.has_spent(output)
