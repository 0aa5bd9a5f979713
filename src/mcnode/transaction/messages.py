"""Every message of a transaction, declared once. [docs/protocol/transaction.md#2]

The declarations give protobuf bytes and digests alike. Names that differ between the two are the
traps of this page: an output's amount is hashed as `amount` but travels as `masked_amount`, a
version 1 amount hashes under the struct name `Amount`, and membership proofs are part of the hash
of a transaction. Digest members follow the order of declaration. [docs/protocol/transaction.md#3]
"""

import dataclasses

from mcnode.account.public_address import PublicAddress
from mcnode.codec.schema import (
    BOOL,
    BYTES,
    COMPRESSED_RISTRETTO,
    CURVE_SCALAR,
    ENCRYPTED_FOG_HINT,
    ENCRYPTED_MEMO,
    FIXED64,
    HASH32,
    OPTIONAL,
    REQUIRED,
    RISTRETTO_PRIVATE,
    RISTRETTO_PUBLIC,
    TX_OUT_CONFIRMATION_NUMBER,
    UINT32,
    UINT64,
    field,
    message,
    oneof,
    repeated,
)
from mcnode.crypto.multisig import MultiSig, SignerSet

TOKEN_ID = dataclasses.replace(FIXED64, digest_struct="TokenId")
"""A token id that hashes as the type `TokenId`; elsewhere token ids hash as plain integers."""


@message
class Amount:
    """A value in the smallest unit of a token, in the clear."""

    value: int = field(1, FIXED64)
    token_id: int = field(2, TOKEN_ID)


@message
class UnmaskedAmount:
    """A value, its token and the blinding of its commitment."""

    value: int = field(1, FIXED64)
    token_id: int = field(2, FIXED64)
    blinding: bytes = field(3, CURVE_SCALAR)


@message(digest_name="Amount")
class MaskedAmountV1:
    """A hidden value and token, as made below block version 3. [docs/protocol/crypto.md#16]"""

    commitment: bytes = field(1, COMPRESSED_RISTRETTO)
    masked_value: int = field(2, FIXED64, presence=REQUIRED)
    masked_token_id: bytes = field(3, BYTES)
    """8 bytes, or empty for token 0 (always empty below block version 2)."""


@message
class MaskedAmountV2:
    """A hidden value and token, as made from block version 3. [docs/protocol/crypto.md#16]"""

    commitment: bytes = field(1, COMPRESSED_RISTRETTO)
    masked_value: int = field(2, FIXED64, presence=REQUIRED)
    masked_token_id: bytes = field(3, BYTES)
    """8 bytes."""


MaskedAmount = MaskedAmountV1 | MaskedAmountV2


@message
class TxOut:
    """An output: who may spend it and what it is worth, both hidden."""

    masked_amount: MaskedAmount | None = oneof(
        {1: MaskedAmountV1, 6: MaskedAmountV2}, digest="amount"
    )
    target_key: bytes = field(2, COMPRESSED_RISTRETTO)
    public_key: bytes = field(3, COMPRESSED_RISTRETTO)
    e_fog_hint: bytes = field(4, ENCRYPTED_FOG_HINT)
    e_memo: bytes | None = field(5, ENCRYPTED_MEMO, presence=OPTIONAL)


@message
class Range:
    """Leaf indices `from_` to `to`, both included. Reversed ones can be decoded."""

    from_: int = field(1, UINT64, name="from")
    to: int = field(2, UINT64)


@message
class TxOutMembershipElement:
    """The hash of one node of the tree and the leaves below it."""

    range: Range = field(1, Range)
    hash: bytes = field(2, HASH32)


@message
class TxOutMembershipProof:
    """That an output has an index in the ledger. [docs/protocol/transaction.md#5]"""

    index: int = field(1, UINT64)
    highest_index: int = field(2, UINT64)
    elements: tuple[TxOutMembershipElement, ...] = repeated(3, TxOutMembershipElement, lazy=True)


@message
class RevealedTxOut:
    """An output together with the secret that opens its version 2 amount."""

    tx_out: TxOut = field(1, TxOut)
    amount_shared_secret: bytes = field(2, BYTES)


