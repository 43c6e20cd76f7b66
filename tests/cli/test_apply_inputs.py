"""Every kind of input of `tf1hub apply`: text, JSON, arrays, images, sparse and ragged."""

import base64
import json

import ml_dtypes
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

import tf1hub as hub
from tests.cli.modules import applied, give_stdin, module_of, refused
from tests.graphs import edited_saved_model, export, spec_with
from tf1hub.format import protos

TEXTS = ["the cat", "a mat", "", " padded ", "café", "the\u2028cat"]


@pytest.fixture(scope="module")
def lengths(tmp_path_factory):
    """A module that tells how many bytes each string has, and gives the strings back."""

    def outputs(texts):
        return {"default": tf.strings.length(texts), "same": tf.identity(texts)}

    return export(spec_with(outputs, (None,), tf.string), tmp_path_factory.mktemp("lengths") / "module")


@pytest.fixture(scope="module")
def pixels(tmp_path_factory):
    """A module that gives its images back, of 4 x 6 pixels."""
    return export(spec_with(tf.identity, (None, 4, 6, 3)), tmp_path_factory.mktemp("pixels") / "module")


def picture(path, height=4, width=6, seed=0):
    """A smooth RGB image on disk, and its pixels."""
    corners = np.random.RandomState(seed).randint(0, 256, [2, 2, 3]).astype(np.uint8)
    image = Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)
    image.save(path)
    return np.asarray(image)


def test_text_lines_from_standard_input_are_rows_empty_ones_too(lengths, capsys, monkeypatch):
    give_stdin(monkeypatch, "\ufeff".encode() + "\r\n".join(TEXTS).encode())
    rows = applied(capsys, lengths, "--output", "default", "--output", "same", "--batch-size", "4")
    assert [row["same"] for row in rows] == TEXTS
    assert [row["default"] for row in rows] == [len(text.encode()) for text in TEXTS]


def test_text_files_are_read_one_after_the_other(lengths, tmp_path, capsys):
    for name, lines in (("a.txt", TEXTS[:3]), ("b.txt", TEXTS[3:])):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = ["--input-file", tmp_path / "a.txt", "--input-file", tmp_path / "b.txt"]
    assert [row["same"] for row in applied(capsys, lengths, *files, "--output", "same")] == TEXTS


def test_json_lines_may_hold_bytes_and_the_format_can_be_told(lengths, tmp_path, capsys):
    rows = [{"b64": base64.b64encode(b"\xff\x00").decode()}, "1", "a\nb"]
    lines = [json.dumps({"default": row}) if isinstance(row, dict) else json.dumps(row) for row in rows]
    (tmp_path / "rows").write_text("\n".join(lines))
    arguments = ["--input-file", tmp_path / "rows", "--input-format", "jsonl", "--output", "same"]
    assert [row["same"] for row in applied(capsys, lengths, *arguments)] == rows


