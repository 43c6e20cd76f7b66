"""Runs the programs in `estimator_programs/`, as they are or moved to tf1hub, and says what each returned and left.

    .venv-peer/bin/python -m tests.interop.estimator_worker as_published FOLDER ANSWERS.json
    .venv/bin/python -m tests.interop.estimator_worker moved FOLDER ANSWERS.json

TensorFlow is imported once. Each program then runs in a process forked from this one, so that none sees what another one
switched.
"""

import json
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Else a summary of a step sometimes sees what the step changes, and sometimes not.
os.environ["TF_NUM_INTEROP_THREADS"] = os.environ["TF_NUM_INTRAOP_THREADS"] = "1"

import tensorflow.compat.v1 as tf

from tests.interop.estimator_programs import MOVED, names, names_with_modules, source
from tests.interop.training_folder import as_json, describe_folder

PATIENCE = 150


def run(name: str, change: str, folder: Path) -> dict[str, Any]:
    """What the program returned and left, or where it failed."""
    folder.mkdir(parents=True)
    program: dict[str, Any] = {"__name__": name}
    try:
        exec(compile(source(name, change), f"{name}.py", "exec"), program)
        answer = {"returned": as_json(program["main"](str(folder))), **describe_folder(folder)}
        return json.loads(json.dumps(answer).replace(str(folder), "FOLDER"))
    except BaseException:
        return {"error": traceback.format_exc()}


def run_forked(name: str, change: str, folder: Path) -> dict[str, Any]:
    """The same, in a process of its own."""
    answer = folder.with_suffix(".json")
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE)
        try:
            answer.write_text(json.dumps(run(name, change, folder)), encoding="utf-8")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {"error": f"It died with {status}."}


def main(change: str, folder: str, answers: str, which: str = "all") -> None:
    tf.get_logger().setLevel(logging.ERROR)
    if change != MOVED:
        import tensorflow_hub  # noqa: F401  # loads tf.estimator too
    wanted = {"all": names, "with_modules": names_with_modules}[which]()
    found = {name: run_forked(name, change, Path(folder, name)) for name in wanted}
    Path(answers).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
