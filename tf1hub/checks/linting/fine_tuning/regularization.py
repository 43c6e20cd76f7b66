"""Rules about regularization losses: that there are some, and that a consumer can compute them and train with them."""

from collections.abc import Iterator, Sequence

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.findings import ERROR, WARNING, Problem, named
from tf1hub.checks.linting.fine_tuning.loss_sources import find_inputs, find_losses, find_variables, has_default
from tf1hub.checks.linting.fine_tuning.repeated_losses import find_repeated_losses
from tf1hub.checks.linting.fine_tuning.weight_matrices import find_weight_matrices
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import form


@rule("regularization-missing", WARNING, "weight matrices that can be trained, but no regularization loss")
def regularization_missing(module: LintedModule) -> Iterator[Problem]:
    """Looks at the variants that are there to be trained."""
    for variant in module.for_training:
        if variant.regularization_losses or not (matrices := find_weight_matrices(variant)):
            continue
        names = list(dict.fromkeys(map(variant.variable_name, matrices)))
        count = _counted(names, "trainable weight matrix", "trainable weight matrices")
        yield Problem(
            f"There {'is' if len(names) == 1 else 'are'} {count} but no regularization loss: who fine-tunes the module on"
            " few examples finds nothing to add to the training loss against overfitting.",
            "Put a loss for each into the collection REGULARIZATION_LOSSES: with `kernel_regularizer` of tf.layers, with"
            " `regularizer` of tf.get_variable, or with tf.add_to_collection, which the `losses` of Keras layers need.",
            tags=variant.tags,
            variable=names[0],
        )


@rule("regularization-needs-input", ERROR, "regularization losses that depend on an input")
def regularization_needs_input(module: LintedModule) -> Iterator[Problem]:
    """Looks at all variants, since each can be instantiated for training."""
    for variant in module.variants:
        if losses := [loss for loss in find_inputs(variant) if not _have_defaults(variant, loss)]:
            yield _depending(variant, losses, f"so a session that computes {form(len(losses), 'it', 'them')} fails")


@rule("regularization-ignores-input", WARNING, "regularization losses that depend on an input with a default")
def regularization_ignores_input(module: LintedModule) -> Iterator[Problem]:
    """Looks at all variants, since each can be instantiated for training."""
    for variant in module.variants:
        if losses := [loss for loss in find_inputs(variant) if _have_defaults(variant, loss)]:
            yield _depending(variant, losses, "so the default is all that counts, whatever a call passes")


def _have_defaults(variant: Variant, loss: Ref) -> bool:
    return all(has_default(variant, name) for name in find_inputs(variant)[loss])


def _depending(variant: Variant, losses: Sequence[Ref], effect: str) -> Problem:
    inputs = find_inputs(variant)
    signature, told = _told_inputs(variant, sorted({name for loss in losses for name in inputs[loss]}))
    return Problem(
        f"{_losses(losses)} {form(len(losses), 'depends', 'depend')} on {told}, but a consumer gets the losses with the"
        f" module, before any call feeds an input, {effect}.",
        "Make regularization losses of variables and constants alone, and keep losses of activations out of the"
        " collection REGULARIZATION_LOSSES.",
        tags=variant.tags,
        signature=signature,
        node=losses[0][0],
    )


@rule("regularization-constant", WARNING, "regularization losses that no training can change")
def regularization_constant(module: LintedModule) -> Iterator[Problem]:
    """Looks at the variants that are there to be trained."""
    for variant in module.for_training:
        inputs = find_inputs(variant)
        reached = {loss: find_variables(variant, loss) for loss in find_losses(variant) if loss not in inputs}
        constants = [loss for loss, variables in reached.items() if not variables]
        frozen = [loss for loss, variables in reached.items() if variables and not variables & variant.trainable]
        if constants:
            yield Problem(
                f"{_losses(constants)} {form(len(constants), 'has', 'have')} no gradient for any variable, so a consumer who"
                f" adds {form(len(constants), 'it', 'them')} to the training loss regularizes nothing.",
                "Make each a function of the weights that it is to keep small, with a strength that is not 0, or take it"
                " out of the collection REGULARIZATION_LOSSES.",
                tags=variant.tags,
                node=constants[0][0],
            )
        if frozen:
            names = sorted({variant.variable_name(node) for loss in frozen for node in reached[loss]})
            yield Problem(
                f"{_losses(frozen)} {form(len(frozen), 'reaches', 'reach')} no trainable variable, only {named(names)}, so a"
                f" consumer who adds {form(len(frozen), 'it', 'them')} to the training loss regularizes nothing.",
                "Make the variables trainable, or take their losses out of the collection REGULARIZATION_LOSSES.",
                tags=variant.tags,
                node=frozen[0][0],
                variable=names[0],
            )


@rule("regularization-counted-twice", WARNING, "regularization losses that are counted twice")
def regularization_counted_twice(module: LintedModule) -> Iterator[Problem]:
    """Looks at the variants that are there to be trained."""
    for variant in module.for_training:
        repeated = find_repeated_losses(variant)
        if losses := repeated.listed_again:
            yield _twice(variant, losses, "listed more than once", "List each loss once.")
        if losses := list(repeated.alike):
            earlier = named([name for name, _ in dict.fromkeys(repeated.alike.values())])
            what = f"computed from the same variables in the same way as {earlier}"
            yield _twice(variant, losses, what, "List one such loss for each variable.")
        if losses := list(repeated.sums):
            parts = named([name for name, _ in dict.fromkeys(part for each in repeated.sums.values() for part in each)])
            what = f"{form(len(losses), 'a sum that contains', 'sums that contain')} {parts}, listed as well"
            yield _twice(variant, losses, what, "List the parts or their sum, not both.")


def _twice(variant: Variant, losses: Sequence[Ref], what: str, remedy: str) -> Problem:
    return Problem(
        f"{_losses(losses)} {form(len(losses), 'is', 'are')} {what}: a consumer adds up the collection, which holds the"
        " weights down twice as hard as you meant.",
        remedy,
        tags=variant.tags,
        node=losses[0][0],
    )


def _told_inputs(variant: Variant, nodes: Sequence[str]) -> tuple[str | None, str]:
    """A signature that has one of the nodes as an input, and what a publisher calls them."""
    for signature in variant.signatures:
        keys = [key for key, refs in variant.inputs(signature).items() if any(name in nodes for name, _ in refs)]
        if keys:
            return signature, f"the {form(len(keys), 'input', 'inputs')} {named(keys)} of the signature {signature!r}"
    return None, f"the {form(len(nodes), 'placeholder', 'placeholders')} {named(nodes)}"


def _losses(losses: Sequence[Ref]) -> str:
    return _counted([name for name, _ in losses], "regularization loss", "regularization losses")


def _counted(names: Sequence[str], one: str, many: str) -> str:
    """How many there are, and some of the names."""
    return f"{len(names):,} {form(len(names), one, many)} ({named(names)})"


RULES = (
    regularization_missing,
    regularization_needs_input,
    regularization_ignores_input,
    regularization_constant,
    regularization_counted_twice,
)
