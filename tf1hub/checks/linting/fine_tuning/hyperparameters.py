"""Rules about signatures that expose hyperparameters."""

from collections.abc import Iterator

from tf1hub.checks.linting.findings import ADVICE, Problem
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.recognising.batch_norm import distinct_batch_norms, find_batch_norms, find_running_updates
from tf1hub.checks.linting.recognising.dropout import find_dropouts
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted


@rule("hyperparameters-hidden", ADVICE, "critical hyperparameters, and no signature that exposes one")
def hyperparameters_hidden(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_training:
        running = {update.node for update in find_running_updates(variant)}
        norms = distinct_batch_norms(
            each for each in find_batch_norms(variant) if running & {update.node for update in each.updates}
        )
        momenta = sorted({each.momentum for each in norms if each.momentum is not None})
        if momenta and not _exposes_any(variant):
            values = f"{momenta[0]:g}" if len(momenta) == 1 else f"{momenta[0]:g} to {momenta[-1]:g}"
            yield Problem(
                f"No signature has an input for a hyperparameter, and the momentum {values} of"
                f" {counted(len(norms), 'batch normalization')} is built into the graph: a consumer with little data or large"
                " batches cannot lower it.",
                "Make the momentum, and the rate of any dropout, a placeholder with a default, and add both to the inputs of"
                " a second signature: `momentum = tf.placeholder_with_default(0.9, [])`,"
                ' `hub.add_signature("hyperparameters", {"default": x, "momentum": momentum}, outputs)`.',
                tags=variant.tags,
                node=norms[0].node,
            )


def _exposes_any(variant: Variant) -> bool:
    """Whether an input of a signature sets a momentum or a rate of dropout."""
    setting = {name for each in find_batch_norms(variant) for name in each.momentum_inputs}
    for each in find_dropouts(variant):
        setting |= each.placeholders
    return bool(setting & variant.input_nodes)


RULES = (hyperparameters_hidden,)
