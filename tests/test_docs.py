"""Every example in README.md and docs/ runs, and the pages' links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tf1hub as hub
from tests.page_runner import examples_of, run_example

ROOT = Path(__file__).parents[1]
RUNNER = Path(__file__).with_name("page_runner.py")
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*GUIDES, *(ROOT / f"{name}.md" for name in ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"))]


# Each of its commands loads TensorFlow.
LONG = {"apply.md"}


def run_in_new_process(page: Path, folder: Path) -> subprocess.CompletedProcess:
    """TensorFlow's global state is fresh, and no variable is set that would change what Keras or TensorFlow is."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    environment = {**kept, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(RUNNER), str(page)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def marked(page: Path):
    return pytest.param(page, marks=[pytest.mark.slow] if page.name in LONG else [], id=page.name)


@pytest.mark.parametrize("page", [marked(page) for page in GUIDES])
def test_examples_run(page, tmp_path):
    result = run_in_new_process(page, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not result.stdout.endswith("\n0 examples ran\n"), f"{page.name} has no examples"


def test_an_example_that_fails_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("A page.\n\n```python\nx = 1\n```\n\n```python\nassert x == 2, 'not two'\n```\n")
    result = run_in_new_process(page, tmp_path)
    assert result.returncode != 0
    assert 'page.md", line 8' in result.stderr
    assert "not two" in result.stderr


def test_an_example_must_raise_what_it_says():
    [example] = examples_of("```python raises=LookupError\n{}['a']\n```\n")
    run_example(example, "page", {})  # a KeyError is a LookupError
    for code in ("pass", "1 / 0"):
        [example] = examples_of(f"```python raises=LookupError\n{code}\n```\n")
        with pytest.raises(AssertionError, match="LookupError"):
            run_example(example, "page", {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_what_an_operation_is_said_to_be_shown_by_is_a_test():
    cells = re.findall(r'\]\(\.\./([^ ]+\.py) "(\w+)"\)', (ROOT / "docs/operations.md").read_text(encoding="utf-8"))
    assert len(cells) > 70
    assert [name for file, name in cells if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("name", [name for name in hub.__all__ if not name.startswith("_")])
def test_every_public_name_is_in_the_guides(name):
    assert any(f"hub.{name}" in page.read_text(encoding="utf-8") for page in GUIDES)


def test_the_architecture_names_every_file():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"[a-z_]+\.py\b", text))
    files = {path.name for path in (ROOT / "tf1hub").rglob("*.py") if path.name != "__init__.py"}
    assert files - named == set()
    assert named - files - {"__init__.py"} == set()


def run_console(code: str) -> None:
    [example] = examples_of(f"```console run\n{code}\n```\n")
    run_example(example, "page", {})


def test_commands_must_print_what_the_page_says():
    run_console("$ tf1hub --version\ntf1hub, ...\n$ echo a \\\n    b\na b\n$ exit 3  # exit 3")
    for code in ("$ echo a\nb", "$ exit 1", "$ true # exit 1"):
        with pytest.raises(AssertionError, match="page:2"):
            run_console(code)
