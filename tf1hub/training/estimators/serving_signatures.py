"""The signatures of an exported model: each of its outputs, asked with each choice of its inputs."""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

_PLACEHOLDERS = ("Placeholder", "PlaceholderV2")


def serving_signatures(export_outputs: Mapping[Any, Any], receiver: Any) -> dict[str, Any]:
    """The `SignatureDef`s by name; "<choice>:<name>" for the alternatives of the inputs.

    Outputs that cannot be served with these inputs have no signature, and the log says why: a classification takes one
    string tensor of examples, and what an output is computed from must be among the inputs.

    Args:
      export_outputs: `ExportOutput`s by signature name.
      receiver: a `ServingInputReceiver`.
    """
    choices = {"": receiver.receiver_tensors}
    for choice, tensors in (receiver.receiver_tensors_alternatives or {}).items():
        choices[f"{choice}:"] = tensors
    signatures = {}
    for prefix, tensors in choices.items():
        for key, output in export_outputs.items():
            try:
                signature = output.as_signature_def(tensors)
                _check_signature(signature)
            except ValueError as error:
                tf.compat.v1.logging.info("The export has no signature %r: %s", f"{prefix}{key}", error)
            else:
                signatures[f"{prefix}{key}"] = signature
    return signatures


def _check_signature(signature: Any) -> None:
    """Refuses what TensorFlow Serving does not know, and outputs that would wait for inputs of other signatures."""
    if not tf.compat.v1.saved_model.is_valid_signature(signature):
        raise ValueError(f"it is no valid signature for {signature.method_name!r}")
    missing = _missing_placeholders(_tensor_names(signature.inputs.values()), _tensor_names(signature.outputs.values()))
    if missing:
        raise ValueError(
            f"its outputs depend on {', '.join(missing)}, which is none of its inputs {list(signature.inputs)}"
        )


def _tensor_names(infos: Iterable[Any]) -> set[str]:
    names: set[str] = set()
    for info in infos:
        kind = info.WhichOneof("encoding")
        if kind == "coo_sparse":
            sparse = info.coo_sparse
            names |= {sparse.values_tensor_name, sparse.indices_tensor_name, sparse.dense_shape_tensor_name}
        elif kind == "composite_tensor":
            names |= {part.name for part in info.composite_tensor.components}
        else:
            names.add(info.name)
    return names


def _missing_placeholders(fed: set[str], fetched: set[str]) -> list[str]:
    """The placeholders that the fetched tensors are computed from while the fed ones are given."""
    graph = tf.compat.v1.get_default_graph()
    waiting = [graph.get_tensor_by_name(name).op for name in fetched - fed]
    seen = set(waiting)
    missing = []
    while waiting:
        op = waiting.pop()
        if op.type in _PLACEHOLDERS:
            missing.append(op.name)
        needed = {tensor.op for tensor in op.inputs if tensor.name not in fed} | set(op.control_inputs)
        waiting += needed - seen
        seen |= needed
    return sorted(missing)
