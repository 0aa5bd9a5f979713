"""Signing and verifying without a ledger: random rings, one or several tokens."""

import dataclasses

import pytest

from mcnode.crypto import range_proof
from mcnode.crypto.commitment import commit
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import ChaCha12Rng, random_scalar
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.errors import network_name
from mcnode.transaction.messages import (
    InputRules,
    MaskedAmountV2,
    RingMLSAG,
    Tx,
    TxIn,
    TxOut,
    TxPrefix,
)
from mcnode.transaction.ring_ct.errors import RingCtError
from mcnode.transaction.ring_ct.rings import (
    AccountSigner,
    OnetimeKeySigner,
    PresignedRing,
    ReducedTxOut,
    SignableRing,
)
from mcnode.transaction.ring_ct.signing import make_signing_data
from mcnode.transaction.ring_ct.verification import check_signature
from mcnode.transaction.summary.tx_summary import ZipExact

FEE = 7


class Setup:
    """Inputs of 100 of given tokens with rings of three, and outputs of the same less the fee."""

    def __init__(self, version, input_tokens=(0, 0), *, fee_token=0, output_tokens=None):
        self.version = BlockVersion(version)
        self.random_bytes = ChaCha12Rng(bytes([version]) * 32)
        self.rings = [self.ring(token) for token in input_tokens]
        self.outputs = [
            self.amount(100 - FEE * (place == 0), token)
            for place, token in enumerate(output_tokens or input_tokens)
        ]
        self.fee_token = fee_token

    def amount(self, value, token):
        return OpenedAmount(value, token, random_scalar(self.random_bytes))

    def point(self):
        return RistrettoPrivate.random(self.random_bytes).public_key().to_bytes()

    def ring(self, token):
        key = RistrettoPrivate.random(self.random_bytes)
        amount = self.amount(100, token)
        members = [ReducedTxOut(self.point(), self.point(), self.point()) for _ in range(2)]
        commitment = commit(amount.value, amount.blinding, amount.token_id)
        members.insert(1, ReducedTxOut(self.point(), key.public_key().to_bytes(), commitment))
        return SignableRing(tuple(members), 1, key, amount)

    @property
    def prefix(self):
        def masked(commitment):
            return MaskedAmountV2(commitment=commitment)

        inputs = tuple(
            TxIn(
                tuple(TxOut(masked(m.commitment), m.target_key, m.public_key) for m in ring.members)
            )
            if isinstance(ring, SignableRing)
            else TxIn(input_rules=InputRules())
            for ring in self.rings
        )
        outputs = tuple(
            TxOut(masked(commit(o.value, o.blinding, o.token_id))) for o in self.outputs
        )
        return TxPrefix(inputs, outputs, FEE, 100, self.fee_token)

    def sign(self, **options):
        prefix = options.pop("prefix", self.prefix)
        data = make_signing_data(
            self.version, prefix, self.rings, self.outputs, self.random_bytes, **options
        )
        return Tx(prefix, data.sign(self.rings, OnetimeKeySigner(), self.random_bytes))


def verdict(tx, version):
    try:
        check_signature(tx, BlockVersion(version))
    except RingCtError as error:
        return network_name(error)
    return "ok"


@pytest.mark.parametrize("version", range(5))
@pytest.mark.parametrize("input_count", [1, 2, 5])
def test_what_is_signed_verifies(version, input_count):
    tx = Setup(version, (0,) * input_count).sign()
    assert verdict(tx, version) == "ok"
    assert bool(tx.signature.range_proofs) == (version >= 3)
    assert bool(tx.signature.range_proof_bytes) == (version < 3)


@pytest.mark.parametrize("tokens", [(0, 5), (5, 0, 2**64 - 1), (0, 5, 0, 5)])
def test_several_tokens(tokens):
    tx = Setup(3, tokens, fee_token=tokens[0]).sign()
    assert verdict(tx, 3) == "ok"
    assert tx.signature.pseudo_output_token_ids == tokens
    assert len(tx.signature.range_proofs) == len(set(tokens))


def test_a_permuted_token_id_breaks_a_range_proof():
    tx = Setup(3, (0, 5)).sign()
    signature = dataclasses.replace(tx.signature, pseudo_output_token_ids=(5, 0))
    broken = dataclasses.replace(tx, signature=signature)
    assert verdict(broken, 3) == 'RangeProof("ProofError: `VerificationError`")'


def test_one_version_does_not_pass_as_another():
    assert verdict(Setup(1).sign(), 2) == "RingSignature(InvalidSignature)"
    assert verdict(Setup(2).sign(), 3) == "MissingPseudoOutputTokenIds"
    assert verdict(Setup(3).sign(), 2) == "PseudoOutputTokenIdsNotAllowed"


def test_fee_token_below_version_2():
    tx = Setup(2, (1,), fee_token=1).sign()
    assert verdict(tx, 2) == "ok"
    assert verdict(tx, 1) == "TokenIdNotAllowed"


