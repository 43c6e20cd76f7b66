"""Runs the examples of a documentation page: in order, in one namespace, in the current directory.

    python tests/page_runner.py PAGE

    fence                       its examples
    python                      Python code
    python raises=ValueError    code that must raise that
    console run                 `$ command` lines, each followed by what it prints; `...` stands for anything, and
                                `# exit 1` after a command says that it ends so

Other fences are not run. Line numbers in a traceback are those of the page.
"""

import doctest
import linecache
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Example:
    """One fenced block: its language, the line in the page that it starts at, and the exception it must raise, if any."""

    language: str
    line: int
    code: str
    raises: str | None = None


def examples_of(text: str) -> Iterator[Example]:
    """The examples of a page in Markdown that are run."""
    for fence in re.finditer(r"^```(python|console) *(\S*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, option, code = fence.groups()
        name, _, value = option.partition("=")
        if name not in {"python": ("", "raises"), "console": ("", "run")}[language]:
            raise ValueError(f"unknown option of an example: {option!r}")
        if language == "python" or option == "run":
            yield Example(language, text.count("\n", 0, fence.start(3)) + 1, code, value or None)


def run_example(example: Example, page: str, namespace: dict[str, Any]) -> None:
    """Runs one example. Raises what it raises, and AssertionError when it does not do what it must."""
    if example.language == "console":
        for command, expected in _commands_of(example.code):
            _run_command(command, expected, f"{page}:{example.line}")
        return
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


def _commands_of(code: str) -> Iterator[tuple[str, str]]:
    """Each command with what it prints. A command that ends in a backslash goes on in the next line."""
    for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
        command, _, expected = re.sub(r"\\\n", "\\\\\0", part).partition("\n")
        yield command.replace("\0", "\n"), expected


def _run_command(command: str, expected: str, where: str) -> None:
    status = re.search(r"# exit (\d+)", command)
    with tempfile.TemporaryDirectory() as folder:
        # The command as an installation provides it; the environments for tests are not all installed.
        script = Path(folder, "tf1hub")
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tf1hub "$@"\n')
        script.chmod(0o755)
        path = os.pathsep.join([folder, str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
        result = subprocess.run(
            ["bash", "-c", command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )
    assert result.returncode == (int(status[1]) if status else 0), f"{where}: {command}\n{result.stdout}"
    if not doctest.OutputChecker().check_output(expected, result.stdout, _SAME):
        raise AssertionError(f"{where}: {command}\nprints\n{result.stdout}\ninstead of\n{expected}")


def run_page(path: Path) -> int:
    """Runs all examples of a page; returns how many there are."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    text = path.read_text(encoding="utf-8")
    # AutoGraph reads the source of a tf.function.
    linecache.cache[path.name] = len(text), None, text.splitlines(keepends=True), path.name
    examples = list(examples_of(text))
    for example in examples:
        run_example(example, path.name, namespace)
    return len(examples)


if __name__ == "__main__":
    # The examples import tf1hub from the project's root, and nothing from the tests.
    sys.path[0] = str(ROOT)
    print(f"{run_page(Path(sys.argv[1]))} examples ran")
