"""The modules that the benchmarks run on, and the folder that keeps them.

Each is built from plain `tf.compat.v1` ops and written by tensorflow_hub 0.15.0 on TensorFlow 2.15.1, so that
both libraries read the same files. Their node counts are those that the project's targets were measured with;
`write_module` checks them, since modules of other sizes would give figures that cannot be compared. Another
version of TensorFlow builds other counts.

    a   a small dense network
    c   a BERT of 12 layers: tags {} and {"train"} (dropout), four signatures
    d   a ResNet-50: tags {} and {"train"} (batch statistics, update ops), a signature with 50 outputs
    e   50 large variables
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NODES = {"a": (40,), "c": (4606, 4902), "d": (2542, 3178), "e": (552,)}
"""How many nodes each module's graphs have, without tags first and with {"train"} second."""

VOCABULARY = 18_000
HIDDEN = 128
HEADS = 2
INTERMEDIATE = 512
POSITIONS = 512
EARLY_ACTIVATION = "stage1/block1/conv1"
TAGS = [(set(), {"training": False}), ({"train"}, {"training": True})]


@dataclass(frozen=True)
class Recipe:
    """How to make one module: `module_fn` for each set of tags."""

    module_fn: Callable[[Any, Any], Callable[..., None]]
    tags_and_args: list[tuple[set[str], dict[str, bool]]] | None = None


def _kernel(tf: Any, shape: list[int], stddev: float = 0.02) -> Any:
    initializer = tf.compat.v1.truncated_normal_initializer(stddev=stddev)
    return tf.compat.v1.get_variable("kernel", shape, initializer=initializer)


def _filled(tf: Any, name: str, size: int, value: float = 0.0, trainable: bool = True) -> Any:
    initializer = tf.compat.v1.ones_initializer() if value else tf.compat.v1.zeros_initializer()
    return tf.compat.v1.get_variable(name, [size], initializer=initializer, trainable=trainable)


def _dense(tf: Any, x: Any, units: int, name: str) -> Any:
    """A dense layer over the last dimension of `x`, which has two dimensions or three."""
    with tf.compat.v1.variable_scope(name):
        kernel = _kernel(tf, [x.shape[-1], units])
        product = tf.matmul(x, kernel) if x.shape.rank == 2 else tf.tensordot(x, kernel, [[2], [0]])
        return tf.nn.bias_add(product, _filled(tf, "bias", units))


def small_dense(tf: Any, hub: Any) -> Callable[..., None]:
    """Module a."""

    def module_fn() -> None:
        x = tf.compat.v1.placeholder(tf.float32, [None, 16])
        hidden = tf.nn.relu(_dense(tf, x, 32, "hidden"))
        hub.add_signature(inputs=x, outputs=_dense(tf, hidden, 4, "out"))

    return module_fn


def _layer_norm(tf: Any, x: Any) -> Any:
    with tf.compat.v1.variable_scope("LayerNorm"):
        beta = _filled(tf, "beta", x.shape[-1])
        gamma = _filled(tf, "gamma", x.shape[-1], 1.0)
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)


def _gelu(tf: Any, x: Any) -> Any:
    return x * (0.5 * (1.0 + tf.tanh(0.7978845608 * (x + 0.044715 * tf.pow(x, 3)))))


def _dropout(tf: Any, x: Any, training: bool) -> Any:
    return tf.nn.dropout(x, rate=0.1) if training else x


def _dimensions(tf: Any, x: Any) -> tuple[Any, Any]:
    shape = tf.shape(x)
    return shape[0], shape[1]


