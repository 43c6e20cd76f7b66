"""`tf1hub lint`: what it prints, its exit status, and choosing rules."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export
from tf1hub.checks.linting.findings import Finding
from tf1hub.checks.linting.linting import LintReport
from tf1hub.checks.linting.publishing.facts import ModuleFacts
from tf1hub.checks.linting.rules import GROUPS, RULES
from tf1hub.cli import lint as lint_command
from tf1hub.cli.lint_text import report_lines
from tf1hub.cli.main import run

NO_FACTS = ModuleFacts(bytes=None, written_by=(), tensorflow=())


def module_fn(output="default", python=False):
    """A module that is as it should be, or whose output nobody finds, or that runs Python."""
    x = tf.placeholder(tf.float32, [None, 2])
    w = tf.get_variable("w", [2, 3], initializer=tf.random_normal_initializer(seed=1))
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.1 * tf.nn.l2_loss(w))
    y = x @ w
    if python:
        y = tf.ensure_shape(tf.py_func(lambda value: value, [y], tf.float32), [None, 3])
    hub.add_signature(inputs=x, outputs={output: y})


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    arguments = {"good": {}, "warned": {"output": "other"}, "broken": {"output": "other", "python": True}}
    for name, given in arguments.items():
        export(hub.create_module_spec(lambda given=given: module_fn(**given)), folder / name)
    return folder


def rules_in(capsys):
    return [finding["rule"] for finding in json.loads(capsys.readouterr().out)["findings"]]


def test_a_module_without_findings_is_0(modules, capsys):
    assert run(["lint", str(modules / "good")]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "nothing to complain about"


def test_a_finding_is_told_with_its_place_its_reason_and_its_remedy(modules, capsys):
    assert run(["lint", str(modules / "warned")]) == 0
    first, place, *sentences, _, summary, _facts = capsys.readouterr().out.splitlines()
    assert (first, place) == ("warning: no-default-output", "  variant {}, signature 'default'")
    [finding] = hub.lint(modules / "warned").findings
    assert " ".join(" ".join(sentences).split()) == f"{finding.reason} -> {finding.remedy}"
    assert summary == "1 warning; `tf1hub lint --explain RULE` tells more of a rule"


@pytest.mark.parametrize(
    ("name", "options", "status"),
    [
        ("warned", ["--strict"], 1),
        ("warned", ["--strict", "--ignore", "no-default-output"], 0),
        ("broken", [], 1),
        ("broken", ["--ignore", "python-op"], 0),
        ("good", ["--strict"], 0),
    ],
)
def test_errors_are_1_and_warnings_are_when_strict(modules, capsys, name, options, status):
    assert run(["lint", str(modules / name), *options]) == status


def test_errors_come_first(modules, capsys):
    run(["lint", str(modules / "broken"), "--json"])
    assert rules_in(capsys) == ["python-op", "no-default-output"]


def test_json_says_the_same_and_where(modules, capsys):
    assert run(["lint", str(modules / "broken"), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    findings = hub.lint(modules / "broken").findings
    keys = ["rule", "severity", "reason", "remedy", "tags", "signature", "node", "variable", "file"]
    assert [list(finding) for finding in report["findings"]] == [keys, keys]
    assert [finding["reason"] for finding in report["findings"]] == [finding.reason for finding in findings]
    assert report["findings"][1]["tags"] == []
    assert report["counts"] == {"error": 1, "warning": 1, "advice": 0}
    assert set(report["facts"]) >= {"bytes", "written_by", "tensorflow"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--select", "no-default-output"], ["no-default-output"]),
        (["--select", "python-op, no-default-output"], ["python-op", "no-default-output"]),
        (["--select", "python-op", "--select", "no-default-output"], ["python-op", "no-default-output"]),
        (["--select", "reuse", "--ignore", "python-op"], ["no-default-output"]),
        (["--ignore", "reuse"], []),
    ],
)
def test_rules_are_chosen_by_id_and_group(modules, capsys, options, expected):
    run(["lint", str(modules / "broken"), "--json", *options])
    assert rules_in(capsys) == expected


@pytest.mark.parametrize("option", ["--select", "--ignore", "--explain"])
def test_a_rule_that_is_not_there_is_2_with_a_hint(modules, capsys, option):
    assert run(["lint", str(modules / "good"), option, "pyton-op"]) == 2
    assert "There is no rule 'pyton-op'. Did you mean 'python-op'" in capsys.readouterr().err


def test_a_rule_of_training_graphs_finds_nothing_in_a_module_and_is_2_alone(modules, capsys):
    assert run(["lint", str(modules / "good"), "--select", "optimizer-regularization"]) == 2
    output = capsys.readouterr()
    assert (output.out, "hub.lint_training_graph" in output.err) == ("", True)
    assert run(["lint", str(modules / "good"), "--select", "optimizer-regularization,python-op"]) == 0
    run(["lint", "--rules"])
    [line] = [line for line in capsys.readouterr().out.splitlines() if "optimizer-regularization" in line]
    assert "hub.lint_training_graph" in line


def test_explain_prints_the_page_without_a_module(capsys):
    assert run(["lint", "--explain", "no-default-output"]) == 0
    assert capsys.readouterr().out.startswith("# no-default-output\n")


def test_a_group_has_no_page(capsys):
    assert run(["lint", "--explain", "fine-tuning"]) == 2
    assert "'fine-tuning' is a group of rules, not a rule." in capsys.readouterr().err


def test_rules_are_listed_by_group(capsys):
    assert run(["lint", "--rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:-1] for line in lines if not line.startswith(" ")] == list(GROUPS)
    listed = {line.split()[0]: line.split()[1] for line in lines if line.startswith(" ")}
    assert listed == {rule.id: rule.severity for rule in RULES.values()}


def test_help_tells_examples_and_exit_statuses(capsys):
    assert run(["lint", "--help"]) == 0
    text = capsys.readouterr().out
    assert "tf1hub lint my_module --strict" in text
    assert "Exit status:" in text


def test_what_is_no_module_is_2(modules, tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    damaged = shutil.copytree(modules / "good", tmp_path / "damaged")
    (damaged / "saved_model.pb").write_bytes(b"\xff" * 20)
    for path in (tmp_path / "nothing", tmp_path / "folder", damaged):
        assert run(["lint", str(path)]) == 2
        output = capsys.readouterr()
        assert (output.out, output.err[:8]) == ("", "tf1hub: ")
    assert run(["lint"]) == 2


def report_of(*findings, facts=NO_FACTS):
    return "\n".join(report_lines(LintReport(list(findings), facts)))


def finding(rule="rule", reason="Reason.", remedy="Remedy.", severity="warning", **place):
    return Finding(rule, severity, reason, remedy, **place)


def test_what_is_the_same_in_several_variants_is_told_once():
    text = report_of(*(finding(tags=tags, node="a/b") for tags in [(), ("train",), ("large", "train")]))
    assert text.splitlines() == [
        "warning: rule",
        "  variants {} and {train} and {large, train}, node 'a/b'",
        "    Reason.",
        "    -> Remedy.",
        "",
        "1 warning; `tf1hub lint --explain RULE` tells more of a rule",
    ]


def test_a_remedy_of_several_places_is_told_once():
    text = report_of(finding(file="a"), finding(file="b"), finding(variable="c", remedy="Another."))
    assert text.splitlines()[:-2] == [
        "warning: rule",
        "  a",
        "    Reason.",
        "  b",
        "    Reason.",
        "    -> Remedy.",
        "  variable 'c'",
        "    Reason.",
        "    -> Another.",
    ]


def test_the_summary_counts_what_is_told():
    findings = [finding("a", severity="error", tags=()), finding("a", severity="error", tags=("train",))]
    findings += [finding("b"), finding("c", severity="advice", file="a"), finding("c", severity="advice", file="b")]
    assert "\n1 error, 1 warning, 2 pieces of advice; " in report_of(*findings)


def test_facts_are_a_line():
    facts = ModuleFacts(bytes=19_200_000, written_by=("1.15.0", "2.21.0"), tensorflow=("2.15", "2.21"))
    line = "19.2 MB, written by TensorFlow 1.15.0 and 2.21.0, all its ops are in TensorFlow 2.15 and 2.21"
    assert report_of(facts=facts) == f"nothing to complain about\n{line}"


def test_lines_fit_the_terminal_and_names_are_not_broken(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    name = "a-long/name-of/" + "a" * 70
    text = report_of(finding(reason=f"The quick brown fox {name} jumps over the lazy dog. " * 3))
    assert text.count(name) == 3
    assert all(len(line) <= 60 for line in text.splitlines()[:-1] if name not in line)


def test_names_cannot_steer_the_terminal():
    text = report_of(finding(reason="The node '\x1b[31m\n'.", node="\x1b]0;title\x07", tags=("\x9b",)))
    assert text.isprintable() or not set(text) & set("\x1b\x07\x9b")


def test_there_is_a_bar_for_large_modules(modules, capsys, monkeypatch):
    shown = []

    class Bar:
        def __enter__(self):
            return shown.append

        def __exit__(self, *error):
            return None

    monkeypatch.setattr(lint_command, "_WORTH_A_BAR", 0)
    monkeypatch.setattr(lint_command, "progress", lambda what, total, unit: Bar())
    assert run(["lint", str(modules / "good")]) == 0
    assert shown == [1] * len(RULES)


def test_a_module_on_a_remote_file_system_is_linted(modules, tmp_path, capsys):
    remote = f"ram://{tmp_path.name}"
    for file in [file for file in (modules / "warned").rglob("*") if file.is_file()]:
        target = f"{remote}/{file.relative_to(modules / 'warned')}"
        tf.io.gfile.makedirs(target.rpartition("/")[0])
        tf.io.gfile.copy(str(file), target)
    assert run(["lint", remote, "--json"]) == 0
    assert rules_in(capsys) == ["no-default-output"]


def test_it_runs_without_tensorflow(modules, tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('TensorFlow was imported')")
    paths = os.pathsep.join([str(tmp_path), os.getcwd()])
    command = [sys.executable, "-m", "tf1hub", "lint", str(modules / "broken")]
    result = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (1, "")
    assert "error: python-op" in result.stdout
