"""The steps of one frame: nodes as they are, its loops, and the branches that Switch and Merge nodes make."""

from collections.abc import Callable, Iterable, Sequence

from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph.control_flow.frames import Frame
from tf1hub.graph.control_flow.schedule import scheduled
from tf1hub.graph.control_flow.sources import Sources
from tf1hub.graph.control_flow.structure import Branch, Loop, Merge, Region, control_nodes, step_names
from tf1hub.graph.control_flow.units import Unit, Units
from tf1hub.names import COLOCATION_ATTR, is_control_input, node_name

_SMALL_CONSTANT = 1024  # bytes


class Branches:
    """Makes regions of the units of one frame.

    A unit's depth is how many predicates it hangs on. A region takes those of one depth as its steps, and those that hang on
    more go into its branches, which are regions again.
    """

    def __init__(self, sources: Sources, units: Units, loop: Callable[[Frame], Loop]):
        self._sources = sources
        self._units = units
        self._loop = loop

    def region(self, units: Sequence[Unit], depth: int, results: Sequence[str], after: Iterable[str]) -> Region:
        """What some units compute, all of which hang on the same first predicates, `depth` of them."""
        plain, loops, deeper = [], [], []
        for unit in units:
            if len(unit.path) > depth or unit.op == "Merge":
                deeper.append(unit)
            elif unit.frame is not None:
                loops.append(self._loop(unit.frame))
            elif unit.op != "Switch":
                plain.append(self._plain(self._sources.nodes[unit.name]))
        results = tuple(self._sources.resolved(name) for name in results)
        after = tuple(dict.fromkeys(node_name(self._sources.resolved(name)) for name in after))
        # Conds that were made apart share no Switch, and may need each other's results; a Switch that was shared by hand may
        # tie together what must be apart.
        for tied_by_switches in (True, False):
            branches = [self._branch(group, depth) for group in self._groups(deeper, depth, tied_by_switches)]
            steps = scheduled([*plain, *self._constants(plain, [*branches, *loops], results)], [*branches, *loops])
            if steps is not None:
                return Region(steps, results, after)
        names = ", ".join(sorted(repr(merge.node) for branch in branches for merge in branch.merges))
        raise GraphError(
            f"The branches that end in the Merges {names} need each other's results, so none can be run first."
        )

    def _plain(self, node: protos.NodeDef) -> protos.NodeDef:
        """A node with its inputs as they are outside of TF1's control flow, and placed with no other."""
        result = protos.NodeDef()
        result.CopyFrom(node)
        result.input[:] = dict.fromkeys(self._sources.resolved(name) for name in node.input if is_control_input(name))
        data = [self._sources.resolved(name) for name in node.input if not is_control_input(name)]
        result.input[:] = [*data, *result.input]
        result.attr.pop(COLOCATION_ATTR, None)
        return result

    def _constants(
        self, plain: Iterable[protos.NodeDef], steps: Iterable[Branch | Loop], results: Iterable[str]
    ) -> list[protos.NodeDef]:
        """Copies of the small constants that a region takes from another one.

        There TensorFlow sees what they are: shapes are known, and XLA compiles what depends on them.
        """
        own = {node.name for node in plain}
        used = {node_name(name) for node in plain for name in node.input if not is_control_input(name)}
        used.update(node_name(name) for step in steps for name in step_names(step))
        used.update(node_name(name) for name in results)
        copies = []
        for name in sorted(used - own):
            node = self._sources.nodes.get(name)
            if node is not None and node.op == "Const" and node.ByteSize() <= _SMALL_CONSTANT:
                copy = self._plain(node)
                del copy.input[:]
                copies.append(copy)
        return copies

    def _groups(self, deeper: Sequence[Unit], depth: int, tied_by_switches: bool) -> list[list[Unit]]:
        """Puts together what belongs to one branch: what hands values on to each other, or takes them from one Switch."""
        leader = {unit: unit for unit in deeper}

        def find(unit: Unit) -> Unit:
            while leader[unit] is not unit:
                leader[unit] = leader[leader[unit]]
                unit = leader[unit]
            return unit

        for unit in deeper:
            for name in unit.inputs:
                source = self._units.source(name)
                if source is None or (source not in leader and source.op != "Switch"):
                    continue
                if source in leader and not self._is_joined(source, depth):
                    leader[find(unit)] = find(source)
                elif tied_by_switches and source.op == "Switch" and not is_control_input(name):
                    leader[find(unit)] = find(leader.setdefault(source, source))
        groups: dict[Unit, list[Unit]] = {}
        for unit in deeper:
            groups.setdefault(find(unit), []).append(unit)
        return list(groups.values())

    @staticmethod
    def _is_joined(unit: Unit, depth: int) -> bool:
        """Whether it is the result of a branch at this depth: what takes it may be another branch."""
        return unit.op == "Merge" and len(unit.path) == depth

    def _branch(self, group: Sequence[Unit], depth: int) -> Branch:
        joins = [unit for unit in group if self._is_joined(unit, depth)]
        inside = [unit for unit in group if not self._is_joined(unit, depth)]
        merges, taken_results, other_results = [], [], []
        for join in joins:
            at = [self._units.path(name)[depth][1] for name in join.inputs[:2]].index(True)
            merges.append(Merge(join.name, at, 1 - at))
            taken_results.append(join.inputs[at])
            other_results.append(join.inputs[1 - at])
        consumed = {self._units.source(name) for unit in group for name in unit.inputs}
        sides = []
        for side, results in ((True, taken_results), (False, other_results)):
            units = [unit for unit in inside if unit.path[depth][1] is side]
            # Nobody in here waits for these, so they are wanted for what they do.
            effects = [unit.name for unit in units if unit not in consumed and unit.op != "Switch"]
            sides.append(self.region(units, depth + 1, results, effects))
        names = frozenset(unit.name for unit in inside)
        outside = (node_name(self._sources.resolved(name)) for join in joins for name in join.inputs[2:])
        controls = {*control_nodes(sides[0]), *control_nodes(sides[1]), *outside} - names
        predicate = self._predicate(group, depth)
        return Branch(predicate, tuple(merges), sides[0], sides[1], tuple(sorted(controls)), names)

    def _predicate(self, group: Sequence[Unit], depth: int) -> str:
        """The tensor that decides which side of a branch runs."""
        found: dict[str, str] = {}
        for unit in group:
            for name in unit.inputs:
                switch = self._units.source(name)
                if (
                    switch is not None
                    and switch.op == "Switch"
                    and len(switch.path) == depth
                    and not is_control_input(name)
                ):
                    key = self._sources.predicate_key(switch.inputs[1])
                    found.setdefault(key, self._sources.resolved(switch.inputs[1]))
        if len(found) != 1:
            some = ", ".join(repr(unit.name) for unit in group[:5])
            raise GraphError(
                f"The nodes {some}, ... hang on {len(found)} predicates at once, {sorted(found.values())}, so they make no"
                " branch that TensorFlow 2 has. Use the module in a TF1 graph: hub.Module(...)."
            )
        return next(iter(found.values()))
