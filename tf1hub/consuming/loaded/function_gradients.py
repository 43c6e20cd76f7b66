"""Gradients that publishers gave to functions of TensorFlow 1 (`Defun(grad_func=...)`).

They are told in the library of a graph, and TensorFlow 2 does not take them from there: it would differentiate the
functions' bodies. What it does take, and save, is an IdentityN of a call's outputs and inputs, with an attribute that names
a gradient which is registered in the process.
"""

import itertools
import weakref
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tf1hub.format import protos
from tf1hub.graph.library import fingerprints, used_library, with_renamed_functions
from tf1hub.graph.nested_calls import call_by_attribute, called_function, inline_nested_calls

_ATTR = "_gradient_op_type"
_numbers = itertools.count(1)


class FunctionGradients:
    """The gradients of the calls in one graph, which is about to be imported."""

    def __init__(self, graph_def: protos.GraphDef):
        known = {function.signature.name for function in graph_def.library.function}
        self._of = {
            one.function_name: one.gradient_func for one in graph_def.library.gradient if one.gradient_func in known
        }
        self._library = protos.FunctionDefLibrary()
        if self._of:
            self._library.CopyFrom(graph_def.library)
        self._made: list[_FunctionGradient] = []

    @property
    def functions(self) -> frozenset[str]:
        """The functions with gradients of their own. Their calls must not be inlined before `name_in`."""
        return frozenset(self._of)

    def name_in(self, graph_def: protos.GraphDef) -> None:
        """Has the calls of functions with gradients of their own name them, in place. Names of tensors do not change.

        requires  calls are made by PartitionedCall
        """
        if self._of:
            graph_def.node.extend(self._named(graph_def.node, ""))
            for function in graph_def.library.function:
                function.node_def.extend(self._named(function.node_def, "output:"))

    def _named(self, nodes: Iterable[protos.NodeDef], output: str) -> list[protos.NodeDef]:
        """Names the calls among nodes, and gives the nodes that are to be added. `output` is before an output's number."""
        added = []
        for call in nodes:
            if (name := called_function(call)) in self._of:
                self._made.append(_FunctionGradient(self._of[name], self._library))
                call.name += "/call"
                added.append(_joined(call, output, self._made[-1].op_type))
        return added

    def imported_into(self, graph: Any) -> None:
        """Tells the gradients where the calls are."""
        for one in self._made:
            one.graph = weakref.ref(graph)


class _FunctionGradient:
    """The gradient of one call. It is registered for good, so it does not keep the graph."""

    def __init__(self, name: str, library: protos.FunctionDefLibrary):
        (function,) = (each for each in library.function if each.signature.name == name)
        self.op_type = f"tf1hub_{name}_{next(_numbers)}"
        self.graph: Any = lambda: None
        self._inputs = [f"input_{i}" for i in range(len(function.signature.input_arg))]
        self._outputs = [f"gradient:{i}" for i in range(len(function.signature.output_arg))]
        call = protos.GraphDef(node=[protos.NodeDef(name="gradient", op=name, input=self._inputs)])
        call.library.CopyFrom(used_library(call.node, library))
        call_by_attribute(call)
        inline_nested_calls(call.library)
        # The names that the import of the graph gives them: TensorFlow must know them already where gradients are made.
        names = {each: f"{each}_{print_}" for each, print_ in fingerprints(call.library).items()}
        self._call = with_renamed_functions(call, names)
        tf.RegisterGradient(self.op_type)(lambda op, *by_outputs: self._gradients(op, by_outputs))

    def _gradients(self, op: Any, by_outputs: Any) -> list[Any]:
        """The gradients by the inputs of the IdentityN. Where TensorFlow saves them it does not say of which op."""
        op = self._op() if op is None else op
        taken = len(self._outputs)
        outputs = len(op.inputs) - taken
        given = [tf.identity(each) for each in (*op.inputs[outputs:], *by_outputs[:outputs])]  # captured where needed
        graph_def = tf.compat.v1.GraphDef.FromString(self._call.SerializeToString())
        feeds = dict(zip(self._inputs, given, strict=True))
        found: list[Any] = tf.graph_util.import_graph_def(graph_def, feeds, return_elements=self._outputs)
        return [None] * outputs + found

    def _op(self) -> Any:
        ops = [op for op in self.graph().get_operations() if op.type == "IdentityN"]
        return next(op for op in ops if _ATTR in op.node_def.attr and op.get_attr(_ATTR) == self.op_type.encode())


def _joined(call: protos.NodeDef, output: str, op_type: str) -> protos.NodeDef:
    """The IdentityN of a call's outputs and inputs, under the name that the call had."""
    taken, given = call.attr["Tin"].list.type, call.attr["Tout"].list.type
    outputs = [f"{call.name}:{output}{i}" for i in range(len(given))]
    inputs = call.input[: len(taken)]
    node = protos.NodeDef(name=call.name.removesuffix("/call"), op="IdentityN", input=[*outputs, *inputs])
    node.attr["T"].list.type.extend([*given, *taken])
    node.attr[_ATTR].s = op_type.encode()
    return node
