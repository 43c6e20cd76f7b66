"""Programs for `tf.estimator` and tensorflow_hub 0.15.0, each as one would have published it in its day.

`main(folder)` works in an empty folder and returns what it measured. `tests.interop.estimator_worker` runs them.
"""

from pathlib import Path

AS_PUBLISHED, HUB_MOVED, MOVED = "as_published", "hub_moved", "moved"
THEIR_HUB, OUR_HUB = "import tensorflow_hub as hub\n", "import tf1hub as hub\n"
OUR_ESTIMATORS = "from tf1hub import estimator; tf.estimator = estimator\n"


def names() -> list[str]:
    """All programs."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def names_with_modules() -> list[str]:
    """Those that use tensorflow_hub."""
    return [name for name in names() if THEIR_HUB in source(name, AS_PUBLISHED)]


def source(name: str, change: str) -> str:
    """A program as it was published; with our modules under `tf.estimator`; or moved, with our Estimators too."""
    program = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    if change == AS_PUBLISHED:
        return program
    imports = program.replace(THEIR_HUB, OUR_HUB).splitlines(keepends=True)
    if change == MOVED:
        last = max(at for at, line in enumerate(imports) if line.startswith("import "))
        imports.insert(last + 1, OUR_ESTIMATORS)
    return "".join(imports)
