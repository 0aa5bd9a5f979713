"""Transactions as ciphertext that only this process can open. [docs/protocol/enclave.md#2.4]

The node keeps transactions for us, but as ciphertext. There are two ciphers, so that a transaction
that was merely received cannot be passed off as one that was checked. Hence also: whatever opens as
*checked* was accepted by `tx_is_well_formed` in this very process under the present configuration,
as its keys are known nowhere else and the configuration is set once. See docs/adr/ for what follows
from that.
"""

import dataclasses
import threading
from typing import Final

from mcnode.codec import protobuf
from mcnode.codec.digest import decode_and_digest32
from mcnode.codec.errors import DecodeError
from mcnode.codec.schema import BYTES, field, message, repeated
from mcnode.crypto.errors import AeadError
from mcnode.crypto.message_cipher import MessageCipher
from mcnode.crypto.rng import RandomBytes
from mcnode.enclave.errors import CacheCipher, Serialization
from mcnode.transaction.messages import Tx

TX_HASH_CONTEXT: Final = "mobilecoin-tx"


@message
class EncodedTxList:
    """What peers send each other: transactions, each still encoded."""

    txs: tuple[bytes, ...] = repeated(1, BYTES)


@message
class CachedTx:
    """The plaintext of either cipher: a transaction with its hash, so that it is hashed once."""

    tx_hash: bytes = field(1, BYTES)
    encoded: bytes = field(2, BYTES)


@dataclasses.dataclass(frozen=True, slots=True)
class OpenTx:
    """A transaction in the clear. Shows nothing of itself."""

    tx: Tx = dataclasses.field(repr=False)
    tx_hash: bytes

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "OpenTx":
        """Decode and hash.

        Raises:
            Serialization: the bytes are no transaction.
        """
        try:
            tx, tx_hash = decode_and_digest32(Tx, TX_HASH_CONTEXT, encoded)
        except DecodeError as error:
            raise Serialization(str(error)) from error
        return cls(tx, tx_hash)


class TxCacheCipher:
    """One of the two ciphers; for several threads."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._cipher = MessageCipher(random_bytes)
        self._lock = threading.Lock()

    def seal(self, tx_hash: bytes, encoded: bytes) -> bytes:
        """The ciphertext of an encoded transaction."""
        plaintext = protobuf.encode(CachedTx(tx_hash, encoded))
        with self._lock:
            return self._cipher.encrypt(plaintext)

    def open(self, sealed: bytes) -> CachedTx:
        """The transaction in a ciphertext, still encoded.

        Raises:
            CacheCipher: not a ciphertext of this cipher.
        """
        try:
            plaintext = self._cipher.decrypt(sealed)
        except AeadError as error:
            raise CacheCipher(str(error)) from error
        return protobuf.decode(CachedTx, plaintext)

    def open_tx(self, sealed: bytes) -> OpenTx:
        """The transaction in a ciphertext.

        Raises:
            CacheCipher: not a ciphertext of this cipher.
        """
        cached = self.open(sealed)
        return OpenTx(protobuf.decode(Tx, cached.encoded), cached.tx_hash)
