"""Programs for `tf.estimator` and tensorflow_hub 0.15.0, each as one would have published it in its day.

`main(folder)` works in an empty folder and returns what it measured. `tests.interop.estimator_worker` runs them.
"""

from pathlib import Path

THEIR_LINE = "import tensorflow_hub as hub\n"
OUR_LINES = "import tf1hub as hub\nfrom tf1hub import estimator; tf.estimator = estimator\n"


def names() -> list[str]:
    """All programs."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def source(name: str, moved: bool) -> str:
    """A program as it was published, or with the two lines that move it to tf1hub."""
    published = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    assert published.count(THEIR_LINE) == 1, f"{name} does not import tensorflow_hub"
    return published.replace(THEIR_LINE, OUR_LINES) if moved else published
