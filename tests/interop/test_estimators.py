"""Programs for `tf.estimator` and tensorflow_hub 0.15.0 do the same when two of their lines are changed.

Each of `estimator_programs/` runs as it was published, in the predecessor's environment, and with those two lines there and
here. What it returns and all that it leaves is compared: steps, names of variables, files, signatures and tags exactly, values
to 1e-5.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.estimator_programs import (
    AS_PUBLISHED,
    HUB_MOVED,
    MOVED,
    OUR_ESTIMATORS,
    OUR_HUB,
    THEIR_HUB,
    names,
    names_with_modules,
    source,
)
from tests.interop.peer import finish, here, once, peer_python, start

pytestmark = pytest.mark.peer

WORKER = "tests.interop.estimator_worker"
PLACES = {
    "published": (peer_python, AS_PUBLISHED, "all"),
    "moved": (peer_python, MOVED, "all"),
    "moved_here": (here, MOVED, "all"),
    "hub_moved": (peer_python, HUB_MOVED, "with_modules"),
}
OTHER_TENSORS = {"canned_linear"}
"""Models of TensorFlow's own making: their signatures have the same keys, and tensors of other names."""
OTHER_KERNELS = {"image_variants"}
"""Convolutions add in another order in TensorFlow 2.21, and training amplifies that."""


@pytest.fixture(scope="session")
def answers(tmp_path_factory) -> dict[str, dict[str, Any]]:
    """What each program returned and left, by place and program."""

    def fill(folder: Path) -> None:
        finish(*(run(place, folder) for place in PLACES))

    folder = once(tmp_path_factory, "estimators", fill)
    return {place: json.loads((folder / f"{place}.json").read_text(encoding="utf-8")) for place in PLACES}


def run(place: str, folder: Path) -> Any:
    python, change, which = PLACES[place]
    return start(python(), WORKER, change, str(folder / place), str(folder / f"{place}.json"), which)


def answer(answers: dict[str, dict[str, Any]], place: str, name: str) -> Any:
    found = answers[place][name]
    assert "error" not in found, f"{place}: {found['error']}"
    return without_tensors(found) if name in OTHER_TENSORS else found


def without_tensors(found: dict[str, Any]) -> dict[str, Any]:
    """The same, and signatures without the names of their tensors."""
    for export in found["exports"].values():
        for signature in export["signatures"][0].values():
            for side in ("inputs", "outputs"):
                signature[side] = {key: info[-2:] for key, info in signature[side].items()}
    return found


def iter_differences(first: Any, second: Any, tolerance: float, where: str = ""):
    """Where two answers differ, in floating-point numbers by more than the tolerance."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted(first.keys() | second.keys()):
            if key in first and key in second:
                yield from iter_differences(first[key], second[key], tolerance, f"{where}/{key}")
            else:
                yield f"{where}/{key} is only in the {'first' if key in first else 'second'}"
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for place, (a, b) in enumerate(zip(first, second, strict=True)):
            yield from iter_differences(a, b, tolerance, f"{where}[{place}]")
    elif isinstance(first, float) and isinstance(second, float):
        if first != pytest.approx(second, rel=tolerance, abs=tolerance, nan_ok=True):
            yield f"{where}: {first} and {second}"
    elif first != second:
        yield f"{where}: {first!r} and {second!r}"


@pytest.mark.parametrize("name", names())
def test_a_moved_program_does_the_same_there(answers, name):
    published, moved = (answer(answers, place, name) for place in ("published", "moved"))
    assert list(iter_differences(published, moved, 1e-5))[:10] == []


@pytest.mark.parametrize("name", names())
def test_a_moved_program_does_the_same_here(answers, name):
    published, moved = (answer(answers, place, name) for place in ("published", "moved_here"))
    tolerance = 1e-4 if name in OTHER_KERNELS else 1e-5
    assert list(iter_differences(published, moved, tolerance))[:10] == []


@pytest.mark.parametrize("name", names_with_modules())
def test_a_program_with_our_modules_alone_does_the_same(answers, name):
    published, moved = (answer(answers, place, name) for place in ("published", "hub_moved"))
    assert list(iter_differences(published, moved, 1e-5))[:10] == []


@pytest.mark.parametrize("name", names())
def test_two_lines_are_all_that_changes(name):
    published, moved = (source(name, change).splitlines(keepends=True) for change in (AS_PUBLISHED, MOVED))
    uses_modules = name in names_with_modules()
    assert [line for line in moved if line not in published] == [*([OUR_HUB] if uses_modules else []), OUR_ESTIMATORS]
    assert [line for line in published if line not in moved] == ([THEIR_HUB] if uses_modules else [])


@pytest.mark.parametrize("name", names())
def test_a_program_leaves_something_to_compare(answers, name):
    found = answer(answers, "published", name)
    assert found["returned"]
    assert len(found["files"]) > 3
    assert found["checkpoints"] or found["exports"]


def test_differences_are_seen():
    first = {"a": [1.0, {"b": float("nan")}], "c": "x"}
    assert list(iter_differences(first, {"a": [1.000001, {"b": float("nan")}], "c": "x"}, 1e-5)) == []
    found = list(iter_differences(first, {"a": [1.01, {"b": 1.0}], "d": "x"}, 1e-5))
    assert found[:2] == ["/a[0]: 1.0 and 1.01", "/a[1]/b: nan and 1.0"]
    assert found[2:] == ["/c is only in the first", "/d is only in the second"]
