"""What differs between two graphs, on messages made by hand; and that other encodings of the same are no difference."""

import math
import struct

import numpy as np
import pytest

from tests.checks.comparison_modules import FLOAT, graphs_compared, named, variant
from tests.graph.graphs import function, node
from tf1hub.checks.comparing.constant_text import constant_text
from tf1hub.format import protos
from tf1hub.graph.constants import canonical_constant

INT32, STRING = 3, 7


def constant(shape, dtype=FLOAT, **fields):
    tensor = protos.TensorProto(dtype=dtype, **fields)
    tensor.tensor_shape.dim.extend(protos.TensorShapeProto.Dim(size=size) for size in shape)
    return tensor


def with_constant(tensor):
    return variant(node("c", "Const", value=protos.AttrValue(tensor=tensor)))


def op(name, **defaults):
    return protos.OpDef(
        name=name,
        attr=[
            protos.OpDef.AttrDef(name=key, default_value=protos.AttrValue(b=value)) for key, value in defaults.items()
        ],
    )


def calling(name, *nodes, inner=None):
    """A graph that calls a function of that name, which has these nodes."""
    call = node("call", "PartitionedCall", f=protos.AttrValue(func=protos.NameAttrList(name=name)))
    return variant(call, functions=[function(name, *nodes), *(inner or [])])


def test_nodes_that_one_has_and_what_changed_in_one(tmp_path):
    a = variant(node("x"), node("gone"), node("y", "Mul", "x", "x", device="/cpu:0", keep=b"1"))
    b = variant(node("x"), node("new", "Add"), node("y", "Add", "x", "new:1", keep=b"2", more=FLOAT))
    nodes = graphs_compared(tmp_path, a, b).nodes
    assert named(nodes) == {"gone": ("Identity", None), "new": (None, "Add"), "y": ("Mul", "Add")}
    assert named(nodes[2].parts) == {
        "op": ("Mul", "Add"),
        "input 1": ("x:0", "new:1"),
        "device": ("/cpu:0", "none"),
        "attribute keep": ("'1'", "'2'"),
        "attribute more": (None, "float32"),
    }


def test_orders_and_ways_of_writing_are_no_difference(tmp_path):
    a = variant(node("x"), node("z"), node("y", "Add", "x:0", "z", "^x", "^z", near=["x", "z"], a=b"1", b=b"2"))
    b = variant(node("y", "Add", "x", "z:0", "^z", "^x", near=["z", "x"], b=b"2", a=b"1"), node("z"), node("x"))
    assert graphs_compared(tmp_path, a, b).is_same


def test_the_order_of_inputs_is_a_difference(tmp_path):
    a, b = variant(node("y", "Sub", "x", "z")), variant(node("y", "Sub", "z", "x"))
    assert len(graphs_compared(tmp_path, a, b).nodes[0].parts) == 2


def test_control_inputs(tmp_path):
    a, b = variant(node("y", "NoOp", "^x", "^z")), variant(node("y", "NoOp", "^z"))
    assert named(graphs_compared(tmp_path, a, b).nodes[0].parts) == {"control input x": ("^x", None)}


@pytest.mark.parametrize("definitions", [([True], []), ([], [True]), ([True], [True])])
def test_a_default_that_is_written_out_is_no_difference(tmp_path, definitions):
    given = node("y", "MatMul", flag=protos.AttrValue(b=False))
    ops = [[op("MatMul", flag=False)] if listed else [] for listed in definitions]
    assert graphs_compared(tmp_path, variant(given, ops=ops[0]), variant(node("y", "MatMul"), ops=ops[1])).is_same


def test_a_default_in_a_function_that_only_the_other_writer_knows_is_no_difference(tmp_path):
    a, b = calling("f", node("y", "MatMul")), calling("f", node("y", "MatMul", flag=protos.AttrValue(b=False)))
    b.meta_info_def.stripped_op_list.op.append(op("MatMul", flag=False))
    assert graphs_compared(tmp_path, a, b).is_same


def test_another_value_than_the_default_is_a_difference(tmp_path):
    given = node("y", "MatMul", flag=protos.AttrValue(b=True))
    a, b = variant(given), variant(node("y", "MatMul"), ops=[op("MatMul", flag=False)])
    assert named(graphs_compared(tmp_path, a, b).nodes[0].parts) == {"attribute flag": ("true", "false")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (constant([2], tensor_content=struct.pack("<2f", 1, 2)), constant([2], float_val=[1, 2])),
        (constant([9], float_val=[1, 2]), constant([9], tensor_content=struct.pack("<9f", 1, *[2] * 8))),
        (constant([9]), constant([9], float_val=[0.0] * 9)),
        (constant([0]), constant([0])),
        (constant([10**15], float_val=[3]), constant([10**15], float_val=[3, 3, 3])),
        (constant([2], 19, half_val=[15360]), constant([2], 19, tensor_content=np.ones(2, np.float16).tobytes())),
        (constant([2], 4, int_val=[200, 7]), constant([2], 4, tensor_content=bytes([200, 7]))),
        (constant([1], 8, scomplex_val=[1, 2]), constant([1], 8, tensor_content=struct.pack("<2f", 1, 2))),
        (constant([2], 10, bool_val=[True]), constant([2], 10, tensor_content=b"\1\1")),
        (constant([3], STRING, string_val=[b"a"]), constant([3], STRING, string_val=[b"a"] * 3)),
        (constant([1], float_val=[math.nan]), constant([1], tensor_content=struct.pack("<f", math.nan))),
    ],
)
def test_one_tensor_in_two_encodings(tmp_path, one, other):
    assert graphs_compared(tmp_path, with_constant(one), with_constant(other)).is_same