def _split_heads(tf: Any, x: Any, batch: Any, length: Any) -> Any:
    return tf.transpose(tf.reshape(x, [batch, length, HEADS, HIDDEN // HEADS]), [0, 2, 1, 3])


def _attention(tf: Any, x: Any, mask: Any, training: bool) -> Any:
    """Multi-head self-attention; the mask's penalty is made anew for each layer, as in the original BERT."""
    with tf.compat.v1.variable_scope("self"):
        queries, keys, values = (_dense(tf, x, HIDDEN, name) for name in ("query", "key", "value"))
        batch, length = _dimensions(tf, x)
        _, keys_length = _dimensions(tf, keys)
        queries = _split_heads(tf, queries, batch, length)
        keys = _split_heads(tf, keys, batch, keys_length)
        values = _split_heads(tf, values, batch, tf.shape(values)[1])
        scores = tf.matmul(queries, keys, transpose_b=True)
        penalty = (1.0 - tf.cast(tf.expand_dims(mask, 1), tf.float32)) * -10000.0
        weights = tf.nn.softmax(scores * (HIDDEN // HEADS) ** -0.5 + penalty)
        context = tf.matmul(_dropout(tf, weights, training), values)
        return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [batch, length, HIDDEN])


def _transformer_layer(tf: Any, x: Any, mask: Any, training: bool) -> Any:
    with tf.compat.v1.variable_scope("attention"):
        context = _attention(tf, x, mask, training)
        with tf.compat.v1.variable_scope("output"):
            x = _layer_norm(tf, _dropout(tf, _dense(tf, context, HIDDEN, "dense"), training) + x)
    with tf.compat.v1.variable_scope("intermediate"):
        grown = _gelu(tf, _dense(tf, x, INTERMEDIATE, "dense"))
    with tf.compat.v1.variable_scope("output"):
        x = _layer_norm(tf, _dropout(tf, _dense(tf, grown, HIDDEN, "dense"), training) + x)
    return tf.identity(x, "layer_output")


def _embeddings(tf: Any, ids: Any, segments: Any, training: bool) -> tuple[Any, Any]:
    """The embedded tokens, and the table of word embeddings, which the masked language model uses again."""
    table, initializer = tf.compat.v1.get_variable, tf.compat.v1.truncated_normal_initializer(stddev=0.02)
    words = table("word_embeddings", [VOCABULARY, HIDDEN], initializer=initializer)
    types = table("token_type_embeddings", [2, HIDDEN], initializer=initializer)
    places = table("position_embeddings", [POSITIONS, HIDDEN], initializer=initializer)
    batch, length = _dimensions(tf, ids)
    embedded = tf.reshape(tf.gather(words, tf.reshape(ids, [-1])), [batch, length, HIDDEN])
    one_hot = tf.one_hot(tf.reshape(segments, [-1]), 2)
    embedded += tf.reshape(tf.matmul(one_hot, types), [batch, length, HIDDEN])
    embedded += tf.expand_dims(tf.slice(places, [0, 0], [length, -1]), 0)
    return _dropout(tf, _layer_norm(tf, embedded), training), words


def _masked_language_model(tf: Any, sequence: Any, positions: Any, words: Any) -> dict[str, Any]:
    """What the words at `positions` are likely to be, from the sequence's outputs there."""
    batch, length = _dimensions(tf, sequence)
    offsets = tf.reshape(tf.range(batch) * length, [-1, 1])
    picked = tf.gather(tf.reshape(sequence, [-1, HIDDEN]), tf.reshape(positions + offsets, [-1]))
    with tf.compat.v1.variable_scope("transform"):
        picked = _layer_norm(tf, _gelu(tf, _dense(tf, picked, HIDDEN, "dense")))
    bias = _filled(tf, "output_bias", VOCABULARY)
    logits = tf.nn.bias_add(tf.matmul(picked, words, transpose_b=True), bias)
    log_probs = tf.nn.log_softmax(logits)
    return {
        "mlm_logits": logits,
        "mlm_log_probs": log_probs,
        "mlm_best": tf.argmax(log_probs, -1),
        "mlm_best_log_prob": tf.reduce_max(log_probs, -1),
        "mlm_top_log_probs": tf.math.top_k(log_probs, 5)[0],
    }


def _bert_outputs(tf: Any, inputs: dict[str, Any], training: bool) -> tuple[dict[str, Any], Any]:
    """The encoder's outputs, and the table of word embeddings."""
    with tf.compat.v1.variable_scope("embeddings"):
        x, words = _embeddings(tf, inputs["input_ids"], inputs["segment_ids"], training)
    x, first_tokens = tf.identity(x), []
    mask = tf.expand_dims(inputs["input_mask"], 1)
    for i in range(12):
        with tf.compat.v1.variable_scope(f"encoder/layer_{i}"):
            x = _transformer_layer(tf, x, mask, training)
            first_tokens.append(x[:, 0])
    sequence = tf.identity(x)
    with tf.compat.v1.variable_scope("pooler"):
        first_token = tf.squeeze(sequence[:, 0:1], axis=1)
        pooled = tf.identity(tf.tanh(_dense(tf, first_token, HIDDEN, "dense")))
    layers = tf.stack(first_tokens, axis=1)
    return {"pooled_output": pooled, "sequence_output": sequence, "first_token_of_layers": layers}, words


def bert(tf: Any, hub: Any) -> Callable[..., None]:
    """Module c."""
    vocabulary = modules_dir() / "vocab.txt"
    vocabulary.write_text("".join(f"word{i}\n" for i in range(VOCABULARY)))

    def module_fn(training: bool) -> None:
        names = ("input_ids", "input_mask", "segment_ids", "mlm_positions")
        inputs = {name: tf.compat.v1.placeholder(tf.int32, [None, None], name) for name in names}
        with tf.compat.v1.variable_scope("bert"):
            outputs, words = _bert_outputs(tf, inputs, training)
        with tf.compat.v1.variable_scope("cls/predictions"):
            predictions = _masked_language_model(tf, outputs["sequence_output"], inputs["mlm_positions"], words)
        asset = tf.constant(str(vocabulary), name="vocab_file")
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.ASSET_FILEPATHS, asset)
        tokens = {name: inputs[name] for name in names[:3]}
        hub.add_signature(inputs=tokens, outputs=outputs["pooled_output"])
        hub.add_signature("tokens", tokens, outputs)
        hub.add_signature("mlm", inputs, {**outputs, **predictions})
        hub.add_signature("tokenization_info", {}, {"vocab_file": asset, "do_lower_case": tf.constant(True)})

    return module_fn


def _add_weight_decay(tf: Any, kernel: Any) -> None:
    with tf.name_scope("weight_decay"):
        loss = 0.0 + 1e-4 * tf.reduce_sum(tf.square(kernel))
    tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.REGULARIZATION_LOSSES, loss)


def _batch_norm(tf: Any, x: Any, training: bool) -> Any:
    v1, channels = tf.compat.v1, x.shape[-1]
    gamma = _filled(tf, "gamma", channels, 1.0)
    beta = _filled(tf, "beta", channels)
    mean = _filled(tf, "moving_mean", channels, trainable=False)
    variance = _filled(tf, "moving_variance", channels, 1.0, trainable=False)
    if not training:
        return v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, is_training=False)[0]
    y, batch_mean, batch_variance = v1.nn.fused_batch_norm(x, gamma, beta, is_training=True)
    for moving, value in ((mean, batch_mean), (variance, batch_variance)):
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, moving.assign_sub((moving - value) * 0.01).op)
    return y


