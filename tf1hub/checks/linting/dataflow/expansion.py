"""The nodes of a graph and of the functions that it calls, as one dataflow."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tf1hub.checks.linting.dataflow.ops import FUSED_BATCH_NORMS
from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex
from tf1hub.names import is_control_input, node_name

Ref = tuple[str, int]
"""A value: the name of the node that computes it, and which of the node's outputs it is."""

BRANCH_RESULT = "BranchResult"
LOOP_VARIABLE = "LoopVariable"

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_IFS = frozenset({"If", "StatelessIf"})
_CASES = frozenset({"Case", "StatelessCase"})
_LOOPS = frozenset({"While", "StatelessWhile"})
# A graph's list of definitions lacks the ops that only functions have. Of these, more than the first output matters here.
_KNOWN_OUTPUTS = {"batch_mean": 1, "batch_variance": 2}
# Functions that call many others, each many times, would grow without end.
_MOST_NODES = 50_000
_DEEPEST = 100
_LONGEST_NUMBER = 9


class FlowNode(NamedTuple):
    """One node.

    `definition` is the node in the file, None when it is made up. `inputs` are values, `controls` names of nodes that it
    waits for. `function` is the function that it is a node of, "" in the graph itself.
    """

    name: str
    op: str
    inputs: tuple[Ref, ...]
    controls: tuple[str, ...] = ()
    definition: protos.NodeDef | None = None
    function: str = ""

    def attr(self, name: str) -> Any:
        """An attribute's message: `.i`, `.f`, `.b`, `.s`, `.type`, `.shape`, `.tensor` or `.list`; else an empty one."""
        if self.definition is None or name not in self.definition.attr:
            return protos.AttrValue()
        return self.definition.attr[name]


class Expansion:
    """All nodes by name, with calls expanded: what took a call's output takes what the function computes.

    A call waits for what its function runs besides, such as assignments, and whoever takes an output of it waits for the call.
    """

    def __init__(self, index: GraphIndex):
        meta_graph = index.meta_graph
        self._functions = {each.signature.name: each for each in meta_graph.graph_def.library.function}
        self._definitions = {op.name: op for op in meta_graph.meta_info_def.stripped_op_list.op}
        self._definitions.update((name, function.signature) for name, function in self._functions.items())
        self._results: dict[Ref, Ref] = {}
        self._running: set[str] = set()
        self.nodes: dict[str, FlowNode] = {name: _of_graph(node) for name, node in index.nodes.items()}
        self._own = len(self.nodes)
        if self._functions:
            for node in list(self.nodes.values()):
                self._expand(node, ())
            self._take_results()

    def _expand(self, call: FlowNode, around: tuple[str, ...]) -> None:
        """Adds the nodes of what a node calls, if it calls anything."""
        called = [name for name in _called(call, self._functions) if name in self._functions]
        too_many = len(self.nodes) - self._own > _MOST_NODES or len(around) > _DEEPEST
        if not called or set(called) & set(around) or too_many:
            return
        if call.op in _LOOPS:
            self._expand_loop(call, called, around)
        elif call.op in _IFS or call.op in _CASES:
            self._expand_branches(call, called, around)
        else:
            body = self._add(call, "", called[0], call.inputs, around)
            self._results.update({(call.name, place): value for place, value in enumerate(body.results)})
            self._wait(call, body.runs)

    def _expand_branches(self, call: FlowNode, called: Sequence[str], around: tuple[str, ...]) -> None:
        predicate, arguments = call.inputs[:1], call.inputs[1:]
        branches = [self._add(call, f"{name}/", name, arguments, around) for name in called]
        for place, values in enumerate(zip(*(branch.results for branch in branches), strict=False)):
            made = self._make(call, f"{BRANCH_RESULT}_{place}", BRANCH_RESULT, (*values, *predicate))
            self._results[call.name, place] = made
        if any(branch.runs for branch in branches):
            runs = [self._make(call, "BranchRuns", "NoOp", (), branch.runs) for branch in branches]
            made = self._make(call, BRANCH_RESULT, BRANCH_RESULT, (*runs, *predicate))
            self._wait(call, (made[0],))

    def _expand_loop(self, call: FlowNode, called: Sequence[str], around: tuple[str, ...]) -> None:
        if len(called) != 2:
            return
        places = range(len(call.inputs))
        variables = [self._make(call, f"{LOOP_VARIABLE}_{place}", LOOP_VARIABLE, ()) for place in places]
        condition = self._add(call, f"{called[0]}/", called[0], variables, around)
        body = self._add(call, f"{called[1]}/", called[1], variables, around)
        for place, (variable, first, later) in enumerate(zip(variables, call.inputs, body.results, strict=False)):
            name = variable[0]
            self.nodes[name] = self.nodes[name]._replace(inputs=(first, later, *condition.results))
            self._results[call.name, place] = variable
        self._wait(call, (*condition.runs, *body.runs))

    def _make(self, call: FlowNode, name: str, op: str, inputs: tuple[Ref, ...], controls: tuple[str, ...] = ()) -> Ref:
        """Adds a node that is not in the file."""
        name = f"{call.name}/{name}"
        while name in self.nodes:
            name += "_"
        self.nodes[name] = FlowNode(name, op, inputs, controls, None, call.function)
        return name, 0

    def _wait(self, call: FlowNode, runs: tuple[str, ...]) -> None:
        """Has a call wait for what its function runs whether or not a value of it is taken."""
        if runs:
            self.nodes[call.name] = call._replace(controls=(*call.controls, *runs))
            self._running.add(call.name)

    def _add(
        self, call: FlowNode, folder: str, called: str, arguments: Sequence[Ref], around: tuple[str, ...]
    ) -> "_Added":
        """Adds a function's nodes."""
        function = self._functions[called]
        prefix = f"{call.name}/{folder}"
        if any(prefix + node.name in self.nodes for node in function.node_def):
            prefix = f"{call.name}/{folder}{called}:"
        body = _Body(function, prefix, arguments, call.controls, self._definitions)
        added = list(body.nodes())
        self.nodes.update((node.name, node) for node in added)
        for node in added:
            self._expand(node, (*around, called))
        results = [
            body.value(function.ret[arg.name]) for arg in function.signature.output_arg if arg.name in function.ret
        ]
        return _Added(results, tuple(prefix + function.control_ret[name] for name in sorted(function.control_ret)))

    def _take_results(self) -> None:
        """Has every node take what a call computes in place of the call's outputs."""
        for name, node in self.nodes.items():
            if any(ref in self._results for ref in node.inputs):
                calls = {ref[0] for ref in node.inputs if ref[0] in self._running}
                inputs = tuple(map(self.result, node.inputs))
                self.nodes[name] = node._replace(inputs=inputs, controls=(*node.controls, *sorted(calls)))

    def result(self, ref: Ref) -> Ref:
        """What a call's output is inside of the function; any other value as it is."""
        seen = set()
        while ref in self._results and ref not in seen:
            seen.add(ref)
            ref = self._results[ref]
        return ref


