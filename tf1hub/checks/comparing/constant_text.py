"""A constant, a shape or a value as a difference is told: in short."""

from typing import Any

from tf1hub.checks.comparing.changes import shortened
from tf1hub.checks.wording import counted
from tf1hub.format import dtypes, protos
from tf1hub.graph.constants import first_values

_MOST_SHOWN = 4
_MOST_DIMS = 16
_MOST_OF_TEXT = 80


def constant_text(tensor: protos.TensorProto) -> str:
    """A tensor in short: dtype and shape, and the values when they are few."""
    text = f"{dtypes.dtype_name(tensor.dtype)} {shape_text(tensor.tensor_shape)}"
    values = first_values(tensor, _MOST_SHOWN)
    return text if values is None else f"{text} = {shortened(', '.join(map(value_text, values)))}"


def shape_text(shape: protos.TensorShapeProto) -> str:
    """A shape as text: `[None, 3]`, or `unknown`."""
    if shape.unknown_rank:
        return "unknown"
    sizes = [str(dim.size) if dim.size >= 0 else "None" for dim in shape.dim[:_MOST_DIMS]]
    return "[" + ", ".join(sizes + ["..."] * (len(shape.dim) > _MOST_DIMS)) + "]"


def value_text(value: Any) -> str:
    """A number, truth value or byte string in short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _bytes_text(value)
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _bytes_text(value: bytes) -> str:
    text = value[:_MOST_OF_TEXT].decode("utf-8", "ignore")
    return shortened(repr(text)) if text.isprintable() else counted(len(value), "byte")
