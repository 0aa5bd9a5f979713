"""Errors of the ledger, by the network's own names. [docs/protocol/ledger.md#4.6]

`LedgerError` and below: what was asked or appended is wrong. `StorageUnavailable` and below: the
disk or the file cannot serve now; nothing was half-written.
"""

from mcnode.errors import InvalidError, UnavailableError


class LedgerError(InvalidError):
    """The ledger refuses a block or a question."""


class NotFound(LedgerError):
    """No such record."""


class Deserialization(LedgerError):
    """A stored record does not decode: the database is damaged or of another program."""


class InvalidBlockVersion(LedgerError):
    """A block's version is below its parent's or above the highest known one."""

    def __init__(self, version: int, at_least: int, at_most: int) -> None:
        super().__init__(f"block version is {version}, must be {at_least} to {at_most}")
        self.version = version
        self.at_least = at_least
        self.at_most = at_most


class InvalidBlockIndex(LedgerError):
    """A block's index is not the number of blocks in the ledger."""

    def __init__(self, index: int, expected: int) -> None:
        super().__init__(f"block index is {index}, next is {expected}")
        self.index = index
        self.expected = expected


class InvalidParentBlockID(LedgerError):
    """A block does not follow the last one."""

    def __init__(self, block_id: bytes, expected: bytes) -> None:
        super().__init__(f"parent block id is {block_id.hex()}, must be {expected.hex()}")
        self.block_id = block_id
        self.expected = expected


class InvalidBlockID(LedgerError):
    """A block's id is not the hash of its header."""

    def __init__(self, block_id: bytes) -> None:
        super().__init__(f"block id {block_id.hex()} is not the hash of the header")
        self.block_id = block_id


class InvalidBlockContents(LedgerError):
    """The contents do not hash to what the header says."""


class NoOutputs(LedgerError):
    """A block without outputs and mint configurations, or a tree without outputs."""


class TooFewOutputs(LedgerError):
    """Fewer outputs than mint transactions."""


class NoKeyImages(LedgerError):
    """A block after the origin that neither spends nor mints."""


class MissingMaskedAmount(LedgerError):
    """An output without a masked amount of a known kind."""


class KeyImageAlreadySpent(LedgerError):
    """A key image is in the ledger already."""

    def __init__(self, key_image: bytes) -> None:
        super().__init__(f"key image {key_image.hex()} has already been spent")
        self.key_image = key_image


class DuplicateOutputPublicKey(LedgerError):
    """An output's public key is in the ledger already."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"output public key {public_key.hex()} is in the ledger already")
        self.public_key = public_key


class DuplicateMintTx(LedgerError):
    """A mint transaction with this nonce and token is in the ledger already."""


class DuplicateMintConfigTx(LedgerError):
    """A mint configuration transaction with this nonce and token is in the ledger already."""


class BlockMetadataRequired(LedgerError):
    """Blocks of this version must come with metadata."""


class TxOutIndexOutOfBounds(LedgerError):
    """No output has this index."""

    def __init__(self, index: int, num_tx_outs: int) -> None:
        super().__init__(f"output index is {index}, outputs are {num_tx_outs}")
        self.index = index
        self.num_tx_outs = num_tx_outs


class InvalidMintConfig(LedgerError):
    """Mint configurations that contradict themselves."""


class MintLimitExceeded(LedgerError):
    """More than a mint configuration allows."""

    def __init__(self, amount: int, minted: int, limit: int) -> None:
        super().__init__(f"cannot mint {amount}: {minted} minted already, limit is {limit}")
        self.amount = amount
        self.minted = minted
        self.limit = limit


class TotalMintedAmountCannotDecrease(LedgerError):
    """An update would lower what was minted."""

    def __init__(self, new: int, current: int) -> None:
        super().__init__(f"total minted cannot become {new}, it is {current}")
        self.new = new
        self.current = current


class LmdbError(LedgerError):
    """LMDB refuses a record; `code` is the network's name of its reason."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


class LedgerPathError(LedgerError):
    """A path does not hold a ledger that this program can open."""


class LedgerPathMissing(LedgerPathError):
    """There is no ledger at the path."""


class NotALedger(LedgerPathError):
    """There is something else at the path."""


class VersionIncompatible(LedgerPathError):
    """The ledger is of another format version."""

    def __init__(self, path: str, found: int, supported: int) -> None:
        remedy = (
            "run `ledger-migration` on it" if found < supported else "use the release that wrote it"
        )
        super().__init__(
            f"ledger at {path} has format version {found}, this program reads {supported}: {remedy}"
        )
        self.found = found
        self.supported = supported


class UnknownFormatVersion(LedgerPathError):
    """There is no way from a ledger's format version to the present one."""

    def __init__(self, path: str, found: int) -> None:
        super().__init__(
            f"ledger at {path} has the unknown format version {found}: it cannot be migrated"
        )
        self.found = found


class LedgerExists(LedgerPathError):
    """There is a ledger with blocks at the path already."""


class ReadOnlyLedger(LedgerPathError):
    """The ledger was opened for reading, or its files cannot be written."""


class StorageUnavailable(UnavailableError):
    """The disk or another process is in the way; nothing of the failed write is kept."""


class DiskFull(StorageUnavailable):
    """There is no room for a write; nothing of it is kept."""
