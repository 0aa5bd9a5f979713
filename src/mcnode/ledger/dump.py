"""Blocks as JSON, in the shape that the network's own tool prints. [docs/protocol/ledger.md#10.4]

Every byte string is a list of numbers, numbers are plain whatever their size, an absent option is
null. Keys come in the order given here.
"""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from mcnode.attest.messages import DcapEvidence, VerificationReport
from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.blockchain.quorum_set import MetadataNode, MetadataQuorumSet
from mcnode.blockchain.signature import BlockSignature
from mcnode.crypto.multisig import SignerSet
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.errors import NotFound
from mcnode.transaction.messages import (
    MaskedAmountV1,
    MintConfig,
    MintTx,
    TxOut,
    ValidatedMintConfigTx,
)

Json = dict[str, Any]


def block_data_json(data: BlockData) -> Json:
    """A whole block."""
    return {
        "block": _block(data.block),
        "contents": _contents(data.contents),
        "signature": None if data.signature is None else _signature(data.signature),
        "metadata": None if data.metadata is None else _metadata(data.metadata),
    }


def _numbers(data: bytes) -> list[int]:
    return list(data)


def _point(data: bytes) -> Json:
    return {"point": _numbers(data)}


def _block(block: Block) -> Json:
    root = block.root_element
    return {
        "id": _numbers(block.id),
        "version": block.version,
        "parent_id": _numbers(block.parent_id),
        "index": block.index,
        "cumulative_txo_count": block.cumulative_txo_count,
        "root_element": {
            "range": {"from": root.range.from_, "to": root.range.to},
            "hash": _numbers(root.hash),
        },
        "contents_hash": _numbers(block.contents_hash),
    }


def _contents(contents: BlockContents) -> Json:
    return {
        "key_images": [_point(image) for image in contents.key_images],
        "outputs": [_tx_out(output) for output in contents.outputs],
        "validated_mint_config_txs": [
            _validated_mint_config_tx(each) for each in contents.validated_mint_config_txs
        ],
        "mint_txs": [_mint_tx(each) for each in contents.mint_txs],
    }


def _tx_out(output: TxOut) -> Json:
    amount = output.masked_amount
    return {
        "masked_amount": None
        if amount is None
        else {
            "V1" if isinstance(amount, MaskedAmountV1) else "V2": {
                "commitment": _point(amount.commitment),
                "masked_value": amount.masked_value,
                "masked_token_id": _numbers(amount.masked_token_id),
            }
        },
        "target_key": _numbers(output.target_key),
        "public_key": _numbers(output.public_key),
        "e_fog_hint": {"bytes": _numbers(output.e_fog_hint)},
        "e_memo": None if output.e_memo is None else _numbers(output.e_memo),
    }


def _signer_set(signer_set: SignerSet) -> Json:
    return {
        "individual_signers": [_numbers(key) for key in signer_set.individual_signers],
        "multi_signers": [_signer_set(inner) for inner in signer_set.multi_signers],
        "threshold": signer_set.threshold,
    }


def _mint_config(config: MintConfig) -> Json:
    return {
        "token_id": config.token_id,
        "signer_set": _signer_set(config.signer_set),
        "mint_limit": config.mint_limit,
    }


def _validated_mint_config_tx(validated: ValidatedMintConfigTx) -> Json:
    prefix = validated.mint_config_tx.prefix
    return {
        "mint_config_tx": {
            "prefix": {
                "token_id": prefix.token_id,
                "configs": [_mint_config(config) for config in prefix.configs],
                "nonce": _numbers(prefix.nonce),
                "tombstone_block": prefix.tombstone_block,
                "total_mint_limit": prefix.total_mint_limit,
            },
            "signature": {
                "signatures": [
                    _numbers(each) for each in validated.mint_config_tx.signature.signatures
                ]
            },
        },
        "signer_set": _signer_set(validated.signer_set),
    }


