"""Snippets run as they are pasted, for every kind of module."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, spec_of, spec_with
from tests.module_fns import KINDS
from tf1hub.checks.describing.description import describe
from tf1hub.checks.describing.signature_description import SignatureDescription, TensorDescription
from tf1hub.checks.describing.snippets import snippet

pytestmark = pytest.mark.filterwarnings("ignore:`:UserWarning")  # layers of TensorFlow 1 are deprecated
AVAILABLE = sorted(name for name, kind in KINDS.items() if kind.available())
SHARED = Path(__file__).parents[3] / "shared" / "modules"
REAL = [
    "dm21m",
    "half_plus_two",
    *(f"text_by_predecessor/{name}_oov{n}" for name in ("sentences", "tokens") for n in (1, 3)),
]


def run(program: str) -> str:
    """What a program prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "snippet", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def run_all(path: str) -> None:
    for variant in describe(path).variants:
        for signature in variant.signatures:
            program = snippet(path, variant.tags, signature)
            if variant.missing_variables:
                with pytest.raises(hub.errors.CheckpointError):
                    run(program)
                continue
            printed = run(program)
            single = [output.key for output in signature.outputs] == ["default"]
            assert printed
            assert all(f"{output.key} " in printed for output in signature.outputs if not single), printed


@pytest.mark.parametrize("kind", AVAILABLE)
def test_snippets_of_all_kinds_run(kind, tmp_path):
    run_all(export(spec_of(kind), tmp_path / "module", KINDS[kind].exported))


@pytest.mark.parametrize("name", REAL)
def test_snippets_of_real_modules_run(name):
    if not (SHARED / name).exists():
        pytest.skip(f"{SHARED / name} is not there: the real modules are not part of the clone")
    run_all(str(SHARED / name))


def snippet_of(spec, tmp_path, signature="default", **options) -> str:
    path = export(spec, tmp_path / "module")
    [variant] = describe(path).variants
    [found] = [each for each in variant.signatures if each.name == signature]
    return snippet(path, variant.tags, found, **options)


def test_it_prints_the_shapes_of_the_outputs(tmp_path):
    assert run(snippet_of(spec_of("several_outputs"), tmp_path)).splitlines() == [
        "default (2, 2)", "first (2, 2)", "hidden (2, 5)", "second (2, 3)",
    ]  # fmt: skip


def test_it_is_short(tmp_path):
    program = snippet_of(spec_of("dense"), tmp_path)
    assert program.replace(str(tmp_path / "module"), "PATH").splitlines() == [
        "import numpy as np",
        "import tf1hub as hub",
        "",
        "# Put your data here.",
        "inputs = np.zeros([2, 3], np.float32)",
        'with hub.eval_function_for_module("PATH") as apply:',
        "    output = apply(inputs)",
        "print(output.shape)",
    ]


@pytest.mark.parametrize("dtype", ["bfloat16", "complex64", "complex128", "float64", "half", "int8", "uint16", "uint32",
                                   "uint64", "bool", "string"])  # fmt: skip
@pytest.mark.parametrize("kind", ["dense", "sparse", "ragged"])
def test_inputs_of_all_types_and_kinds(dtype, kind, tmp_path):
    def module_fn():
        if kind == "dense":
            inputs = tf.placeholder(dtype, [None, 2])
        elif kind == "sparse":
            inputs = tf.sparse_placeholder(dtype, [None, 2])
        else:
            inputs = tf.ragged.placeholder(dtype, 2, [2])
        hub.add_signature(inputs=inputs, outputs=inputs)

    assert run(snippet_of(hub.create_module_spec(module_fn), tmp_path))


def test_ragged_inputs_with_rows_of_known_number_and_size(tmp_path):
    def module_fn():
        values, splits = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.int64, [3])
        rows = tf.RaggedTensor.from_row_splits(values, splits, validate=False)
        hub.add_signature(inputs=rows, outputs=tf.reduce_sum(rows, 1))

    program = snippet_of(hub.create_module_spec(module_fn), tmp_path)
    assert "[np.zeros([1, 3], np.float32)] * 2" in program
    assert run(program) == "(2, 3)\n"


def test_images_get_the_size_that_the_module_expects(tmp_path):
    program = snippet_of(spec_of("image_of_declared_size"), tmp_path, image_size=(4, 6))
    assert "np.zeros([2, 4, 6, 1], np.float32)" in program


@pytest.mark.parametrize("name", ['a"b', "a'b", "a\nb", "\\", "é", "\u202e"])
def test_names_of_any_characters_are_quoted(name, tmp_path):
    def module_fn():
        x, y = tf.placeholder(tf.float32, [1]), tf.placeholder(tf.float32, [1])
        # A backslash cannot be in a scope, and a signature's name is put into one.
        hub.add_signature(name.replace("\\", "-"), {name: x, "other": y}, {name: x + y})

    program = snippet_of(hub.create_module_spec(module_fn), tmp_path, name.replace("\\", "-"))
    assert all(character.isprintable() or character == "\n" for character in program)
    assert run(program) == f"{name} (1,)\n"


def test_a_variant_is_chosen_by_its_tags(tmp_path):
    path = export(spec_of("shared_variables"), tmp_path / "module")
    variant = describe(path).variants[2]
    program = snippet(path, variant.tags, variant.signatures[0])
    assert 'tags={"gpu", "serve"}' in program
    assert run(program) == "(2, 3)\n"


@pytest.mark.parametrize(
    "tensor",
    [
        TensorDescription("x", "indexed slices", "float32", (None,), 0, ()),
        TensorDescription("x", "MySpec", "unknown type", None, 0, ()),
        TensorDescription("x", "dense", "resource", (), 0, ()),
        TensorDescription("x", "dense", "qint8", (), 0, ()),
        TensorDescription("x", "dense", "float32", (1,) * 1000, 0, ()),
        TensorDescription("x", "ragged", "float32", None, 10**9, ()),
    ],
    ids=lambda tensor: f"{tensor.kind} {tensor.dtype}",
)
def test_what_cannot_be_fed_is_said_in_a_comment(tensor):
    program = snippet("path", (), SignatureDescription("default", (tensor,), (tensor,), ""))
    assert program.startswith('# The input "x" ')
    assert run(program) == ""


def test_real_data_in_the_place_of_the_made_up(tmp_path):
    program = snippet_of(spec_with(lambda x: 2.0 * x), tmp_path)
    mine = program.replace("np.zeros([2, 3], np.float32)", "np.ones([5, 3], np.float32)")
    assert run(mine + "\nassert (output == 2).all()") == f"{np.ones([5, 3]).shape}\n"
