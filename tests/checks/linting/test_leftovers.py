"""What the rules about leftovers say."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.editing import edited
from tests.graphs import export, scaling_spec, spec_of, spec_with
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.reuse import graph_size
from tf1hub.checks.linting.reuse.used_nodes import uses_of
from tf1hub.checks.linting.rules import RULES

OURS = ["summary-op", "queue-op", "save-restore-op", "unused-nodes", "unused-variables", "large-constant"]


def told(spec, rule):
    """The place and reason of the rule's one finding."""
    (finding,) = hub.lint(spec, select=[rule]).findings
    return finding.node or finding.variable, finding.reason


def test_summaries_are_told_with_their_nodes():
    assert told(spec_of("collections_to_drop"), "summary-op") == (
        "w_1",
        "1 node ('w_1') is there for TensorBoard, which nobody runs in a module: its consumers cannot get at the summaries,"
        " and load all that they are computed from.",
    )


def test_unused_nodes_are_told_by_those_that_they_lead_to():
    def leave(x):
        tf.reduce_mean(tf.square(x, name="square"), name="loss")
        return x * 2.0

    assert told(spec_with(leave), "unused-nodes") == (
        "square",
        "2 nodes compute what no output, update op or regularization loss needs, up to 'loss': each consumer loads it for"
        " nothing.",
    )


def test_what_a_summary_is_computed_from_is_told_with_the_summary():
    def leave(x):
        tf.raw_ops.HistogramSummary(tag="squares", values=tf.square(x))
        return x * 2.0

    assert hub.lint(spec_with(leave), select=["unused-nodes"]).findings == []


def test_unused_variables_are_told_with_their_bytes_parts_taken_together():
    def leave(x):
        tf.get_variable("parts", [7, 3], partitioner=tf.fixed_size_partitioner(2))
        tf.get_variable("half", [2], tf.float16)
        return x * 2.0

    assert told(spec_with(leave), "unused-variables") == (
        "parts",
        "2 variables of 88 bytes, 'parts' and 'half', are read by no signature, update op or regularization loss; every"
        " consumer downloads and keeps them for nothing.",
    )


def test_large_constants_are_told_by_what_they_are_for_and_the_largest_first():
    def compute(x):
        small, large = np.random.rand(3, 50_000), np.random.rand(3, 60_000)
        start = tf.get_variable("start", initializer=small.astype(np.float64), dtype=tf.float64)
        return tf.cast(x, tf.float64) @ tf.concat(
            [tf.constant(small, name="s"), tf.constant(large, name="l"), start], 1
        )

    reasons = [each.reason for each in hub.lint(spec_with(compute), select=["large-constant"]).findings]
    assert reasons == [
        "The constant 'start/Initializer/initial_value' takes 1,200,000 bytes of the graph, just to initialize variables,"
        " whose values the checkpoint has anyway.",
        "The constant 'Const' takes 1,200,000 bytes of the graph, and no node takes that; TensorFlow leaves such a copy of an"
        " array that a variable is initialized with.",
        "The constants 'l' and 's' take 2,640,000 bytes of the graph, which no training can change, and each copy of the graph"
        " repeats.",
    ]


@pytest.mark.parametrize("count", [250_000, 250_001])
def test_a_constant_is_large_from_more_than_a_million_bytes(count):
    spec = spec_with(lambda x: x[:, :1] * tf.constant(np.random.rand(count).astype(np.float32)))
    assert len(hub.lint(spec, select=["large-constant"]).findings) == (count > 250_000)


def test_a_graph_on_disk_is_as_large_as_its_file(tmp_path, monkeypatch):
    path = export(scaling_spec(), tmp_path / "module")
    size = (tmp_path / "module/saved_model.pb").stat().st_size
    monkeypatch.setattr(graph_size, "_LARGE_GRAPH", size)
    (finding,) = hub.lint(path, select=["graph-too-large"]).findings
    assert finding.reason.startswith(f"The graphs of all variants take {size:,} bytes of the 2,147,483,647 that")
    monkeypatch.setattr(graph_size, "_LARGE_GRAPH", size + 1)
    assert hub.lint(path, select=["graph-too-large"]).findings == []


@pytest.mark.parametrize("kind", ["while_v1", "cond_v1", "nested_control_flow_v1"])
def test_all_of_a_loop_or_branch_is_used_when_a_part_is(kind):
    (variant,) = LintedModule(spec_of(kind)).variants
    assert {name for name in variant.index.nodes if "/while/" in name or "cond/" in name} <= uses_of(variant).used


def test_names_of_nodes_that_do_not_exist_are_passed_over():
    def damage(meta_graph):
        for node in meta_graph.graph_def.node:
            node.input.extend(["gone:3", "^gone"])
        meta_graph.collection_def["update_ops"].node_list.value.append("gone")

    assert hub.lint(edited(scaling_spec(), damage), select=OURS).findings == []


@pytest.mark.parametrize("rule", OURS)
def test_a_module_of_no_variables_and_no_inputs_has_no_leftovers(rule):
    def module_fn():
        hub.add_signature(outputs=tf.constant(1.0))

    assert RULES[rule].findings(LintedModule(hub.create_module_spec(module_fn))) == []
