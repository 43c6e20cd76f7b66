"""The figures of variables that differ, against numbers worked out by hand and NumPy's own formulas on whole arrays."""

import math
import sys
import time
from typing import Any

import numpy as np
import pytest

import tf1hub as hub
from tests.checks.comparison_modules import compared, variant, write_module
from tests.graph.graphs import definition
from tf1hub.checks.comparing import comparison as comparisons
from tf1hub.checks.comparing import value_comparison
from tf1hub.format import dtypes, module_directory
from tf1hub.format.bundle_writer import BundleWriter

WITH_VALUES = [number for number in range(1, 34) if dtypes.item_size(number) is not None]


def difference(tmp_path, a: Any, b: Any) -> Any:
    [variable] = compared(tmp_path, {"values": {"w": a}}, {"values": {"w": b}}).variables
    assert variable.status == "changed"
    return variable.difference


def write_partitioned(path, value, axis, ends) -> None:
    """Writes the checkpoint of a module anew, with its one variable cut after `ends`."""
    with BundleWriter(module_directory.checkpoint_prefix(str(path))) as writer:
        for part, start in zip(np.split(value, ends, axis), [0, *ends], strict=True):
            writer.add_slice("w", value.shape, [start if at == axis else 0 for at in range(value.ndim)], part)


def test_the_figures(tmp_path):
    found = difference(tmp_path, np.array([[3.0, -4.0, 0.0]], np.float32), np.array([[3.0, -5.0, 0.0]], np.float32))
    assert (found.elements, found.changed, found.largest, found.norm_of_change) == (3, 1, 1.0, 1.0)
    assert (found.norm_a, found.relative, found.largest_relative) == (5.0, 0.2, 0.2)
    assert found.norm_b == pytest.approx(math.sqrt(34), rel=1e-15)
    assert (found.not_finite_a, found.not_finite_b) == (0, 0)


@pytest.mark.parametrize("number", WITH_VALUES, ids=dtypes.dtype_name)
def test_every_type_is_compared(tmp_path, number):
    try:
        dtype = dtypes.numpy_dtype(number)
    except ValueError as error:
        pytest.skip(str(error))
    for name, values in (("a", [0, 1, 1]), ("b", [1, 0, 1])):
        write_module(tmp_path / name, values={})
        with BundleWriter(module_directory.checkpoint_prefix(str(tmp_path / name))) as writer:
            writer.add("w", np.array(values, np.float32).astype(dtype), number)
    [variable] = hub.compare(tmp_path / "a", tmp_path / "b").variables
    found = variable.difference
    assert variable.a.dtype == dtypes.dtype_name(number)
    assert (found.changed, found.largest, found.largest_relative, found.relative) == (2, 1.0, 1.0, pytest.approx(1.0))
    assert (found.norm_a, found.norm_b) == (pytest.approx(math.sqrt(2)), pytest.approx(math.sqrt(2)))
    assert hub.compare(tmp_path / "a", tmp_path / "a").variables[0].status == "same"


@pytest.mark.parametrize(
    ("dtype", "a", "b", "largest"),
    [
        (np.int64, -(2**63), 2**63 - 1, 2.0**64),
        (np.int64, 2**53, 2**53 + 1, 1.0),
        (np.uint64, 0, 2**64 - 1, 2.0**64),
        (np.uint64, 2**64 - 1, 2**64 - 2, 1.0),
        (np.int8, -128, 127, 255.0),
        (np.uint8, 0, 255, 255.0),
        (np.float64, 1e308, -1e308, sys.float_info.max),
        (np.float64, 1e-320, 0.0, 1e-320),
    ],
)
def test_nothing_overflows(tmp_path, dtype, a, b, largest):
    found = difference(tmp_path, np.array([a], dtype), np.array([b], dtype))
    assert (found.changed, found.largest) == (1, largest)
    assert 0 < found.largest_relative <= 2


def test_norms_of_very_large_and_very_small_numbers(tmp_path):
    found = difference(tmp_path, np.array([3e200, 4e200]), np.array([3e-200, 4e-200]))
    assert (found.norm_a, found.norm_b) == (pytest.approx(5e200, rel=1e-12), pytest.approx(5e-200, rel=1e-12))


