"""Runs the Python examples of a documentation page: in order, in one namespace, in the current directory.

    python tests/page_runner.py PAGE

A fence with the info string `python` holds an example; `python raises=ValueError` one that must raise that. Line
numbers in a traceback are those of the page.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Example:
    """One fenced block: the line in the page that its code starts at, and the exception it must raise, if any."""

    line: int
    code: str
    raises: str | None


def examples_of(text: str) -> Iterator[Example]:
    """The Python examples of a page in Markdown."""
    for fence in re.finditer(r"^```python *(\S*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        option, code = fence.groups()
        name, _, value = option.partition("=")
        if name not in ("", "raises"):
            raise ValueError(f"unknown option of an example: {option!r}")
        yield Example(text.count("\n", 0, fence.start(2)) + 1, code, value or None)


def run_example(example: Example, page: str, namespace: dict[str, Any]) -> None:
    """Runs one example. Raises what it raises, and AssertionError when it does not raise what it must."""
    code = compile("\n" * (example.line - 1) + example.code, page, "exec")
    if example.raises is None:
        exec(code, namespace)
        return
    try:
        exec(code, namespace)
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        if example.raises not in kinds:
            raise AssertionError(f"{page}:{example.line} raises {kinds[0]}, not {example.raises}") from error
        print(f"{page}:{example.line} {kinds[0]}: {error}")
    else:
        raise AssertionError(f"{page}:{example.line} does not raise {example.raises}")


def run_page(path: Path) -> int:
    """Runs all examples of a page; returns how many there are."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    examples = list(examples_of(path.read_text(encoding="utf-8")))
    for example in examples:
        run_example(example, path.name, namespace)
    return len(examples)


if __name__ == "__main__":
    # The examples import tf1hub from the project's root, and nothing from the tests.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    print(f"{run_page(Path(sys.argv[1]))} examples ran")
