"""Every rule speaks of the modules that break it and of no other."""

import pytest

from tests.checks.linting.cases import CASES
from tests.checks.linting.cases.registry import Case, by_rule
from tf1hub.checks.linting.rules import RULES

ALL = [pytest.param(case, id=name) for name, case in sorted(CASES.items())]


@pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")  # tf.layers says so
@pytest.mark.parametrize("case", ALL)
def test_just_the_rules_that_are_broken_speak(case: Case, tmp_path):
    if not case.available():
        pytest.skip(f"{case.needs} is not installed")
    findings = case.findings(tmp_path)
    assert {finding.rule for finding in findings} == case.breaks, findings


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_module_that_breaks_just_it_and_one_that_keeps_it(rule):
    cases = by_rule(CASES)[rule]
    assert any(case.breaks == {rule} for case in cases)
    assert any(not case.breaks for case in cases)
