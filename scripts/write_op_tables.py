"""Writes which ops this TensorFlow has: tf1hub/checks/linting/reuse/op_names_<version>.txt.

    .venv/bin/python scripts/write_op_tables.py tf1hub/checks/linting/reuse
    .venv-peer/bin/python scripts/write_op_tables.py tf1hub/checks/linting/reuse

Run it with the oldest and the newest supported TensorFlow; `make op-tables` does. The file's format is told in
tf1hub/checks/linting/reuse/op_tables.py.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session  # nothing public lists all ops: tf.raw_ops leaves some out


def main(folder: str) -> None:
    registered = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    names = sorted(op.name for op in registered.op)
    version = ".".join(tf.__version__.split(".")[:2])
    lines = [f"tensorflow {version}", f"graph_version {tf.version.GRAPH_DEF_VERSION}", "", *names]
    Path(folder, f"op_names_{version}.txt").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
