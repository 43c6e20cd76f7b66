"""The table of rules and modules shows which cells are wrong."""

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from scripts.rule_table import in_blocks, print_table
from tests.checks.linting.cases.registry import Case

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def module(output):
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 2])
        hub.add_signature(inputs=x, outputs={output: x * 2.0})

    return hub.create_module_spec(module_fn)


def table_of(output, breaks, capsys):
    rules = ["no-default-signature", "no-default-output"]
    case = Case("no-default-output-case", rules[1], lambda folder: module(output), frozenset(breaks), None)
    wrong = print_table({case.name: case}, rules)
    return wrong, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("output", "breaks", "cells", "wrong"),
    [
        ("other", {"no-default-output"}, ".x", 0),
        ("default", set(), "..", 0),
        ("other", set(), ".+", 1),
        ("default", {"no-default-output"}, ".-", 1),
    ],
)
def test_each_cell_says_whether_it_is_as_it_must_be(output, breaks, cells, wrong, capsys):
    found, lines = table_of(output, breaks, capsys)
    assert found == wrong
    [row] = [line for line in lines if line.startswith("    case ")]
    assert row.split() == ["case", cells]
    assert lines[-1] == f"2 rules x 1 modules: 2 cells, {wrong} wrong"
    assert any(line.startswith("no-default-output-case: ") for line in lines) == bool(wrong)


def test_columns_are_in_blocks():
    assert in_blocks("." * 12) == "..... ..... .."