def test_fee_token_changed_at_version_2():
    tx = Setup(2).sign()
    tx = dataclasses.replace(tx, prefix=dataclasses.replace(tx.prefix, fee_token_id=1))
    assert verdict(tx, 2) == 'RangeProof("ProofError: `VerificationError`")'


def test_value_out_of_nothing():
    setup = Setup(4)
    setup.outputs[1] = setup.amount(101, 0)
    with pytest.raises(RingCtError, match="not worth"):
        setup.sign()
    assert verdict(setup.sign(conserves_value=False), 4) == "ValueNotConserved"


def test_fee_changed_after_signing():
    tx = Setup(4).sign()
    tx = dataclasses.replace(tx, prefix=dataclasses.replace(tx.prefix, fee=FEE + 1))
    assert verdict(tx, 4) == "ValueNotConserved"


def test_range_proof_of_other_values():
    setup = Setup(2)
    tx = setup.sign()
    blindings = [random_scalar(setup.random_bytes) for _ in range(6)]
    proof = range_proof.prove([13] * 6, blindings, 0, setup.random_bytes)
    signature = dataclasses.replace(tx.signature, range_proof_bytes=proof)
    broken = dataclasses.replace(tx, signature=signature)
    assert verdict(broken, 2) == 'RangeProof("ProofError: `VerificationError`")'


def test_same_output_spent_twice():
    setup = Setup(4)
    setup.rings[1] = setup.rings[0]
    assert verdict(setup.sign(), 4) == "DuplicateKeyImage"


def presigned(setup):
    return PresignedRing(RingMLSAG(), setup.amount(100, 0))


@pytest.mark.parametrize(
    ("version", "change", "expected"),
    [
        (1, lambda s: setattr(s, "fee_token", 1), "TokenIdNotAllowed"),
        (2, lambda s: s.rings.append(s.ring(1)), "MixedTransactionsNotAllowed"),
        (2, lambda s: s.outputs.append(s.amount(1, 1)), "MixedTransactionsNotAllowed"),
        (2, lambda s: s.rings.append(presigned(s)), "SignedInputRulesNotAllowed"),
        (4, lambda s: s.rings.clear(), "NoInputs"),
        (4, lambda s: s.rings.__setitem__(slice(None), [presigned(s)]), "AllRingsPresigned"),
        (
            4,
            lambda s: s.rings.__setitem__(0, dataclasses.replace(s.rings[0], members=())),
            "InvalidRingSize(0)",
        ),
        (
            4,
            lambda s: s.rings.__setitem__(
                1, dataclasses.replace(s.rings[1], members=s.rings[1].members[:2])
            ),
            "InvalidRingSize(2)",
        ),
        (
            4,
            lambda s: s.rings.__setitem__(0, dataclasses.replace(s.rings[0], real_input_index=3)),
            "IndexOutOfBounds",
        ),
        (4, lambda s: setattr(s, "fee_token", 9), "NoCommitmentsForTokenId(TokenId(9))"),
    ],
)
def test_what_cannot_be_signed(version, change, expected):
    setup = Setup(version)
    change(setup)
    with pytest.raises(RingCtError) as caught:
        setup.sign()
    assert network_name(caught.value) == expected


def test_prefix_and_rings_must_match():
    setup = Setup(4)
    prefix = dataclasses.replace(setup.prefix, inputs=setup.prefix.inputs[:1])
    with pytest.raises(ZipExact):
        setup.sign(prefix=prefix)


def test_signers_refuse_foreign_keys(fixture):
    setup = Setup(4, (0,))
    data = make_signing_data(
        setup.version, setup.prefix, setup.rings, setup.outputs, setup.random_bytes
    )
    foreign = dataclasses.replace(setup.rings[0], key=RistrettoPrivate.random(setup.random_bytes))
    by_index = dataclasses.replace(setup.rings[0], key=0)
    beyond = dataclasses.replace(setup.rings[0], real_input_index=3)
    account = AccountSigner(fixture.sender)
    for ring, signer, expected in (
        (foreign, account, "Signer(TrueInputNotOwned)"),
        (by_index, OnetimeKeySigner(), "Signer(NoPathToSpendKey)"),
        (beyond, OnetimeKeySigner(), "Signer(RealInputIndexOutOfBounds)"),
        (beyond, account, "Signer(RealInputIndexOutOfBounds)"),
    ):
        with pytest.raises(RingCtError) as caught:
            data.sign([ring], signer, setup.random_bytes)
        assert network_name(caught.value) == expected


def test_secrets_do_not_show():
    setup = Setup(4, (0,))
    data = make_signing_data(
        setup.version, setup.prefix, setup.rings, setup.outputs, setup.random_bytes
    )
    assert setup.rings[0].key.to_bytes().hex() not in repr(setup.rings[0])
    assert data.pseudo_outputs[0].blinding.hex() not in repr(data)
