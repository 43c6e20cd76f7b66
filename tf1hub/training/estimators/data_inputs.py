"""`numpy_input_fn` and `pandas_input_fn`: input functions over arrays and data frames in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

_Arrays = dict[Any, Any]


def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """An input function over arrays.

    Args:
      x: the features: an array, or a dict of arrays by name, all of one length, the number of examples.
      y: the labels likewise; None when there are none.
      batch_size: how many examples a batch has. The last one may have fewer.
      num_epochs: how often the examples are gone through; None is for ever.
      shuffle: whether each epoch has the examples in another order. It must be given.
      queue_capacity: not used; an epoch is shuffled as a whole.
      num_threads: `tf.estimator` went through the examples once in each of so many threads, and so does this, in one.

    Returns:
      A function without arguments that gives tensors: (features, labels), or features alone when there is no `y`.

    Raises:
      ValueError: shuffle is not given, there is nothing in x or y, lengths differ, a name is in both, or batch_size is not
        positive.
      TypeError: x is neither an array nor a dict.

    >>> from tf1hub.estimator import inputs
    >>> import numpy as np
    >>> input_fn = inputs.numpy_input_fn({"age": np.array([3.0, 4.0])}, np.array([0, 1]), shuffle=False)
    >>> features, labels = input_fn()
    """
    _check_shuffle(shuffle)
    if not isinstance(x, dict) and not hasattr(x, "shape"):
        raise TypeError(f"x must be an array or a dict of arrays, not {type(x).__name__}.")
    for name, given in (("x", x), ("y", y)):
        if isinstance(given, dict) and not given:
            raise ValueError(f"{name} is an empty dict. Give one array or more{', or None' if name == 'y' else ''}.")
    if both := set(x if isinstance(x, dict) else ()) & set(y if isinstance(y, dict) else ()):
        raise ValueError(f"x and y both have {sorted(both, key=str)}. Features and labels need names of their own.")
    # tf.nest goes through a dict by its sorted keys, and so does the order of the tensors.
    features = {name: x[name] for name in sorted(x)} if isinstance(x, dict) else x
    examples = _Examples(_arrays(features), None if y is None else _arrays(y))
    return _input_fn(examples, batch_size, num_epochs, bool(shuffle), num_threads)


def pandas_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
    target_column: str = "target",
) -> Callable[[], Any]:
    """An input function over a data frame.

    Args:
      x: the features, a `pandas.DataFrame`: a feature for each column.
      y: the labels, a `pandas.Series`, or a DataFrame for a dict of labels; None when there are none.
      batch_size, num_epochs, shuffle, queue_capacity, num_threads: as for `numpy_input_fn`.
      target_column: a name that no column of x may have, when y is a Series.

    Returns:
      A function without arguments that gives tensors: (features, labels), or features alone when there is no `y`.

    Raises:
      ValueError: shuffle is not given, the rows of x and y have different indexes, a column has the name target_column, or
        batch_size is not positive.
      TypeError: x is no data frame.
    """
    _check_shuffle(shuffle)
    if not hasattr(x, "columns"):
        raise TypeError(f"x must be a pandas.DataFrame, not {type(x).__name__}.")
    y_index = np.asarray(getattr(y, "index", None))
    if y is not None and not np.array_equal(np.asarray(x.index), y_index):
        raise ValueError(f"The rows of x and y have different indexes: {x.index} and {y_index}.")
    labels = None
    if y is not None and hasattr(y, "columns"):
        labels = {name: _column_array(y[name]) for name in y.columns}
    elif y is not None:
        if target_column in x:
            raise ValueError(
                f"x has a column named {target_column!r}, the name of the labels. Pass another target_column."
            )
        labels = _column_array(y)
    features = {name: _column_array(x[name]) for name in x.columns}
    examples = _Examples(_arrays(features), None if labels is None else _arrays(labels))
    return _input_fn(examples, batch_size, num_epochs, bool(shuffle), num_threads)


@dataclass(frozen=True)
class _Examples:
    """Arrays of one length. A structure of just one has it under None."""

    features: _Arrays
    labels: _Arrays | None

    def __post_init__(self) -> None:
        shapes = [array.shape for array in self.arrays()]
        if len({shape[:1] for shape in shapes}) != 1 or () in shapes:
            raise ValueError(
                f"Each array of x and y must have an example in each row, as many as the others; shapes: {shapes}."
            )

    def arrays(self) -> list[Any]:
        return [*self.features.values(), *(self.labels or {}).values()]

    def structured(self, tensors: tuple[Any, ...]) -> Any:
        """Tensors in the order of the arrays as what an input function returns."""
        count = len(self.features)
        features = _structure(self.features, tensors[:count])
        return features if self.labels is None else (features, _structure(self.labels, tensors[count:]))


def _arrays(given: Any) -> _Arrays:
    given = given if isinstance(given, dict) else {None: given}
    return {name: _encodable(np.asarray(array)) for name, array in given.items()}


def _encodable(array: Any) -> Any:
    # Of NumPy's own texts TensorFlow takes ASCII only.
    return array.astype(object) if array.dtype.kind == "U" else array


def _column_array(column: Any) -> Any:
    # Older pandas makes objects of the numbers in columns of its own types (Int64, boolean), unless told which to make.
    return column.to_numpy(getattr(column.dtype, "numpy_dtype", None))


def _structure(arrays: _Arrays, tensors: tuple[Any, ...]) -> Any:
    return tensors[0] if None in arrays else dict(zip(arrays, tensors, strict=True))


def _check_shuffle(shuffle: Any) -> None:
    if not isinstance(shuffle, bool | np.bool_):
        raise ValueError(f"shuffle is {shuffle!r}. Say True (as for training) or False (to evaluate and to predict).")


def _input_fn(
    examples: _Examples, batch_size: int, num_epochs: int | None, shuffle: bool, num_threads: int
) -> Callable[[], Any]:
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size!r}. A batch has one example or more.")
    epochs = None if num_epochs is None else num_epochs * num_threads

    arrays = examples.arrays()
    shapes = [[batch_size if epochs is None else None, *array.shape[1:]] for array in arrays]

    def input_fn() -> Any:
        # tf.estimator's shuffling queue took one of the graph's seeds, too: the model's initial values depend on how many
        # were taken before.
        seed = tf.compat.v1.get_seed(None)[1] if shuffle else None
        batches = _batches_of_rows(len(arrays[0]), batch_size, epochs, shuffle, seed)

        def next_batch() -> tuple[Any, ...]:
            rows = next(batches)  # TensorFlow takes the end of an iterator for the end of the input
            return tuple(array[rows] for array in arrays)

        tensors = tf.numpy_function(next_batch, [], [tf.as_dtype(array.dtype) for array in arrays])
        for tensor, shape in zip(tensors, shapes, strict=True):
            tensor.set_shape(shape)
        return examples.structured(tuple(tensors))

    return input_fn


def _batches_of_rows(count: int, batch_size: int, epochs: int | None, shuffle: bool, seed: int | None) -> Iterator[Any]:
    """The numbers of the rows of each batch. A batch may reach into the next epoch."""
    random = np.random.RandomState(seed)
    waiting = np.zeros(0, np.int64)
    while count and (epochs is None or epochs > 0):
        rows = random.permutation(count) if shuffle else np.arange(count)
        waiting = np.concatenate([waiting, rows])
        while len(waiting) >= batch_size:
            yield waiting[:batch_size]
            waiting = waiting[batch_size:]
        epochs = None if epochs is None else epochs - 1
    if len(waiting):
        yield waiting