def test_strings_must_be_strings(lengths, tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text('"a"\n1\n')
    told = refused(capsys, lengths, "--input-file", tmp_path / "rows.jsonl")
    assert "line 2: the input 'default' should be a string, but is 1; write it in quotes" in told


def test_an_array_without_rows_has_no_results(tmp_path, capsys):
    np.save(tmp_path / "rows.npy", np.zeros([0, 3]))
    assert applied(capsys, module_of("dense"), "--input-file", tmp_path / "rows.npy") == []


@pytest.mark.parametrize("dtype", [">f8", "f2", "u1", "i8"])
def test_arrays_of_other_numbers_are_converted(dtype, tmp_path, capsys):
    rows = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    np.save(tmp_path / "rows.npy", rows)
    with hub.eval_function_for_module(module_of("dense")) as evaluate:
        expected = evaluate(rows.astype(np.float32))
    made = applied(capsys, module_of("dense"), "--input-file", tmp_path / "rows.npy", "--batch-size", "1")
    np.testing.assert_allclose([row["default"] for row in made], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros([2, 4]), "should be float32 of shape [3], but has the shape [4]"),
        (np.zeros([3]), "should be float32 of shape [3], but has the shape []"),
        (np.zeros([]), "should have rows"),
        (np.zeros([2, 3], bool), "should be float32, but holds true or false"),
        (np.array(["abc"]), "has the shape []"),
        (np.array([["a", "b", "c"]]), "but holds <U1"),
        (np.array([[None, 1, 2]], object), "no .npy file that NumPy can read"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(array, message, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", array)
    assert message in refused(capsys, module_of("dense"), "--input-file", tmp_path / "rows.npy")


def test_an_array_of_real_numbers_is_taken_for_complex_ones(tmp_path, capsys):
    module = export(spec_with(tf.identity, (None, 2), tf.complex64), tmp_path / "module")
    np.save(tmp_path / "real.npy", np.float32([[1, 2], [3, 4]]))
    rows = applied(capsys, module, "--input-file", tmp_path / "real.npy")
    assert [row["default"] for row in rows] == [[[1, 0], [2, 0]], [[3, 0], [4, 0]]]


def test_an_array_of_bfloat16_is_taken_as_numpy_saves_it(tmp_path, capsys):
    module = export(spec_with(lambda x: tf.cast(x, tf.float32), (None,), tf.bfloat16), tmp_path / "module")
    np.save(tmp_path / "small.npy", np.array([1.5, -2], ml_dtypes.bfloat16))
    rows = applied(capsys, module, "--input-file", tmp_path / "small.npy")
    assert [row["default"] for row in rows] == [1.5, -2]


def test_arrays_of_text(lengths, tmp_path, capsys):
    for array in (np.array(TEXTS), np.array([text.encode() for text in TEXTS])):
        np.save(tmp_path / "rows.npy", array)
        rows = applied(capsys, lengths, "--input-file", tmp_path / "rows.npy", "--output", "same")
        assert [row["same"] for row in rows] == TEXTS


def test_an_npz_holds_an_array_for_each_input(tmp_path, capsys):
    rows = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    module = module_of("placeholders_with_defaults")
    np.savez_compressed(tmp_path / "rows.npz", x=rows, rate=np.float64(2))
    with hub.eval_function_for_module(module) as evaluate:
        expected = evaluate({"x": rows, "rate": 2.0})
    made = applied(capsys, module, "--input-file", tmp_path / "rows.npz", "--batch-size", "2")
    np.testing.assert_allclose([row["default"] for row in made], expected, rtol=1e-6)
    np.savez(tmp_path / "rows.npz", x=rows)
    assert applied(capsys, module, "--input-file", tmp_path / "rows.npz", "--input", "rate=2") == made


def test_an_npz_that_does_not_fit_is_refused(tmp_path, capsys):
    module, file = module_of("inputs_of_all_types"), tmp_path / "rows.npz"
    keys = {"x": 3, "n": 3, "s": "a", "b": True, "h": 1, "d": 1, "l": 1}
    np.savez(file, **{key: [value] * (2 if key == "l" else 1) for key, value in keys.items()})
    assert "different numbers of rows" in refused(capsys, module, "--input-file", file)
    np.savez(file, x=[1.0])
    assert "holds the arrays 'x', wanted are 'b', 'd', 'h', 'l', 'n', 's', 'x'" in refused(
        capsys, module, "--input-file", file
    )
    file.write_bytes(file.read_bytes()[:-30])
    assert "no .npz file that NumPy can read" in refused(capsys, module, "--input-file", file)


def test_integers_that_are_too_large_are_refused_and_others_are_exact(tmp_path, capsys):
    module = export(spec_with(tf.identity, (None,), tf.int32), tmp_path / "module")
    assert "too large" in refused(capsys, module, str(2**31))
    assert "should be int32, but holds floats (float64)" in refused(capsys, module, "1.5")
    assert applied(capsys, module, str(2**31 - 1), "-1") == [{"default": 2**31 - 1}, {"default": -1}]


def test_sparse_inputs_are_lists_or_objects(capsys):
    sparse = {"indices": [[3], [1]], "values": [5.0, 4.0], "shape": [4]}
    rows = ["[1,null,2]", "[]", json.dumps(sparse)]
    made = applied(capsys, module_of("sparse_in"), *rows)
    value = tf.SparseTensorValue([[0, 0], [0, 2], [2, 1], [2, 3]], np.float32([1, 2, 4, 5]), [3, 4])
    with hub.eval_function_for_module(module_of("sparse_in")) as evaluate:
        np.testing.assert_allclose([row["default"] for row in made], evaluate(value), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("5", 'is sparse: give {"indices"'),
        ("[1,2,3,4,5]", "should be sparse float32 of shape [4], but has the shape [5]"),
        ('{"indices": [[4]], "values": [1]}', "has an index outside of the shape [4]"),
        ('{"indices": [[-1]], "values": [1]}', "has an index outside of the shape [4]"),
        ('{"indices": [[1, 2]], "values": [1]}', "give 1 numbers for each value"),
        ('{"indices": [[1]], "values": [1, 2]}', "give an index for each value"),
        ('{"indices": [[1]], "values": [1], "size": 4}', "is sparse: give"),
    ],
)
def test_sparse_values_that_do_not_fit_are_refused(value, message, capsys):
    assert message in refused(capsys, module_of("sparse_in"), value)


def test_ragged_inputs_are_lists(capsys):
    rows = [[1.0, 2.0, 3.0], [], [0.5]]
    made = applied(capsys, module_of("ragged_in"), *map(json.dumps, rows))
    with hub.eval_function_for_module(module_of("ragged_in")) as evaluate:
        np.testing.assert_allclose([row["default"] for row in made], evaluate(rows), rtol=1e-5)
    assert "is ragged: give lists" in refused(capsys, module_of("ragged_in"), "1")
    assert "different lengths or depths" in refused(capsys, module_of("ragged_in"), "[1,[2]]")


def test_images_are_scaled_to_one_and_fit_the_input(pixels, tmp_path, capsys):
    expected = [picture(tmp_path / f"{seed}.png", seed=seed) for seed in range(3)]
    rows = applied(capsys, pixels, *(tmp_path / f"{seed}.png" for seed in range(3)), "--batch-size", "2")
    np.testing.assert_allclose([row["default"] for row in rows], np.array(expected) / 255, atol=1e-6)


def test_images_are_resized_as_tensorflow_does(pixels, tmp_path, capsys):
    large = picture(tmp_path / "large.png", 31, 47)
    [row] = applied(capsys, pixels, "--input-file", tmp_path / "large.png")
    with tf.Graph().as_default(), tf.Session() as session:
        expected = session.run(tf.compat.v2.image.resize(large / 255, [4, 6], antialias=True))
    np.testing.assert_allclose(row["default"], expected, atol=1.5 / 255)


def test_the_size_of_images_that_is_attached_is_used(tmp_path, capsys):
    grey = picture(tmp_path / "large.png", 8, 12)
    assert grey.shape == (8, 12, 3)
    with Image.open(tmp_path / "large.png") as image:
        small = np.asarray(image.convert("L").resize((6, 4), Image.Resampling.BILINEAR))
    [row] = applied(capsys, module_of("image_of_declared_size"), tmp_path / "large.png")
    np.testing.assert_allclose(row["default"], [small.mean() / 255], rtol=1e-5)


def test_images_are_upright_and_of_any_kind(pixels, tmp_path, capsys):
    expected = picture(tmp_path / "plain.png")
    turned = Image.fromarray(np.rot90(expected))  # to be turned clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(expected).convert("RGBA").save(tmp_path / "alpha.PNG")
    grey = expected[..., 0]
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    names = ["turned.png", "alpha.PNG", "deep.png"]
    rows = applied(capsys, pixels, *(tmp_path / name for name in names))
    for row, wanted in zip(rows, (expected, expected, np.repeat(grey[..., None], 3, 2)), strict=True):
        np.testing.assert_allclose(row["default"], wanted / 255, atol=1e-6)


@pytest.mark.parametrize("values", [np.float32([[0, 0.5]]), np.int32([[0, 2**20]])])
def test_images_whose_white_nobody_knows_are_refused(values, pixels, tmp_path, capsys):
    Image.fromarray(values).save(tmp_path / "wide.tif")
    assert "pixels of more than 16 bits, or floats" in refused(capsys, pixels, tmp_path / "wide.tif")


def test_an_input_of_integers_gets_bytes_and_one_of_strings_the_file(lengths, tmp_path, capsys):
    expected = picture(tmp_path / "image.png")
    module = export(spec_with(tf.identity, (1, None, None, 3), tf.uint8), tmp_path / "module")
    assert applied(capsys, module, tmp_path / "image.png") == [{"default": expected.tolist()}]
    size = (tmp_path / "image.png").stat().st_size
    assert applied(capsys, lengths, "--input-file", tmp_path / "image.png") == [{"default": size}]


def test_broken_images_and_those_for_other_inputs_are_refused(pixels, tmp_path, capsys):
    picture(tmp_path / "image.png")
    assert "that is no image" in refused(capsys, module_of("dense"), "--input-file", tmp_path / "image.png")
    data = (tmp_path / "image.png").read_bytes()
    for broken in (b"", b"no image", data[: len(data) // 2]):
        (tmp_path / "broken.png").write_bytes(broken)
        told = refused(capsys, pixels, tmp_path / "broken.png")
        assert "broken.png: no image that can be read" in told
        assert "object at 0x" not in told
    assert "nothing.png: No such file" in refused(capsys, pixels, tmp_path / "nothing.png")


def test_a_broken_image_size_is_told_when_an_image_needs_it(tmp_path, capsys):
    module = export(spec_with(tf.identity, (None, None, None, 3)), tmp_path / "module")
    with edited_saved_model(module) as saved_model:
        attached = protos.ModuleAttachment(key="image_module_info", value=b"\xff")
        collection = saved_model.meta_graphs[0].collection_def["hub_module_attachments"]
        collection.bytes_list.value.append(attached.SerializeToString())
    picture(tmp_path / "image.png")
    assert "attached as 'image_module_info'" in refused(capsys, module, tmp_path / "image.png")
    assert applied(capsys, module, "[[[1, 2, 3]]]") == [{"default": [[[1.0, 2.0, 3.0]]]}]
