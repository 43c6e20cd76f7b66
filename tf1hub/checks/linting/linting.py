"""`hub.lint`: what a module's users would trip over. TensorFlow is not loaded."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tf1hub import files
from tf1hub.checks.linting.findings import ERROR, SEVERITIES, Finding
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.publishing.facts import ModuleFacts, facts_of
from tf1hub.checks.linting.rules import chosen_rules
from tf1hub.errors import SpecTypeError, raised_as_tensorflow
from tf1hub.garbage import no_garbage_collection
from tf1hub.spec import ModuleSpec, read_spec


@dataclass(frozen=True)
class LintReport:
    """What came out of linting a module.

    Attributes:
      findings: the errors first, then warnings, then advice.
      facts: what is no finding, but good to know before publishing.
    """

    findings: list[Finding]
    facts: ModuleFacts

    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        found = [finding.severity for finding in self.findings]
        return {severity: found.count(severity) for severity in SEVERITIES}

    @property
    def has_errors(self) -> bool:
        """Whether one of the findings is an error."""
        return any(finding.severity == ERROR for finding in self.findings)


@raised_as_tensorflow()
def lint(
    module_or_spec: "str | os.PathLike[str] | ModuleSpec",
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    progress: Callable[[str], None] | None = None,
) -> LintReport:
    """Checks a module against the advice to publishers. TensorFlow is not loaded.

    Args:
      module_or_spec: the path of a module's directory, or a module spec. Of a spec in memory there are no files and no
        values of variables to check.
      select: ids of rules, or groups ("fine-tuning", "reuse", "publishing"); only these run. All do when it is empty.
      ignore: ids of rules, or groups, that do not run.
      progress: is called with the id of each rule before it runs.

    Returns:
      A `LintReport`: `findings`, each with `rule`, `severity` ("error", "warning", "advice"), `reason`, `remedy`, `tags`,
      `signature`, `node`, `variable` and `file`; and `facts`.

    Raises:
      MissingModuleError: there is no module (an `OSError`).
      UnsupportedModuleError: a format that this version does not know.
      CorruptModuleError: the module cannot be read; `hub.verify` says what is damaged.
      CheckpointError, GraphError: the checkpoint, or a graph, lacks what the module says that it has.
      RuleError: there is no such rule or group (a `ValueError`).

    >>> [finding.rule for finding in hub.lint(path, select=["dropout-in-inference"]).findings]
    []
    """
    rules = chosen_rules(_listed(select), _listed(ignore))
    with no_garbage_collection():
        module = LintedModule(_spec(module_or_spec))
        findings = []
        for rule in rules:
            if progress is not None:
                progress(rule.id)
            findings.extend(rule.findings(module))
        findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
        return LintReport(findings, facts_of(module))


def _listed(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _spec(module_or_spec: Any) -> ModuleSpec:
    if isinstance(module_or_spec, ModuleSpec):
        return module_or_spec
    if isinstance(module_or_spec, str | os.PathLike):
        return read_spec(files.absolute(files.resolve(module_or_spec)), any_features=True)
    raise SpecTypeError(
        f"A module to lint is a path or a module spec, but got {type(module_or_spec).__name__}. Of a hub.Module, pass the spec"
        " that it was made of."
    )
