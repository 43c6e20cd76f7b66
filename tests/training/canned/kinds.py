"""Canned Estimators of every kind, for `tf.estimator` and ours alike, and what they come to: a few steps on the same rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from tests.graphs import export, spec_of
from tf1hub.format import protos

ROWS = 12
SEED = 3
_ROWS = np.random.RandomState(0)
FEATURES = {
    "age": np.arange(ROWS, dtype=np.float32)[:, None] / ROWS,
    "size": _ROWS.rand(ROWS, 2).astype(np.float32),
    "color": np.array(["red", "green", "blue", "none"] * 3),
    "shade": np.array(["red", "blue", "blue"] * 4),
    "text": np.array(["the cat", "a mat", "the", "sat on"] * 3),
    "weight": (np.arange(ROWS, dtype=np.float32) % 3 + 1)[:, None],
}
LABELS = (np.arange(ROWS) % 3 > 0).astype(np.int64)
CLASSES = np.arange(ROWS) % 3
NAMES = np.array(["low", "mid", "high"])[CLASSES]
NUMBERS = np.stack([FEATURES["age"][:, 0] * 2 - 1, FEATURES["size"][:, 1]], 1)

columns = tf.feature_column


def _age() -> Any:
    return columns.numeric_column("age")


def _colors(key: str = "color") -> Any:
    return columns.categorical_column_with_vocabulary_list(key, ["red", "green", "blue"])


def _dense() -> list[Any]:
    crossed = columns.crossed_column(["color", "shade"], 5)
    return [
        columns.numeric_column("size", shape=(2,), normalizer_fn=lambda size: size - 0.5),
        columns.bucketized_column(_age(), [0.2, 0.6]),
        columns.indicator_column(_colors()),
        columns.indicator_column(crossed),
    ]


def _embedded() -> list[Any]:
    hashed = columns.categorical_column_with_hash_bucket("shade", 7)
    return [_age(), columns.embedding_column(_colors(), 3), columns.embedding_column(hashed, 2, combiner="sqrtn")]


def _shared() -> list[Any]:
    with tf.Graph().as_default():
        return tf.compat.v1.feature_column.shared_embedding_columns([_colors(), _colors("shade")], 3)


def _sparse() -> list[Any]:
    return [
        _age(),
        _colors(),
        columns.crossed_column(["color", "shade"], 20),
        columns.numeric_column("size", shape=(2,)),
    ]


def _decayed() -> Any:
    rate = tf.compat.v1.train.exponential_decay(0.1, tf.compat.v1.train.get_global_step(), 2, 0.5)
    return tf.compat.v1.train.AdamOptimizer(rate)


def _momentum() -> Any:
    return tf.compat.v1.train.MomentumOptimizer(0.05, 0.9)


MEAN = tf.compat.v1.losses.Reduction.MEAN
VOCABULARY = {"n_classes": 3, "label_vocabulary": ["low", "mid", "high"]}
# What a kind is made by, from an `estimator` and its configuration; and its labels.
KINDS: dict[str, tuple[Callable[[Any, Any], Any], np.ndarray]] = {
    "dnn": (lambda e, c: e.DNNClassifier([4, 3], _dense(), config=c), LABELS),
    "dnn_dropout": (
        lambda e, c: e.DNNClassifier([4, 3], _dense(), dropout=0.4, batch_norm=True, config=c, optimizer="SGD"),
        LABELS,
    ),
    "dnn_names": (lambda e, c: e.DNNClassifier([4], _dense(), config=c, optimizer=_decayed, **VOCABULARY), NAMES),
    "dnn_classes": (
        lambda e, c: e.DNNClassifier([4], _dense(), n_classes=3, config=c, optimizer="Adam", activation_fn=tf.nn.tanh),
        CLASSES,
    ),
    "dnn_weighted": (
        lambda e, c: e.DNNClassifier([4], _dense(), weight_column="weight", loss_reduction=MEAN, config=c),
        LABELS,
    ),
    "dnn_weighted_classes": (
        lambda e, c: e.DNNClassifier([4], _dense(), n_classes=3, weight_column="weight", config=c, optimizer="RMSProp"),
        CLASSES,
    ),
    "dnn_embedded": (lambda e, c: e.DNNClassifier([4], _embedded(), config=c, optimizer=_momentum()), LABELS),
    "dnn_shared": (lambda e, c: e.DNNClassifier([4], _shared(), config=c, optimizer="Ftrl"), LABELS),
    "dnn_no_layers": (lambda e, c: e.DNNClassifier([], _dense(), config=c, activation_fn=None), LABELS),
    "dnn_regressor": (lambda e, c: e.DNNRegressor([4], _dense(), label_dimension=2, config=c), NUMBERS),
    "dnn_regressor_weighted": (
        lambda e, c: e.DNNRegressor([4], _dense(), label_dimension=2, weight_column="weight", config=c),
        NUMBERS,
    ),
    "linear": (lambda e, c: e.LinearClassifier(_sparse(), config=c), LABELS),
    "linear_classes": (
        lambda e, c: e.LinearClassifier(_sparse(), sparse_combiner="mean", config=c, **VOCABULARY),
        NAMES,
    ),
    "linear_regressor": (
        lambda e, c: e.LinearRegressor(_sparse(), weight_column="weight", optimizer=_momentum, config=c),
        NUMBERS[:, :1],
    ),
    "combined": (
        lambda e, c: e.DNNLinearCombinedClassifier(
            linear_feature_columns=_sparse(), dnn_feature_columns=_dense(), dnn_hidden_units=[3], config=c
        ),
        LABELS,
    ),
    "combined_regressor": (
        lambda e, c: e.DNNLinearCombinedRegressor(
            linear_feature_columns=_sparse(),
            linear_optimizer=_momentum,
            dnn_feature_columns=_embedded(),
            dnn_hidden_units=[3, 2],
            dnn_optimizer=_decayed,
            dnn_dropout=0.2,
            batch_norm=True,
            label_dimension=2,
            config=c,
        ),
        NUMBERS,
    ),
    "combined_of_one": (
        lambda e, c: e.DNNLinearCombinedClassifier(linear_feature_columns=_sparse(), config=c, n_classes=3),
        CLASSES,
    ),
}


def text_kinds(hub: Any, folder: Path) -> dict[str, tuple[Callable[[Any, Any], Any], np.ndarray]]:
    """The published text classifier, on a small module: fixed and fine-tuned."""
    path = export(spec_of("text"), folder / "module", values=True)

    def maker(trainable: bool) -> Callable[[Any, Any], Any]:
        def make(estimator: Any, config: Any) -> Any:
            column = hub.text_embedding_column(key="text", module_spec=path, trainable=trainable)
            optimizer = tf.compat.v1.train.AdagradOptimizer(learning_rate=0.003)
            return estimator.DNNClassifier([5, 4], [column], n_classes=2, optimizer=optimizer, config=config)

        return make

    return {"text_fixed": (maker(False), LABELS), "text_trained": (maker(True), LABELS)}


def dataset_input_fn(labels: np.ndarray, repetitions: int = 1) -> Callable[[], Any]:
    """Batches of five rows, in order."""

    def input_fn() -> Any:
        return tf.compat.v1.data.Dataset.from_tensor_slices((dict(FEATURES), labels)).batch(5).repeat(repetitions)

    return input_fn


def numpy_input_fn(inputs: Any, labels: np.ndarray, repetitions: int = 1) -> Callable[[], Any]:
    return inputs.numpy_input_fn(dict(FEATURES), labels, batch_size=5, num_epochs=repetitions, shuffle=False)


def pandas_input_fn(inputs: Any, labels: np.ndarray, repetitions: int = 1) -> Callable[[], Any]:
    """The features with one value in a row."""
    frame = pd.DataFrame({name: values.reshape(ROWS) for name, values in FEATURES.items() if values.size == ROWS})
    series = pd.Series(labels)
    return inputs.pandas_input_fn(frame, series, batch_size=5, num_epochs=repetitions, shuffle=False)


def outcome(estimator: Any, model: Any, train_fn: Any, eval_fn: Any, export_dir: str | None) -> dict[str, Any]:
    """What a model comes to: its variables, metrics, predictions and signatures."""
    model.train(train_fn)
    found = {
        "variables": {name: np.array(model.get_variable_value(name)) for name in model.get_variable_names()},
        "metrics": {name: float(value) for name, value in model.evaluate(eval_fn).items()},
        "predictions": [dict(row) for row in model.predict(eval_fn)],
    }
    if export_dir is not None:
        raw = {name: tf.io.FixedLenFeature(values.shape[1:], _dtype(values)) for name, values in FEATURES.items()}
        receiver = estimator.export.build_parsing_serving_input_receiver_fn(raw)
        found["signatures"] = _signatures(model.export_saved_model(export_dir, receiver))
    return found


def _dtype(values: np.ndarray) -> tf.DType:
    return tf.string if values.dtype.kind == "U" else tf.as_dtype(values.dtype)


def _signatures(export_dir: Any) -> dict[str, Any]:
    file = Path(tf.compat.as_str(export_dir), "saved_model.pb")
    [meta_graph] = protos.SavedModel.FromString(file.read_bytes()).meta_graphs
    return {
        key: (signature.method_name, _infos(signature.inputs), _infos(signature.outputs))
        for key, signature in meta_graph.signature_def.items()
    }


def _infos(infos: Any) -> dict[str, Any]:
    return {key: (info.dtype, [dimension.size for dimension in info.tensor_shape.dim]) for key, info in infos.items()}


def check_agreement(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """The same names; the same values but for rounding."""
    assert set(ours["variables"]) == set(theirs["variables"])
    for name, value in theirs["variables"].items():
        np.testing.assert_allclose(ours["variables"][name], value, rtol=1e-5, atol=1e-6, err_msg=name)
    assert set(ours["metrics"]) == set(theirs["metrics"])
    for name, value in theirs["metrics"].items():
        np.testing.assert_allclose(ours["metrics"][name], value, rtol=1e-5, atol=1e-5, err_msg=name)
    assert len(ours["predictions"]) == len(theirs["predictions"])
    for mine, other in zip(ours["predictions"], theirs["predictions"], strict=True):
        assert list(mine) == list(other)
        for name, value in other.items():
            assert mine[name].dtype == value.dtype
            if value.dtype == object:
                assert mine[name].tolist() == value.tolist()
            else:
                np.testing.assert_allclose(mine[name], value, rtol=1e-5, atol=1e-5, err_msg=name)
    assert set(ours.get("signatures", ())) == set(theirs.get("signatures", ()))
    for name, signature in theirs.get("signatures", {}).items():
        assert ours["signatures"][name] == signature
