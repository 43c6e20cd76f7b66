"""Pictures of handwritten digits, from scikit-learn: 8 by 8 pixels, about 180 of each digit."""

from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

FIRST = [0, 1, 2, 3, 4]  # what the module learns before it is published
SECOND = [5, 6, 7, 8, 9]  # what the user of the module wants to tell apart


class Examples(NamedTuple):
    """Pictures, float32 [batch, 8, 8, 1] from 0 to 1, and for each the position of its digit in a list of digits."""

    images: np.ndarray
    labels: np.ndarray


def make_task(digits: list[int], train: int) -> tuple[Examples, Examples]:
    """`train` pictures of these digits for training, and the others for testing."""
    data = load_digits()
    chosen = np.random.RandomState(1).permutation(np.flatnonzero(np.isin(data.target, digits)))
    images = (data.images[chosen, :, :, np.newaxis] / 16).astype(np.float32)
    labels = np.searchsorted(digits, data.target[chosen]).astype(np.int64)
    return Examples(images[:train], labels[:train]), Examples(images[train:], labels[train:])


def make_dataset(examples: Examples) -> tf.data.Dataset:
    """Features and labels of the examples, one at a time."""
    return tf.data.Dataset.from_tensor_slices(({"images": examples.images}, examples.labels))
