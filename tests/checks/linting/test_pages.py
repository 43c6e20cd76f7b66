"""Every rule has a page, and its two examples do what it says: one triggers the rule, the other does not."""

import re
import warnings
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tf1hub.checks.linting.pages import FOLDER, read_page
from tf1hub.checks.linting.rules import RULES
from tf1hub.errors import RuleError

FENCES = ("triggers", "keeps")


def examples_of(page):
    """The programs of a page by what they are for."""
    fences = re.findall(r"^```python (\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in fences] == list(FENCES), (
        "a page has one example that triggers the rule and one that keeps it"
    )
    return dict(fences)


def rules_that_speak(code, name):
    """The rules that have something to say of the `module` that a program makes, or of the training graph that it lints."""
    namespace = {}
    with tf.Graph().as_default(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`", category=UserWarning)  # tf.layers are deprecated
        exec(compile(code, name, "exec"), namespace)
    findings = namespace["findings"] if "findings" in namespace else hub.lint(namespace["module"]).findings
    return {finding.rule for finding in findings}


@pytest.mark.parametrize("kind", FENCES)
@pytest.mark.parametrize("rule", RULES)
def test_an_example_does_what_its_page_says(rule, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = rules_that_speak(examples_of(read_page(rule))[kind], f"{rule}.md ({kind})")
    assert (rule in found) == (kind == "triggers"), found


def test_every_rule_has_a_page_and_every_page_a_rule():
    assert {path.stem for path in FOLDER.iterdir()} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_page_tells_id_and_severity_and_says_why(rule):
    page = read_page(rule)
    assert page.startswith(f"# {rule}\n\nseverity: {RULES[rule].severity}\n\n")
    reasons = page.split("\n\n", 2)[2].split("```")[0]
    assert 150 < len(reasons) < 2500
    assert "import tensorflow.compat.v1 as tf\n" in page


def test_a_page_of_a_rule_that_does_not_exist_is_not_looked_for():
    with pytest.raises(RuleError, match="There is no rule"):
        read_page("../pages/dropout-rate")


def test_the_guide_lists_every_rule_with_its_page_and_severity():
    guide = (Path(__file__).parents[3] / "docs/lint.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[([a-z0-9-]+)\]\(\.\./(tf1hub/\S+)\) \| (\w+) \| (.+) \|$", guide, re.MULTILINE)
    expected = [
        (each.id, f"tf1hub/checks/linting/pages/{each.id}.md", each.severity, each.summary) for each in RULES.values()
    ]
    assert rows == expected
