"""`tf.estimator.inputs`: input functions over data in memory."""

from tf1hub.training.estimators.data_inputs import numpy_input_fn, pandas_input_fn

__all__ = ["numpy_input_fn", "pandas_input_fn"]
