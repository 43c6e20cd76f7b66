"""The tensors that the inputs and outputs of signatures are made of, and their shapes."""

from collections.abc import Iterator

from tf1hub.format import protos


def iter_tensor_names(info: protos.TensorInfo) -> Iterator[str]:
    """The names of the tensors that an input or output of a signature is made of; "" for one without a name."""
    if info.HasField("composite_tensor"):
        for component in info.composite_tensor.components:
            yield from iter_tensor_names(component)
    elif info.HasField("coo_sparse"):
        sparse = info.coo_sparse
        yield from (sparse.indices_tensor_name, sparse.values_tensor_name, sparse.dense_shape_tensor_name)
    else:
        yield info.name


def partial_shape(shape: protos.TensorShapeProto) -> tuple[int | None, ...] | None:
    """A shape's sizes, None for each that is not known; None when not even their number is."""
    return None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
