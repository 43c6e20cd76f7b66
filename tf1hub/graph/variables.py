"""The variables of a graph variant: what a checkpoint holds for each, and how partitioned ones fit together."""

from dataclasses import dataclass

from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.format.boxes import lies_in
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.names import node_name


@dataclass(frozen=True)
class StoredVariable:
    """One variable as a checkpoint knows it. A part of a partitioned variable is stored as a slice of the whole.

    `shape` is the variable's own static shape, None when it is not fully known; `dtype` a DataType number.
    """

    node: str
    checkpoint_name: str
    dtype: int
    shape: tuple[int, ...] | None
    full_shape: tuple[int, ...] | None
    offset: tuple[int, ...] | None

    @property
    def slice_spec(self) -> str:
        """What RestoreV2 takes to say which part it reads: "" for all, "4 3 0,2:0,3" for rows 0 and 1 of a [4, 3]."""
        if self.offset is None or self.shape is None or self.full_shape is None:
            return ""
        extents = ":".join(f"{start},{length}" for start, length in zip(self.offset, self.shape, strict=True))
        return " ".join(str(size) for size in self.full_shape) + " " + extents


def stored_variables(index: GraphIndex) -> list[StoredVariable]:
    """The variables that a checkpoint holds: the global ones, each once, in the order of their collection."""
    found = {variable.variable_name: variable for variable in index.variables(collections.GLOBAL_VARIABLES)}
    return [stored_variable(variable, index) for variable in found.values()]


def stored_variable(variable: protos.VariableDef, index: GraphIndex) -> StoredVariable:
    """How a checkpoint stores a variable.

    Raises:
      GraphError: the graph has no node for it.
    """
    name = node_name(variable.variable_name)
    node = index.nodes.get(name)
    if node is None:
        raise GraphError(f"The graph has no node {name!r} for its variable {variable.variable_name!r}.")
    dtype, shape = node.attr["dtype"].type, static_shape(node.attr["shape"].shape)
    if not variable.HasField("save_slice_info_def"):
        return StoredVariable(name, name, dtype, shape, shape, None)
    part = variable.save_slice_info_def
    offset, full_shape = tuple(part.var_offset), tuple(part.full_shape)
    box = offset, tuple(part.var_shape)
    if not lies_in(box, full_shape):
        raise GraphError(
            f"The variable {name!r} says that it is the part of {part.full_name!r} at {list(box[0])}, of shape"
            f" {list(box[1])}, which leads out of the shape {list(full_shape)}. The module is damaged."
        )
    return StoredVariable(name, part.full_name, dtype, box[1], full_shape, offset)


def static_shape(shape: protos.TensorShapeProto) -> tuple[int, ...] | None:
    """A shape as a tuple, or None when any of it is unknown."""
    if shape.unknown_rank or any(dim.size < 0 for dim in shape.dim):
        return None
    return tuple(dim.size for dim in shape.dim)
