"""Writes every kind of module with one library, or reads those that another one wrote, and says all about them.

    .venv-peer/bin/python -m tests.interop.worker write tensorflow_hub MODULES ANSWERS.json
    .venv/bin/python -m tests.interop.worker read tf1hub MODULES ANSWERS.json

Each kind lies in MODULES/NAME/module.
"""

import importlib
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


def main(task: str, library: str, modules: str, answers: str, *names: str) -> None:
    hub = importlib.import_module(library)
    found = {
        name: answer(hub, KINDS[name], f"{modules}/{name}/module", task == "write")
        for name in names or KINDS
        if KINDS[name].available() and (task == "write" or Path(modules, name).exists())
    }
    Path(answers).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
