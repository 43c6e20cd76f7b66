"""The tokens of a module: a line each in its vocabulary file, in the order of the table's rows, and none twice.

Of the tokens that were seen a set of short keys is kept, so that each takes some hundred bytes however long it is.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import BinaryIO

# Python keeps bytes of up to this length in 48 bytes of memory. A key of just this length is a token's digest.
_KEY_LENGTH = 15
_DIGEST_LENGTH = 8


def token_problem(token: bytes) -> str:
    """Why a vocabulary file cannot hold a token; empty when it can."""
    if b"\r" in token:
        return "the token holds a carriage return, which TensorFlow drops when it reads a vocabulary"
    if b"\n" in token:
        return "the token holds a line break, and a vocabulary has a line for each token"
    return ""


class Vocabulary:
    """The vocabulary file that is being written.

    Args:
      file: it gets the tokens, each with a line break.
      limit: how many different tokens are taken; None for all.

    Attributes:
      size: the tokens in the file.
      has_empty: whether the empty token was seen, which the file cannot hold.
      duplicates: how many tokens were left out since they had been there before.
    """

    def __init__(self, file: BinaryIO, limit: int | None = None) -> None:
        self.size = 0
        self.has_empty = False
        self.duplicates = 0
        self._file = file
        self._limit = limit
        self._seen: set[bytes] = set()
        self._digest = blake2b(digest_size=_DIGEST_LENGTH)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached."""
        return self._limit is not None and len(self._seen) >= self._limit

    def add(self, tokens: list[bytes]) -> list[int] | None:
        """Writes the tokens that are new.

        Returns:
          Which they are, None for all of them. The empty token is among them when it is new, but is not written.
        """
        keys = tokens if max(map(len, tokens), default=0) < _KEY_LENGTH else [_key(token) for token in tokens]
        different = set(keys)
        if self._fits(tokens, different):
            self._seen |= different
            self._write(tokens)
            return None
        new = []
        for at, key in enumerate(keys):
            if self.is_full:
                break
            if key in self._seen:
                self.duplicates += 1
                continue
            self._seen.add(key)
            self.has_empty |= not key
            new.append(at)
        self._write([tokens[at] for at in new if tokens[at]])
        return new

    @property
    def digest(self) -> str:
        """A name for what the file holds."""
        return self._digest.hexdigest()

    def _fits(self, tokens: list[bytes], different: set[bytes]) -> bool:
        """Whether all the tokens are new, and can be written."""
        within = self._limit is None or len(self._seen) + len(tokens) <= self._limit
        return within and len(different) == len(tokens) and b"" not in different and self._seen.isdisjoint(different)

    def _write(self, tokens: Iterable[bytes]) -> None:
        lines = list(tokens)
        self.size += len(lines)
        if lines:
            data = b"\n".join(lines) + b"\n"
            self._digest.update(data)
            self._file.write(data)


def _key(token: bytes) -> bytes:
    return token if len(token) < _KEY_LENGTH else blake2b(token, digest_size=_KEY_LENGTH).digest()
