"""Rules about dropout."""

from collections.abc import Iterator, Sequence

from tf1hub.checks.linting.findings import ADVICE, ERROR, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.recognising.dropout import Dropout, find_certain_nodes, find_dropouts
from tf1hub.checks.linting.recognising.dropout_scopes import find_scopes_without_dropout
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted

# Rates that publications use lie between; others are mostly keep_prob taken for the rate, or leftovers of an experiment.
_LOWEST_USUAL_RATE = 0.05
_HIGHEST_USUAL_RATE = 0.7


@rule("dropout-in-inference", ERROR, "dropout that is active in a variant for inference")
def dropout_in_inference(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_inference:
        active = [each for each in find_dropouts(variant) if each.is_active and not _has_to_be_fed(each, variant)]
        signatures = _signatures_with(active, variant)
        if signatures:
            which = f"of the signature{'s' * (len(signatures) > 1)} {named(signatures)}"
            yield Problem(
                f"{_described(active)} {_is_or_are(active)} active in outputs {which}, in a variant that is not for training:"
                " each call answers something else, and values are missing from every answer.",
                _what_to_do(variant, module),
                tags=variant.tags,
                signature=signatures[0],
                node=active[0].node,
            )


def _what_to_do(variant: Variant, module: LintedModule) -> str:
    if module.training_counterpart(variant) is None:
        return (
            "Publish two variants with `tags_and_args=[(set(), {'is_training': False}), ({'train'}, {'is_training': True})]`,"
            " and apply dropout only where `is_training` is true."
        )
    return "Apply dropout only where `is_training` is true, so that just the variant with the tag 'train' has it."


def _signatures_with(dropouts: Sequence[Dropout], variant: Variant) -> list[str]:
    """The signatures that always drop something. One that says that it is for training may."""
    if not dropouts:
        return []
    nodes = {each.node for each in dropouts}
    found = []
    for name in variant.signatures:
        outputs = [ref for refs in variant.outputs(name).values() for ref in refs]
        if "train" not in name.lower() and nodes & find_certain_nodes(variant, outputs):
            found.append(name)
    return sorted(found, key=lambda name: name != "default")


@rule("dropout-missing-in-training", WARNING, "a variant for training whose scopes promise dropout that is not there")
def dropout_missing_in_training(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        if not variant.is_for_training or variant.has_switch:
            continue
        scopes = find_scopes_without_dropout(variant)
        if scopes:
            yield Problem(
                f"The variant for training drops nothing in {counted(len(scopes), 'scope')} named after dropout,"
                f" {named(scopes)}: who fine-tunes the module overfits sooner than the names let expect.",
                "Build this variant with dropout switched on, such as with `training=True`; or give the scope another name,"
                " if there is not meant to be any.",
                tags=variant.tags,
                node=next(name for name in variant.flow.nodes if name.startswith(scopes[0] + "/")),
            )


@rule("dropout-rate", WARNING, "a dropout rate that is fixed and outside of the usual range")
def dropout_rate(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_training:
        fixed = [each for each in find_dropouts(variant) if each.is_alive and each.rate and not each.placeholders]
        high = [each for each in fixed if (each.rate or 0) > _HIGHEST_USUAL_RATE]
        if high:
            yield Problem(
                f"{_described(high)} {_is_or_are(high)} built into the graph, and more than {_HIGHEST_USUAL_RATE} is rarely"
                " meant: so little is left that fine-tuning learns slowly, if it learns.",
                "Check that it is not the share to keep that was passed as the rate to drop; choose a rate between 0.1 and"
                " 0.5, and state it in the module's documentation.",
                tags=variant.tags,
                node=high[0].node,
            )
        # Networks with stochastic depth begin at small rates; it is the highest one that tells.
        if fixed and max(each.rate or 0 for each in fixed) < _LOWEST_USUAL_RATE:
            yield Problem(
                f"{_described(fixed)} {_is_or_are(fixed)} built into the graph, and less than {_LOWEST_USUAL_RATE} hardly"
                " keeps anybody from overfitting on small data.",
                "Check that it is not the share to drop that was passed as the one to keep; choose a rate between 0.1 and"
                " 0.5, and state it in the module's documentation.",
                tags=variant.tags,
                node=fixed[0].node,
            )


@rule("dropout-rate-hidden", ADVICE, "a dropout rate that no signature exposes")
def dropout_rate_hidden(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_training:
        hidden = [each for each in find_dropouts(variant) if each.is_alive and each.rate != 0]
        if not variant.is_for_training:  # what is always active there has no business there, whatever its rate
            hidden = [each for each in hidden if not each.is_active]
        # Where one is exposed, the publisher chose which rates are worth it.
        if hidden and not any(each.placeholders & variant.input_nodes for each in find_dropouts(variant)):
            yield Problem(
                f"{_described(hidden)} {_is_or_are(hidden)} not set by an input of any signature: how much dropout it takes"
                " depends on how much data there is, and a consumer cannot adapt it.",
                "Make the rate a placeholder with a default, and add it to the inputs of a second signature:"
                " `rate = tf.placeholder_with_default(0.1, [])`,"
                ' `hub.add_signature("hyperparameters", {"default": x, "dropout_rate": rate}, outputs)`.',
                tags=variant.tags,
                node=hidden[0].node,
            )


def _described(dropouts: Sequence[Dropout]) -> str:
    """The dropouts with their rates, as the beginning of a sentence.

    >>> _described([Dropout("mul", 0.5, frozenset(), True, True)])
    'Dropout of the rate 0.5'
    """
    rates = sorted({each.rate for each in dropouts if each.rate is not None})
    if len(dropouts) == 1:
        return f"Dropout of the rate {rates[0]:g}" if rates else "Dropout of a rate that is not known"
    if not rates:
        return f"{len(dropouts):,} dropouts of rates that are not known"
    if len(rates) == 1:
        return f"{len(dropouts):,} dropouts of the rate {rates[0]:g}"
    return f"{len(dropouts):,} dropouts of rates from {rates[0]:g} to {rates[-1]:g}"


def _is_or_are(dropouts: Sequence[Dropout]) -> str:
    return "is" if len(dropouts) == 1 else "are"


def _has_to_be_fed(dropout: Dropout, variant: Variant) -> bool:
    """Whether the rate is an input without a default: who applies the module decides."""
    return dropout.rate is None and bool(dropout.placeholders & variant.input_nodes)


RULES = (dropout_in_inference, dropout_missing_in_training, dropout_rate, dropout_rate_hidden)