@message
class InputRules:
    """What else must hold in a transaction that spends this input. [docs/protocol/transaction.md#9]

    A field left at its default sets no rule.
    """

    required_outputs: tuple[TxOut, ...] = repeated(1, TxOut)
    max_tombstone_block: int = field(2, FIXED64)
    partial_fill_outputs: tuple[RevealedTxOut, ...] = repeated(3, RevealedTxOut)
    partial_fill_change: RevealedTxOut | None = field(4, RevealedTxOut, presence=OPTIONAL)
    min_partial_fill_value: int = field(5, FIXED64)


@message
class TxIn:
    """A ring of outputs, one of which is spent, with the proof of membership of each."""

    ring: tuple[TxOut, ...] = repeated(1, TxOut)
    proofs: tuple[TxOutMembershipProof, ...] = repeated(2, TxOutMembershipProof, lazy=True)
    input_rules: InputRules | None = field(3, InputRules, presence=OPTIONAL)


@message
class TxPrefix:
    """A transaction without its signatures."""

    inputs: tuple[TxIn, ...] = repeated(1, TxIn)
    outputs: tuple[TxOut, ...] = repeated(2, TxOut)
    fee: int = field(3, UINT64)
    tombstone_block: int = field(4, UINT64)
    fee_token_id: int = field(5, FIXED64, omit_when=0)


@message
class RingMLSAG:
    """A linkable ring signature. [docs/protocol/crypto.md#14]"""

    c_zero: bytes = field(1, CURVE_SCALAR)
    responses: tuple[bytes, ...] = repeated(2, CURVE_SCALAR)
    key_image: bytes = field(3, COMPRESSED_RISTRETTO)


@message
class SignatureRctBulletproofs:
    """Ring signatures, pseudo-outputs and range proofs. [docs/protocol/transaction.md#6]"""

    ring_signatures: tuple[RingMLSAG, ...] = repeated(1, RingMLSAG)
    pseudo_output_commitments: tuple[bytes, ...] = repeated(2, COMPRESSED_RISTRETTO)
    range_proof_bytes: bytes = field(3, BYTES, never_omit=True)
    range_proofs: tuple[bytes, ...] = repeated(4, BYTES)
    pseudo_output_token_ids: tuple[int, ...] = repeated(5, FIXED64)
    output_token_ids: tuple[int, ...] = repeated(6, FIXED64)


@message
class Tx:
    """A private payment."""

    prefix: TxPrefix = field(1, TxPrefix)
    signature: SignatureRctBulletproofs = field(2, SignatureRctBulletproofs)
    fee_map_digest: bytes = field(3, BYTES)
    """32 bytes, or empty when the sender does not say which fees it assumed."""


@message
class Receipt:
    """What a sender hands to the recipient as proof of payment."""

    masked_amount: MaskedAmount | None = oneof({4: MaskedAmountV1, 5: MaskedAmountV2})
    public_key: bytes = field(1, COMPRESSED_RISTRETTO)
    confirmation: bytes = field(2, TX_OUT_CONFIRMATION_NUMBER)
    tombstone_block: int = field(3, UINT64)


@message(digest_name="Tuple")
class TokenFee:
    """One entry of a fee map."""

    token_id: int = field(1, dataclasses.replace(UINT64, digest_struct="TokenId"), digest="0")
    fee: int = field(2, UINT64, digest="1")


@message(digest_name="FeeMap")
class TokenFees:
    """The entries of a fee map by ascending token id. [docs/protocol/transaction.md#7]"""

    entries: tuple[TokenFee, ...] = repeated(1, TokenFee, digest="map")


@message
class MintTxPrefix:
    """Tokens to be minted, before signing. [docs/protocol/transaction.md#10]"""

    token_id: int = field(1, UINT64)
    amount: int = field(2, UINT64)
    view_public_key: bytes = field(3, RISTRETTO_PUBLIC)
    spend_public_key: bytes = field(4, RISTRETTO_PUBLIC)
    nonce: bytes = field(5, BYTES)
    tombstone_block: int = field(6, UINT64)
    e_fog_hint: bytes | None = field(7, ENCRYPTED_FOG_HINT, presence=OPTIONAL)


@message
class MintTx:
    """Tokens to be minted, signed by the minters that some mint configuration names."""

    prefix: MintTxPrefix = field(1, MintTxPrefix)
    signature: MultiSig = field(2, MultiSig)