class _Added(NamedTuple):
    """A function's results, and the nodes that it runs besides."""

    results: list[Ref]
    runs: tuple[str, ...]


def _of_graph(node: protos.NodeDef) -> FlowNode:
    inputs, controls = [], []
    for name in node.input:
        if name.startswith("^"):
            controls.append(name[1:])
        else:
            inputs.append(parse_ref(name))
    return FlowNode(node.name, node.op, tuple(inputs), tuple(controls), node)


def parse_ref(name: str) -> Ref:
    """The value that a tensor's name stands for.

    >>> parse_ref("split:2"), parse_ref("dense/kernel")
    (('split', 2), ('dense/kernel', 0))
    """
    node, _, index = name.partition(":")
    return node, _number(index)


def _number(text: str) -> int:
    """The number of an output; 0 for what cannot be one."""
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0


def _called(node: FlowNode, functions: Mapping[str, protos.FunctionDef]) -> list[str]:
    """The functions that a node calls to compute its outputs."""
    if node.op in _CALLS:
        return [node.attr("f").func.name]
    if node.op in _IFS:
        return [node.attr("else_branch").func.name, node.attr("then_branch").func.name]  # as Case counts them
    if node.op in _CASES:
        return [function.name for function in node.attr("branches").list.func]
    if node.op in _LOOPS:
        return [node.attr("cond").func.name, node.attr("body").func.name]
    return [node.op] if node.op in functions else []


class _Body:
    """A function's nodes under a prefix, with arguments in place of its parameters."""

    def __init__(
        self,
        function: protos.FunctionDef,
        prefix: str,
        arguments: Sequence[Ref],
        controls: tuple[str, ...],
        definitions: Mapping[str, protos.OpDef],
    ):
        self._function = function
        self._prefix = prefix
        self._controls = controls
        self._definitions = definitions
        names = [arg.name for arg in function.signature.input_arg]
        self._given = dict(zip(names, arguments, strict=False))
        self._own = {node.name: node for node in function.node_def}

    def nodes(self) -> Iterator[FlowNode]:
        """The nodes. Those that wait for an argument do not wait any more."""
        name = self._function.signature.name
        for node in self._function.node_def:
            inputs = tuple(self.value(each) for each in node.input if not is_control_input(each))
            waits = [node_name(each) for each in node.input if is_control_input(each)]
            controls = tuple(self._prefix + each for each in waits if each in self._own)
            if not inputs and not controls:
                controls = self._controls  # it runs when the call does
            yield FlowNode(self._prefix + node.name, node.op, inputs, controls, node, name)

    def value(self, name: str) -> Ref:
        """What a name inside of the function stands for: "argument" or "node:output:index"."""
        node, _, rest = name.partition(":")
        if node in self._given:
            return self._given[node]
        output, _, index = rest.partition(":")
        return self._prefix + node, self._first(node, output) + _number(index)

    def _first(self, name: str, output: str) -> int:
        """How many outputs of a node come before those of this name."""
        node = self._own.get(name)
        definition = self._definitions.get(node.op) if node is not None else None
        if node is None or definition is None:
            return _KNOWN_OUTPUTS.get(output, 0) if node is not None and node.op in FUSED_BATCH_NORMS else 0
        first = 0
        for arg in definition.output_arg:
            if arg.name == output:
                return first
            first += self._width(node, arg)
        return 0

    @staticmethod
    def _width(node: protos.NodeDef, arg: protos.OpDef.ArgDef) -> int:
        """How many values an output is."""
        attr = arg.number_attr or arg.type_list_attr
        if not attr:
            return 1
        if attr not in node.attr:
            return 0
        return node.attr[attr].i if arg.number_attr else len(node.attr[attr].list.type)
