"""Every scenario, and the program that runs them with one library.

.venv-peer/bin/python -m tests.differential.scenarios LIBRARY FILE [NAME ...]
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf

from tests.differential.recording import SCENARIOS, as_json, without_paths

THEMES = [path.stem for path in sorted(Path(__file__).parent.glob("scenarios_*.py"))]
for theme in THEMES:
    importlib.import_module(f"tests.differential.{theme}")


def run(hub: Any, name: str) -> Any:
    with tf.Graph().as_default():
        try:
            return as_json(SCENARIOS[name].run(hub, tf))
        except Exception:
            return {"failed": without_paths(traceback.format_exc())}


def main(library: str, file: str, *names: str) -> None:
    hub = importlib.import_module(library)
    results = {name: run(hub, name) for name in names or SCENARIOS}
    Path(file).write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
