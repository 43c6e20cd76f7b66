"""Kinds of ops that several rules ask for."""

from tf1hub.format import dtypes

# Ops whose first output is their first input, value for value.
PASSING = frozenset(
    {"Identity", "IdentityN", "Switch", "RefSwitch", "Enter", "RefEnter", "Exit", "RefExit", "NextIteration"}
    | {"StopGradient"}
    | {"Snapshot", "CheckNumerics", "EnsureShape", "PreventGradient", "RefIdentity", "ReadVariableOp", "DeepCopy"}
    | {"PlaceholderWithDefault"}
)  # fmt: skip
MERGES = frozenset({"Merge", "RefMerge"})
VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})
PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
FUSED_BATCH_NORMS = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
# DataType numbers, as attributes have them.
FLOATS = frozenset(map(dtypes.dtype_number, ("float16", "bfloat16", "float32", "float64")))
