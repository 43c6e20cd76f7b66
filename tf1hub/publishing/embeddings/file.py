"""An embedding file as tokens and vectors, some at a time, whatever its format."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from tf1hub.errors import EmbeddingFileError
from tf1hub.publishing.embeddings.layout import HEAD_SIZE, find_layout
from tf1hub.publishing.embeddings.numbers import Vectors
from tf1hub.publishing.embeddings.records import iter_records
from tf1hub.publishing.embeddings.source import EmbeddingSource, open_source
from tf1hub.publishing.embeddings.workers import parse_blocks

_BLOCK_SIZE = 1 << 20
_LONGEST_LINE = 64 << 20


class EmbeddingFile:
    """An embedding file that is being read.

    Attributes:
      name: what messages call it.
      format: "text", "text with a header" or "word2vec binary", and how it is compressed.
      dimension: the values for each token.
      skipped_lines: the empty lines so far.
      warnings: what its reader should know of it.
    """

    def __init__(self, source: EmbeddingSource) -> None:
        self._source = source
        self._head = _read_head(source)
        self._layout = find_layout(self._head, source.name)
        self.name = source.name
        self.dimension = self._layout.dimension
        self.skipped_lines = 0
        self.warnings: list[str] = []
        if self._layout.may_have_header:
            self.warnings.append(
                f"The first line of {self.name} was taken for a token and its value. If it tells the number of tokens"
                " and of values, take it out; if nothing follows it, fetch the file again."
            )
        plain = "text" if self._layout.count is None else "text with a header"
        self.format = "word2vec binary" if self._layout.is_binary else plain
        if source.compression:
            self.format += f", {source.compression}"

    @property
    def bytes_read(self) -> int:
        """How much of the file was read, compressed as it is."""
        return self._source.bytes_read

    def iter_batches(self, allow_nonfinite: bool) -> Generator[tuple[list[bytes], Vectors], None, None]:
        """Tokens, and their vectors as float32 [tokens, dimension].

        Raises:
          EmbeddingFileError: something in the file is wrong; the message names the line.
        """
        data = self._head[self._layout.start :]
        self._head = b""
        count = self._layout.count
        found = 0
        if self._layout.is_binary and count is not None:
            rest = yield from iter_records(self._source, data, self.dimension, count, allow_nonfinite)
            if (rest or self._source.read(_BLOCK_SIZE)).strip(b"\n"):
                self.warnings.append(f"{self.name} goes on after the {count} vectors that its first line promises.")
            return
        late: list[EmbeddingFileError] = []
        blocks = _until_error(_iter_blocks(self._source, data), late)
        with closing(parse_blocks(blocks, self.dimension, allow_nonfinite)) as parsed_blocks:
            line = self._layout.first_line
            for parsed in parsed_blocks:
                yield parsed.tokens, parsed.vectors
                if parsed.bad_line is not None:
                    raise EmbeddingFileError(f"{self.name}, line {line + parsed.bad_line}: {parsed.problem}.")
                line += parsed.lines
                found += len(parsed.tokens)
                self.skipped_lines += parsed.lines - len(parsed.tokens)
        if late:
            raise late[0]
        if count is not None and found != count:
            self.warnings.append(
                f"The first line of {self.name} promises {count} vectors, and it holds {found}."
                + (" It may be cut short." if found < count else "")
            )


@contextmanager
def open_embedding_file(path: str) -> Iterator[EmbeddingFile]:
    """Opens an embedding file, and finds out what its format is; "-" is standard input."""
    with open_source(path) as source:
        yield EmbeddingFile(source)


def _read_head(source: EmbeddingSource) -> bytes:
    head = b""
    while len(head) < HEAD_SIZE and (more := source.read(HEAD_SIZE - len(head))):
        head += more
    return head


def _iter_blocks(source: EmbeddingSource, data: bytes) -> Iterator[bytes]:
    """The file in blocks that end where a line does; `data` is what was read of it already."""
    kept: list[bytes] = []
    size = 0
    while data:
        cut = data.rfind(b"\n") + 1
        if cut:
            yield b"".join([*kept, data[:cut]])
            kept, size = [], 0
        kept.append(data[cut:])
        size += len(kept[-1])
        if size > _LONGEST_LINE:
            raise EmbeddingFileError(
                f"{source.name} has a line of more than {_LONGEST_LINE >> 20} MB, so it is no embedding file."
            )
        data = source.read(_BLOCK_SIZE)
    if size:
        yield b"".join([*kept, b"\n"])


def _until_error(blocks: Iterator[bytes], late: list[EmbeddingFileError]) -> Iterator[bytes]:
    """The blocks before an error in the file. It is for later: what was read before it may be all that is wanted."""
    try:
        yield from blocks
    except EmbeddingFileError as error:
        late.append(error)
