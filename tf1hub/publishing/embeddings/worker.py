"""A process that parses lines of an embedding file for another one: `python -m tf1hub.publishing.embeddings.worker`.

It gets blocks of lines on standard input, and answers each on standard output, until there are no more:

    block     8 bytes: its length; the lines
    answer    5 numbers of 8 bytes: lines, tokens, length of the tokens' text, bad line (-1: none), length of the problem;
              the tokens with line breaks between them; the problem; the vectors as float32

A process, and not a thread, since Python runs one thread at a time; started by hand, since `multiprocessing` runs the
main program again, and not all programs bear that.
"""

import struct
import sys
from typing import BinaryIO

import numpy as np

from tf1hub.publishing.embeddings.lines import ParsedLines, parse_lines

_LENGTH = struct.Struct("<q")
_ANSWER = struct.Struct("<5q")


def write_block(stream: BinaryIO, block: bytes) -> None:
    """Sends a block of lines to a worker."""
    stream.write(_LENGTH.pack(len(block)))
    stream.write(block)
    stream.flush()


def read_answer(stream: BinaryIO, dimension: int) -> ParsedLines:
    """A worker's answer.

    Raises:
      EOFError: the worker has ended.
    """
    lines, count, tokens_length, bad_line, problem_length = _ANSWER.unpack(_read_whole(stream, _ANSWER.size))
    text = _read_whole(stream, tokens_length)
    problem = _read_whole(stream, problem_length).decode()
    values = np.frombuffer(_read_whole(stream, 4 * count * dimension), np.float32)
    tokens = text.split(b"\n") if count else []
    return ParsedLines(lines, tokens, values.reshape(count, dimension), None if bad_line < 0 else bad_line, problem)


def _read_whole(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _write_answer(stream: BinaryIO, parsed: ParsedLines) -> None:
    text = b"\n".join(parsed.tokens)
    problem = parsed.problem.encode()
    bad_line = -1 if parsed.bad_line is None else parsed.bad_line
    stream.write(_ANSWER.pack(parsed.lines, len(parsed.tokens), len(text), bad_line, len(problem)))
    stream.write(text + problem)
    stream.write(np.ascontiguousarray(parsed.vectors).data)
    stream.flush()


def serve(blocks: BinaryIO, answers: BinaryIO, dimension: int, allow_nonfinite: bool) -> None:
    """Answers blocks until there are no more."""
    while len(head := blocks.read(_LENGTH.size)) == _LENGTH.size:
        block = _read_whole(blocks, _LENGTH.unpack(head)[0])
        _write_answer(answers, parse_lines(block, dimension, allow_nonfinite))


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer, int(sys.argv[1]), sys.argv[2] == "True")
    except (EOFError, BrokenPipeError):  # Nobody waits for the answer any more.
        sys.stdout = None
        sys.exit(1)