@message
class MintConfig:
    """Who may mint how much of a token."""

    token_id: int = field(1, UINT64)
    signer_set: SignerSet = field(2, SignerSet)
    mint_limit: int = field(3, UINT64)


@message
class MintConfigTxPrefix:
    """New mint configurations of a token, before signing."""

    token_id: int = field(1, UINT64)
    configs: tuple[MintConfig, ...] = repeated(2, MintConfig)
    nonce: bytes = field(3, BYTES)
    tombstone_block: int = field(4, UINT64)
    total_mint_limit: int = field(5, UINT64)


@message
class MintConfigTx:
    """New mint configurations of a token, signed by the governors of the token."""

    prefix: MintConfigTxPrefix = field(1, MintConfigTxPrefix)
    signature: MultiSig = field(2, MultiSig)


@message
class ValidatedMintConfigTx:
    """A mint configuration with the governors that signed it."""

    mint_config_tx: MintConfigTx = field(1, MintConfigTx)
    signer_set: SignerSet = field(2, SignerSet)


@message
class SignedContingentInput:
    """An input that anyone may add to a transaction that meets its rules.

    [docs/protocol/transaction.md#13]
    """

    block_version: int = field(1, UINT32, presence=REQUIRED)
    tx_in: TxIn = field(2, TxIn)
    mlsag: RingMLSAG = field(3, RingMLSAG)
    pseudo_output_amount: UnmaskedAmount = field(4, UnmaskedAmount)
    required_output_amounts: tuple[UnmaskedAmount, ...] = repeated(5, UnmaskedAmount)
    tx_out_global_indices: tuple[int, ...] = repeated(6, FIXED64)


@message
class TxOutSummary:
    """What a signer is shown of an output."""

    masked_amount: MaskedAmount | None = oneof({1: MaskedAmountV1, 6: MaskedAmountV2})
    target_key: bytes = field(2, COMPRESSED_RISTRETTO)
    public_key: bytes = field(3, COMPRESSED_RISTRETTO)
    associated_to_input_rules: bool = field(4, BOOL)


@message
class TxInSummary:
    """What a signer is shown of an input."""

    pseudo_output_commitment: bytes = field(1, COMPRESSED_RISTRETTO)
    input_rules_digest: bytes = field(2, BYTES)
    """32 bytes, or empty when the input has no rules."""


@message
class TxSummary:
    """What a signer is shown of a transaction. [docs/protocol/transaction.md#14]"""

    outputs: tuple[TxOutSummary, ...] = repeated(1, TxOutSummary)
    inputs: tuple[TxInSummary, ...] = repeated(2, TxInSummary)
    fee: int = field(3, UINT64)
    fee_token_id: int = field(4, UINT64)
    tombstone_block: int = field(5, UINT64)


@message
class TxOutSummaryUnblindingData:
    """What a signer needs to check one output's summary.

    An output of input rules has neither address nor key, change needs neither.
    """

    unmasked_amount: UnmaskedAmount = field(1, UnmaskedAmount)
    address: PublicAddress | None = field(2, PublicAddress, presence=OPTIONAL)
    tx_private_key: bytes | None = field(3, RISTRETTO_PRIVATE, presence=OPTIONAL)

    def __repr__(self) -> str:
        """Without the key."""
        return f"TxOutSummaryUnblindingData({self.unmasked_amount}, {self.address}, …)"


@message
class TxSummaryUnblindingData:
    """What a signer needs to check a summary. [docs/protocol/transaction.md#14]"""

    block_version: int = field(1, UINT32)
    outputs: tuple[TxOutSummaryUnblindingData, ...] = repeated(2, TxOutSummaryUnblindingData)
    inputs: tuple[UnmaskedAmount, ...] = repeated(3, UnmaskedAmount)


@message
class TxOutGiftCode:
    """What lets the receiver of a gift code spend its output. [docs/protocol/transaction.md#16]"""

    global_index: int = field(1, UINT64, presence=REQUIRED)
    onetime_private_key: bytes = field(2, RISTRETTO_PRIVATE)
    shared_secret: bytes = field(3, RISTRETTO_PUBLIC)

    def __repr__(self) -> str:
        """Without the key."""
        return f"TxOutGiftCode(global_index={self.global_index}, …)"
