"""Rules about variants: that there is one to train, and that it fits the others."""

from collections.abc import Iterator, Sequence

from tf1hub.checks.linting.findings import ERROR, WARNING, Problem, named
from tf1hub.checks.linting.fine_tuning.signature_differences import find_signature_differences
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.recognising.batch_norm import distinct_batch_norms, find_batch_norms
from tf1hub.checks.linting.recognising.dropout import Dropout, find_dropouts
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted


@rule("no-training-variant", WARNING, "dropout or batch normalization, but no variant to train")
def no_training_variant(module: LintedModule) -> Iterator[Problem]:
    """A module of which nothing can be trained, or whose callers switch to training with an input, needs no such variant."""
    if any(variant.is_for_training for variant in module.variants):
        return
    for variant in module.variants:
        dropouts, norms = _made_for_inference(variant) if variant.trainable and not variant.has_switch else ([], [])
        nodes = [*dropouts, *norms]
        if nodes:
            found = [counted(len(dropouts), "dropout")] * bool(dropouts)
            found += [counted(len(norms), "batch normalization")] * bool(norms)
            yield Problem(
                f"The module has {' and '.join(found)} ({named(nodes)}), which {'is' if len(nodes) == 1 else 'are'} not the"
                " same in training, but no variant with the tag 'train', so whoever fine-tunes it trains a graph that is"
                " meant for inference.",
                "Make two variants:"
                ' `tags_and_args=[(set(), {"is_training": False}), ({"train"}, {"is_training": True})]`.',
                tags=variant.tags,
                node=nodes[0],
            )
            return


def _made_for_inference(variant: Variant) -> tuple[list[str], list[str]]:
    """The dropouts that drop nothing and the normalizations by moving averages. Other rules tell of those at work."""
    found = find_dropouts(variant)
    at_work = any(each.is_active for each in found)
    dropouts = [] if at_work else [each for each in found if not _is_exposed(variant, each)]
    norms = distinct_batch_norms(each for each in find_batch_norms(variant) if not each.uses_batch)
    return [each.node for each in dropouts], [each.node for each in norms]


def _is_exposed(variant: Variant, dropout: Dropout) -> bool:
    """Whether a consumer says with a call how much is dropped."""
    fed = variant.input_nodes
    return dropout.is_alive and bool(dropout.placeholders) and dropout.placeholders <= fed


@rule("training-variables-missing", ERROR, "variables of a variant that the checkpoint lacks")
def training_variables_missing(module: LintedModule) -> Iterator[Problem]:
    """Of a spec in memory, the variables count that `ModuleSpec.export` writes."""
    if not any(variant.variables for variant in module.variants):
        return
    exported = next((each for each in module.variants if not each.tags), module.variants[0])
    checkpoint = module.spec.checkpoint
    known = set(module.stored_entries) if checkpoint is not None else _names(exported)
    holder = "The checkpoint" if checkpoint is not None else f"What is exported of {_told(exported)}"
    for variant in module.variants:
        names = sorted(_names(variant) - known)
        if names:
            yield Problem(
                f"{holder} lacks {counted(len(names), 'variable')} ({named(names)}) of this variant, so a consumer who"
                " instantiates this one gets an error.",
                "Make the same variables in all variants, or export from an instance of a variant that has them all.",
                tags=variant.tags,
                variable=names[0],
            )


def _names(variant: Variant) -> set[str]:
    return {variable.checkpoint_name for variable in variant.variables.values()}


@rule("variant-signatures-differ", WARNING, "signatures that are not the same in all variants")
def variant_signatures_differ(module: LintedModule) -> Iterator[Problem]:
    """Compares each variant with the one that a consumer would use in its place."""
    for one, other in _pairs(module):
        for difference in sorted(find_signature_differences(one, other)):
            yield Problem(
                f"The signature {difference.signature!r} is not that of {_told(one)}: this variant {difference.what}, so a"
                " consumer cannot use one variant in place of the other.",
                "Give both variants the same signatures, with the same names, dtypes and shapes.",
                tags=other.tags,
                signature=difference.signature,
            )


@rule("variant-trainables-differ", WARNING, "variables that only some variants let a consumer train")
def variant_trainables_differ(module: LintedModule) -> Iterator[Problem]:
    """Compares the variables that two variants share, and what one for training lacks."""
    for one, other in _pairs(module):
        ours, theirs = _trainable_names(one), _trainable_names(other)
        all_theirs = _names(other)
        fewer = sorted(name for name in ours - theirs if name in all_theirs or other.is_for_training)
        more = sorted((theirs - ours) & _names(one))
        if fewer or more:
            parts = [f"{_are(fewer)} trainable in {_told(one)} and not in this one"] * bool(fewer)
            parts += [f"{_are(more)} trainable in this variant and not in {_told(one)}"] * bool(more)
            yield Problem(
                f"{'; '.join(parts)}: what a consumer fine-tunes depends on the variant.",
                "Make the same variables trainable in both variants; `trainable=` of a layer is no switch for training.",
                tags=other.tags,
                variable=(fewer + more)[0],
            )


def _trainable_names(variant: Variant) -> set[str]:
    return {variant.variable_name(node) for node in variant.trainable}


def _are(names: Sequence[str]) -> str:
    return f"{counted(len(names), 'variable')} ({named(names)}) {'is' if len(names) == 1 else 'are'}"


def _pairs(module: LintedModule) -> Iterator[tuple[Variant, Variant]]:
    """Variants that stand for each other: the one to train for its counterpart, others for the one without tags."""
    untagged = next((each for each in module.variants if not each.tags), None)
    for variant in module.for_inference:
        training = module.training_counterpart(variant)
        if training is not None:
            yield variant, training
        if untagged is not None and variant is not untagged:
            yield untagged, variant


def _told(variant: Variant) -> str:
    if not variant.tags:
        return "the variant without tags"
    return f"the variant tagged {named(variant.tags)}"


RULES = (no_training_variant, training_variables_missing, variant_signatures_differ, variant_trainables_differ)
