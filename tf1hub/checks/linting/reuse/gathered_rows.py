"""Which rows of embeddings the ids that a vocabulary gives can gather."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import BRANCH_RESULT, FlowNode, Ref
from tf1hub.checks.linting.dataflow.ops import PASSING
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.graph.constants import first_values

_FINDS = frozenset({"LookupTableFind", "LookupTableFindV2"})
_SIZES = frozenset({"LookupTableSize", "LookupTableSizeV2"})
_BUCKETS = frozenset({"StringToHashBucketFast", "StringToHashBucketStrong", "StringToHashBucket"})
_GATHERS = frozenset({"Gather", "GatherV2", "ResourceGather"})
# Ops whose first output holds values of the first input only.
_REARRANGING = frozenset(
    {"Reshape", "Cast", "ExpandDims", "Squeeze", "Unique", "UniqueV2", "UniqueWithCounts", "Transpose", "Tile"}
    | {"StridedSlice", "Slice", "BroadcastTo", "GatherNd", "Reverse", "ReverseV2", "ReverseSequence"}
)
# The inputs whose values one output of an op holds, where it is not the first: output 1 of SparseFillEmptyRows holds
# the values and the default.
_HOLDING: Mapping[tuple[str, int], tuple[int, ...]] = {
    ("Select", 0): (1, 2),
    ("SelectV2", 0): (1, 2),
    ("Fill", 0): (1,),
    ("SparseFillEmptyRows", 1): (1, 3),
    ("SparseToDense", 0): (2, 3),
    ("RaggedTensorToTensor", 0): (1, 2),
    ("Maximum", 0): (0, 1),
}
_ADDS = frozenset({"Add", "AddV2"})
_JOINS = frozenset({"Merge", "Pack", "ConcatV2"})
_MOST_CONSTANTS = 16
_DEEPEST = 100


@dataclass(frozen=True)
class GatheredRows:
    """The rows of one variable that ids of text tables gather.

    Attributes:
      variable: the variable's node.
      rows: how many it has.
      needed: how many the ids speak of: the highest id and one.
      is_all: whether nothing else gathers of it.
      table: the node of the table that gives the ids.
      gather: the node that gathers.
    """

    variable: str
    rows: int
    needed: int
    is_all: bool
    table: str
    gather: str


def gathered_rows(variant: Variant, sizes: Mapping[str, int]) -> list[GatheredRows]:
    """What the ids of tables gather, for each variable that some do.

    Args:
      variant: the graph.
      sizes: the number of entries of each table, by its node, which are the ids from 0 up to it.
    """
    highest = _Highest(variant, sizes)
    by_variable: dict[str, list[tuple[FlowNode, int | None, str | None]]] = defaultdict(list)
    for node in variant.flow.of_ops(_GATHERS):
        variable = (
            variant.flow.variable_of(node.inputs[0]) if len(node.inputs) > 1 and _of_rows(variant, node) else None
        )
        if variable in variant.variables and variable is not None:
            by_variable[variable].append((node, highest.of(node.inputs[1]), highest.table_of(node.inputs[1])))
    found = []
    for variable, gathers in by_variable.items():
        shape = variant.variables[variable].shape
        known = [(last, node.name, table) for node, last, table in gathers if last is not None and table is not None]
        if shape and known:
            last, gather, table = max(known)
            found.append(GatheredRows(variable, shape[0], last + 1, len(known) == len(gathers), table, gather))
    return found


def _of_rows(variant: Variant, node: FlowNode) -> bool:
    """Whether it gathers along the first dimension."""
    return len(node.inputs) < 3 or variant.liveness.constant(node.inputs[2]) == 0


class _Highest:
    """The highest number that values can be, where they come from lookups in tables, buckets and constants alone."""

    def __init__(self, variant: Variant, sizes: Mapping[str, int]):
        self._flow = variant.flow
        self._liveness = variant.liveness
        self._sizes = sizes
        self._found: dict[Ref, int | None] = {}

    def table_of(self, ref: Ref) -> str | None:
        """The first of the tables that a value comes from."""
        seen = self._flow.ancestors([ref])
        tables = [self._table(node) for node in self._flow.of_ops(_FINDS) if node.name in seen]
        return next((table for table in tables if table in self._sizes), None)

    def of(self, ref: Ref, depth: int = 0) -> int | None:
        """The highest number; None when that cannot be told."""
        if ref not in self._found:
            self._found[ref] = None  # what is made of itself has no highest
            node = self._flow.nodes.get(ref[0])
            if node is not None and depth < _DEEPEST:
                self._found[ref] = self._of_node(node, ref[1], depth + 1)
        return self._found[ref]

    def _of_node(self, node: FlowNode, output: int, depth: int) -> int | None:
        if node.op == "Const":
            numbers = first_values(node.attr("value").tensor, _MOST_CONSTANTS)
            return int(max(numbers)) if numbers and all(type(number) is int for number in numbers) else None
        if node.op in _BUCKETS:
            return int(node.attr("num_buckets").i) - 1
        if node.op in _SIZES:
            return self._sizes.get(self._table(node))
        if node.op in _FINDS and len(node.inputs) == 3:
            size, default = self._sizes.get(self._table(node)), self.of(node.inputs[2], depth)
            return None if size is None or default is None else max(size - 1, default)
        values = [self.of(ref, depth) for ref in self._held(node, output)]
        known = [value for value in values if value is not None]
        if not values or len(known) < len(values):
            return None
        return sum(known) if node.op in _ADDS else max(known)

    def _table(self, node: FlowNode) -> str:
        return self._flow.origin(node.inputs[0])[0] if node.inputs else ""

    def _held(self, node: FlowNode, output: int) -> tuple[Ref, ...]:
        """The values that one output of a node holds, or adds up."""
        places = _HOLDING.get((node.op, output))
        if places is not None:
            return tuple(node.inputs[place] for place in places if place < len(node.inputs))
        if output and node.op != "IdentityN":
            return ()
        if node.op in PASSING and node.op != "PlaceholderWithDefault":
            return node.inputs[output : output + 1]
        if node.op in _REARRANGING or (node.op in _GATHERS and self._leaves_out_the_low(node)):
            return node.inputs[:1]
        if node.op == "ConcatV2" or node.op == BRANCH_RESULT:
            return node.inputs[:-1]
        return node.inputs if node.op in _ADDS or node.op in _JOINS else ()

    def _leaves_out_the_low(self, gather: FlowNode) -> bool:
        """Whether it takes the values above a constant, as `tf.nn.safe_embedding_lookup_sparse` does."""
        where = self._source(gather, 1)
        condition = self._source(where, 0) if where is not None and where.op == "Where" else None
        if condition is None or condition.op not in ("GreaterEqual", "Greater") or len(condition.inputs) < 2:
            return False
        return self._liveness.constant(condition.inputs[1]) is not None

    def _source(self, node: FlowNode, place: int) -> FlowNode | None:
        """The node that an input comes from, before it was given another shape."""
        found: FlowNode | None = node
        for _ in range(_DEEPEST):
            if found is None or place >= len(found.inputs):
                return None
            found, place = self._flow.nodes.get(self._flow.origin(found.inputs[place])[0]), 0
            if found is None or found.op not in ("Reshape", "Squeeze"):
                return found
        return None
