"""Functions that call functions, made into functions that do not."""

from tests.graph.graphs import FLOAT, node
from tf1hub.format import protos
from tf1hub.graph.nested_calls import call_by_attribute, inline_calls, inline_nested_calls


def function(name, *nodes, takes=("x",), gives=None, ends=None):
    """A function; `gives` maps its outputs to what they are."""
    gives = gives or {}
    signature = protos.OpDef(name=name, control_output=list(ends or {}))
    signature.input_arg.extend(protos.OpDef.ArgDef(name=each) for each in takes)
    signature.output_arg.extend(protos.OpDef.ArgDef(name=each) for each in gives)
    return protos.FunctionDef(signature=signature, node_def=nodes, ret=gives, control_ret=ends or {})


def call(name, called, *inputs):
    function = protos.NameAttrList(name=called)
    return node(name, "PartitionedCall", *inputs, f=protos.AttrValue(func=function))


def inlined(*functions):
    library = protos.FunctionDefLibrary(function=functions)
    inline_nested_calls(library)
    return {each.signature.name: each for each in library.function}


def nodes(function):
    return {each.name: [each.op, *each.input] for each in function.node_def}


def test_a_call_becomes_the_nodes_of_what_it_called():
    inner = function("inner", node("sin", "Sin", "x"), gives={"y": "sin:y:0"})
    outer = function("outer", call("call", "inner", "a"), takes=["a"], gives={"z": "call:output:0"})
    found = inlined(outer, inner)["outer"]
    assert nodes(found) == {"call/sin": ["Sin", "a"]}
    assert dict(found.ret) == {"z": "call/sin:y:0"}


def test_calls_within_calls_and_twice():
    low = function("low", node("sin", "Sin", "x"), gives={"y": "sin:y:0"})
    middle = function("middle", call("c", "low", "x"), gives={"y": "c:output:0"})
    high = function("high", call("a", "middle", "x"), call("b", "middle", "a:output:0"), gives={"y": "b:output:0"})
    found = inlined(high, middle, low)["high"]
    assert nodes(found) == {"a/c/sin": ["Sin", "x"], "b/c/sin": ["Sin", "a/c/sin:y:0"]}


def test_an_argument_that_is_given_back():
    inner = function("inner", gives={"y": "x"})
    outer = function("outer", call("call", "inner", "x"), node("neg", "Neg", "call:output:0"), gives={"y": "neg:y:0"})
    assert nodes(inlined(outer, inner)["outer"]) == {"neg": ["Neg", "x"]}


def test_what_is_waited_for_is_waited_for_by_all_within():
    inner = function(
        "inner", node("one", "Const"), node("act", "Print"), gives={"y": "one:output:0"}, ends={"e": "act"}
    )
    outer = function(
        "outer", node("first", "Print"), call("call", "inner", "x", "^first"), node("last", "NoOp", "^call")
    )
    found = nodes(inlined(outer, inner)["outer"])
    assert found["call/one"] == ["Const", "^first"]
    assert found["last"] == ["NoOp", "^call/one", "^call/act"]


def test_a_call_that_the_function_ends_with():
    inner = function("inner", node("act", "Print", "x"), ends={"e": "act"})
    found = inlined(function("outer", call("call", "inner", "x"), ends={"call": "call"}), inner)["outer"]
    assert dict(found.control_ret) == {"call_0": "call/act"}
    assert list(found.signature.control_output) == ["call_0"]


def test_functions_that_call_themselves_stay():
    one, two = function("one", call("c", "two", "x")), function("two", call("c", "one", "x"))
    found = inlined(one, two)
    assert [each.op for each in found["two"].node_def] == ["PartitionedCall"]


def test_a_node_whose_op_is_a_function_calls_it():
    inner = function("inner", node("sin", "Sin", "x"), gives={"y": "sin:y:0"})
    for arg in (*inner.signature.input_arg, *inner.signature.output_arg):
        arg.type = FLOAT
    outer = function("outer", node("c", "inner", "x"), node("neg", "Neg", "c:y:0"), gives={"z": "c:y:0"})
    graph_def = protos.GraphDef(node=[node("top", "inner", "a")], library={"function": [inner, outer]})
    call_by_attribute(graph_def)
    (top,) = graph_def.node
    assert (top.op, top.attr["f"].func.name, list(top.attr["Tin"].list.type)) == ("PartitionedCall", "inner", [FLOAT])
    assert nodes(graph_def.library.function[1]) == {"c": ["PartitionedCall", "x"], "neg": ["Neg", "c:output:0"]}
    assert dict(graph_def.library.function[1].ret) == {"z": "c:output:0"}


def stateful(name, *nodes, **options):
    result = function(name, *nodes, **options)
    result.signature.is_stateful = True
    for arg in (*result.signature.input_arg, *result.signature.output_arg):
        arg.type = FLOAT
    return result


def definition(op):
    """An op's definition: Split has a list and a single output, and Draw a state."""
    outputs = [protos.OpDef.ArgDef(name="parts", number_attr="n")] if op == "Split" else []
    return protos.OpDef(name=op, output_arg=[*outputs, protos.OpDef.ArgDef(name="y")], is_stateful=op == "Draw")


def graph_with(called, *calls, find=definition, kept=()):
    graph_def = protos.GraphDef(node=calls, library={"function": called})
    inline_calls(graph_def, find, kept)
    return {each.name: [each.op, *each.input] for each in graph_def.node}


def test_a_call_with_state_becomes_its_nodes_and_its_results():
    draw = stateful("draw", node("r", "Draw"), node("mul", "Mul", "x", "r:y:0"), gives={"y": "mul:y:0"})
    assert graph_with([draw], call("c", "draw", "in:1")) == {
        "c": ["IdentityN", "c/mul:0", "^c/r"],
        "c/x": ["Identity", "in:1"],
        "c/r": ["Draw", "^c/x"],
        "c/mul": ["Mul", "in:1", "c/r:0"],
    }


def test_outputs_are_counted_in_one_row():
    split = node("s", "Split", "x", n=protos.AttrValue(i=3))
    both = stateful("both", split, node("r", "Draw", "x"), gives={"a": "s:parts:2", "b": "s:y:0"})
    assert graph_with([both], call("c", "both", "in"))["c"] == ["IdentityN", "c/s:2", "c/s:3", "^c/r"]


def test_names_that_the_graph_has_are_not_taken():
    draw = stateful("draw", node("r", "Draw"), gives={"y": "r:y:0"})
    found = graph_with([draw], node("c/r"), call("c", "draw", "in", "^first"))
    assert (found["c"], found["c_/r"]) == (["IdentityN", "c_/r:0", "^c_/r", "^first"], ["Draw", "^first", "^c_/x"])


def test_calls_that_stay():
    pure, draw = function("pure", node("sin", "Sin", "x")), stateful("draw", node("r", "Draw"))
    assert graph_with([pure], call("c", "pure", "in")) == {"c": ["PartitionedCall", "in"]}
    assert graph_with([draw], call("c", "draw", "in"), kept={"draw"}) == {"c": ["PartitionedCall", "in"]}
    assert graph_with([draw], call("c", "draw", "in"), find=lambda op: None) == {"c": ["PartitionedCall", "in"]}


def test_a_function_that_calls_one_which_stays_is_inlined():
    outer = function("outer", call("i", "inner", "x"), gives={"y": "i:y:0"})
    found = graph_with([outer, function("inner")], call("c", "outer", "in"), kept={"inner"})
    assert found["c/i"] == ["PartitionedCall", "in"]
