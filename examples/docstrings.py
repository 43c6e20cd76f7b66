"""Sentences from the docstrings of Python's standard library. The task: which package does a sentence come from?"""

import ast
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

PACKAGES = ["asyncio", "email", "logging", "turtle", "unittest", "xml"]
Examples = list[tuple[str, int]]  # sentences, each with the number of its package


def find_sources(package: str) -> list[Path]:
    """The files of a package of the standard library, or the one file of a module."""
    library = Path(sysconfig.get_paths()["stdlib"])
    folder = library / package
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def iter_docstrings(source: Path) -> Iterator[str]:
    """The docstrings of a file, which is parsed, not imported."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def split_sentences(docstring: str) -> list[str]:
    """The English sentences of a docstring: no headlines, no code."""
    paragraphs = [" ".join(text.split()) for text in re.split(r"\n\s*\n", docstring) if ">>>" not in text]
    sentences = [sentence for text in paragraphs for sentence in re.split(r"(?<=[.:]) +(?=[A-Z])", text)]
    return [sentence for sentence in sentences if sentence.count(" ") > 4]


def make_task(most: int) -> tuple[Examples, Examples]:
    """Sentences that one package only has, for training and for testing; at most that many of each package."""
    order = np.random.RandomState(1)
    packages: dict[str, set[int]] = {}
    for number, package in enumerate(PACKAGES):
        docstrings = [text for source in find_sources(package) for text in iter_docstrings(source)]
        sentences = sorted({sentence for text in docstrings for sentence in split_sentences(text)})
        for sentence in order.permutation(sentences)[:most]:
            packages.setdefault(str(sentence), set()).add(number)
    examples = [(sentence, *numbers) for sentence, numbers in packages.items() if len(numbers) == 1]
    shuffled = [examples[i] for i in order.permutation(len(examples))]
    cut = len(examples) * 2 // 3
    return shuffled[:cut], shuffled[cut:]


def make_dataset(examples: Examples) -> tf.data.Dataset:
    """Features and labels of the examples, one at a time."""
    texts, packages = zip(*examples, strict=True)
    return tf.data.Dataset.from_tensor_slices(({"text": list(texts)}, list(packages)))
