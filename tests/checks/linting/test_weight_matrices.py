"""Which variables are weight matrices."""

from typing import Any

import pytest
import tensorflow.compat.v1 as tf

from tests.graphs import spec_of, spec_with
from tests.kerases import KERAS_TWO
from tests.module_fns import KINDS
from tf1hub.checks.linting.fine_tuning.weight_matrices import find_weight_matrices
from tf1hub.checks.linting.linted_module import LintedModule


def _weights(make: Any, shape: Any = (None, 3)) -> list[str]:
    """Those of a module whose outputs the function makes."""
    return find_weight_matrices(LintedModule(spec_with(make, shape)).variants[0])


@pytest.mark.parametrize(
    "multiply",
    [
        lambda x, w: x @ w,
        lambda x, w: tf.matmul(x, tf.transpose(w), transpose_b=True),
        lambda x, w: tf.einsum("ij,jk->ik", x, w),
        lambda x, w: tf.tensordot(x, tf.cast(tf.cast(w, tf.float64), tf.float32), 1),
        lambda x, w: x @ tf.quantization.fake_quant_with_min_max_args(tf.reshape(w, [3, 3])),
        lambda x, w: x @ tf.split(w, 3, axis=1)[0],
        lambda x, w: x @ w[:, 1:],
        lambda x, w: x @ (0.5 * w / 3.0),
        lambda x, w: tf.function(lambda y: y @ w)(x),
    ],
)
def test_what_is_multiplied_with_is_one(multiply):
    assert _weights(lambda x: multiply(x, tf.get_variable("w", [3, 3]))) == ["w"]


@pytest.mark.parametrize(
    "use",
    [
        lambda x, w: x + w[0],
        lambda x, w: (x * w[:1]) @ tf.ones([3, 3]),
        lambda x, w: tf.gather(w, tf.cast(x, tf.int32)),
        lambda x, w: tf.nn.embedding_lookup(w, tf.cast(x, tf.int32)) @ tf.ones([3, 1]),
    ],
)
def test_what_is_added_or_looked_up_is_none(use):
    assert _weights(lambda x: use(x, tf.get_variable("w", [3, 3]))) == []


def test_parts_of_a_partitioned_matrix_are():
    def make(x):
        return x @ tf.get_variable("w", [3, 4], partitioner=tf.fixed_size_partitioner(2)).as_tensor()

    assert _weights(make) == ["w/part_0", "w/part_1"]


def test_kernels_of_layers_are():
    def make(images):
        features = KERAS_TWO.layers.DepthwiseConv2D(2, name="depthwise")(images)
        return KERAS_TWO.layers.Conv2DTranspose(3, 2, name="transposed")(features)

    weights = _weights(make, (None, 4, 4, 3))
    assert [name.split("/")[0] for name in weights] == ["depthwise", "transposed"]


@pytest.mark.parametrize("kind", ["while_v1", "while_v1_of_references", "while_v2", "cond_v1", "cond_v2"])
def test_matrices_in_loops_and_branches_are(kind):
    assert KINDS[kind].available()
    assert find_weight_matrices(LintedModule(spec_of(kind)).variants[0]) == ["kernel"]
