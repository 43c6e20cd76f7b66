"""Updates by optimizers that regularize: which inputs of their ops are the strengths."""

import inspect

import pytest
import tensorflow as tf

from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.recognising.proximal_updates import PROXIMAL_OPS, find_proximal_updates
from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex

# What the op on the variable is given for each of its inputs; 0.5 for all others.
GIVEN = {"l1": 0.25, "l2": 2.0, "l2_shrinkage": 4.0}


def constant(name, value):
    return protos.NodeDef(
        name=name,
        op="Const",
        attr={"value": protos.AttrValue(tensor=protos.TensorProto(dtype=1, float_val=[value]))},
    )


def updates_of(*nodes):
    graph = protos.GraphDef(node=[protos.NodeDef(name="var", op="VarHandleOp"), *nodes])
    variant = Variant((), GraphIndex(protos.MetaGraphDef(graph_def=graph)))
    return find_proximal_updates(variant.flow, variant.liveness)


@pytest.mark.parametrize("op", sorted(PROXIMAL_OPS))
def test_the_strengths_are_found_among_the_inputs_of_tensorflows_op(op):
    parameters = inspect.signature(getattr(tf.raw_ops, op)).parameters
    names = [name for name, each in parameters.items() if each.default is each.empty]
    constants = [constant(name, GIVEN.get(name, 0.5)) for name in names if name != "var"]
    [update] = updates_of(*constants, protos.NodeDef(name="update", op=op, input=names))
    assert update.variable == "var"
    found = {name: getattr(update.strengths, name) for name in GIVEN}
    assert found == {name: value if name in names else 0 for name, value in GIVEN.items()}


def test_every_op_with_such_strengths_is_known():
    ops = [name for name in dir(tf.raw_ops) if not name.startswith("_")]
    regularizing = {
        name for name in ops if {"var", "l1"} <= inspect.signature(getattr(tf.raw_ops, name)).parameters.keys()
    }
    assert regularizing == PROXIMAL_OPS


@pytest.mark.parametrize("inputs", [[], ["one"], ["one", "one", "one"]])
def test_a_sum_that_is_not_of_two_is_no_fault(inputs):
    sum_of = protos.NodeDef(name="sum", op="AddV2", input=inputs)
    names = ["var", "one", "one", "sum", "one"]
    update = protos.NodeDef(name="update", op="ResourceApplyProximalGradientDescent", input=names)
    assert [each.strengths.l2 for each in updates_of(constant("one", 1.0), sum_of, update)] == [None]
