"""The best result of an evaluation so far, kept beside the exports so that it survives a restart.

best_result.json    {"metric": "loss", "larger_is_better": false, "value": 0.25}
"""

import json
import math
import os
from typing import Any

from tf1hub import files
from tf1hub.format.staging import staging_directory

_FILE = "best_result.json"


class BestResult:
    """The best value of one metric in a folder of exports. What is known of another metric does not count."""

    def __init__(self, folder: str, metric: str, larger_is_better: bool):
        self._folder = folder
        self.path = files.join(folder, _FILE)
        self._kind = {"metric": metric, "larger_is_better": larger_is_better}

    def read(self) -> float | None:
        """The best value, None before the first one.

        Raises:
          ValueError: the file cannot be read.
        """
        if not files.exists(self.path):
            return None
        try:
            known = json.loads(files.read_bytes(self.path))
            value = float(known.pop("value"))
            if math.isnan(value):
                raise ValueError("the value is not a number")
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ValueError(
                f"{self.path!r} should hold the best result so far, and cannot be read ({error}). Remove it, and the next"
                " result counts as the best."
            ) from error
        return value if known == self._kind else None

    def is_beaten_by(self, value: float) -> bool:
        """Whether a value is better than the best so far. One that is not a number never is."""
        best = self.read()
        if math.isnan(value):
            return False
        if best is None:
            return True
        return value > best if self._kind["larger_is_better"] else value < best

    def write(self, value: float) -> None:
        """Replaces the best value, in one step where the file system can."""
        text = json.dumps({**self._kind, "value": value})
        if files.is_remote(self.path):
            with files.remote_files().GFile(self.path, "w") as file:
                file.write(text)
            return
        with staging_directory(self._folder) as staging:
            (staging / _FILE).write_text(text)
            os.replace(staging / _FILE, self.path)


def as_number(metric: str, value: Any) -> float:
    """The value of a metric, which must be one number.

    Raises:
      ValueError: it is something else.
    """
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The metric {metric!r} is {value!r}; the best export is told by one number. Pass the name of another"
            " metric."
        ) from error
