"""A minting transaction as text for people."""

from collections.abc import Iterator

from mcnode.account.printable import to_printable
from mcnode.account.public_address import PublicAddress
from mcnode.crypto.multisig import SignerSet
from mcnode.transaction.messages import MintConfigTx, MintTx
from mcnode.wallet.minting.tx_file import MintingTx, kind_of, prefix_hash

_INDENT = "  "


def dump_lines(tx: MintingTx) -> Iterator[str]:
    """What a signer wants to see before signing; amounts in the token's smallest units."""
    yield f"{kind_of(tx)} of token {tx.prefix.token_id}"
    yield from _config_lines(tx) if isinstance(tx, MintConfigTx) else _mint_lines(tx)
    yield f"tombstone block: {tx.prefix.tombstone_block}"
    yield f"nonce: {tx.prefix.nonce.hex()}"
    yield f"hash to sign: {prefix_hash(tx).hex()}"
    yield f"{len(tx.signature.signatures)} signatures"
    for signature in tx.signature.signatures:
        yield f"{_INDENT}{signature.hex()}"


def _mint_lines(tx: MintTx) -> Iterator[str]:
    prefix = tx.prefix
    recipient = PublicAddress(prefix.view_public_key, prefix.spend_public_key, "", "", b"")
    yield f"amount: {prefix.amount}"
    yield f"recipient: {to_printable(recipient)}"
    if prefix.e_fog_hint is not None:
        yield f"fog hint: {prefix.e_fog_hint.hex()}"


def _config_lines(tx: MintConfigTx) -> Iterator[str]:
    yield f"total mint limit: {tx.prefix.total_mint_limit}"
    if not tx.prefix.configs:
        yield "0 configurations: nobody may mint this token any more"
    for number, config in enumerate(tx.prefix.configs):
        yield f"configuration {number}: up to {config.mint_limit} by"
        yield from signer_lines(config.signer_set, _INDENT)


def signer_lines(signer_set: SignerSet, indent: str) -> Iterator[str]:
    """Who must sign together: threshold and members, nested sets further in."""
    members = len(signer_set.individual_signers) + len(signer_set.multi_signers)
    yield f"{indent}{signer_set.threshold} of {members}"
    for signer in signer_set.individual_signers:
        yield f"{indent}{_INDENT}key {signer.hex()}"
    for nested in signer_set.multi_signers:
        yield from signer_lines(nested, indent + _INDENT)
