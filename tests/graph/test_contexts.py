"""The contexts of TF1 control flow."""

from tests.graph.graphs import index, node
from tf1hub.format import protos
from tf1hub.graph.contexts import names_used, nodes_inside, read_contexts, renamed

INNER = protos.CondContextDef(
    context_name="loop/cond", pred_name="p:0", pivot_name="q:0",
    values_def=protos.ValuesDef(values=["deep:0", "a:0"], external_values={"a:0": "s:1"}),
)  # fmt: skip
LOOP = protos.WhileContextDef(
    context_name="loop", pivot_name="pivot:0", pivot_for_pred_name="pp:0", pivot_for_body_name="pb:0",
    maximum_iterations_name="most:0", loop_exit_names=["exit:0"], loop_enter_names=["enter:0"],
    values_def=protos.ValuesDef(values=["a:0", "w:0", "lost:0"], external_values={"w:0": "enter_w:0"}),
    nested_contexts=[protos.ControlFlowContextDef(cond_ctxt=INNER)],
)  # fmt: skip
NODES = ["a", "w", "deep", "s", "p", "q", "pivot", "pp", "pb", "most", "exit", "enter", "enter_w"]


def graph():
    return index(*map(node, NODES), while_context=[LOOP])


def test_the_outermost_contexts_are_read():
    assert read_contexts(graph()) == {"cond_context": [], "while_context": [LOOP]}


def test_inside_is_what_a_context_or_one_within_it_computes():
    assert nodes_inside(LOOP, graph()) == {"a", "deep"}
    assert nodes_inside(INNER, graph()) == {"deep"}


def test_all_names_are_used_but_values_from_outside():
    assert names_used(LOOP, graph()) == {f"{name}:0" for name in set(NODES) - {"w", "s"}} | {"s:1"}


def test_a_renamed_context_names_its_nodes_as_they_are_called_now():
    result = renamed(LOOP, "m/{}".format, "ctx/{}".format)
    inner = result.nested_contexts[0].cond_ctxt
    assert (result.context_name, inner.context_name) == ("ctx/loop", "ctx/loop/cond")
    assert (result.pivot_name, result.maximum_iterations_name, inner.pred_name) == ("m/pivot:0", "m/most:0", "m/p:0")
    assert list(result.loop_exit_names) + list(result.loop_enter_names) == ["m/exit:0", "m/enter:0"]
    assert dict(inner.values_def.external_values) == {"m/a:0": "m/s:1"}
    assert list(result.values_def.values) == ["m/a:0", "m/w:0", "m/lost:0"]


def test_renaming_leaves_the_context_as_it_was_and_empty_names_empty():
    before = LOOP.SerializeToString(deterministic=True)
    assert renamed(protos.WhileContextDef(), "m/{}".format, str).pivot_name == ""
    renamed(LOOP, "m/{}".format, str)
    assert LOOP.SerializeToString(deterministic=True) == before