def _conv(tf: Any, x: Any, size: int, filters: int, stride: int, name: str, training: bool) -> Any:
    with tf.compat.v1.variable_scope(name):
        shape = [size, size, x.shape[-1], filters]
        kernel = _kernel(tf, shape, (2.0 / (size * size * shape[2])) ** 0.5)
        _add_weight_decay(tf, kernel)
        return _batch_norm(tf, tf.nn.conv2d(x, kernel, stride, "SAME"), training)


def _residual_block(
    tf: Any, x: Any, width: int, stride: int, training: bool, name: str, activations: dict[str, Any]
) -> Any:
    shortcut = x
    with tf.compat.v1.variable_scope(name):
        if x.shape[-1] != 4 * width:
            shortcut = _conv(tf, x, 1, 4 * width, stride, "shortcut", training)
        x = activations[f"{name}/conv1"] = tf.nn.relu(_conv(tf, x, 1, width, 1, "conv1", training))
        x = activations[f"{name}/conv2"] = tf.nn.relu(_conv(tf, x, 3, width, stride, "conv2", training))
        x = activations[name] = tf.nn.relu(_conv(tf, x, 1, 4 * width, 1, "conv3", training) + shortcut)
    return x


def resnet(tf: Any, hub: Any) -> Callable[..., None]:
    """Module d."""

    def module_fn(training: bool) -> None:
        images = tf.compat.v1.placeholder(tf.float32, [None, 224, 224, 3])
        activations: dict[str, Any] = {}
        x = activations["stem"] = tf.nn.relu(_conv(tf, images, 7, 64, 2, "stem", training))
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        for stage, blocks in enumerate((3, 4, 6, 3), 1):
            for block in range(1, blocks + 1):
                stride = 2 if stage > 1 and block == 1 else 1
                name = f"stage{stage}/block{block}"
                x = _residual_block(tf, x, 32 * 2**stage, stride, training, name, activations)
        pooled = activations["pooled"] = tf.reduce_mean(x, [1, 2])
        hub.add_signature(inputs=images, outputs=pooled)
        hub.add_signature("features", images, activations)

    return module_fn


