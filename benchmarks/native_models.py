"""Modules c and d of benchmarks/modules.py written natively in Keras 3: what fine-tuning them is compared with.

The layers are called as the module's scopes, with dots for slashes. So `copy_weights` can give a model the module's values,
with which both compute the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers, ops

from benchmarks.measurements import TOKENS
from benchmarks.modules import HEADS, HIDDEN, INTERMEDIATE, POSITIONS, VOCABULARY


class _AddedPositions(layers.Layer):  # type: ignore[misc]
    """Adds an embedding of its place to each token."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        self._table = self.add_weight(shape=(POSITIONS, HIDDEN), name="embeddings")

    def call(self, x: Any) -> Any:
        return x + self._table[: ops.shape(x)[1]]


def bert() -> Any:
    """Module c's signature default."""
    names = ("input_ids", "input_mask", "segment_ids")
    inputs = {name: keras.Input((TOKENS,), dtype="int32", name=name) for name in names}
    scope = "bert.embeddings"
    x = layers.Embedding(VOCABULARY, HIDDEN, name=f"{scope}.word_embeddings")(inputs["input_ids"])
    x += layers.Embedding(2, HIDDEN, name=f"{scope}.token_type_embeddings")(inputs["segment_ids"])
    x = _AddedPositions(name=f"{scope}.position_embeddings")(x)
    x = layers.Dropout(0.1)(_layer_norm(x, scope))
    mask = ops.expand_dims(ops.expand_dims(inputs["input_mask"], 1), 1)
    for i in range(12):
        x = _transformer_layer(x, mask, f"bert.encoder.layer_{i}")
    pooled = layers.Dense(HIDDEN, "tanh", name="bert.pooler.dense")(x[:, 0])
    return keras.Model(inputs, pooled)


def _layer_norm(x: Any, scope: str) -> Any:
    return layers.LayerNormalization(epsilon=1e-12, name=f"{scope}.LayerNorm")(x)


def _transformer_layer(x: Any, mask: Any, scope: str) -> Any:
    context = layers.Dense(HIDDEN, name=f"{scope}.attention.output.dense")(
        _attention(x, mask, f"{scope}.attention.self")
    )
    x = _layer_norm(layers.Dropout(0.1)(context) + x, f"{scope}.attention.output")
    grown = layers.Dense(INTERMEDIATE, name=f"{scope}.intermediate.dense")(x)
    shrunk = layers.Dense(HIDDEN, name=f"{scope}.output.dense")(ops.gelu(grown, approximate=True))
    return _layer_norm(layers.Dropout(0.1)(shrunk) + x, f"{scope}.output")


def _attention(x: Any, mask: Any, scope: str) -> Any:
    queries, keys, values = (
        ops.transpose(
            ops.reshape(layers.Dense(HIDDEN, name=f"{scope}.{name}")(x), (-1, TOKENS, HEADS, HIDDEN // HEADS)),
            (0, 2, 1, 3),
        )
        for name in ("query", "key", "value")
    )
    scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2))) * (HIDDEN // HEADS) ** -0.5
    weights = ops.softmax(scores + (1.0 - ops.cast(mask, "float32")) * -10000.0)
    context = ops.matmul(layers.Dropout(0.1)(weights), values)
    return ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (-1, TOKENS, HIDDEN))


def resnet() -> Any:
    """Module d's signature default."""
    images = keras.Input((224, 224, 3))
    x = layers.MaxPooling2D(3, 2, "same")(ops.relu(_conv(images, 7, 64, 2, "stem")))
    for stage, blocks in enumerate((3, 4, 6, 3), 1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _residual_block(x, 32 * 2**stage, stride, f"stage{stage}.block{block}")
    return keras.Model(images, layers.GlobalAveragePooling2D()(x))


def _conv(x: Any, size: int, filters: int, stride: int, name: str) -> Any:
    decay = keras.regularizers.L2(1e-4)
    x = layers.Conv2D(filters, size, stride, "same", use_bias=False, kernel_regularizer=decay, name=name)(x)
    return layers.BatchNormalization(name=f"{name}.norm")(x)


def _residual_block(x: Any, width: int, stride: int, name: str) -> Any:
    shortcut = x
    if x.shape[-1] != 4 * width:
        shortcut = _conv(x, 1, 4 * width, stride, f"{name}.shortcut")
    x = ops.relu(_conv(x, 1, width, 1, f"{name}.conv1"))
    x = ops.relu(_conv(x, 3, width, stride, f"{name}.conv2"))
    return ops.relu(_conv(x, 1, 4 * width, 1, f"{name}.conv3") + shortcut)


MODELS: dict[str, Callable[[], Any]] = {"c": bert, "d": resnet}


def copy_weights(model: Any, values: Mapping[str, Any]) -> None:
    """Give each weight of a model the value that the module has for it: `values` by the module's names."""
    for weight in model.weights:
        weight.assign(values[_name_in_module(weight.path)])


def _name_in_module(path: str) -> str:
    """A weight's name without what only Keras has: layers for normalization, a name for an embedding's only weight."""
    return path.replace(".", "/").replace("/norm/", "/").removesuffix("/embeddings")
