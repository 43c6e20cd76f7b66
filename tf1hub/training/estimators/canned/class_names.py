"""Classes of a classifier: what labels call them, and their ids."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class ClassNames:
    """The classes 0 to `count` - 1. A vocabulary, when there is one, has the string that labels use for each."""

    def __init__(self, count: int, vocabulary: Sequence[str] | None) -> None:
        if vocabulary is not None and not isinstance(vocabulary, list | tuple):
            raise TypeError(f"label_vocabulary must be a list or tuple of strings, not {vocabulary!r}.")
        if vocabulary is not None and len(vocabulary) != count:
            raise ValueError(
                f"label_vocabulary has {len(vocabulary)} strings for {count} classes (n_classes). Give as many."
            )
        self.count = count
        self._vocabulary = vocabulary

    def ids_of(self, labels: Any) -> Any:
        """Int64 ids of string labels; -1 for one that the vocabulary lacks. Without a vocabulary, labels are ids."""
        if self._vocabulary is None:
            return labels
        ids = tf.range(self.count, dtype=tf.int64)
        entries = tf.lookup.KeyValueTensorInitializer(tf.constant(self._vocabulary), ids)
        return tf.lookup.StaticHashTable(entries, -1, name="class_id_lookup").lookup(labels)

    def check_labels(self, labels: Any) -> None:
        """Raises a ValueError for labels that are no integers, or no strings where there is a vocabulary."""
        if self._vocabulary is not None and labels.dtype != tf.string:
            raise ValueError(
                f"Labels are {labels.dtype.name}, but there is a label_vocabulary of strings. Give labels of strings, or leave"
                " label_vocabulary out."
            )
        if self._vocabulary is None and not labels.dtype.is_integer:
            raise ValueError(
                f"Labels are {labels.dtype.name}. Give integers from 0 to {self.count - 1}, or strings and a label_vocabulary."
            )

    def names_of(self, ids: Any) -> Any:
        """The strings of ids; their decimal digits without a vocabulary."""
        if self._vocabulary is None:
            return tf.as_string(ids, name="str_classes")
        return tf.gather(tf.constant(self._vocabulary), ids, name="str_classes")

    def all_ids(self, logits: Any) -> Any:
        """All ids, int32 [batch, count], for each row of the logits."""
        return _for_each_row(tf.range(self.count), logits)

    def all_names(self, logits: Any) -> Any:
        """All strings, [batch, count], for each row of the logits."""
        if self._vocabulary is None:
            return _for_each_row(tf.as_string(tf.range(self.count)), logits)
        return _for_each_row(tf.constant(self._vocabulary), logits)

    def checked_range(self, ids: Any) -> Any:
        """The ids, which are compared with the number of classes when they are used."""
        highest = tf.constant(self.count - 1, ids.dtype)
        with tf.name_scope("assert_range"):
            checks = [
                tf.compat.v1.assert_less_equal(ids, highest, message="Labels must be at most n_classes - 1"),
                tf.compat.v1.assert_non_negative(ids, message="Labels must be 0 or more, and in the label_vocabulary"),
            ]
            with tf.control_dependencies(checks):
                return tf.identity(ids)


def _for_each_row(values: Any, logits: Any) -> Any:
    batch_size = tf.shape(logits)[0]
    return tf.tile(tf.expand_dims(values, 0), [batch_size, 1])
