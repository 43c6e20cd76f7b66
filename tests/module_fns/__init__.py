"""Small `module_fn`s of every kind that programs write, in one registry: `KINDS[name]`."""

from tests.module_fns import control_flow, interfaces, layers, state, structure, variants
from tests.module_fns.registry import BASE, KINDS, TRAIN, Kind, as_tensors, assign_values

__all__ = [
    "BASE", "KINDS", "TRAIN", "Kind", "as_tensors", "assign_values",
    "control_flow", "interfaces", "layers", "state", "structure", "variants",
]  # fmt: skip
