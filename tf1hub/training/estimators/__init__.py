"""Estimators: training, evaluation and prediction with a `model_fn`, on TensorFlow's sessions."""
