"""What a rule is: an id, how bad it is, and the function that looks for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tf1hub.checks.linting.findings import Finding, Problem
from tf1hub.checks.linting.linted_module import LintedModule


@dataclass(frozen=True)
class Rule:
    """One piece of advice to publishers, as a check.

    Attributes:
      id: its name, such as "dropout-in-inference".
      severity: of its findings: "error", "warning" or "advice".
      summary: what it finds, in a few words.
      find: what looks for it in a module. Empty for `optimizer-regularization`, which looks at training graphs instead.
    """

    id: str
    severity: str
    summary: str
    find: Callable[[LintedModule], Iterable[Problem]]

    def findings(self, module: LintedModule) -> list[Finding]:
        """What the rule has to say of a module."""
        return [self.finding(problem) for problem in self.find(module)]

    def finding(self, problem: Problem) -> Finding:
        """A problem as a finding of this rule."""
        return Finding(self.id, self.severity, **vars(problem))


def rule(id: str, severity: str, summary: str) -> Callable[[Callable[[LintedModule], Iterable[Problem]]], Rule]:
    """Makes a rule of the decorated function, which yields what it finds."""
    return lambda find: Rule(id, severity, summary, find)
