"""Whether a checkpoint has the variables of the graph variants, each with its shape and dtype."""

from collections.abc import Iterator, Mapping

from tf1hub.checks.verifying.checkpoint_index import CheckpointIndex
from tf1hub.checks.verifying.findings import FAULT, WARNING, Finding, named
from tf1hub.format import dtypes
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.graph.variables import StoredVariable

Tags = tuple[str, ...]
Variables = Mapping[Tags, Mapping[str, StoredVariable]]


def iter_variable_findings(variables: Variables, index: CheckpointIndex, file: str) -> Iterator[Finding]:
    """What is wrong with the variables of each variant, which are given by their names in the checkpoint.

    A variant that lacks some is legal, since one checkpoint serves all: the one that was exported decides what is in
    it. Only when no variant is complete the module cannot be used as it was meant.
    """
    misfits = {tags: _misfits(wanted, index) for tags, wanted in variables.items()}
    if all(misfits.values()):
        seen = set()
        for tags, faults in misfits.items():
            for name, message in faults.items():
                if (name, message) not in seen:
                    seen.add((name, message))
                    yield Finding(FAULT, message, file, None, name, tags)
        return
    for tags, faults in misfits.items():
        if faults:
            message = (
                f"the variant cannot be instantiated from disk: {_some(len(faults), len(variables[tags]))} not in the"
                f" checkpoint, or not with that shape and dtype: {named(list(faults))}"
            )
            yield Finding(WARNING, message, file, None, None, tags)


def _some(number: int, total: int) -> str:
    """Some of a variant's variables, and the verb."""
    if total == 1:
        return "its only variable is"
    return f"{number:,} of its {total:,} variables {'is' if number == 1 else 'are'}"


def iter_missing_checkpoint_findings(variables: Variables, file: str) -> Iterator[Finding]:
    """What it means for each variant that there is no checkpoint."""
    is_fault = all(variables.values())
    for tags, wanted in variables.items():
        if wanted:
            number = "a variable" if len(wanted) == 1 else f"{len(wanted):,} variables"
            message = f"no such file, and the graph has {number}: {named(list(wanted))}"
            yield Finding(FAULT if is_fault else WARNING, message, file, None, None, tags)


def find_spare_tensors(variables: Variables, index: CheckpointIndex, file: str) -> Finding | None:
    """The tensors of the checkpoint that are no variable of any variant."""
    known = {name for wanted in variables.values() for name in wanted}
    spare = [name for name in index.tensors if name not in known]
    if not spare:
        return None
    message = f"{len(spare):,} of {len(index.tensors):,} tensors are no variable of any variant: {named(spare)}"
    return Finding(WARNING, message, file, None, spare[0] if len(spare) == 1 else None)


def _misfits(wanted: Mapping[str, StoredVariable], index: CheckpointIndex) -> dict[str, str]:
    """What is wrong with variables, by name."""
    found = {}
    for name, variable in wanted.items():
        entry = index.tensors.get(name)
        message = _misfit(variable, entry) if entry or not index.may_hold(name) else None
        if message:
            found[name] = message
    return found


def _misfit(variable: StoredVariable, entry: TensorEntry | None) -> str | None:
    if entry is None:
        return "the checkpoint lacks this variable"
    if variable.full_shape is not None and entry.shape != variable.full_shape:
        return f"a tensor of shape {list(entry.shape)}, where the graph's variable has {list(variable.full_shape)}"
    if dtypes.base_dtype(entry.dtype) != dtypes.base_dtype(variable.dtype):
        stored, wanted = dtypes.dtype_name(entry.dtype), dtypes.dtype_name(dtypes.base_dtype(variable.dtype))
        return f"a tensor of dtype {stored}, where the graph's variable has {wanted}"
    return None
