"""Python that applies a signature of a module, ready to paste.

It feeds made-up values, zeros or a short text, where the reader's data will go: two examples, where their number is open.
"""

from collections.abc import Iterable, Sequence

from tf1hub.checks.describing.signature_description import SignatureDescription, TensorDescription

_TEXT = '"some text"'
_IMAGE_SIZE = (224, 224)
_MAX_RANK = 32  # NumPy's
_FED = ("dense", "sparse", "ragged")
_NUMPY_TYPES = {
    **{name: name for name in ("float16", "float32", "float64", "complex64", "complex128")},
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "bool": "bool_",
    "bfloat16": "float32",  # NumPy has none; the values are converted
}

Size = tuple[int, int]


def snippet(path: str, tags: Sequence[str], signature: SignatureDescription, image_size: Size | None = None) -> str:
    """A program that applies a signature and prints the shapes of what comes out; a comment where none can be given.

    Args:
      path: the module's path, as it shall stand in the program.
      tags: the tags of the variant.
      signature: the one to apply.
      image_size: the height and width of images that the module expects where the signature leaves them open.
    """
    for tensor in signature.inputs:
        if reason := _why_not_fed(tensor):
            return f"# The input {_quoted(tensor.key)} {reason}. Apply this signature in a graph, with hub.Module."
    inputs = [(_quoted(tensor.key), _value(tensor, image_size or _IMAGE_SIZE)) for tensor in signature.inputs]
    single = [output.key for output in signature.outputs] == ["default"]
    arguments = [
        *(["inputs"] if inputs else []),
        *([f"signature={_quoted(signature.name)}"] if signature.name != "default" else []),
        *([] if single else ["as_dict=True"]),
    ]
    with_tags = f", tags={{{', '.join(map(_quoted, tags))}}}" if tags else ""
    body = [
        *_assigned(inputs),
        f"with hub.eval_function_for_module({_quoted(path)}{with_tags}) as apply:",
        f"    {'output' if single else 'outputs'} = apply({', '.join(arguments)})",
        *_printed(signature.outputs, single),
    ]
    return "\n".join([*_imports("\n".join(body)), "", *body])


def _why_not_fed(tensor: TensorDescription) -> str | None:
    if tensor.kind not in _FED:
        return f"is composite, of the kind {_quoted(tensor.kind)}"
    if tensor.dtype != "string" and tensor.dtype not in _NUMPY_TYPES:
        return f"is of the type {tensor.dtype}, which NumPy does not have"
    if len(tensor.shape or ()) > _MAX_RANK or not 0 <= tensor.ragged_rank <= _MAX_RANK:
        return "has more dimensions than NumPy takes"
    return None


def _imports(body: str) -> list[str]:
    return [
        *(["import numpy as np"] if "np." in body else []),
        *(["import tensorflow.compat.v1 as tf"] if "tf." in body else []),
        "import tf1hub as hub",
    ]


def _assigned(inputs: list[tuple[str, str]]) -> list[str]:
    if not inputs:
        return []
    if len(inputs) == 1:
        return ["# Put your data here.", f"inputs = {inputs[0][1]}"]
    return ["# Put your data here.", "inputs = {", *(f"    {key}: {value}," for key, value in inputs), "}"]


def _printed(outputs: Iterable[TensorDescription], single: bool) -> list[str]:
    value = "output" if single else "value"
    if any(output.kind != "dense" for output in outputs):
        shown = value
    elif any(output.dtype == "string" and not output.shape for output in outputs):
        shown = f"np.shape({value})"  # a session gives a single text as plain bytes
    else:
        shown = f"{value}.shape"
    return [f"print({shown})"] if single else ["for key, value in outputs.items():", f"    print(key, {shown})"]


def _value(tensor: TensorDescription, image_size: Size) -> str:
    """An expression that an input can be fed with."""
    if tensor.kind == "sparse":
        sizes = _sizes(tensor.shape if tensor.shape is not None else (None, None), image_size)
        return f"tf.SparseTensorValue([{[0] * len(sizes)}], {_filled([1], tensor.dtype)}, {sizes})"
    if tensor.kind == "ragged" and tensor.ragged_rank:
        shape = tensor.shape if tensor.shape is not None else (None,) * (tensor.ragged_rank + 1)
        return _rows(list(shape), tensor.ragged_rank, tensor.dtype)
    return _filled(_sizes(tensor.shape if tensor.shape is not None else (None,), image_size), tensor.dtype)


def _sizes(shape: Sequence[int | None], image_size: Size) -> list[int]:
    """2 for an open first size, 1 for others. Images of open height and width get those that the module expects."""
    if len(shape) == 4 and shape[1] is None and shape[2] is None:
        shape = [shape[0], *image_size, shape[3]]
    return [size if size is not None else 1 if place else 2 for place, size in enumerate(shape)]


def _filled(sizes: list[int], dtype: str) -> str:
    return f"np.full({sizes}, {_TEXT})" if dtype == "string" else f"np.zeros({sizes}, np.{_NUMPY_TYPES[dtype]})"


def _rows(shape: list[int | None], ragged_rank: int, dtype: str) -> str:
    """Nested lists of rows: two of different lengths where their number is open."""
    if not ragged_rank:
        return _filled([1 if size is None else size for size in shape], dtype)
    outer, inner = shape[0] if shape else None, shape[1:]
    row = _rows(inner, ragged_rank - 1, dtype)
    if outer is not None:
        return f"[{row}] * {outer}"
    longer = _rows([2, *inner[1:]], 0, dtype) if ragged_rank == 1 and inner and inner[0] is None else None
    return f"[{longer}, {row}]" if longer else f"[{row}]"


def _quoted(text: str) -> str:
    """A text as Python writes it, in double quotes where that is the same."""
    quoted = repr(text)
    return quoted if '"' in quoted or "\\'" in quoted else f'"{quoted[1:-1]}"'
