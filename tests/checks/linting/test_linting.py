"""`hub.lint`: what it takes, which rules run, what comes out, and what it never does."""

import os
import pickle
import shutil
from contextlib import suppress
from dataclasses import fields

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.comparison_modules import variant, write_module
from tests.graph.graphs import definition, variable
from tests.graphs import edited_saved_model, export, spec_of
from tests.module_fns import KINDS
from tests.programs import run_program
from tf1hub.checks.linting import linting
from tf1hub.checks.linting.findings import SEVERITIES, Finding, Problem
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.linting.rules import GROUPS, RULES, chosen_rules, find_rule
from tf1hub.errors import RuleError

pytestmark = pytest.mark.filterwarnings("ignore:`:UserWarning")  # tf.layers are deprecated


def module_fn():
    x = tf.placeholder(tf.float32, [None, 2])
    w = tf.get_variable("w", [2, 3], initializer=tf.random_normal_initializer(seed=1))
    y = tf.ensure_shape(tf.py_func(lambda value: value, [x @ w], tf.float32), [None, 3])
    hub.add_signature(inputs=x, outputs={"other": y})


@pytest.fixture(scope="module")
def spec():
    return hub.create_module_spec(module_fn)


@pytest.fixture(scope="module")
def path(spec, tmp_path_factory):
    return export(spec, tmp_path_factory.mktemp("linted") / "module")


def rules_in(report):
    return [finding.rule for finding in report.findings]


def test_a_path_a_path_object_and_a_spec_are_linted(spec, path, tmp_path):
    for module in (spec, path, os.fspath(path), hub.load_module_spec(path)):
        assert {"python-op", "no-default-output"} <= set(rules_in(hub.lint(module)))


def test_what_is_no_module_is_refused(tmp_path):
    with pytest.raises(hub.errors.MissingModuleError):
        hub.lint(tmp_path / "nothing")
    with pytest.raises(OSError):
        hub.lint(tmp_path)
    with pytest.raises(hub.errors.SpecTypeError, match="a path or a module spec, but got int"):
        hub.lint(7)


def test_a_damaged_graph_is_refused(path, tmp_path):
    shutil.copytree(path, tmp_path / "m")
    (tmp_path / "m/saved_model.pb").write_bytes(b"\xff" * 30)
    with pytest.raises(hub.errors.CorruptModuleError):
        hub.lint(tmp_path / "m")


def test_the_worst_comes_first(path):
    report = hub.lint(path)
    order = [SEVERITIES.index(finding.severity) for finding in report.findings]
    assert order == sorted(order)
    assert report.has_errors
    assert report.counts() == {each: [f.severity for f in report.findings].count(each) for each in SEVERITIES}


def test_no_finding_is_no_error(path):
    report = hub.lint(path, select=["no-default-signature"])
    assert report.findings == []
    assert not report.has_errors
    assert report.counts() == {"error": 0, "warning": 0, "advice": 0}


def test_rules_are_selected_and_ignored_by_id_and_group(path):
    assert rules_in(hub.lint(path, select=["python-op"])) == ["python-op"]
    assert rules_in(hub.lint(path, select="python-op")) == ["python-op"]
    assert "python-op" not in rules_in(hub.lint(path, ignore=["python-op"]))
    assert rules_in(hub.lint(path, select=["reuse"], ignore=["reuse"])) == []
    assert set(chosen_rules(["publishing", "python-op"], [])) == {*GROUPS["publishing"], find_rule("python-op")}


def test_rules_that_do_not_run_are_not_computed(path):
    asked = []
    hub.lint(path, select=["python-op", "no-default-output"], progress=asked.append)
    assert sorted(asked) == ["no-default-output", "python-op"]


@pytest.mark.parametrize("option", ["select", "ignore"])
def test_a_rule_that_does_not_exist_is_an_error_with_a_hint(path, option):
    with pytest.raises(ValueError, match=r"There is no rule 'python-ops'\. Did you mean 'python-op'"):
        hub.lint(path, **{option: ["python-ops"]})
    with pytest.raises(RuleError, match="`tf1hub lint --rules` lists them"):
        hub.lint(path, **{option: ["zzzzzz"]})


def test_ids_are_unique_and_well_formed():
    rules = [each for group in GROUPS.values() for each in group]
    assert len({each.id for each in rules}) == len(rules) == len(RULES)
    for each in rules:
        assert each.severity in SEVERITIES
        assert each.id.replace("-", "").islower()
        assert each.summary
        assert not each.summary.endswith(".")


def test_a_rule_makes_findings_of_its_problems(spec):
    @rule("nodes", "advice", "counts nodes")
    def nodes(module):
        for each in module.variants:
            yield Problem("Found.", "Mend.", tags=each.tags, node="x", file="f", variable="v", signature="s")

    [found] = nodes.findings(LintedModule(spec))
    assert found == Finding("nodes", "advice", "Found.", "Mend.", (), "s", "x", "v", "f")
    assert {field.name for field in fields(Problem)} == {field.name for field in fields(Finding)} - {"rule", "severity"}


