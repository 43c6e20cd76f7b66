"""docs/from-tf-estimator.md tells of each name of `tf.estimator` what became of it, and that is true."""

import re
from pathlib import Path

import pytest

from tf1hub import estimator

PAGE = Path(__file__).parents[1] / "docs" / "from-tf-estimator.md"
PARTS = ("experimental", "export", "inputs")


def migration_table() -> dict[str, str]:
    """What the page says of each name, such as `export.PredictOutput`."""
    table = {}
    for names, answer in re.findall(
        r"^\| (`tf\.estimator\..*?) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    ):
        for name in re.findall(r"`tf\.estimator\.([\w.]+)`", names):
            assert name not in table, f"{name} is in the table twice"
            table[name] = answer
    return table


def facade_names() -> set[str]:
    names = {name for name in estimator.__all__ if name not in PARTS}
    return names | {f"{part}.{name}" for part in PARTS for name in getattr(estimator, part).__all__}


def find(name: str) -> object:
    value = estimator
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_the_table_has_every_public_name():
    table = migration_table()
    assert {name for name in facade_names() if not table.get(name, "").startswith("the same")} == set()


def test_each_name_that_is_said_to_be_the_same_is_there():
    for name in [name for name, answer in migration_table().items() if answer.startswith("the same")]:
        assert find(name) is not None
        assert name in facade_names()


@pytest.mark.parametrize("name", [name for name, answer in migration_table().items() if answer.startswith("not here")])
def test_a_name_that_is_said_not_to_be_here_is_not(name):
    with pytest.raises(AttributeError, match=name.split(".")[0]):
        find(name)


def test_each_answer_says_whether_the_name_is_here():
    assert [answer for answer in migration_table().values() if not re.match(r"the same|not here(:|,)", answer)] == []
