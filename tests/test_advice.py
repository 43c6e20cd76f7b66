"""The measurements in the advice for publishers."""

import json
import re
from pathlib import Path

import pytest

from tests.programs import run_program

ROOT = Path(__file__).parents[1]
START = f"import json, sys; sys.path.insert(0, {str(ROOT)!r})\nfrom scripts import measure_advice as advice\n"


def test_the_guide_shows_every_way_that_is_measured():
    ways = json.loads(run_program(START + "print(json.dumps(list(advice.WAYS)))"))
    guide = (ROOT / "docs/advice-for-publishers.md").read_text(encoding="utf-8")
    table = guide.partition("<!-- measured -->")[2].partition("<!-- end -->")[0]
    assert re.findall(r"^\| (\S.*?) \|", table, re.MULTILINE) == ways


MEASURE = """
import warnings
warnings.simplefilter("ignore")
advice.tf.logging.set_verbosity(advice.tf.logging.ERROR)
ways = {"0.9": advice.Way(), "0.999": advice.Way(momentum=0.999)}
print(json.dumps({name: values.tolist() for name, values in advice.measure(ways, [3]).items()}))
"""


@pytest.mark.slow
def test_two_runs_measure_the_same_and_a_large_momentum_costs_something():
    one, other = (json.loads(run_program(START + MEASURE).splitlines()[-1]) for _ in range(2))
    assert one == other
    loss = {name: sum(checkpoint[1] for checkpoint in checkpoints[2:]) for name, checkpoints in one.items()}
    assert loss["0.9"] < loss["0.999"]
