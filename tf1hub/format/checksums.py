"""The masked crc32c that guards a checkpoint's bytes.

    crc     crc32c (Castagnoli) of the bytes
    masked  ((crc >> 15) | (crc << 17)) + 0xa282ead8, modulo 2**32; on disk four little-endian bytes

Masking (LevelDB's, tensorflow/core/lib/hash/crc32c.h) keeps a crc useful over bytes that hold crcs.
"""

import google_crc32c

# What can be checksummed and written. A memoryview must be one of bytes.
BytesLike = bytes | bytearray | memoryview

_MASK_DELTA = 0xA282EAD8
# google_crc32c takes `bytes` in all its implementations. Pieces of this size stay in the processor's cache,
# so that copying them costs nearly nothing.
_PIECE = 1 << 18


def extend_crc(crc: int, data: BytesLike) -> int:
    """The crc32c of some bytes followed by `data`, where `crc` is that of the bytes before."""
    view = memoryview(data)
    for start in range(0, len(view), _PIECE):
        crc = google_crc32c.extend(crc, bytes(view[start : start + _PIECE]))
    return crc


def mask_crc(crc: int) -> int:
    """The form in which a crc is stored.

    >>> hex(mask_crc(0))
    '0xa282ead8'
    """
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def unmask_crc(masked: int) -> int:
    """The crc behind a stored one.

    >>> unmask_crc(mask_crc(1234))
    1234
    """
    rotated = (masked - _MASK_DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def masked_crc(data: BytesLike) -> int:
    """The masked crc32c of `data`."""
    return mask_crc(extend_crc(0, data))
