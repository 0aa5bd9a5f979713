"""Where an archived block lies below an archive's root. [docs/protocol/ledger.md#2.3]"""

MERGE_BUCKETS = (100, 1000, 10000)
"""Sizes of merged files that archives hold by default."""


def block_path(index: int) -> str:
    """The path of the file of one block: seven directories of a byte each, then the whole index."""
    digits = f"{index:016x}"
    folders = [digits[start : start + 2] for start in range(0, 14, 2)]
    return "/".join([*folders, f"{digits}.pb"])


def merged_path(bucket: int, first_index: int) -> str:
    """The path of the merged file of `bucket` blocks from `first_index` on."""
    return f"merged-{bucket}/{block_path(first_index)}"
