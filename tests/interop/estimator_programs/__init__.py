"""Programs for `tf.estimator` and tensorflow_hub 0.15.0, each as one would have published it in its day.

`main(folder)` works in an empty folder and returns what it measured. `tests.interop.estimator_worker` runs them. Programs
that use modules draw with seeds of their own: an op without one draws after the number of ops before it, and a module
brings other numbers of ops under tf1hub.
"""
