"""The warning that an optimizer regularizes a module that is exported, and that the module does not carry that along."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tf1hub import files
from tf1hub.checks.linting.findings import Finding
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.recognising.proximal_updates import Strengths
from tf1hub.checks.linting.recognising.wide_weights import find_wide
from tf1hub.checks.linting.training_graph import OPTIMIZER_REGULARIZATION, find_regularization, regularization_finding

_SUFFIX = "_regularization_strength"


class RegularizationWarning:
    """Looks for such an optimizer once, with the first export, and warns."""

    def __init__(self) -> None:
        self._is_done = False

    def give(self, find: Callable[[], Sequence[Finding]]) -> None:
        """Warns of what `find` finds, unless it was called before. Call it once the export is written."""
        if self._is_done:
            return
        self._is_done = True
        try:
            findings = find()
        except Exception:  # The export is there; that this cannot read a graph is not worth a training.
            return
        if findings:
            told = " ".join(f"{finding.reason} {finding.remedy}" for finding in findings)
            warnings.warn(f"{told} `tf1hub lint --explain {OPTIMIZER_REGULARIZATION.id}` tells more.", stacklevel=4)


def regularization_in_graph(graph: Any, variables: Iterable[Any]) -> list[Finding]:
    """What a graph's optimizers do to some of its variables."""
    return find_regularization(graph, _named({variable.op.name for variable in variables}))


def regularization_beside(checkpoint: str, names: Iterable[str]) -> list[Finding]:
    """What the optimizers do to the variables of these names in the graph that lies beside a checkpoint, if one does."""
    path = checkpoint + ".meta"
    return find_regularization(path, _named(set(names))) if files.exists(path) else []


def regularization_by_keras(optimizer: Any, module: Any) -> list[Finding]:
    """What an optimizer of any Keras does to the variables of a `LoadedModule` that are trained."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # that of a LossScaleOptimizer
    config = optimizer.get_config()
    given = {name: float(config.get(name + _SUFFIX, 0)) for name in ("l1", "l2", "l2_shrinkage")}
    if not any(given.values()):
        return []
    trained = {id(variable) for variable in module.trainable_variables}
    named = zip(module.variable_names, module.variables, strict=True)
    names = [name for name, variable in named if id(variable) in trained]
    strengths = Strengths(type(optimizer).__name__, **given)
    flow = Variant(module.training_tags, module.spec.variant(module.training_tags)).flow
    wide = find_wide(flow, names) if strengths.l1 else ()
    groups: dict[Strengths, list[str]] = {}
    for name in names:
        own = strengths.without_l1() if name in wide else strengths
        groups.setdefault(own, []).append(name)
    return [regularization_finding(optimizer.name, own, found) for own, found in groups.items() if own]


def _named(names: set[str]) -> Callable[[Any], set[str]]:
    return lambda _: names
