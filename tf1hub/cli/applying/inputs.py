"""Where the inputs of `tf1hub apply` come from: arguments, text lines, JSON lines, arrays, images.

format    suffixes                            a row is
text      .txt, and standard input            a line
jsonl     .jsonl, .ndjson, standard input     a line: an object keyed by input, or the value of the only input
npy, npz  .npy, .npz                          a step along the first dimension
image     .png, .jpg, ...                     a file
"""

import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from tf1hub.cli.applying.arrays import array_batches, array_rows, read_arrays
from tf1hub.cli.applying.batches import Batch, Row, batched
from tf1hub.cli.applying.calls import DENSE, Call, Input
from tf1hub.cli.applying.json_values import parse_value
from tf1hub.cli.applying.pictures import IMAGE_SUFFIXES, ImageReader, is_image
from tf1hub.errors import InputError
from tf1hub.format.dtypes import STRING

FORMATS = ("text", "jsonl", "npy", "npz", "image")
STDIN = "-"
_SUFFIXES = {".txt": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npy": "npy", ".npz": "npz"} | dict.fromkeys(
    IMAGE_SUFFIXES, "image"
)
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Given:
    """What the command line gave: values for the only input, values by input, files, and the files' format."""

    values: Sequence[str]
    named: Mapping[str, Sequence[str]]
    files: Sequence[str]
    format: str | None


@dataclass(frozen=True)
class Source:
    """Batches of input, and how many examples there will be, where that is known."""

    batches: Iterator[Batch]
    total: int | None


def named_values(texts: Iterable[str], call: Call) -> dict[str, list[str]]:
    """The values of `--input NAME=VALUE` by input, whose names may hold `=` too.

    Raises:
      click.UsageError: no such input.
    """
    named: dict[str, list[str]] = {}
    for text in texts:
        key = max((key for key in call.inputs if text.startswith(f"{key}=")), key=len, default=None)
        if key is None:
            raise click.UsageError(f"--input {text!r} is not NAME=VALUE of an input. {call.describe_inputs()}")
        named.setdefault(key, []).append(text[len(key) + 1 :])
    return named


def open_source(given: Given, call: Call, size: int, images: ImageReader) -> Source:
    """The batches that the command line asks for.

    Raises:
      click.UsageError: it asks for too much or too little.
      InputError: a value that does not fit its input.
    """
    constants, rows = _named_rows(given, call, images)
    if rows and (given.values or given.files):
        raise click.UsageError("An --input with several values cannot go with other arguments or --input-file.")
    if given.values and given.files:
        raise click.UsageError("Give values or --input-file, not both.")
    rest = [key for key in call.inputs if key not in given.named]
    if given.values:
        wanted = call.inputs[_only(rest, call)]
        made = (_row(rest[0], text, wanted, constants, images) for text in given.values)
        return Source(batched(made, call, size), len(given.values))
    if not rest:
        if given.files:
            raise click.UsageError(f"Nothing is left to take from {given.files[0]!r}. {call.describe_inputs()}")
        return Source(batched(rows or [Row(constants, "the command line")], call, size), len(rows) or 1)
    if rows:
        raise click.UsageError(f"Values are missing for {', '.join(map(repr, rest))}. {call.describe_inputs()}")
    if not given.files and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError(
            f"Nothing to apply the module to: give values, --input-file or standard input. {call.describe_inputs()}"
        )
    return _file_source(given, call, size, constants, rest, images)


def _only(keys: list[str], call: Call) -> str:
    if len(keys) != 1:
        raise click.UsageError(
            f"A value without a name goes to the only input that is left, and here are {len(keys)}; write"
            f" --input NAME=VALUE. {call.describe_inputs()}"
        )
    return keys[0]


def _named_rows(given: Given, call: Call, images: ImageReader) -> tuple[dict[str, Any], list[Row]]:
    """What each row has in common, and the rows, if an `--input` was given several times."""
    parsed = {
        key: [_argument(text, call.inputs[key], f"--input {key}", images) for text in texts]
        for key, texts in given.named.items()
    }
    counts = {len(values) for values in parsed.values() if len(values) > 1}
    constants = {key: values[0] for key, values in parsed.items() if len(values) == 1}
    if not counts:
        return constants, []
    if len(counts) > 1:
        found = ", ".join(f"{len(values)} for {key!r}" for key, values in parsed.items())
        raise click.UsageError(f"Give each --input once, or as many times as the others: there are {found}.")
    rows = [
        Row(
            {key: values[place] if len(values) > 1 else values[0] for key, values in parsed.items()}, f"row {place + 1}"
        )
        for place in range(counts.pop())
    ]
    return constants, rows


def _row(key: str, text: str, wanted: Input, constants: Mapping[str, Any], images: ImageReader) -> Row:
    place = f"the value {text!r:.60}"
    return Row({**constants, key: _argument(text, wanted, place, images)}, place)


