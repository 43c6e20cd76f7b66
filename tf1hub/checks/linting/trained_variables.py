"""Which variables of a training graph are a module's."""

from collections.abc import Collection, Iterable
from typing import Any

from tf1hub import files
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.ops import VARIABLES
from tf1hub.errors import GraphError
from tf1hub.format.module_directory import is_module
from tf1hub.graph.variables import stored_variables
from tf1hub.names import node_name
from tf1hub.spec import ModuleSpec, as_module_spec


def find_trained_variables(flow: Flow, module: Any) -> set[str]:
    """The nodes of a module's variables in a training graph.

    Args:
      flow: the training graph.
      module: a `hub.Module`; a spec, or a path, of a module that is in the graph under any scope; or a scope. All variables
        count when it is None.

    Raises:
      GraphError: the graph has no such variables.
    """
    known = {node.name for node in flow.of_ops(VARIABLES)}
    if module is None:
        return known
    if hasattr(module, "variable_map"):
        return {node_name(variable.name) for variable in module.variables}
    if isinstance(module, ModuleSpec) or not isinstance(module, str) or is_module(files.resolve(module)):
        return _of_spec(as_module_spec(module), known)
    return _in_scope(module, known)


def _in_scope(scope: str, known: Collection[str]) -> set[str]:
    start = f"{scope.rstrip('/')}/"
    found = {name for name in known if f"{name}/".startswith(start)}
    if not found:
        scopes = sorted({name.partition("/")[0] for name in known})
        raise GraphError(
            f"The training graph has no variables in the scope {scope!r}, and that is no module's directory either. Scopes"
            f" that it has: {', '.join(map(repr, scopes)) or 'none'}. Pass one of them, the module, or its path."
        )
    return found


def _of_spec(spec: ModuleSpec, known: Collection[str]) -> set[str]:
    """The variables of the module in all scopes that have all variables of one of its variants."""
    found: set[str] = set()
    of_variants = [[stored.node for stored in stored_variables(spec.variant(tags))] for tags in spec.get_tags()]
    for names in filter(None, of_variants):
        for scope in _scopes_with(names, known):
            found.update(scope + name for name in names)
    if not found and any(of_variants):
        raise GraphError(
            "The training graph has no scope with all variables of the module; the first ones are"
            f" {', '.join(map(repr, next(filter(None, of_variants))[:3]))}. Pass the graph that trains the module, or the"
            " scope of its variables."
        )
    return found


def _scopes_with(names: list[str], known: Collection[str]) -> Iterable[str]:
    """The scopes, "" or ending in "/", in which all names are."""
    ending = f"/{names[0]}"
    scopes = {name.removesuffix(names[0]) for name in known if name.endswith(ending) or name == names[0]}
    return sorted(scope for scope in scopes if all(scope + name in known for name in names))
