"""Open channels and handshakes under way, in bounded tables. [docs/protocol/enclave.md#4.6]

Each table forgets the least recently used entry when a new one finds it full; a use refreshes. The
other side of a forgotten channel is told `NotFound` and shakes hands again.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from mcnode.crypto.noise import NoiseError, Transport
from mcnode.enclave.errors import Cipher, NotFound

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

CLIENTS_MAX: Final = 10_000
PEERS_MAX: Final = 64
"""Inbound and outbound each."""
PENDING_MAX: Final = 64
"""Handshakes to peers, and quotes, that wait for their answer."""


class LruTable(Generic[K, V]):
    """A bounded table; not for several threads at once."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: K, value: V) -> None:
        """Add or replace; the least recently used entry goes if there is no room."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def get(self, key: K) -> V | None:
        """The value, refreshed; None if it is not there."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def pop(self, key: K) -> V | None:
        """Remove; None if it is not there."""
        return self._entries.pop(key, None)


class Channel:
    """A transport that several threads may hold; each message is processed whole."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()

    def encrypt(self, plaintext: bytes, aad: bytes) -> bytes:
        """The next message to the other side."""
        with self._lock:
            try:
                return self._transport.encrypt(plaintext, aad)
            except NoiseError as error:
                raise Cipher(str(error)) from error

    def decrypt(self, ciphertext: bytes, aad: bytes) -> bytes:
        """The next message of the other side.

        Raises:
            Cipher: it is not the next one, or altered.
        """
        with self._lock:
            try:
                return self._transport.decrypt(ciphertext, aad)
            except NoiseError as error:
                raise Cipher(str(error)) from error


class Channels:
    """Channels by their 64-byte ids, in tables that are looked at in order."""

    def __init__(self, *capacities: int) -> None:
        self._tables = [LruTable[bytes, Channel](capacity) for capacity in capacities]
        self._lock = threading.Lock()

    def add(self, table: int, transport: Transport) -> bytes:
        """Keep a new channel; returns its id."""
        with self._lock:
            self._tables[table].put(transport.channel_id, Channel(transport))
        return transport.channel_id

    def get(self, channel_id: bytes) -> Channel:
        """An open channel.

        Raises:
            NotFound: there is none of that id (any more).
        """
        with self._lock:
            for table in self._tables:
                channel = table.get(channel_id)
                if channel is not None:
                    return channel
        raise NotFound("session")

    def close(self, channel_id: bytes) -> None:
        """Forget a channel wherever it is; no error if it is nowhere."""
        with self._lock:
            for table in self._tables:
                table.pop(channel_id)

    def __len__(self) -> int:
        with self._lock:
            return sum(len(table) for table in self._tables)
