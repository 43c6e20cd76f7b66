"""Nodes that need each other are found, and loops are not taken for such."""

import pytest

from tf1hub.checks.verifying.cycles import find_cycle
from tf1hub.format import protos


def cycle_of(*nodes):
    """The cycle among nodes that are written as "name(op): input input"."""
    found = {}
    for text in nodes:
        head, _, inputs = text.partition(":")
        name, _, op = head.rstrip(")").partition("(")
        found[name] = protos.NodeDef(name=name, op=op, input=inputs.split())
    return find_cycle(found)


def test_a_graph_without_cycles():
    assert cycle_of("a", "b: a", "c: a b ^a a:1", "d: gone") == []


@pytest.mark.parametrize("name", ["a", "a:3", "^a"])
def test_a_node_that_needs_itself(name):
    assert cycle_of(f"a: {name}") == ["a"]


def test_what_comes_before_and_behind_a_cycle_is_not_in_it():
    cycle = cycle_of("start", "a: start c", "b: a", "c: b", "behind: c", "end: behind")
    assert set(cycle) == {"a", "b", "c"}
    for one, other in zip(cycle, cycle[1:] + cycle[:1], strict=True):
        assert (one, other) in {("a", "b"), ("b", "c"), ("c", "a")}


@pytest.mark.parametrize("op", ["NextIteration", "RefNextIteration"])
def test_a_loop_is_no_cycle(op):
    assert cycle_of("enter", "merge: enter next", "body: merge", f"next({op}): body") == []


def test_a_cycle_as_long_as_a_graph():
    nodes = [f"n{number}: n{(number + 1) % 20_000}" for number in range(20_000)]
    assert len(cycle_of(*nodes)) == 20_000
