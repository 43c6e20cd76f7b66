"""Rules about what the outputs of signatures are computed from."""

from collections.abc import Iterable, Iterator

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.findings import ADVICE, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.interface import DEFAULT, Endpoint, inputs_of, outputs_of, told_once
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted


@rule("output-without-input", WARNING, "an output depends on no input of its signature")
def output_without_input(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        for told in told_once(_without_input(variant)):
            yield told.problem(
                variant,
                f"No input of the signature {told.signature!r}{told.also} leads to {told.keys} among its outputs (it takes"
                f" {named(list(variant.inputs(told.signature)))}), so nothing that is fed changes it: it is a mistake, or a"
                " fact that users should not need inputs for.",
                "Compute it from the inputs, or move it to a signature of its own that takes none.",
            )


def _without_input(variant: Variant) -> Iterator[tuple[str, Endpoint]]:
    for name in variant.signatures:
        inputs = {ref[0] for endpoint in inputs_of(variant, name).values() for ref in endpoint.refs}
        if inputs:
            outputs = outputs_of(variant, name).values()
            reached = variant.flow.descendants(inputs, controls=True)
            yield from ((name, each) for each in _independent(variant, outputs, reached))


@rule("output-without-variable", ADVICE, "a float output depends on no variable, though the module has variables")
def output_without_variable(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        for told in told_once(_without_variable(variant)) if variant.variables else ():
            yield told.problem(
                variant,
                f"No variable ({counted(len(variant.variables), 'variable')} in all) leads to {told.keys} among the outputs of"
                f" the signature {told.signature!r}{told.also}, so nothing in it was learned and fine-tuning cannot change"
                " it.",
                "Leave it out, or move it to a signature of its own, if it is not meant to be computed with the variables.",
            )


def _without_variable(variant: Variant) -> list[tuple[str, Endpoint]]:
    """The outputs, but for those that depend on no input either, which the rule above tells of."""
    reached = variant.flow.descendants(variant.index.state_nodes, controls=True)
    found = []
    for name in variant.signatures:
        outputs = [each for each in outputs_of(variant, name).values() if each.refs]
        lacking = list(_independent(variant, outputs, reached))
        prepares_inputs = name != DEFAULT and len(lacking) == len(outputs)
        found += [(name, each) for each in lacking if each.is_float and not prepares_inputs]
    told = set(_without_input(variant)) if found else ()
    return [each for each in found if each not in told]


def _independent(variant: Variant, outputs: Iterable[Endpoint], reached: set[str]) -> Iterator[Endpoint]:
    """The outputs that are not computed by the nodes that something leads to."""
    for each in outputs:
        if each.refs and reached.isdisjoint(variant.flow.result(ref)[0] for ref in each.refs):
            yield each


@rule("tensor-repeated", ADVICE, "a signature has one tensor under several names")
def tensor_repeated(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        told: set[tuple[Ref, ...]] = set()
        for name in variant.signatures:
            for what, endpoints in (("input", inputs_of(variant, name)), ("output", outputs_of(variant, name))):
                repeated = [same for same in _repeated(endpoints.values()) if same[0].refs not in told]
                told.update(same[0].refs for same in repeated)
                if repeated:
                    yield _repetition(variant, name, what, repeated)


def _repeated(endpoints: Iterable[Endpoint]) -> list[list[Endpoint]]:
    by_tensors: dict[tuple[Ref, ...], list[Endpoint]] = {}
    for each in endpoints:
        by_tensors.setdefault(each.refs, []).append(each)
    return [same for refs, same in by_tensors.items() if refs and len(same) > 1]


def _repetition(variant: Variant, signature: str, what: str, repeated: list[list[Endpoint]]) -> Problem:
    """`repeated`: for each tensor, what it is called."""
    why = (
        "so users fetch the same values twice and wonder how they differ"
        if what == "output"
        else "so a call that feeds them differently cannot give both"
    )
    more = len(repeated) - 1
    names = named([each.key for each in repeated[0]]) + (
        f" (and those of {counted(more, 'other tensor')})" if more else ""
    )
    return Problem(
        f"The {what}s {names} of the signature {signature!r} are one tensor, {why}.",
        f"Keep one name (`default` for the main output), or give each {what} a tensor of its own.",
        tags=variant.tags,
        signature=signature,
        node=repeated[0][0].refs[0][0],
    )


RULES = (output_without_input, output_without_variable, tensor_repeated)
