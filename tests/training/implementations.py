"""tf.estimator as it was, where TensorFlow still has it, beside ours: a test of a behaviour runs with both."""

import pytest
import tensorflow as tf

from tf1hub import estimator as ours

_REAL = getattr(tf.compat.v1, "estimator", None)
IMPLEMENTATIONS = {"ours": ours} | ({"real": _REAL} if _REAL else {})
for_both = pytest.mark.parametrize("estimators", IMPLEMENTATIONS.values(), ids=list(IMPLEMENTATIONS))
