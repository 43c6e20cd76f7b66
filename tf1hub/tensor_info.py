"""What a signature says of one input or output: dense, sparse or composite, its dtype and shape.

The facts are plain data; TensorFlow's types are made from them when they are asked for.
"""

from functools import cached_property
from typing import Any

from tf1hub.errors import UnsupportedModuleError
from tf1hub.format import protos
from tf1hub.graph.signature_tensors import partial_shape

# TypeSpecProto.TypeSpecClass
_SPARSE, _INDEXED_SLICES, _RAGGED = 1, 2, 3


class TensorInfo:
    """One input or output of a signature.

    Attributes:
      proto: the TensorInfo message it was read from.
    """

    def __init__(self, proto: protos.TensorInfo):
        self.proto = proto

    @cached_property
    def is_sparse(self) -> bool:
        """Whether it is a `tf.SparseTensor`."""
        return bool(self.proto.WhichOneof("encoding") == "coo_sparse")

    @cached_property
    def is_composite(self) -> bool:
        """Whether it is made of several tensors: a `tf.SparseTensor`, a `tf.RaggedTensor`."""
        return self.proto.WhichOneof("encoding") in ("coo_sparse", "composite_tensor")

    @cached_property
    def dtype(self) -> Any:
        """The `tf.DType` of the values."""
        import tensorflow as tf

        return self.type_spec.dtype if self.is_composite else tf.as_dtype(self.proto.dtype)

    def get_shape(self) -> Any:
        """The static `tf.TensorShape`."""
        return self._static_shape

    @cached_property
    def _static_shape(self) -> Any:
        return self.type_spec.shape if self.is_composite else _shape(self.proto.tensor_shape)

    @property
    def is_supported_type(self) -> bool:
        """Whether a module can take or give such a tensor. It is always so for what was read from a module."""
        return True

    @cached_property
    def type_spec(self) -> Any:
        """The `tf.TypeSpec`: a TensorSpec, SparseTensorSpec or RaggedTensorSpec.

        Raises:
          UnsupportedModuleError: a composite tensor of another kind.
        """
        import tensorflow as tf

        if self.is_sparse:
            return tf.SparseTensorSpec(_shape(self.proto.tensor_shape), tf.as_dtype(self.proto.dtype))
        if self.is_composite:
            return _composite_spec(self.proto.composite_tensor.type_spec)
        return tf.TensorSpec(self.get_shape(), self.dtype)

    def component_names(self) -> list[str]:
        """The names of the tensors that it is made of, in the order in which TensorFlow flattens it."""
        if self.is_sparse:
            sparse = self.proto.coo_sparse
            return [sparse.indices_tensor_name, sparse.values_tensor_name, sparse.dense_shape_tensor_name]
        if self.is_composite:
            return [component.name for component in self.proto.composite_tensor.components]
        return [self.proto.name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorInfo):
            return NotImplemented
        return bool(self.type_spec == other.type_spec)

    def __hash__(self) -> int:
        return hash(self.type_spec)

    def __repr__(self) -> str:
        if self.is_composite and not self.is_sparse:
            return f"<hub.ParsedTensorInfo type_spec={self.type_spec}>"
        return f"<hub.ParsedTensorInfo shape={self.get_shape()} dtype={self.dtype.name} is_sparse={self.is_sparse}>"


def _composite_spec(proto: protos.TypeSpecProto) -> Any:
    import tensorflow as tf

    state = proto.type_state.tuple_value.values
    if proto.type_spec_class == _RAGGED:
        shape, dtype, ragged_rank, row_splits_dtype = state
        row_splits = _dtype(row_splits_dtype)
        return tf.RaggedTensorSpec(_shape(shape.tensor_shape_value), _dtype(dtype), ragged_rank.int64_value, row_splits)
    if proto.type_spec_class == _SPARSE:
        return tf.SparseTensorSpec(_shape(state[0].tensor_shape_value), _dtype(state[1]))
    if proto.type_spec_class == _INDEXED_SLICES:
        shape, dtype, indices_dtype = state[:3]
        return tf.IndexedSlicesSpec(_shape(shape.tensor_shape_value), _dtype(dtype), _dtype(indices_dtype))
    name = proto.type_spec_class_name or f"number {proto.type_spec_class}"
    raise UnsupportedModuleError(
        f"The signature has a composite tensor of type {name}; tf1hub knows dense, sparse and ragged tensors."
    )


def _dtype(value: protos.StructuredValue) -> Any:
    import tensorflow as tf

    return tf.as_dtype(value.tensor_dtype_value)


def _shape(shape: protos.TensorShapeProto) -> Any:
    import tensorflow as tf

    return tf.TensorShape(partial_shape(shape))
