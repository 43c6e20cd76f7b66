"""Declaring signatures and attaching messages while a module's graph is being built.

Both are kept with the graph, under keys that TensorFlow passes over when it writes collections: a call outside of a
`module_fn` does no harm.
"""

import re
from typing import Any

import tensorflow as tf

from tf1hub.errors import InputError, SignatureError
from tf1hub.names import colocation_group
from tf1hub.tensorflow_private import provide_tf_layers

# Tuples, as TensorFlow's own private collections have them.
_SIGNATURES = ("tf1hub_signatures",)
_ATTACHMENTS = ("tf1hub_attachments",)
_ATTACHMENT_KEY = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")


def add_signature(name: str | None = None, inputs: Any = None, outputs: Any = None) -> None:
    """Declares a signature of the module that is being defined. Call it inside a `module_fn`.

    Args:
      name: the signature's name; "default" when left out. When a name is used twice the last one counts.
      inputs: a tensor (dense, sparse or ragged), or a dict of them by name, that a caller's values take the place of. None
        for a signature without inputs. A single tensor is the input "default".
      outputs: a tensor, or a dict of them by name, that the signature gives. A single tensor is the output "default".

    Raises:
      InputError: an input or output is no tensor (a `TypeError` and a `ValueError`).
      SignatureError: an input is colocated with another op, or is an output of an op with several (a `ValueError`).

    >>> def module_fn():
    ...     x = tf.placeholder(tf.float32, [None, 3])
    ...     hub.add_signature(inputs=x, outputs=2.0 * x)
    """
    provide_tf_layers()
    name = name or "default"
    if not isinstance(name, str):
        raise InputError(f"The name of a signature is a string; this is {type(name).__name__}: {name!r}.")
    given, made = _as_dict(name, "input", inputs), _as_dict(name, "output", outputs)
    for key, tensor in given.items():
        _check_placement(name, key, tensor)
    tf.compat.v1.add_to_collection(_SIGNATURES, (name, given, made))


def attach_message(key: str, message: Any) -> None:
    """Attaches a protocol buffer message to the variant that is being defined. Call it inside a `module_fn`.

    Args:
      key: a name of letters, digits and underscores; a later message by the same name replaces an earlier one.
      message: the message; read it back with `get_attached_message(key, type(message))`.

    Raises:
      ValueError: the key is no such name.
      TypeError: it is no string.
    """
    if not isinstance(key, str):
        raise TypeError(f"The key of an attached message is a string; this is {type(key).__name__}: {key!r}.")
    if not _ATTACHMENT_KEY.fullmatch(key):
        raise ValueError(
            f"The key of an attached message is made of letters, digits and underscores and starts with a letter; this is"
            f" {key!r}."
        )
    tf.compat.v1.add_to_collection(_ATTACHMENTS, (key, message.SerializeToString()))


def declared_signatures(graph: Any) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, inputs and outputs of each call of `add_signature` for a graph, in order."""
    return list(graph.get_collection(_SIGNATURES))


def attached_messages(graph: Any) -> dict[str, bytes]:
    """The serialized messages attached to a graph, by key."""
    return dict(graph.get_collection(_ATTACHMENTS))


def _as_dict(signature: str, kind: str, tensors: Any) -> dict[str, Any]:
    if tensors is None:
        return {}
    if not isinstance(tensors, dict):
        tensors = {"default": tensors}
    checked = {}
    for key, tensor in tensors.items():
        if isinstance(tensor, tf.Variable) and kind == "output":
            tensor = tf.convert_to_tensor(tensor)
        if not isinstance(key, str):
            raise InputError(f"Signature {signature!r}: the name of an {kind} is a string; this is {key!r}.")
        if not _is_symbolic_tensor(tensor):
            raise InputError(
                f"Signature {signature!r}: the {kind} {key!r} is no tensor of a graph but {type(tensor).__name__}:"
                f" {tensor!r}. Pass a tensor, for instance a tf.placeholder or what a layer returned."
            )
        checked[key] = tensor
    return checked


def _is_symbolic_tensor(value: Any) -> bool:
    if isinstance(value, tf.Variable) or not tf.is_tensor(value):
        return False
    try:
        return all(component.graph is not None for component in tf.nest.flatten(value, expand_composites=True))
    except AttributeError:  # an eager tensor's
        return False


def _check_placement(signature: str, key: str, tensor: Any) -> None:
    for component in tf.nest.flatten(tensor, expand_composites=True):
        op = component.op
        own = colocation_group(op.name)
        groups = [group.decode() for group in op.colocation_groups() if group != own]
        if groups:
            raise SignatureError(
                f"Signature {signature!r}: the input {key!r} ({component.name}) is colocated with {groups}. A caller's"
                " tensor takes its place and lies on a device of its own: make the input outside of `colocate_with`."
            )
