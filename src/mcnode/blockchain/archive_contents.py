"""Contents of archived blocks, checked part by part into ours. [docs/protocol/ledger.md#2.2]

Nothing here is decompressed except where the network does it: an output's target and public key,
and a mint transaction's keys. A wrong commitment or key image only shows in the contents hash.
"""

from mcnode.blockchain.archive_wire import (
    WireBlockContents,
    WireBytes,
    WireMaskedAmountV1,
    WireMintConfig,
    WireMintConfigTx,
    WireMintTx,
    WireMultiSig,
    WireSignerSet,
    WireTxOut,
    WireValidatedMintConfigTx,
)
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.errors import ArrayCastError, KeyCastError, ObjectMissing
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import Ed25519Public, RistrettoPublic
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.transaction.messages import (
    MaskedAmountV1,
    MaskedAmountV2,
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
    TxOut,
    ValidatedMintConfigTx,
)

KEY_BYTES = 32
FOG_HINT_BYTES = 84
MEMO_BYTES = 66
SIGNATURE_BYTES = 64


def fixed_bytes(wire: WireBytes, length: int, what: str) -> bytes:
    """The bytes of a fixed-size value; an absent one has length 0.

    Raises:
        ArrayCastError: another length.
    """
    if len(wire.data) != length:
        raise ArrayCastError(what, f"{len(wire.data)} bytes, needs {length}")
    return wire.data


def convert_contents(wire: WireBlockContents) -> BlockContents:
    """The contents of an archived block.

    Raises:
        ConversionError: a part is missing or malformed; the first one in the order of the tags.
    """
    return BlockContents(
        key_images=tuple(
            fixed_bytes(image, KEY_BYTES, f"key_images[{n}]")
            for n, image in enumerate(wire.key_images)
        ),
        outputs=tuple(
            convert_tx_out(output, f"outputs[{n}]") for n, output in enumerate(wire.outputs)
        ),
        validated_mint_config_txs=tuple(
            _validated_mint_config_tx(each, f"validated_mint_config_txs[{n}]")
            for n, each in enumerate(wire.validated_mint_config_txs)
        ),
        mint_txs=tuple(
            convert_mint_tx(each, f"mint_txs[{n}]") for n, each in enumerate(wire.mint_txs)
        ),
    )


def convert_tx_out(wire: WireTxOut, what: str) -> TxOut:
    """An output: amount, keys, hint, memo, in this order.

    Raises:
        ObjectMissing: no masked amount.
        ArrayCastError, KeyCastError: a value of a wrong length, or a key that is no point.
    """
    amount = wire.masked_amount
    if amount is None:
        raise ObjectMissing(what, "no masked amount")
    made = MaskedAmountV1 if isinstance(amount, WireMaskedAmountV1) else MaskedAmountV2
    memo = wire.e_memo.data
    return TxOut(
        masked_amount=made(
            commitment=fixed_bytes(amount.commitment, KEY_BYTES, f"{what}.commitment"),
            masked_value=amount.masked_value,
            masked_token_id=amount.masked_token_id,
        ),
        target_key=_output_key(wire.target_key, f"{what}.target_key"),
        public_key=_output_key(wire.public_key, f"{what}.public_key"),
        e_fog_hint=fixed_bytes(wire.e_fog_hint, FOG_HINT_BYTES, f"{what}.e_fog_hint"),
        # a memo that is present but empty is no memo
        e_memo=fixed_bytes(wire.e_memo, MEMO_BYTES, f"{what}.e_memo") if memo else None,
    )


def _output_key(wire: WireBytes, what: str) -> bytes:
    try:
        return RistrettoPublic.from_bytes(wire.data).to_bytes()
    except KeyFormatError as error:
        raise KeyCastError(what, str(error)) from error


def _ristretto(wire: WireBytes, what: str) -> bytes:
    try:
        return RistrettoPublic.from_bytes(wire.data).to_bytes()
    except KeyFormatError as error:
        raise ArrayCastError(what, str(error)) from error


def ed25519_key(wire: WireBytes, what: str) -> bytes:
    """An Ed25519 public key.

    Raises:
        ArrayCastError: not 32 bytes, or no point.
    """
    try:
        return Ed25519Public.from_bytes(wire.data).to_bytes()
    except KeyFormatError as error:
        raise ArrayCastError(what, str(error)) from error


def _multi_sig(wire: WireMultiSig, what: str) -> MultiSig:
    return MultiSig(
        tuple(
            fixed_bytes(signature, SIGNATURE_BYTES, f"{what}.signatures[{n}]")
            for n, signature in enumerate(wire.signatures)
        )
    )


def _signer_set(wire: WireSignerSet, what: str) -> SignerSet:
    return SignerSet(
        individual_signers=tuple(
            ed25519_key(key, f"{what}.individual_signers[{n}]")
            for n, key in enumerate(wire.individual_signers)
        ),
        multi_signers=tuple(
            _signer_set(inner, f"{what}.multi_signers[{n}]")
            for n, inner in enumerate(wire.multi_signers)
        ),
        threshold=wire.threshold,
    )


def convert_mint_tx(wire: WireMintTx, what: str = "mint_tx") -> MintTx:
    """A mint transaction.

    Raises:
        ArrayCastError: a value of a wrong length, or a key that is no point.
    """
    prefix, hint = wire.prefix, wire.prefix.e_fog_hint
    return MintTx(
        prefix=MintTxPrefix(
            token_id=prefix.token_id,
            amount=prefix.amount,
            view_public_key=_ristretto(prefix.view_public_key, f"{what}.view_public_key"),
            spend_public_key=_ristretto(prefix.spend_public_key, f"{what}.spend_public_key"),
            nonce=prefix.nonce,
            tombstone_block=prefix.tombstone_block,
            e_fog_hint=(
                None if hint is None else fixed_bytes(hint, FOG_HINT_BYTES, f"{what}.e_fog_hint")
            ),
        ),
        signature=_multi_sig(wire.signature, f"{what}.signature"),
    )


def _mint_config(wire: WireMintConfig, what: str) -> MintConfig:
    return MintConfig(
        token_id=wire.token_id,
        signer_set=_signer_set(wire.signer_set, f"{what}.signer_set"),
        mint_limit=wire.mint_limit,
    )


def convert_mint_config_tx(wire: WireMintConfigTx, what: str = "mint_config_tx") -> MintConfigTx:
    """A mint configuration.

    Raises:
        ArrayCastError: a value of a wrong length, or a key that is no point.
    """
    prefix = wire.prefix
    return MintConfigTx(
        prefix=MintConfigTxPrefix(
            token_id=prefix.token_id,
            configs=tuple(
                _mint_config(config, f"{what}.configs[{n}]")
                for n, config in enumerate(prefix.configs)
            ),
            nonce=prefix.nonce,
            tombstone_block=prefix.tombstone_block,
            total_mint_limit=prefix.total_mint_limit,
        ),
        signature=_multi_sig(wire.signature, f"{what}.signature"),
    )


def _validated_mint_config_tx(wire: WireValidatedMintConfigTx, what: str) -> ValidatedMintConfigTx:
    return ValidatedMintConfigTx(
        mint_config_tx=convert_mint_config_tx(wire.mint_config_tx, f"{what}.mint_config_tx"),
        signer_set=_signer_set(wire.signer_set, f"{what}.signer_set"),
    )