@pytest.mark.parametrize(
    ("one", "other", "texts"),
    [
        (constant([], float_val=[0.1]), constant([], float_val=[0.2]), ("float32 [] = 0.1", "float32 [] = 0.2")),
        (constant([2], float_val=[1]), constant([3], float_val=[1]), ("float32 [2] = 1, 1", "float32 [3] = 1, 1, 1")),
        (constant([2], float_val=[1]), constant([2], INT32, int_val=[1]), ("float32 [2] = 1, 1", "int32 [2] = 1, 1")),
        (constant([9], float_val=[1]), constant([9], float_val=[1, 2]), ("float32 [9]", "float32 [9], other contents")),
        (constant([], STRING, string_val=[b"a"]), constant([], STRING), ("string [] = 'a'", "string [] = ''")),
        (constant([1], float_val=[1, 2]), constant([1], float_val=[1]), ("float32 [1]", "float32 [1] = 1")),
        (constant([2], tensor_content=b"abc"), constant([2]), ("float32 [2]", "float32 [2] = 0, 0")),
        (constant([1], float_val=[0.0]), constant([1], float_val=[-0.0]), ("float32 [1] = 0", "float32 [1] = -0")),
        (
            constant([-5], float_val=[1]),
            constant([-6], float_val=[1]),
            ("float32 [None]", "float32 [None], other contents"),
        ),
        (constant([1], 77), constant([1], 78), ("unknown type 77 [1]", "unknown type 78 [1]")),
    ],
)
def test_tensors_that_differ(tmp_path, one, other, texts):
    [change] = graphs_compared(tmp_path, with_constant(one), with_constant(other)).nodes
    assert named(change.parts) == {"attribute value": texts}


def test_large_constants_are_neither_written_out_nor_made_large():
    repeated = constant([10**9, 10**9], float_val=[1.0] * 1000)
    assert len(canonical_constant(repeated)[2]) == 4
    content = constant([10**6], tensor_content=bytes(4 * 10**6))
    assert canonical_constant(content)[2] == bytes(4)
    assert constant_text(content) == "float32 [1000000]"


@pytest.mark.parametrize("name", ["f", "g_12"])
def test_functions_by_their_contents(tmp_path, name):
    inner = [function("inner_7", node("i"))]
    other = [function("inner_8", node("i"))]
    a = calling("f", node("x"), node("y", "inner_7"), inner=inner)
    b = calling(name, node("y", "inner_8"), node("x"), inner=other)
    assert graphs_compared(tmp_path, a, b).is_same


def test_a_function_that_changed_under_another_number(tmp_path):
    differing = graphs_compared(
        tmp_path, calling("f_1", node("x", "Mul")), calling("f_22", node("x", "Add"), node("y"))
    )
    assert differing.nodes == ()
    assert named(differing.functions) == {"f_1": ("1 node", "2 nodes")}
    assert named(differing.functions[0].parts) == {"x": ("Mul", "Add"), "y": (None, "Identity")}


def test_functions_of_other_names_and_contents(tmp_path):
    differing = graphs_compared(tmp_path, calling("f", node("x", "Mul")), calling("g", node("x", "Add")))
    assert named(differing.functions) == {"f": ("1 node", None), "g": (None, "1 node")}
    assert named(differing.nodes[0].parts) == {"attribute f": ("function f", "function g")}


def test_a_function_that_calls_another_one_is_another(tmp_path):
    functions = [function("one", node("i", "Mul")), function("two", node("i", "Add"))]
    a = calling("f_1", node("c", "one"), inner=functions)
    b = calling("f_2", node("c", "two"), inner=functions)
    assert named(graphs_compared(tmp_path, a, b).functions[0].parts) == {"c": ("one", "two")}


def test_functions_that_differ_only_in_what_they_call_are_told_apart(tmp_path):
    called = [function("one", node("i", "Mul")), function("two", node("i", "Add"))]
    a = variant(node("x", "f_1"), node("y", "f_2"))
    a.graph_def.library.function.extend([function("f_1", node("c", "one")), function("f_2", node("c", "two")), *called])
    b = variant(node("x", "f_12"), node("y", "f_11"))
    b.graph_def.library.function.extend(
        [function("f_11", node("c", "two")), function("f_12", node("c", "one")), *called]
    )
    assert graphs_compared(tmp_path, a, b).is_same


def test_functions_that_call_each_other_end(tmp_path):
    a = calling("f_1", node("c", "g_1"), inner=[function("g_1", node("c", "f_1"))])
    b = calling("f_2", node("c", "g_2"), inner=[function("g_2", node("c", "f_2"))])
    assert graphs_compared(tmp_path, a, b).is_same


def test_nodes_of_one_name_are_all_compared(tmp_path):
    a, b = variant(node("x", "Mul"), node("x", "Add")), variant(node("x", "Sub"), node("x", "Add"))
    assert named(graphs_compared(tmp_path, a, b).nodes) == {"x": ("Mul", "Sub")}
    (tmp_path / "more").mkdir()
    assert named(graphs_compared(tmp_path / "more", a, variant(node("x", "Mul"))).nodes) == {"x (2)": ("Add", None)}


def test_debugging_information_is_no_difference(tmp_path):
    other = node("x", debug_name=b"x/", _gradient_op_type=b"Custom-12")
    other.experimental_debug_info.original_node_names.append("y")
    assert graphs_compared(tmp_path, variant(node("x")), variant(other)).is_same
