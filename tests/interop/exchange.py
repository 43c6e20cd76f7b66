"""What each side does with a kind of module, the same code for tensorflow_hub and tf1hub: write it, read it and
say everything about it, fine-tune it. The answers are plain data that JSON can hold."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from tests.module_fns import TRAIN, Kind, as_tensors, assign_values
from tests.module_fns.registry import control_flow_v1

COLLECTIONS = [
    tf.GraphKeys.GLOBAL_VARIABLES,
    tf.GraphKeys.TRAINABLE_VARIABLES,
    tf.GraphKeys.MODEL_VARIABLES,
    tf.GraphKeys.LOCAL_VARIABLES,
    tf.GraphKeys.REGULARIZATION_LOSSES,
    tf.GraphKeys.UPDATE_OPS,
    tf.GraphKeys.TABLE_INITIALIZERS,
]
PRUNED = {tf.GraphKeys.ASSET_FILEPATHS, tf.GraphKeys.COND_CONTEXT, tf.GraphKeys.WHILE_CONTEXT}
"""Collections of which tf1hub brings only what an application needs."""
STEPS, LEARNING_RATE = 3, 0.05


def write_module(hub: Any, kind: Kind, path: str) -> None:
    """Exports the kind to `path`, its variables holding values that follow from their names."""
    with tf.Graph().as_default():
        module = hub.Module(kind.spec(hub), tags=set(kind.exported))
        with _session() as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            assign_values(module, session)
            module.export(path, session)


def describe_module(hub: Any, kind: Kind, path: str) -> dict[str, Any]:
    """Everything that a consumer sees of the module at `path`."""
    spec = hub.load_module_spec(path)
    variants = [tags for tags in kind.tags if tags not in kind.not_on_disk]
    return {
        "tags": sorted(sorted(tags) for tags in spec.get_tags()),
        "signatures": {_name(tags): _signatures(spec, tags) for tags in kind.tags},
        "attachments": {_name(tags): _attachments(spec, kind, tags) for tags in kind.tags},
        "image": _image_module(hub, spec),
        "applied": {_name(tags): _apply(hub, kind, path, tags, trainable=False) for tags in variants},
        "trained": {_name(tags): _apply(hub, kind, path, tags, trainable=True) for tags in variants},
    }


def _session() -> Any:
    return tf.Session(config=tf.ConfigProto(allow_soft_placement=True))


def _name(tags: frozenset) -> str:
    return "+".join(sorted(tags)) or "no tags"


def _signatures(spec: Any, tags: frozenset) -> dict[str, Any]:
    return {
        name: {
            "inputs": _infos(spec.get_input_info_dict(name, tags=set(tags))),
            "outputs": _infos(spec.get_output_info_dict(name, tags=set(tags))),
        }
        for name in sorted(spec.get_signature_names(tags=set(tags)))
    }


def _infos(infos: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {
            "dtype": info.dtype.name,
            "shape": None if info.get_shape().rank is None else info.get_shape().as_list(),
            "is_sparse": info.is_sparse,
            "type_spec": repr(info.type_spec) if info.is_composite else None,
        }
        for key, info in infos.items()
    }


def _attachments(spec: Any, kind: Kind, tags: frozenset) -> dict[str, str | None]:
    def text(key: str, message_type: type) -> str | None:
        message = spec.get_attached_message(key, message_type, tags=set(tags))
        return None if message is None else str(message)

    types = {**kind.attachments, "image_module_info": tf.train.Feature, "factor": tf.train.FloatList}
    return {key: text(key, message_type) for key, message_type in types.items()}


def _image_module(hub: Any, spec: Any) -> list | None:
    if "default" not in spec.get_signature_names() or "images" not in spec.get_input_info_dict():
        return None
    return [*hub.get_expected_image_size(spec), hub.get_num_image_channels(spec)]


def _apply(hub: Any, kind: Kind, path: str, tags: frozenset, trainable: bool) -> dict[str, Any]:
    with tf.Graph().as_default() as graph:
        module = hub.Module(path, trainable=trainable, tags=set(tags))
        after_construction = _collections()
        outputs = {
            signature: module(as_tensors(inputs), signature=signature, as_dict=True)
            for signature, inputs in kind.inputs.items()
        }
        after_application = _collections()
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        losses = tf.losses.get_regularization_losses()
        variables = _variables(module)
        with _session() as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            answers = {
                "outputs": session.run(outputs),
                "regularization_losses": session.run(losses),
                "variables": session.run(variables),
            }
            session.run(updates)
            after_updates = session.run(variables)
    return {
        **{key: as_data(value) for key, value in answers.items()},
        "after_updates": as_data(after_updates),
        "after_construction": after_construction,
        "after_application": after_application,
        "collections": sorted({str(key) for key in graph.get_all_collection_keys()} - PRUNED),
        "gradients": _gradients(hub, kind, path, tags) if trainable and kind.trains else None,
    }


def _variables(module: Any) -> dict[str, Any]:
    """The values of the module's variables, a list for a partitioned one."""
    return {
        name: [part.read_value() for part in variable] if isinstance(variable, list) else variable.read_value()
        for name, variable in module.variable_map.items()
    }