def test_complex_numbers_by_their_absolute_values(tmp_path):
    found = difference(tmp_path, np.array([3 + 4j], np.complex64), np.array([3 + 5j], np.complex64))
    assert (found.norm_a, found.largest, found.relative) == (5.0, 1.0, 0.2)


def test_what_is_not_finite_is_counted_and_left_out_of_the_figures(tmp_path):
    nan, inf = math.nan, math.inf
    found = difference(tmp_path, np.array([1.0, nan, nan, inf, inf, 3.0]), np.array([1.0, nan, 0.0, inf, -inf, 4.0]))
    assert (found.changed, found.not_finite_a, found.not_finite_b) == (3, 4, 3)
    assert (found.largest, found.norm_of_change) == (1.0, 1.0)
    assert found.norm_a == pytest.approx(math.sqrt(10))


def test_all_of_it_not_finite(tmp_path):
    found = difference(tmp_path, np.ones(2), np.array([math.nan, math.inf]))
    assert (found.changed, found.largest, found.norm_b, found.relative) == (2, 0.0, 0.0, 0.0)


def test_values_without_a_norm_have_no_relative_change(tmp_path):
    assert difference(tmp_path, np.zeros(2), np.ones(2)).relative is None


def test_other_bits_of_the_same_values(tmp_path):
    found = difference(tmp_path, np.array([0.0, 1.0]), np.array([-0.0, 1.0]))
    assert (found.changed, found.relative) == (0, 0.0)


def test_strings_are_counted(tmp_path):
    found = difference(tmp_path, np.array([b"a", b"", b"c"], object), np.array([b"a", b"b", b"cc"], object))
    assert (found.elements, found.changed, found.largest, found.norm_a) == (3, 2, None, None)


def test_another_type_is_a_change_and_the_values_are_compared(tmp_path):
    found = difference(tmp_path, np.array([1.0, 1 / 3], np.float32), np.array([1.0, 1 / 3], np.float16))
    assert (found.changed, found.largest) == (1, abs(float(np.float32(1 / 3)) - float(np.float16(1 / 3))))


def test_the_same_bytes_of_another_type_are_a_change(tmp_path):
    for name, number in (("a", 4), ("b", 12)):
        write_module(tmp_path / name, values={})
        with BundleWriter(module_directory.checkpoint_prefix(str(tmp_path / name))) as writer:
            writer.add("w", np.array([1, 2], np.uint8), number)
    [variable] = hub.compare(tmp_path / "a", tmp_path / "b").variables
    assert (variable.status, variable.a.dtype, variable.b.dtype) == ("changed", "uint8", "quint8")
    assert variable.difference.changed == 0


def test_another_shape_is_a_change_without_figures(tmp_path):
    assert difference(tmp_path, np.ones([2, 3]), np.ones([3, 2])) is None


def test_scalars_and_empty_variables(tmp_path):
    values = {"empty": np.zeros([0, 3]), "scalar": np.float32(1.0), "other": np.float32(2.0)}
    comparison = compared(tmp_path, {"values": values}, {"values": {**values, "other": np.float32(3.0)}})
    assert {each.name: each.status for each in comparison.variables} == {
        "empty": "same",
        "other": "changed",
        "scalar": "same",
    }


def test_many_values_as_numpy_tells_on_all_at_once(tmp_path):
    random = np.random.RandomState(0)
    a = random.normal(size=[700, 301]).astype(np.float32)
    b = a + (random.uniform(size=a.shape) < 0.1) * random.normal(size=a.shape).astype(np.float32)
    b = b.astype(np.float32)
    assert a.size > 3 * value_comparison.RUN
    x, y = a.astype(np.float64), b.astype(np.float64)
    found = difference(tmp_path, a, b)
    assert (found.elements, found.changed, found.largest) == (a.size, np.sum(a != b), np.max(np.abs(x - y)))
    assert found.norm_a == pytest.approx(np.linalg.norm(x), rel=1e-12)
    assert found.norm_of_change == pytest.approx(np.linalg.norm(x - y), rel=1e-12)
    assert found.largest_relative == np.max(np.abs(x - y) / np.maximum(np.abs(x), np.abs(y)))


