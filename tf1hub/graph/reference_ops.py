"""The ops of TensorFlow 1 that hold, read or write references, and what they are called for resources."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Counterpart:
    """The op on resources that does what one on references did.

    Attributes:
      op: its name.
      references: how many of the inputs were references. They are the first ones.
      attrs: the attributes that it has too, by what they were called; None when it has all.
      returns: whether the old op gave the reference back, as those that write do. The new one gives nothing.
    """

    op: str
    references: int = 1
    attrs: dict[str, str] | None = None
    returns: bool = False


_DTYPE = {"T": "dtype"}

VARIABLES = {"VariableV2": "VarHandleOp", "Variable": "VarHandleOp"}
TABLES = {op: f"{op}V2" for op in ("HashTable", "MutableHashTable", "MutableHashTableOfTensors")}

# Ops that hand a reference on. On resources, and on plain values, they have the name without "Ref".
PASSING = frozenset({"RefIdentity", "RefSwitch", "RefEnter", "RefMerge", "RefExit", "RefNextIteration"})

# Ops that take variables by reference and nothing does the same to a resource; for graphs whose list of definitions was lost.
WITHOUT_COUNTERPART = frozenset({"RefSelect", "NegTrain", "SdcaShrinkL1", "DebugGradientRefIdentity"})

# How many references the training ops take: a variable and what the optimizer keeps for it.
_DENSE_STEPS = {"GradientDescent": 1, "AddSign": 2, "PowerSign": 2, "Adam": 3, "AdaMax": 3}
_STEPS = {
    "ProximalGradientDescent": 1,
    "Adagrad": 2,
    "AdagradV2": 2,
    "Momentum": 2,
    "ProximalAdagrad": 2,
    "Adadelta": 3,
    "AdagradDA": 3,
    "Ftrl": 3,
    "FtrlV2": 3,
    "RMSProp": 3,
    "CenteredRMSProp": 4,
}

COUNTERPARTS = {
    "Assign": Counterpart("AssignVariableOp", attrs=_DTYPE, returns=True),
    "AssignAdd": Counterpart("AssignAddVariableOp", attrs=_DTYPE, returns=True),
    "AssignSub": Counterpart("AssignSubVariableOp", attrs=_DTYPE, returns=True),
    "StridedSliceAssign": Counterpart("ResourceStridedSliceAssign", returns=True),
    "IsVariableInitialized": Counterpart("VarIsInitializedOp", attrs={}),
    "CountUpTo": Counterpart("ResourceCountUpTo"),
    **{
        f"Scatter{kind}": Counterpart(f"ResourceScatter{kind}", attrs={**_DTYPE, "Tindices": "Tindices"}, returns=True)
        for kind in ("Update", "Add", "Sub", "Mul", "Div", "Min", "Max")
    },
    **{
        f"ScatterNd{kind}": Counterpart(f"ResourceScatterNd{kind}", returns=True)
        for kind in ("Update", "Add", "Sub", "Min", "Max")
    },
    **{
        f"Apply{step}": Counterpart(f"ResourceApply{step}", references, returns=True)
        for step, references in {**_DENSE_STEPS, **_STEPS}.items()
    },
    **{
        f"SparseApply{step}": Counterpart(f"ResourceSparseApply{step}", references, returns=True)
        for step, references in _STEPS.items()
    },
    **{
        op: Counterpart(f"{op}V2")
        for op in (
            "LookupTableFind",
            "LookupTableInsert",
            "LookupTableSize",
            "LookupTableExport",
            "LookupTableImport",
            "InitializeTable",
            "InitializeTableFromTextFile",
        )
    },
}