def _collections() -> dict[str, list[str]]:
    """The names of what each collection holds; for what has been made by TensorFlow, the number of it."""
    found = {}
    for key in COLLECTIONS:
        items = tf.get_collection(key)
        is_variables = key.endswith("variables")
        found[key] = [item.name for item in items] if is_variables else [f"{len(items)} items"]
    return found


def _training_graph(hub: Any, kind: Kind, path: str, tags: frozenset) -> tuple[Any, Any]:
    """A trainable module and the loss of applying it: the sum of squares of its floating-point outputs."""
    signature = "default" if "default" in kind.inputs else sorted(kind.inputs)[0]
    module = hub.Module(path, trainable=True, tags=set(tags))
    outputs = module(as_tensors(kind.inputs[signature]), signature=signature, as_dict=True)
    flat = [outputs[key] for key in sorted(outputs) if outputs[key].dtype.is_floating]
    loss = tf.add_n([tf.reduce_sum(tf.square(output)) for output in flat])
    return module, loss + tf.losses.get_regularization_loss()


def _gradients(hub: Any, kind: Kind, path: str, tags: frozenset) -> dict[str, Any]:
    with tf.Graph().as_default():
        _, loss = _training_graph(hub, kind, path, tags)
        variables = tf.trainable_variables()
        gradients = {
            variable.op.name: tf.convert_to_tensor(gradient)
            for variable, gradient in zip(variables, _differentiate(kind, loss), strict=True)
            if gradient is not None
        }
        with _session() as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            return as_data(session.run(gradients))


def _differentiate(kind: Kind, loss: Any) -> list:
    with control_flow_v1() if kind.tf1_gradients else nullcontext():
        return tf.gradients(loss, tf.trainable_variables())


def fine_tune(hub: Any, kind: Kind, path: str) -> dict[str, Any]:
    """The variables after three steps of gradient descent that run the update ops too."""
    tags = TRAIN if TRAIN in kind.tags and TRAIN not in kind.not_on_disk else frozenset()
    with tf.Graph().as_default():
        module, loss = _training_graph(hub, kind, path, tags)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        gradients = _differentiate(kind, loss)
        pairs = zip(gradients, tf.trainable_variables(), strict=True)
        with tf.control_dependencies([loss, *(tf.convert_to_tensor(g) for g in gradients if g is not None)]):
            step = tf.train.GradientDescentOptimizer(LEARNING_RATE).apply_gradients(pairs)
        variables = _variables(module)
        with _session() as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            losses = []
            for _ in range(STEPS):
                losses.append(session.run([loss, step])[0])
                session.run(updates)
            return as_data({"losses": losses, "variables": session.run(variables)})


def as_data(value: Any) -> Any:
    """Arrays, sparse and ragged values as plain data with their types."""
    if isinstance(value, dict):
        return {key: as_data(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_data(item) for item in value]
    if isinstance(value, tf.SparseTensorValue):
        return {"indices": as_data(value.indices), "values": as_data(value.values), "shape": as_data(value.dense_shape)}
    if isinstance(value, tf.ragged.RaggedTensorValue):
        return {"values": as_data(value.flat_values), "splits": as_data(list(value.nested_row_splits))}
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        return ["string", list(array.shape), [item.decode("latin-1") for item in array.astype(object).ravel()]]
    if array.dtype.kind == "c":
        return [array.dtype.name, list(array.shape), [[v.real, v.imag] for v in array.ravel().tolist()]]
    numbers = array.astype(np.float64) if array.dtype.name in ("bfloat16", "float16") else array
    return [array.dtype.name, list(array.shape), numbers.ravel().tolist()]


def difference(ours: Any, theirs: Any, where: str = "") -> str | None:
    """The first place where two answers differ by more than float32's rounding, or None."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.keys() != theirs.keys():
            return f"{where}: keys {sorted(ours)} and {sorted(theirs)}"
        return _first(difference(ours[key], theirs[key], f"{where}/{key}") for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return f"{where}: {ours} and {theirs}"
        return _first(difference(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(ours, theirs, strict=True)))
    if isinstance(ours, float) and isinstance(theirs, float):
        return (
            None if np.allclose(ours, theirs, rtol=1e-5, atol=1e-5, equal_nan=True) else f"{where}: {ours} and {theirs}"
        )
    return None if ours == theirs else f"{where}: {ours!r} and {theirs!r}"


def _first(findings: Any) -> str | None:
    return next((finding for finding in findings if finding), None)
