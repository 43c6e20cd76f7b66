"""Rules about signatures: what they and their outputs are called, and what their inputs are.

What is about shapes and about what outputs are computed from has files of its own.
"""

from collections.abc import Iterator

from tf1hub.checks.linting.dataflow.ops import PLACEHOLDERS
from tf1hub.checks.linting.findings import WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.interface import DEFAULT, Endpoint, inputs_of, told_once
from tf1hub.checks.linting.rule import rule

# `_Arg` stands for one in graphs that were made of functions.
_FED = PLACEHOLDERS | {"_Arg"}


@rule("no-default-signature", WARNING, "no signature is called 'default'")
def no_default_signature(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        names = list(variant.signatures)
        if DEFAULT not in names:
            there = f"there are {named(names)}" if len(names) > 1 else f"there is {named(names) or 'none'}"
            yield Problem(
                f"No signature is called 'default' ({there}), so `module(inputs)`, feature columns and Keras layers fail"
                " unless they name one.",
                "Call the signature that most users want `default`: `hub.add_signature(inputs=..., outputs=...)` without a"
                " name; further signatures may use the same tensors.",
                tags=variant.tags,
            )


@rule("no-default-output", WARNING, "a signature has no output that is called 'default'")
def no_default_output(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        lacking = [name for name in variant.signatures if _lacks_default_output(variant, name)]
        if lacking:
            outputs = named(list(variant.outputs(lacking[0]))) or "none"
            others = f" Nor {'has' if len(lacking) == 2 else 'have'} {named(lacking[1:])} one." if lacking[1:] else ""
            yield Problem(
                f"The signature {lacking[0]!r} has no output that is called 'default' (it has {outputs}), so that a call must"
                f" ask for all outputs with `as_dict=True` and pick one by a name that others do not know.{others}",
                "Give the main output the key `default` in the dict of outputs, in place of its other name.",
                tags=variant.tags,
                signature=lacking[0],
            )


def _lacks_default_output(variant: Variant, signature: str) -> bool:
    """Facts about a module, such as where its vocabulary lies, are outputs without inputs, and none is the main one."""
    tells_facts = signature != DEFAULT and not variant.inputs(signature)
    return DEFAULT not in variant.outputs(signature) and not tells_facts


@rule("input-not-placeholder", WARNING, "an input is no placeholder, but a value that the graph computes")
def input_not_placeholder(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        inputs = [(name, each) for name in variant.signatures for each in inputs_of(variant, name).values()]
        for told in told_once(each for each in inputs if _computing_node(variant, each[1]) is not None):
            node = _computing_node(variant, told.endpoints[0])
            op = variant.index.nodes[node].op if node is not None else ""
            yield Problem(
                f"The signature {told.signature!r}{told.also} takes for {told.keys} what a node computes ({op}), no"
                " placeholder, so a call replaces this value while whatever it is computed from keeps the publisher's.",
                "Make the input with `tf.placeholder` (`tf.placeholder_with_default` for one with a usual value) and compute"
                " everything from that.",
                tags=variant.tags,
                signature=told.signature,
                node=node,
            )


def _computing_node(variant: Variant, endpoint: Endpoint) -> str | None:
    """The first of the nodes that give an input's tensors which is no placeholder.

    The shape of a sparse input is often a constant, when the publisher knows it.
    """
    refs = endpoint.refs[:2] if endpoint.is_sparse else endpoint.refs
    nodes = (variant.index.nodes.get(name) for name, _ in refs)
    return next((node.name for node in nodes if node is not None and node.op not in _FED), None)


RULES = (no_default_signature, no_default_output, input_not_placeholder)