@pytest.mark.parametrize(("axis", "ends"), [(0, [1, 4]), (1, [2]), (1, [1, 2])])
def test_a_partitioned_variable_against_a_whole_one(tmp_path, axis, ends):
    value = np.arange(15, dtype=np.float32).reshape(5, 3)
    a = write_module(tmp_path / "a", values={"w": value})
    b = write_module(tmp_path / "b", values={"w": value})
    write_partitioned(b, value, axis, ends)
    [variable] = hub.compare(a, b).variables
    assert (variable.status, variable.a.parts, variable.b.parts) == ("same", 1, len(ends) + 1)
    value[4, 2] = 0
    write_partitioned(b, value, axis, ends)
    [variable] = hub.compare(a, b).variables
    assert (variable.status, variable.difference.largest, variable.difference.changed) == ("changed", 14.0, 1)


def test_parts_in_another_order_are_the_same(tmp_path):
    value = np.arange(6.0)
    for name, order in (("a", [0, 1]), ("b", [1, 0])):
        path = write_module(tmp_path / name, values={})
        with BundleWriter(module_directory.checkpoint_prefix(str(path)), num_shards=2) as writer:
            for part in order:
                writer.add_slice("w", [6], [3 * part], value[3 * part : 3 * part + 3])
    assert hub.compare(tmp_path / "a", tmp_path / "b").is_same


def test_variables_that_one_has(tmp_path):
    comparison = compared(tmp_path, {"values": {"a": np.ones(1)}}, {"values": {"b": np.ones(2)}})
    statuses = [(each.name, each.status, each.a is None, each.b is None) for each in comparison.variables]
    assert statuses == [("a", "only_in_a", False, True), ("b", "only_in_b", True, False)]


@pytest.mark.parametrize(("scope_a", "scope_b"), [("", "module/"), ("outer/module/", ""), ("v1/", "v2/")])
def test_variables_in_another_scope_are_found_there(tmp_path, scope_a, scope_b):
    values = {"dense/kernel": np.ones([2, 2]), "dense/bias": np.ones(2), "scale": np.ones(1)}
    changed = {**values, "dense/bias": np.zeros(2)}
    a = {scope_a + name: value for name, value in values.items()}
    b = {scope_b + name: value for name, value in changed.items()}
    comparison = compared(tmp_path, {"values": a}, {"values": {**b, scope_b + "head": np.ones(3)}})
    assert {each.name: (each.name_in_b, each.status) for each in comparison.variables} == {
        scope_a + "dense/kernel": (scope_b + "dense/kernel", "same"),
        scope_a + "dense/bias": (scope_b + "dense/bias", "changed"),
        scope_a + "scale": (scope_b + "scale", "same"),
        scope_b + "head": (scope_b + "head", "only_in_b"),
    }


def test_trainable_is_what_either_module_lists(tmp_path):
    graphs = [variant(trainable_variables=[definition("v")]), variant(trainable_variables=[definition("w")])]
    values = {"u": np.ones(1), "v": np.ones(1), "w": np.ones(1)}
    comparison = compared(
        tmp_path, {"variants": graphs[:1], "values": values}, {"variants": graphs[1:], "values": values}
    )
    assert [each.name for each in comparison.variables if each.trainable] == ["v", "w"]


def test_progress_reaches_the_end(tmp_path):
    values = {"same": np.ones(10**6), "end": np.ones(10**6), "form": np.ones(5)}
    other = {"same": np.ones(10**6), "end": np.r_[np.ones(10**6 - 1), 0.0], "form": np.ones(6)}
    paths = [write_module(tmp_path / name, values=each) for name, each in (("a", values), ("b", other))]
    done: list[int] = []
    totals: list[int] = []

    class Watching:
        def __init__(self, total):
            totals.append(total)

        def __enter__(self):
            return done.append

        def __exit__(self, *error):
            pass

    comparisons.compare_modules(*paths, None, Watching)
    assert totals == [sum(done)] == [16 * 10**6 + 40]


def test_many_variables_take_no_quadratic_time(tmp_path):
    names = [f"{'s/' * (at % 40)}{at}" for at in range(3000)]
    a = {name: np.zeros(1, np.float32) for name in names}
    b = {f"module/{name}": np.ones(1, np.float32) for name in names}
    started = time.monotonic()
    comparison = compared(tmp_path, {"values": a}, {"values": b})
    assert {each.status for each in comparison.variables} == {"changed"}
    assert time.monotonic() - started < 10
