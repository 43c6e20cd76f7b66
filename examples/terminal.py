"""How the examples talk: lines of progress, and the options that all of them have."""

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = time.monotonic()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported
warnings.filterwarnings("ignore", message=r"`tf\.layers", category=UserWarning)


def say(text: str) -> None:
    """Prints a line with the seconds since the start."""
    print(f"[{time.monotonic() - START:5.1f} s] {text}", flush=True)


@contextmanager
def loading_tensorflow() -> Iterator[None]:
    """Keeps from the terminal what TensorFlow's native code writes when loaded; no setting stops that."""
    if "tensorflow" not in sys.modules:
        say("loading TensorFlow ...")
    kept = os.dup(2)
    with tempfile.TemporaryFile() as elsewhere:
        os.dup2(elsewhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def read_options(description: str, outputs: list[str]) -> tuple[Path, bool]:
    """The folder to write to, which has none of the outputs yet, and whether the run shall be quick."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to write to (default: a temporary folder)")
    parser.add_argument("--quick", action="store_true", help="less data and fewer steps, poorer results")
    options = parser.parse_args()
    folder = options.output or Path(tempfile.mkdtemp(prefix=Path(parser.prog).stem + "-"))
    if taken := [str(folder / output) for output in outputs if (folder / output).exists()]:
        verb = "exists" if len(taken) == 1 else "exist"
        parser.error(f"{' and '.join(taken)} {verb} already; give another --output")
    return folder, options.quick
