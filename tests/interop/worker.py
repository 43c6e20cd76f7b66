"""Runs in the predecessor's environment: writes every kind of module with tensorflow_hub, or reads those that
tf1hub wrote.

    .venv-peer/bin/python -m tests.interop.worker write DIR     DIR/NAME/module and DIR/answers.json
    .venv-peer/bin/python -m tests.interop.worker read DIR      DIR/answers.json
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.interop.exchange import describe_module, fine_tune, write_module
from tests.module_fns import KINDS, Kind


def answer(hub: Any, kind: Kind, path: str, write: bool) -> dict[str, Any]:
    """What this side says of one kind, or where it failed."""
    try:
        if write:
            write_module(hub, kind, path)
        return {
            "module": describe_module(hub, kind, path),
            "fine_tuned": fine_tune(hub, kind, path) if kind.trains else None,
        }
    except Exception:
        return {"error": traceback.format_exc()}


def main(task: str, folder: str, library: str = "tensorflow_hub") -> None:
    hub = __import__(library)
    answers = {
        name: answer(hub, kind, f"{folder}/{name}/module", task == "write")
        for name, kind in KINDS.items()
        if kind.available() and (task == "write" or Path(folder, name).exists())
    }
    Path(folder, "answers.json").write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
