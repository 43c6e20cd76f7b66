"""Rules on the source that import-linter cannot express."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tf1hub

SOURCES = sorted(Path(tf1hub.__file__).parent.rglob("*.py"))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_private_tensorflow_is_imported_in_one_file(path):
    imported = set(_imported(ast.parse(path.read_text())))
    private = {name for name in imported if name.startswith(("tensorflow.python", "tensorflow.core"))}
    assert not private or path.name == "tensorflow_private.py"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_file_has_fewer_than_400_lines_and_says_what_it_owns(path):
    text = path.read_text()
    assert len(text.splitlines()) < 400
    assert not text or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_functions_fit_a_screen(path):
    functions = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    bodies = {
        node.name: (node.end_lineno or 0) - node.lineno - (len((ast.get_docstring(node) or "").splitlines()))
        for node in functions
        if isinstance(node, ast.FunctionDef)
    }
    assert all(lines <= 50 for lines in bodies.values()), bodies