def test_a_report_is_plain_data(path):
    report = hub.lint(path)
    assert pickle.loads(pickle.dumps(report)) == report


def test_linting_twice_says_the_same_and_changes_nothing(spec, path):
    before = {tags: spec.variant(tags).meta_graph.SerializeToString(deterministic=True) for tags in spec.get_tags()}
    assert hub.lint(spec) == hub.lint(spec)
    assert hub.lint(path).findings == hub.lint(hub.load_module_spec(path)).findings
    after = {tags: spec.variant(tags).meta_graph.SerializeToString(deterministic=True) for tags in spec.get_tags()}
    assert before == after


def test_making_a_spec_stays_silent(capfd, recwarn):
    hub.create_module_spec(module_fn)
    assert "python-op" not in "".join(capfd.readouterr())
    assert not [warning for warning in recwarn if "lint" in str(warning.message).lower()]


def test_it_runs_without_tensorflow(path, tmp_path):
    program = """
        import sys
        sys.modules["tensorflow"] = None
        import tf1hub as hub
        print(sorted({finding.rule for finding in hub.lint(sys.argv[1]).findings if finding.rule == "python-op"}))
    """
    assert run_program(program, path) == "['python-op']\n"


def test_the_values_of_large_variables_are_not_held_in_memory(tmp_path):
    size = 50_000_000
    values = {"w": np.arange(size, dtype=np.float32)}
    graph = variant(*variable("w", [size]), variables=[definition("w")])
    large = write_module(tmp_path / "large", graph, values=values)
    program = """
        import re, sys
        import tf1hub as hub
        report = hub.lint(sys.argv[1], select=["weights-not-finite", "weights-untrained", "module-size"])
        print(report.findings, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1000)
    """
    findings, megabytes = run_program(program, str(large)).split()
    assert findings == "[]"
    assert int(megabytes) < 150


def check_finding(finding, module):
    """A finding says where it is, and that place is there."""
    assert finding.severity == RULES[finding.rule].severity
    for sentence in (finding.reason, finding.remedy):
        assert sentence[0].isupper() or not sentence[0].isalpha(), finding
        assert sentence.endswith("."), finding
        assert len(sentence) < 1000, finding
        assert "\n" not in sentence, finding
    if finding.tags is None:
        assert (finding.signature, finding.node) == (None, None), finding
        return
    [found] = [each for each in module.variants if each.tags == finding.tags]
    assert finding.signature is None or finding.signature in found.signatures
    assert finding.node is None or finding.node in found.flow.nodes


@pytest.mark.parametrize("kind", KINDS)
def test_modules_of_all_kinds_are_linted(kind):
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")
    spec = spec_of(kind)
    module = LintedModule(spec)
    for finding in hub.lint(spec).findings:
        check_finding(finding, module)


@pytest.mark.parametrize(
    "edit",
    [
        lambda meta_graph: meta_graph.ClearField("graph_def"),
        lambda meta_graph: meta_graph.ClearField("signature_def"),
        lambda meta_graph: meta_graph.ClearField("collection_def"),
        lambda meta_graph: meta_graph.ClearField("meta_info_def"),
        lambda meta_graph: meta_graph.graph_def.ClearField("library"),
        lambda meta_graph: meta_graph.graph_def.ClearField("versions"),
        lambda meta_graph: [node.ClearField("attr") for node in meta_graph.graph_def.node],
        lambda meta_graph: [node.ClearField("input") for node in meta_graph.graph_def.node],
        lambda meta_graph: [node.ClearField("op") for node in meta_graph.graph_def.node],
    ],
    ids=["graph", "signatures", "collections", "meta", "functions", "versions", "attributes", "inputs", "ops"],
)
@pytest.mark.parametrize("kind", ["while_v2", "cond_v1", "batch_norm_and_dropout"])
def test_a_module_that_lacks_something_is_linted_or_refused(kind, edit, tmp_path):
    path = export(spec_of(kind), tmp_path / "m")
    with edited_saved_model(path) as saved_model:
        for meta_graph in saved_model.meta_graphs:
            edit(meta_graph)
    with suppress(hub.errors.Tf1HubError):
        assert hub.lint(path).facts


def test_the_garbage_collector_is_on_again(spec, monkeypatch):
    import gc

    def fails(*arguments):
        raise RuntimeError("of a rule")

    hub.lint(spec)
    assert gc.isenabled()
    monkeypatch.setattr(linting, "facts_of", fails)
    with pytest.raises(RuntimeError):
        hub.lint(spec)
    assert gc.isenabled()
