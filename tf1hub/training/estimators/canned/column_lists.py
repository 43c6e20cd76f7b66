"""Feature columns as canned Estimators are given them."""

from collections.abc import Iterable
from typing import Any


def checked_columns(columns: Iterable[Any]) -> tuple[Any, ...]:
    """The columns, which can be gone through again and again.

    Raises:
      ValueError: this is one column, or something among them is none.
    """
    # A column is a tuple of its settings, so one would pass for a list.
    if hasattr(columns, "name"):
        raise ValueError(f"Feature columns come in a list; this is a single one: {columns!r}.")
    found = tuple(columns)
    for column in found:
        if not hasattr(column, "name"):
            raise ValueError(
                f"Feature columns are made by tf.feature_column and by hub.text_embedding_column and its like; {column!r} is"
                " none."
            )
    return found
