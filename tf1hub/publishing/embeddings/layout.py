"""What an embedding file holds, as its beginning shows.

text      a line for each token (lines.py); before them, in word2vec's and fastText's, `COUNT SP DIMENSION NL`
binary    word2vec's (records.py): that line, then records
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile

from tf1hub.errors import EmbeddingFileError
from tf1hub.publishing.embeddings.numbers import is_number

# How much of a file is looked at: enough for some lines of a thousand values.
HEAD_SIZE = 1 << 20
_LARGEST_DIMENSION = 1 << 20
_LOOKED_AT_LINES = 100
_LOOKED_AT_BYTES = 4096
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEADER = re.compile(rb"(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*(?:\n|\Z)")
# Characters that no text has, while the bytes of floats are full of them.
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_COMMAS = " Values are written like 0.5, with spaces between them; there are commas in it."
_NOT_EMBEDDINGS = {
    b"ustar": (257, "a tar archive; unpack it first"),
    b"\xba\x16\x4f\x2f": (0, "a fastText model; take its .vec file, or write one with fastText's `print-word-vectors`"),
    b"\x89HDF": (0, "an HDF5 file"),
    b"\x93NUMPY": (0, "a NumPy array; load it and pass `tokens` and `vectors` to `export_text_embedding`"),
    b"\x28\xb5\x2f\xfd": (
        0,
        "compressed with zstd; pipe it: zstd -dc FILE | tf1hub text-embedding --embedding-file - ...",
    ),
    b"\x1f\x8b": (0, "compressed twice; take one layer off first"),
}


@dataclass(frozen=True)
class Layout:
    """How to read a file.

    Attributes:
      is_binary: whether it is word2vec's binary format.
      dimension: the values for each token.
      count: how many tokens its first line says there are; None when it has no such line.
      start: where the first line, or record, begins.
      first_line: that line's number, from 1.
      may_have_header: whether its first line, taken for a token and its value, may be no such thing.
    """

    is_binary: bool
    dimension: int
    count: int | None
    start: int
    first_line: int
    may_have_header: bool = False


def find_layout(head: bytes, name: str) -> Layout:
    """The layout of the file `name` that begins with `head`.

    Raises:
      EmbeddingFileError: it is empty, or something else than an embedding file.
    """
    for magic, (at, what) in _NOT_EMBEDDINGS.items():
        if head[at : at + len(magic)] == magic and _NO_TEXT.search(head, 0, 512):
            raise EmbeddingFileError(f"{name} is {what}.")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and head[:512].count(b"\0") > len(head[:512]) // 4:
        raise EmbeddingFileError(f"{name} is in UTF-16; convert it with iconv -f UTF-16 -t UTF-8.")
    start = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
    header = _HEADER.match(head, start)
    layout = _layout_after(header, head, name) if header else None
    if layout is not None:
        return layout
    dimension = _most_common_dimension(head[start:], name)
    fits = header is not None and (int(header[2]) == 1 or not head[header.end() :].strip())
    return Layout(False, dimension, None, start, 1, dimension == 1 and fits)


def _layout_after(header: re.Match[bytes], head: bytes, name: str) -> Layout | None:
    """The layout of a file whose first line is two whole numbers; None when these are a token and its vector."""
    count, dimension = int(header[1]), int(header[2])
    line = head[header.end() :].partition(b"\n")[0]
    second = line.split()
    enough = dimension + (not line.startswith(b" "))  # After a space, for which the token is empty.
    if dimension > 1 and len(second) >= enough and all(map(is_number, second[-dimension:])):
        is_binary = False
    elif _NO_TEXT.search(head, header.end(), header.end() + _LOOKED_AT_BYTES):
        is_binary = True
    elif len(second) <= 2:
        return None
    else:
        is_binary = False  # What is wrong with the line is said when it is parsed.
    if not 0 < dimension <= _LARGEST_DIMENSION:
        raise EmbeddingFileError(f"{name}, line 1: vectors of {dimension} values cannot be.")
    return Layout(is_binary, dimension, count, header.end(), 2)


def _most_common_dimension(text: bytes, name: str) -> int:
    """The number of values that most of the first lines have."""
    lines = text.split(b"\n", _LOOKED_AT_LINES)
    found = [line for line in (lines[:-1] or lines) if line.split()]
    if not found:
        raise EmbeddingFileError(f"{name} holds no vectors: it is empty.")
    if not any(map(_numbers_at_end, found)):
        raise EmbeddingFileError(
            f"{name}, line {lines.index(found[0]) + 1}: neither it nor a line after it ends in a number, so this is no"
            f" embedding file.{_COMMAS if b',' in found[0] and not _NO_TEXT.search(found[0]) else ''}"
        )
    # Lines whose token has no spaces tell for sure; that of a line that begins with a space may be empty.
    counts = Counter(count for line in found if not line.startswith(b" ") and (count := _numbers_after_word(line)))
    counts = counts or Counter(count for line in found if (count := _numbers_after_word(line)))
    counts = counts or Counter(map(_numbers_at_end, found))
    return counts.most_common(1)[0][0] or 1


def _numbers_after_word(line: bytes) -> int:
    """How many values follow a token of one word; 0 when the second word is no number."""
    fields = line.split()
    return len(fields) - 1 if len(fields) > 1 and is_number(fields[1]) else 0


def _numbers_at_end(line: bytes) -> int:
    return sum(1 for _ in takewhile(is_number, reversed(line.split()[1:])))
