"""Checksums of files: what tells that a file is as it was.

Input    a file
Output   the XXH3 hash of its bytes, 128 bits
Cost     reading it: some GB/s where it is in memory
"""

from __future__ import annotations

from pathlib import Path

#: Bytes that are hashed at a time.
BLOCK = 1 << 22


def checksum(path: Path) -> str | None:
    """Return the checksum of a file, 32 hexadecimal digits; None if there is no such file, or it cannot be read."""
    import xxhash

    digest = xxhash.xxh3_128()
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except (OSError, ValueError):
        return None
    return digest.hexdigest()
