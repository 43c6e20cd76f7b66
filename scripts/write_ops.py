"""Writes tf1hub/graph/ops.binpb: the definitions of the ops that graphs built without TensorFlow are made of.

    .venv-peer/bin/python scripts/write_ops.py tf1hub/graph/ops.binpb

Run it with the oldest supported TensorFlow: newer ones read its definitions. `make ops` does.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tensorflow.core.framework import op_def_pb2
from tensorflow.python.framework import op_def_registry

OPS = [
    "AddV2",
    "AssignVariableOp",
    "Cast",
    "Const",
    "Equal",
    "Fill",
    "HashTableV2",
    "InitializeTableFromTextFileV2",
    "LookupTableFindV2",
    "NotEqual",
    "Placeholder",
    "ReadVariableOp",
    "ResourceGather",
    "Select",
    "SelectV2",
    "SparseFillEmptyRows",
    "SparseSegmentMean",
    "SparseSegmentSqrtN",
    "SparseSegmentSum",
    "StaticRegexReplace",
    "StridedSlice",
    "StringLower",
    "StringSplit",
    "StringToHashBucketFast",
    "Unique",
    "VarHandleOp",
    "VarIsInitializedOp",
]


def main(path: str) -> None:
    definitions = op_def_pb2.OpList(op=[op_def_registry.get(name) for name in OPS])
    Path(path).write_bytes(definitions.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
