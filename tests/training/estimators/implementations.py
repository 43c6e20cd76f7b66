"""tf.estimator as it was, where TensorFlow still has it, beside ours: a test of a behaviour runs with both."""

import pytest
import tensorflow as tf

from tf1hub import estimator

_THEIRS = getattr(tf.compat.v1, "estimator", None)
BOTH = [pytest.param(estimator, id="ours")] + ([pytest.param(_THEIRS, id="theirs")] if _THEIRS else [])
for_both = pytest.mark.parametrize("estimators", BOTH)
