"""Updates of variables by optimizers that regularize on their own: FTRL and the proximal ones.

TensorFlow has each as an op on references and on resources, dense and sparse (ApplyFtrl, ResourceSparseApplyFtrlV2, ...).
Their strengths are inputs; this says which, and what a loss would be that pulls a variable as the op does.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.liveness import Liveness


class _Kind(NamedTuple):
    """An optimizer: its class, and the places of its strengths among the inputs of the dense and the sparse op."""

    optimizer: str
    dense: tuple[int, ...]
    sparse: tuple[int, ...]


_KINDS = {
    "Ftrl": _Kind("FtrlOptimizer", (5, 6), (6, 7)),
    "FtrlV2": _Kind("FtrlOptimizer", (5, 6, 7), (6, 7, 8)),
    "ProximalGradientDescent": _Kind("ProximalGradientDescentOptimizer", (2, 3), (2, 3)),
    "ProximalAdagrad": _Kind("ProximalAdagradOptimizer", (3, 4), (3, 4)),
    "AdagradDA": _Kind("AdagradDAOptimizer", (5, 6), (6, 7)),
}
_OPS = {
    f"{resource}{form}Apply{kind}": (kind, _KINDS[kind].sparse if form else _KINDS[kind].dense)
    for resource, form, kind in itertools.product(("Resource", ""), ("Sparse", ""), _KINDS)
}
PROXIMAL_OPS = frozenset(_OPS)
"""The ops that update a variable and regularize it."""

_STRENGTHS = ("l1", "l2", "l2_shrinkage")
_SUMS, _QUOTIENTS = frozenset({"Add", "AddV2"}), frozenset({"RealDiv", "Div"})
_ASSIGNMENTS = frozenset({"Assign", "AssignVariableOp"})


@dataclass(frozen=True)
class Strengths:
    """How strongly an optimizer regularizes: 0 for not at all, None for a strength that the graph computes as it runs.

    Attributes:
      optimizer: the optimizer's class; Keras calls its "Ftrl".
      l1, l2: its strengths of these names.
      l2_shrinkage: that of FTRL's which counts with each step.
    """

    optimizer: str
    l1: float | None = 0.0
    l2: float | None = 0.0
    l2_shrinkage: float | None = 0.0

    def __bool__(self) -> bool:
        return any(value != 0 for _, value in self._values())

    def __str__(self) -> str:
        shown = [f"{name}={_number(value)}" for name, value in self._values() if value != 0]
        return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)

    def _values(self) -> Iterator[tuple[str, float | None]]:
        return ((name, getattr(self, name)) for name in _STRENGTHS)

    @property
    def is_ftrl(self) -> bool:
        """Whether l1 and l2 count once, against the sum of all gradients, and not with each step."""
        return self.optimizer in ("FtrlOptimizer", "Ftrl")

    def without_l1(self) -> "Strengths":
        """The others."""
        return replace(self, l1=0.0)

    def loss(self) -> str:
        """Python for a loss of a variable `w` that regularizes in this way."""
        l2 = [(2 if self.is_ftrl else 1, self.l2), (2, self.l2_shrinkage)]
        losses = [(_product([(1, self.l1)]), "tf.reduce_sum(tf.abs(w))"), (_product(l2), "tf.nn.l2_loss(w)")]
        return " + ".join(f"{factor} * {penalty}" for factor, penalty in losses if factor != "0")


def _product(terms: list[tuple[int, float | None]]) -> str:
    """The sum of products; "strength" when it is computed."""
    values = [None if strength is None else factor * strength for factor, strength in terms]
    return "strength" if None in values else f"{sum(filter(None, values)):.6g}"


def _number(value: float | None) -> str:
    return "(computed)" if value is None else f"{value:.6g}"


class ProximalUpdate(NamedTuple):
    """One op that updates a variable. `optimizer` is the optimizer's scope, such as "Ftrl"; `variable` is a node."""

    node: str
    optimizer: str
    variable: str
    strengths: Strengths


def find_proximal_updates(flow: Flow, liveness: Liveness) -> list[ProximalUpdate]:
    """The updates of variables whose op regularizes them."""
    found = []
    for node in flow.of_ops(sorted(PROXIMAL_OPS & flow.by_op.keys())):
        kind, places = _OPS[node.op]
        variable = flow.variable_of(node.inputs[0]) if node.inputs else None
        if variable is None or len(node.inputs) <= max(places):
            continue
        values = [_strength(flow, liveness, node.inputs[place]) for place in places]
        strengths = Strengths(_KINDS[kind].optimizer, *values)
        if strengths:
            found.append(ProximalUpdate(node.name, _scope(node.name), variable, strengths))
    return found


def _scope(node: str) -> str:
    """The optimizer's scope: optimizers put what updates a variable into a scope "update_<variable>"."""
    return node.partition("/update_")[0]


def _strength(flow: Flow, liveness: Liveness, ref: Ref) -> float | None:
    node = flow.nodes.get(flow.origin(ref)[0])
    if node is not None and node.op in _SUMS and len(node.inputs) == 2:
        # FTRL's beta comes in here too, as beta / (2 * learning rate), and is no regularization.
        first, second = (flow.nodes.get(flow.origin(each)[0]) for each in node.inputs)
        if second is not None and second.op in _QUOTIENTS and first is not None:
            ref = node.inputs[0]
    value = liveness.constant(ref)
    if value is None and (variable := flow.variable_of(ref)) is not None:
        value = _initial_value(flow, liveness, variable)
    return None if value is None else float(value)


def _initial_value(flow: Flow, liveness: Liveness, variable: str) -> float | None:
    """The constant that a variable is initialized with; None when it is none, or when something else is assigned too."""
    consumers: Iterable[tuple[str, int]] = flow.consumers.get(variable, ())
    assigned = [flow.nodes[name].inputs[1] for name, place in consumers if _assigns(flow, name, place)]
    return liveness.constant(assigned[0]) if len(assigned) == 1 else None


def _assigns(flow: Flow, name: str, place: int) -> bool:
    node = flow.nodes[name]
    return place == 0 and node.op in _ASSIGNMENTS and len(node.inputs) > 1
