"""Rules about what a module needs of its reader."""

from collections.abc import Iterator

from tf1hub.checks.linting.findings import ERROR, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.reuse.op_tables import op_tables
from tf1hub.checks.linting.rule import Rule, rule
from tf1hub.errors import Tf1HubError
from tf1hub.format import module_directory


@rule("required-features", ERROR, "features of the format that no reader knows")
def required_features(module: LintedModule) -> Iterator[Problem]:
    """What `tfhub_module.pb` demands of readers. The format has no such features so far."""
    if features := _features(module):
        several = "features" if len(features) > 1 else "feature"
        yield Problem(
            f"{module_directory.MARKER} requires the {several} {named(features)} of its readers; neither tf1hub nor"
            " tensorflow_hub knows any feature, so both refuse the module.",
            f"Export the module anew, or write a {module_directory.MARKER} without required features.",
            file=module_directory.MARKER,
        )


def _features(module: LintedModule) -> list[str]:
    """The required features; none when there is no marker that can be read, of which others speak."""
    if module.directory is None:
        return []
    try:
        return module_directory.required_features(module.directory)
    except (Tf1HubError, OSError):
        return []


@rule("tensorflow-too-new", ERROR, "a graph that a supported TensorFlow is too old for")
def tensorflow_too_new(module: LintedModule) -> Iterator[Problem]:
    """Graphs that say which version a reader must at least be of, or must not be of."""
    for variant in module.variants:
        versions = variant.index.meta_graph.graph_def.versions
        too_old = [table for table in op_tables() if table.graph_version < versions.min_consumer]
        refused = [table for table in op_tables() if table.graph_version in versions.bad_consumers]
        if too_old:
            readers = " and ".join(table.tensorflow for table in too_old)
            yield Problem(
                f"The graph asks for a reader of graph version {versions.min_consumer:,} or newer, so TensorFlow {readers}"
                f" {'refuse' if len(too_old) > 1 else 'refuses'} to import it.",
                "Build the graph with the oldest TensorFlow that its users have.",
                tags=variant.tags,
            )
        if refused:
            yield Problem(
                f"The graph says that readers of graph version {refused[0].graph_version:,} must not use it, which is"
                f" TensorFlow {refused[0].tensorflow}.",
                "Build the graph anew with a TensorFlow that does not have the fault for which this was written.",
                tags=variant.tags,
            )


RULES: tuple[Rule, ...] = (required_features, tensorflow_too_new)