def _mint_tx(mint_tx: MintTx) -> Json:
    prefix = mint_tx.prefix
    hint = prefix.e_fog_hint
    return {
        "prefix": {
            "token_id": prefix.token_id,
            "amount": prefix.amount,
            "view_public_key": _numbers(prefix.view_public_key),
            "spend_public_key": _numbers(prefix.spend_public_key),
            "nonce": _numbers(prefix.nonce),
            "tombstone_block": prefix.tombstone_block,
            "e_fog_hint": None if hint is None else {"bytes": _numbers(hint)},
        },
        "signature": {"signatures": [_numbers(each) for each in mint_tx.signature.signatures]},
    }


def _signature(signature: BlockSignature) -> Json:
    return {
        "signature": _numbers(signature.signature),
        "signer": _numbers(signature.signer),
        "signed_at": signature.signed_at,
    }


def _metadata(metadata: BlockMetadata) -> Json:
    contents = metadata.contents
    return {
        "contents": {
            "block_id": _numbers(contents.block_id),
            "quorum_set": _quorum_set(contents.quorum_set),
            "attestation_evidence": _evidence(contents.attestation_evidence),
            "responder_id": contents.responder_id,
        },
        "node_key": _numbers(metadata.node_key),
        "signature": _numbers(metadata.signature),
    }


def _quorum_set(quorum_set: MetadataQuorumSet) -> Json:
    return {
        "threshold": quorum_set.threshold,
        "members": [_member(wrapper.member) for wrapper in quorum_set.members],
    }


def _member(member: MetadataNode | MetadataQuorumSet | None) -> Json | None:
    match member:
        case MetadataNode(responder_id, public_key):
            node = {"responder_id": responder_id, "public_key": _numbers(public_key)}
            return {"type": "Node", "args": node}
        case MetadataQuorumSet() as inner:
            return {"type": "InnerSet", "args": _quorum_set(inner)}
        case None:
            return None


def _evidence(evidence: VerificationReport | DcapEvidence | None) -> Json | None:
    match evidence:
        case VerificationReport(sig, chain, http_body):
            report = {
                "sig": _numbers(sig),
                "chain": [_numbers(each) for each in chain],
                "http_body": http_body,
            }
            return {"VerificationReport": report}
        case DcapEvidence():
            return {"DcapEvidence": _dcap(evidence)}
        case None:
            return None


def _dcap(evidence: DcapEvidence) -> Json:
    quote, collateral, report_data = (
        evidence.quote,
        evidence.collateral,
        evidence.report_data,
    )
    return {
        "quote": None if quote is None else {"data": _numbers(quote.data)},
        "collateral": None
        if collateral is None
        else {
            "pck_crl_issuer_chain": [_numbers(each) for each in collateral.pck_crl_issuer_chain],
            "root_ca_crl": _numbers(collateral.root_ca_crl),
            "pck_crl": _numbers(collateral.pck_crl),
            "tcb_info_issuer_chain": [_numbers(each) for each in collateral.tcb_info_issuer_chain],
            "tcb_info": collateral.tcb_info,
            "qe_identity_issuer_chain": [
                _numbers(each) for each in collateral.qe_identity_issuer_chain
            ],
            "qe_identity": collateral.qe_identity,
        },
        "report_data": None
        if report_data is None
        else {
            "nonce": _numbers(report_data.nonce),
            "key": _numbers(report_data.key),
            "custom_identity": _numbers(report_data.custom_identity),
        },
    }


def dump_blocks(ledger: LedgerDB, first: int, last: int | None) -> Iterator[str]:
    """The text of a JSON array of blocks `first` to `last` (default: the newest), in pieces.

    Raises:
        NotFound: the ledger ends before `last`.
    """
    newest = ledger.num_blocks() - 1
    if last is None:
        last = newest
    elif last > newest:
        raise NotFound(f"last block is {newest}, asked for {last}")
    if first > last:
        yield "[]"
        return
    for index in range(first, last + 1):
        block = json.dumps(
            block_data_json(ledger.get_block_data(index)), indent=2, ensure_ascii=False
        )
        yield ("[\n" if index == first else ",\n") + textwrap.indent(block, "  ")
    yield "\n]"