def large_variables(tf: Any, hub: Any) -> Callable[..., None]:
    """Module e."""

    def module_fn() -> None:
        x = tf.compat.v1.placeholder(tf.int32, [None])
        rows = []
        for i in range(50):
            with tf.compat.v1.variable_scope(f"table{i}"):
                rows.append(tf.gather(_kernel(tf, [2560, 1024]), x))
        hub.add_signature(inputs=x, outputs=tf.add_n(rows))

    return module_fn


RECIPES = {
    "a": Recipe(small_dense),
    "c": Recipe(bert, TAGS),
    "d": Recipe(resnet, TAGS),
    "e": Recipe(large_variables),
}


def make_spec(hub: Any, name: str) -> Any:
    """The spec of module `name`, made by `hub`, a library with tensorflow_hub's names."""
    import tensorflow as tf

    recipe = RECIPES[name]
    module_fn = recipe.module_fn(tf, hub)
    return hub.create_module_spec(module_fn, recipe.tags_and_args)


def write_module(hub: Any, name: str, module_dir: Path) -> None:
    """Write module `name` as `module_dir`, which becomes visible only when it is whole."""
    import tensorflow as tf

    spec = make_spec(hub, name)
    partial = Path(f"{module_dir}.{os.getpid()}")
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(1)
        module = hub.Module(spec)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            module.export(str(partial), session)
    counts = tuple(count_nodes(partial))
    if counts != NODES[name]:
        shutil.rmtree(partial)
        raise ValueError(
            f"Module {name} has {counts} nodes instead of {NODES[name]}. Build it on TensorFlow 2.15.1"
            f" (this is {tf.__version__}), or bring its recipe back to that size."
        )
    with contextlib.suppress(OSError):  # another run may have written it meanwhile
        partial.rename(module_dir)


def _read_meta_graphs(module_dir: Path) -> Any:
    from tensorflow.core.protobuf import saved_model_pb2

    saved_model = saved_model_pb2.SavedModel.FromString((module_dir / "saved_model.pb").read_bytes())
    return sorted(saved_model.meta_graphs, key=lambda graph: "train" in graph.meta_info_def.tags)


def count_nodes(module_dir: Path) -> list[int]:
    """How many nodes each graph of a module has, the one with the tag train last."""
    return [len(graph.graph_def.node) for graph in _read_meta_graphs(module_dir)]


def count_needed_nodes(module_dir: Path) -> int:
    """How many nodes one application of the signature default needs."""
    import tensorflow as tf

    graph = _read_meta_graphs(module_dir)[0]
    outputs = graph.signature_def["default"].outputs.values()
    names = [output.name.split(":")[0] for output in outputs]
    return len(tf.compat.v1.graph_util.extract_sub_graph(graph.graph_def, names).node)


def modules_dir() -> Path:
    """The folder that keeps the modules: one for each text of this file."""
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"tf1hub-benchmarks-{digest}"
    folder.mkdir(exist_ok=True)
    return folder


def main() -> None:
    """Write the named modules that are not there yet; print their folders and node counts as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("modules", nargs="+", choices=list(RECIPES))
    import tensorflow_hub as hub  # type: ignore[import-untyped]

    folder, found = modules_dir(), {}
    for name in parser.parse_args().modules:
        if not (folder / name).exists():
            print(f"writing {folder / name}", file=sys.stderr, flush=True)
            write_module(hub, name, folder / name)
        nodes, needed = count_nodes(folder / name), count_needed_nodes(folder / name)
        found[name] = {"path": str(folder / name), "nodes": nodes, "needed": needed}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
