"""Name scopes that promise dropout, and whether they keep the promise."""

import re

from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.recognising.dropout import find_dropouts

# "dropout", "Dropout_1b", "spatial_dropout1d_2" and "attention_dropout", but not "dropout_rate" or "dropout_keep_prob".
_SCOPE = re.compile(r"(?:[^/]*/)*?(?:[A-Za-z0-9]+_)*[Dd]ropout(?:[123][dD])?(?:_\d+[a-z]?)*(?=/)")
_RANDOM_OP = re.compile("Random|^Stateful(Uniform|Standard|Truncated)")


def find_scopes_without_dropout(variant: Variant) -> list[str]:
    """The scopes with such names that something is computed in for an output, but nothing at random."""
    names = [name for name in variant.flow.nodes if "ropout" in name]
    scopes = {name: match[0] for name in names if (match := _SCOPE.match(name))}
    kept = {scopes[each.node] for each in find_dropouts(variant) if each.is_alive and each.node in scopes}
    if not set(scopes.values()) - kept:
        return []
    alive = variant.liveness.ancestors(map(variant.flow.result, variant.all_outputs))
    promised = set()
    for name, scope in scopes.items():
        node = variant.flow.nodes[name]
        if name in alive and _RANDOM_OP.search(node.op):
            kept.add(scope)
        elif name in alive and node.inputs and variant.liveness.constant((name, 0)) is None:
            promised.add(scope)
    return sorted(promised - kept)
