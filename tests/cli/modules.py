"""Modules on disk for the tests of commands, and running a command on them."""

import functools
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

import tf1hub as hub
from tests.graphs import export
from tests.module_fns import KINDS
from tf1hub.cli.main import run


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="tf1hub-cli-")


@functools.cache
def module_of(kind: str) -> str:
    """The path of a module of one of the kinds in `tests.module_fns`. It is not to be changed."""
    return export(KINDS[kind].spec(hub), Path(_folder().name, kind), values=True)


def rows_of(printed: str) -> list[dict[str, Any]]:
    """The rows of printed JSON lines. NaN and the like would be no JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return [json.loads(line, parse_constant=refuse) for line in printed.split("\n") if line]


def give_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """What the command reads from standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def applied(capsys: pytest.CaptureFixture, *arguments: str) -> list[dict[str, Any]]:
    """The rows that `tf1hub apply` prints."""
    status = run(["apply", *map(str, arguments)])
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    return rows_of(printed.out)


def refused(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    """What `tf1hub apply` says when it does not go on."""
    capsys.readouterr()  # of commands before
    status = run(["apply", *map(str, arguments)])
    printed = capsys.readouterr()
    assert (status, printed.out) == (2, "")
    assert "Traceback" not in printed.err
    assert "internal error" not in printed.err
    return " ".join(printed.err.split())
