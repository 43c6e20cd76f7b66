"""What the rules about values say, for values of all types and sizes, and on damaged checkpoints."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import tf1hub as hub
from tests.checks.comparison_modules import variant, write_module
from tests.graph.graphs import definition, node, variable
from tests.programs import run_program
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.reuse.value_ranges import value_ranges
from tf1hub.format import module_directory
from tf1hub.format.bundle_writer import BundleWriter

RULES = ["weights-not-finite", "weights-untrained", "variables-unused-by-variants"]
FLOATS = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16]


def graph_of(names, sizes=(3, 4), trainable=True, extra=()):
    nodes = [each for name in names for each in variable(name, sizes)]
    collections = {"variables": [definition(name) for name in names]}
    if trainable:
        collections["trainable_variables"] = collections["variables"]
    return variant(*nodes, *extra, **collections)


def module_of(tmp_path, values, **options):
    graph = graph_of(list(values), **options)
    return write_module(tmp_path / "m", graph, values=values)


def findings_of(path):
    return hub.lint(path, select=RULES).findings


def ranges_of(path):
    return value_ranges(LintedModule(hub.load_module_spec(path)))


def random(*sizes, dtype=np.float32):
    return np.random.RandomState(0).uniform(-1, 1, sizes).astype(dtype)


def test_values_that_are_not_finite_are_counted(tmp_path):
    one, other = random(3, 4), random(3, 4)
    one[0, :2] = np.nan, np.inf
    other[2, 3] = -np.inf
    [found] = findings_of(module_of(tmp_path, {"a": one, "b": other, "c": random(3, 4)}))
    assert found.reason == (
        "NaN or infinite values are in 2 of the 12 elements of 'a', and some in 1 other variable: they spread to every output"
        " and gradient that depends on them."
    )
    assert (found.rule, found.severity, found.variable) == ("weights-not-finite", "error", "a")


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_type_of_floats_is_read(tmp_path, dtype):
    value = random(3, 4, dtype=dtype)
    [found] = ranges_of(module_of(tmp_path, {"w": value})).values()
    assert (found.least, found.largest, found.not_finite) == (float(value.min()), float(value.max()), 0)
    value[1, 1] = np.nan
    with BundleWriter(module_directory.checkpoint_prefix(str(tmp_path / "m"))) as writer:
        writer.add("w", value)
    assert ranges_of(tmp_path / "m")["w"].not_finite == 1


def test_numbers_at_the_limits_of_their_type_are_finite(tmp_path):
    limits = np.finfo(np.float64)
    assert findings_of(module_of(tmp_path, {"w": np.array([[limits.max, limits.min, limits.tiny, 0] * 3])})) == []


def test_integers_truth_values_strings_and_empty_variables_are_left_out(tmp_path):
    values = {"i": np.zeros([3, 4], np.int64), "b": np.zeros([3, 4], bool), "s": np.full([3, 4], b"x", object)}
    assert findings_of(module_of(tmp_path, {**values, "e": np.zeros([0, 4], np.float32)})) == []


def test_what_lies_behind_the_first_megabytes_is_seen(tmp_path):
    value = random(1000, 1000)
    value[999, 999] = np.nan
    path = module_of(tmp_path, {"w": value}, sizes=(1000, 1000))
    assert ranges_of(path)["w"].not_finite == 1


def test_a_partitioned_variable_counts_as_a_whole(tmp_path):
    path = module_of(tmp_path, {"w": random(4, 4)}, sizes=(4, 4))
    with BundleWriter(module_directory.checkpoint_prefix(str(path))) as writer:
        writer.add_slice("w", (4, 4), [0, 0], np.zeros([2, 4], np.float32))
        writer.add_slice("w", (4, 4), [2, 0], np.ones([2, 4], np.float32))
    assert ranges_of(path)["w"].constant is None
    assert findings_of(path) == []


def test_constant_matrices_are_one_finding_with_their_values(tmp_path):
    values = {"a": np.zeros([3, 4]), "b": np.full([3, 4], 0.5), "c": np.zeros([3, 4]), "d": random(3, 4, dtype=float)}
    [found] = findings_of(module_of(tmp_path, values))
    assert found.reason == (
        "All elements of 'a' and 'c' are 0 and those of 'b' are 0.5: such weights were never trained, or were lost on the way."
    )
    assert (found.rule, found.severity, found.variable) == ("weights-untrained", "warning", "a")


@pytest.mark.parametrize(
    ("sizes", "is_found"), [([3, 3], True), ([2, 4], False), ([1, 100], False), ([1, 3, 3, 1], True)]
)
def test_a_matrix_has_more_than_a_few_elements_in_more_than_one_direction(tmp_path, sizes, is_found):
    assert bool(findings_of(module_of(tmp_path, {"w": np.ones(sizes)}, sizes=sizes))) == is_found


def test_a_matrix_that_is_not_trainable_counts_when_something_is_multiplied_by_it(tmp_path):
    product = node("product", "MatMul", "x", "w/Read")
    values = {"w": np.zeros([3, 4], np.float32)}
    assert findings_of(module_of(tmp_path, values, trainable=False)) == []
    path = write_module(tmp_path / "other", graph_of(["w"], trainable=False, extra=[product]), values=values)
    assert [finding.rule for finding in findings_of(path)] == ["weights-untrained"]


@pytest.mark.parametrize(("value", "is_found"), [(0.0, True), (1.0, True), (0.5, False)])
def test_averages_that_batch_normalization_takes_should_have_moved(tmp_path, value, is_found):
    inputs = ["x", "scale", "offset", "mean/Read", "mean/Read"]
    norm = node("norm", "FusedBatchNormV3", *inputs)
    norm.attr["is_training"].b = False
    graph = graph_of(["mean"], [8], trainable=False, extra=[norm])
    path = write_module(tmp_path / "m", graph, values={"mean": np.full([8], value, np.float32)})
    assert bool(findings_of(path)) == is_found


def test_what_no_variant_has_is_told_with_its_bytes(tmp_path):
    values = {"w": random(3, 4), "w/Adam": random(3, 4), "w/Adam_1": random(3, 4), "global_step": np.int64(7)}
    path = write_module(tmp_path / "m", graph_of(["w"]), values=values)
    [found] = findings_of(path)
    assert found.reason.startswith(
        "The checkpoint holds 3 variables that no graph variant has, of 104 bytes: 'global_step', 'w/Adam' and 'w/Adam_1';"
    )


def test_a_checkpoint_of_a_module_without_variables_is_unused(tmp_path):
    path = write_module(tmp_path / "m", values={"w": random(2, 2)})
    assert [finding.rule for finding in findings_of(path)] == ["variables-unused-by-variants"]


def test_a_variable_of_one_variant_is_used(tmp_path):
    both, training = graph_of(["a"]), graph_of(["a", "b"])
    training.meta_info_def.tags.append("train")
    path = write_module(tmp_path / "m", both, training, values={"a": random(3, 4), "b": random(3, 4)})
    assert findings_of(path) == []


def test_the_parts_of_a_variable_are_known_by_the_name_of_the_whole(tmp_path):
    part = definition("w/part_0")
    part.save_slice_info_def.full_name = "w"
    for field, sizes in (("full_shape", [3, 4]), ("var_offset", [0, 0]), ("var_shape", [3, 4])):
        getattr(part.save_slice_info_def, field).extend(sizes)
    graph = variant(*variable("w/part_0", (3, 4)), variables=[part], trainable_variables=[part])
    path = write_module(tmp_path / "m", graph, values={"w": np.zeros([3, 4], np.float32)})
    assert [(finding.rule, finding.variable) for finding in findings_of(path)] == [("weights-untrained", "w")]


def test_a_file_of_values_that_is_cut_short_is_an_error_of_the_library(tmp_path):
    path = module_of(tmp_path, {"w": random(3, 4)})
    data = Path(path, "variables", "variables.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(hub.errors.CorruptModuleError, match="ends at byte 47"):
        findings_of(path)


def test_a_checkpoint_that_is_not_there_is_an_error_of_the_library(tmp_path):
    path = write_module(tmp_path / "m", graph_of(["w"]))
    with pytest.raises(hub.errors.CheckpointError, match="no checkpoint"):
        findings_of(path)


def test_a_spec_in_memory_has_no_values(tmp_path):
    spec = hub.load_module_spec(module_of(tmp_path, {"w": np.zeros([3, 4], np.float32)}))
    in_memory = hub.ModuleSpec(hub.spec.protos.SavedModel(meta_graphs=[spec.variant().meta_graph]))
    assert findings_of(in_memory) == []


@pytest.mark.slow
def test_half_a_gigabyte_is_read_in_little_memory(tmp_path):
    rows = 1 << 17
    path = write_module(tmp_path / "m", graph_of(["w"], (rows, 1000)), values={})
    block = random(1 << 10, 1000)
    with BundleWriter(module_directory.checkpoint_prefix(str(path))) as writer:
        writer.add_streamed("w", 1, (rows, 1000), (block.tobytes() for _ in range(rows >> 10)))
    program = """
        import re, sys
        import tf1hub as hub
        print(hub.lint(sys.argv[1], select=sys.argv[2].split(",")).findings)
        print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1000)
    """
    findings, megabytes = run_program(program, str(path), ",".join(RULES)).split()
    assert findings == "[]"
    assert int(megabytes) < 150
