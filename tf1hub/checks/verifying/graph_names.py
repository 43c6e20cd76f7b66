"""Which nodes a graph has, and how many outputs each; so which names of tensors are right."""

from tf1hub.checks.wording import quoted, shortened
from tf1hub.format import protos
from tf1hub.names import is_control_input, node_name


class GraphNames:
    """The nodes of a graph variant."""

    def __init__(self, meta_graph: protos.MetaGraphDef) -> None:
        self.nodes = {node.name: node for node in meta_graph.graph_def.node}
        self.functions = {each.signature.name: each for each in meta_graph.graph_def.library.function}
        self.ops = {op.name: op for op in meta_graph.meta_info_def.stripped_op_list.op}

    def knows_op(self, name: str) -> bool:
        """Whether an op is listed in the variant or is a function of it; yes, when the list was lost."""
        return not self.ops or name in self.ops or name in self.functions

    def find_fault(self, name: str) -> str | None:
        """Why a node, tensor or control input of that name is not there; None when it is."""
        node = self.nodes.get(node_name(name))
        if node is None:
            return f"there is no node {quoted(node_name(name))}"
        index = name.partition(":")[2]
        if is_control_input(name) or not index:
            return None
        if not (index.isascii() and index.isdigit() and len(index) < 10):
            return f"{quoted(name)} is no name of a tensor"
        count = self._count_outputs(node)
        if count is None or int(index) < count:
            return None
        return f"the node {quoted(node.name)} ({shortened(node.op)}) has {count} output{'' if count == 1 else 's'}"

    def _count_outputs(self, node: protos.NodeDef) -> int | None:
        """How many tensors a node gives; None when the graph does not tell."""
        function = self.functions.get(node.op)
        op = function.signature if function else self.ops.get(node.op)
        if op is None:
            return None
        counts = [_size(arg, node, op) for arg in op.output_arg]
        return None if None in counts else sum(count for count in counts if count is not None)


def _size(arg: protos.OpDef.ArgDef, node: protos.NodeDef, op: protos.OpDef) -> int | None:
    """How many tensors stand for one output argument of an op."""
    key = arg.number_attr or arg.type_list_attr
    if not key:
        return 1
    value = node.attr[key] if key in node.attr else _default(op, key)
    if value is None:
        return None
    if arg.number_attr:
        return value.i if value.WhichOneof("value") == "i" else None
    return len(value.list.type) if value.WhichOneof("value") == "list" else None


def _default(op: protos.OpDef, key: str) -> protos.AttrValue | None:
    return next((attr.default_value for attr in op.attr if attr.name == key), None)
