"""Checkpoints as a module needs them: where they lie, and whether they fit."""

import numpy as np
import pytest

from tf1hub.checkpoints import check_checkpoint, find_checkpoint_prefix, wanted_variables
from tf1hub.errors import CheckpointError
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.graph.variables import StoredVariable

FLOAT, INT64, FLOAT_REF = 1, 9, 101


def variable(name, shape=(2, 3), dtype=FLOAT, node=None, full_shape=None, offset=None):
    return StoredVariable(node or name, name, dtype, shape, full_shape or shape, offset)


@pytest.fixture
def prefix(tmp_path):
    with BundleWriter(tmp_path / "model") as writer:
        writer.add("dense/kernel", np.zeros((2, 3), np.float32))
        writer.add("step", np.array(1, np.int64))
    return str(tmp_path / "model")


def test_a_checkpoint_that_fits_is_accepted(prefix):
    check_checkpoint(prefix, [variable("dense/kernel", dtype=FLOAT_REF), variable("step", (), INT64)])


def test_a_variable_of_unknown_shape_fits_any(prefix):
    check_checkpoint(prefix, [variable("dense/kernel", None)])


def test_a_part_of_a_variable_is_checked_by_the_whole(prefix):
    part = variable("dense/kernel", (1, 3), full_shape=(2, 3), offset=(1, 0), node="dense/kernel/part_1")
    check_checkpoint(prefix, [part])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (variable("dense/kernels"), r"lacks the variable 'dense/kernels'; close names: \['dense/kernel'\]"),
        (variable("zzz"), r"lacks the variable 'zzz'$"),
        (variable("dense/kernel", (3, 2)), r"has the shape \[2, 3\], the graph's has \[3, 2\]"),
        (variable("dense/kernel", dtype=INT64), "has the dtype float32, the graph's has int64"),
    ],
)
def test_what_does_not_fit_is_named(prefix, wanted, found):
    with pytest.raises(CheckpointError, match=found):
        check_checkpoint(prefix, [wanted])


def test_all_that_does_not_fit_is_named_at_once(prefix):
    with pytest.raises(CheckpointError) as caught:
        check_checkpoint(prefix, [variable("a"), variable("step"), variable("b")])
    assert [word in str(caught.value) for word in ("'a'", "'step'", "'b'", prefix)] == [True] * 4


def test_the_parts_of_a_variable_are_wanted_together(prefix):
    parts = [variable("w", (1, 3), node=f"w/part_{i}", full_shape=(2, 3), offset=(i, 0)) for i in (0, 1)]
    wanted = wanted_variables([parts[0], variable("b", (3,)), parts[1]], "old/{}".format, prefix)
    assert [(one.name, one.source_name) for one in wanted] == [("w", "old/w"), ("b", "old/b")]
    assert wanted[0].slices == (((0, 0), (1, 3)), ((1, 0), (1, 3)))
    assert (wanted[0].shape, wanted[1].slices) == ((2, 3), None)


def test_a_variable_of_unknown_shape_has_the_one_that_the_checkpoint_has(prefix):
    [wanted] = wanted_variables([variable("dense/kernel", None)], str, prefix)
    assert wanted.shape == (2, 3)


def test_a_prefix_is_found_as_it_is(prefix):
    assert find_checkpoint_prefix(prefix) == prefix


@pytest.mark.parametrize("name", ["model.ckpt-3", "mö del", 'quo"ted', "back\\slash"])
@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("absolute", [True, False])
def test_the_latest_checkpoint_of_a_directory_is_found(tmp_path, name, escaped, absolute):
    folder = tmp_path / "über"
    folder.mkdir()
    (folder / f"{name}.index").write_bytes(b"")
    text = str(folder / name) if absolute else name
    text = text.replace("\\", "\\\\").replace('"', '\\"').encode()
    if escaped:
        text = b"".join(b"\\%03o" % byte if byte > 0x7F else bytes([byte]) for byte in text)
    lines = b'model_checkpoint_path: "' + text + b'"\nall_model_checkpoint_paths: "other"\n'
    (folder / "checkpoint").write_bytes(lines)
    assert find_checkpoint_prefix(str(folder)) == str(folder / name)


@pytest.mark.parametrize("state", ["", 'model_checkpoint_path: ""', 'model_checkpoint_path: "."', "garbage"])
def test_a_state_file_that_names_no_checkpoint_is_refused(tmp_path, state):
    (tmp_path / "checkpoint").write_text(state)
    with pytest.raises(CheckpointError, match="names"):
        find_checkpoint_prefix(str(tmp_path))


def test_a_latest_checkpoint_that_is_gone_is_named(tmp_path):
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model-7"')
    with pytest.raises(CheckpointError, match=r"There is no checkpoint .*model-7"):
        find_checkpoint_prefix(str(tmp_path))


def test_a_directory_without_a_state_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="has no file `checkpoint`"):
        find_checkpoint_prefix(str(tmp_path))


def test_a_missing_checkpoint_gets_close_names(prefix):
    with pytest.raises(CheckpointError, match=r"There is no checkpoint .*in its directory there are \['model'\]"):
        find_checkpoint_prefix(prefix + "s")


def test_a_checkpoint_of_the_old_format_is_named_as_such(tmp_path):
    (tmp_path / "model").write_bytes(b"")
    with pytest.raises(CheckpointError, match="the old format"):
        find_checkpoint_prefix(str(tmp_path / "model"))


@pytest.mark.parametrize("end", [".index", ".data-00000-of-00001"])
def test_one_file_of_a_checkpoint_is_told_from_its_prefix(prefix, end):
    with pytest.raises(CheckpointError, match=f"one file of a checkpoint.*begin with: '{prefix}'"):
        find_checkpoint_prefix(prefix + end)


@pytest.mark.parametrize("name", [None, 3, b"dense/kernel"])
def test_a_transformed_name_must_be_text(prefix, name):
    with pytest.raises(TypeError, match=r"`name_transform_fn` gives .* for 'w'; it must give"):
        wanted_variables([variable("w")], lambda _: name, prefix)