def _argument(text: str, wanted: Input, place: str, images: ImageReader) -> Any:
    """An argument as a value: text for an input of strings, an image's path, or JSON."""
    if _takes_text(wanted):
        return os.fsencode(text)
    if is_image(wanted) and not text.startswith("["):
        return _picture(text, wanted, images)
    try:
        return _parsed(json.loads(text), wanted, place)
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{place}: the input {wanted.field.key!r} takes {wanted}, and {text!r:.60} is no JSON (such as 0.5, [1, 2])"
        ) from error


def _parsed(value: Any, wanted: Input, place: str) -> Any:
    try:
        return parse_value(value, wanted)
    except InputError as error:
        raise InputError(f"{place}: the input {wanted.field.key!r} {error}") from error
    except RecursionError as error:
        raise InputError(f"{place}: the input {wanted.field.key!r} is nested too deeply") from error


def _takes_text(wanted: Input) -> bool:
    field = wanted.field
    return field.kind == DENSE and field.dtype == STRING and wanted.value_shape in (None, ())


def _file_source(
    given: Given, call: Call, size: int, constants: dict[str, Any], rest: list[str], images: ImageReader
) -> Source:
    files = given.files or [STDIN]
    default = "text" if len(rest) == 1 and _takes_text(call.inputs[rest[0]]) else "jsonl"
    formats = {given.format or _format_of(file, default) for file in files}
    for file in files:
        if file != STDIN:
            os.stat(file)  # what is missing is told before anything is run
    if len(formats) > 1:
        raise click.UsageError(f"The files have different formats: {', '.join(sorted(formats))}. Run them one by one.")
    [chosen] = formats
    if chosen in ("npy", "npz"):
        return _array_source(files, chosen, call, size, constants, rest)
    if chosen == "jsonl":
        rows = (row for file in files for row in _json_rows(file, call, constants, rest))
        return Source(batched(rows, call, size), None)
    key = _only(rest, call)
    wanted = call.inputs[key]
    if chosen == "image":
        rows = (Row({**constants, key: _picture(file, wanted, images)}, file) for file in files)
        return Source(batched(rows, call, size), len(files))
    if not _takes_text(wanted):
        raise click.UsageError(f"Text lines are for an input of strings, and {key!r} takes {wanted}.")
    rows = (row for file in files for row in _text_rows(file, key, constants))
    return Source(batched(rows, call, size), None)


def _format_of(file: str, default: str) -> str:
    if file == STDIN:
        return default
    suffix = Path(file).suffix.lower()
    if suffix not in _SUFFIXES:
        raise click.UsageError(
            f"{file!r} does not tell its format by its name; pass --input-format, one of {', '.join(FORMATS)}."
        )
    return _SUFFIXES[suffix]


def _array_source(
    files: Sequence[str], format: str, call: Call, size: int, constants: dict[str, Any], rest: list[str]
) -> Source:
    """All files are opened now, so that what does not fit is told before anything is run."""
    if STDIN in files:
        raise click.UsageError("Arrays cannot be read from standard input; give the path of the file.")
    opened = [read_arrays(file, format, [_only(rest, call)] if format == "npy" else rest, call) for file in files]
    total = sum(array_rows(arrays, call) for arrays in opened)
    parts = (array_batches(arrays, constants, call, size, file) for file, arrays in zip(files, opened, strict=True))
    return Source(itertools.chain.from_iterable(parts), total)


def _text_rows(file: str, key: str, constants: Mapping[str, Any]) -> Iterator[Row]:
    for number, line in _lines(file):
        yield Row({**constants, key: line.removesuffix(b"\n").removesuffix(b"\r")}, f"{_name(file)}, line {number}")


def _json_rows(file: str, call: Call, constants: Mapping[str, Any], rest: list[str]) -> Iterator[Row]:
    for number, line in _lines(file):
        if not line.strip():
            continue
        place = f"{_name(file)}, line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: no JSON: {error}") from error
        if not isinstance(value, dict):
            if len(rest) != 1:
                raise InputError(f"{place}: give an object keyed by input. {call.describe_inputs()}")
            value = {rest[0]: value}
        missing, extra = [key for key in rest if key not in value], [key for key in value if key not in rest]
        if missing or extra:
            wrong = [f"lacks {', '.join(map(repr, missing))}"] if missing else []
            wrong += [f"has {', '.join(map(repr, extra))}, not known or given by --input"] if extra else []
            raise InputError(f"{place}: the row {', and '.join(wrong)}. {call.describe_inputs()}")
        yield Row({**constants, **{key: _parsed(value[key], call.inputs[key], place) for key in rest}}, place)


def _picture(file: str, wanted: Input, images: ImageReader) -> Any:
    with _opened(file) as stream:
        return images.read(stream, file, wanted)


def _lines(file: str) -> Iterator[tuple[int, bytes]]:
    with _opened(file) as stream:
        for number, line in enumerate(stream, 1):
            yield number, line.removeprefix(_UTF8_MARK) if number == 1 else line


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == STDIN:
        if sys.stdin is None:
            raise click.UsageError("Standard input is closed; give a file, or pipe one.")
        yield sys.stdin.buffer
        return
    with open(file, "rb") as stream:
        yield stream


def _name(file: str) -> str:
    return "standard input" if file == STDIN else file
