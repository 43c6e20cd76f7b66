"""`tf1hub show`: what it prints, narrows and refuses."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import edited_saved_model, export, spec_of, spec_with
from tests.module_fns import KINDS
from tf1hub.cli.main import run

pytestmark = pytest.mark.filterwarnings("ignore:`:UserWarning")  # layers of TensorFlow 1 are deprecated
AVAILABLE = sorted(name for name, kind in KINDS.items() if kind.available())


@pytest.fixture
def show(tmp_path, capsys):
    """Shows a spec, exported; returns what is printed and the exit status."""

    def shown(spec, *options, tags=None):
        path = str(tmp_path / "module")
        if not Path(path).exists():
            export(spec, Path(path), tags=tags)
        status = run(["show", path, *options])
        captured = capsys.readouterr()
        return (captured.out or captured.err).replace(path, "PATH"), status

    return shown


def lines_of(output, title):
    """The lines of the section with this title."""
    [section] = [section for section in output.split("\n\n") if section.startswith(title)]
    return [" ".join(line.split()) for line in section.splitlines()[1:]]


def many_variables():
    def outputs(x):
        for place in range(30):
            tf.get_variable(f"v{place}", [place + 1], trainable=place > 2)
        return {"default": x, **{f"layer/{place}": x * place for place in range(25)}}

    return spec_with(outputs)


def test_it_shows_what_is_in_a_module(show):
    output, status = show(spec_of("batch_norm"))
    assert status == 0
    assert lines_of(output, "PATH")[1:2] == [f"written by TensorFlow {tf.__version__}"]
    assert lines_of(output, "PATH")[3] == "parameters 14, 10 trainable"
    header, inference, training = lines_of(output, "Variants: 2")
    assert header == "tags nodes functions variables losses updates signatures"
    assert re.fullmatch(r"\{\} \d+ 0 5 1 0 default", inference)
    assert re.fullmatch(r"\{train\} \d+ 0 5 1 2 default", training)
    assert lines_of(output, "Signature default of the variants {}, {train}") == [
        "input default float32 [None, 3]",
        "output default float32 [None, 2]",
    ]
    assert lines_of(output, "Variables: 5, 56 B, 3 trainable")[1] == "norm/gamma float32 [2] 8 B"
    assert "update_ops 0 2" in lines_of(output, "Collections")


def test_its_snippet_can_be_pasted(show):
    output, _ = show(spec_of("dense"))
    assert "\n\nimport numpy as np\nimport tf1hub as hub\n\n# Put your data here.\ninputs = np.zeros(" in output
    assert '\nwith hub.eval_function_for_module("PATH") as apply:\n' in output


@pytest.mark.parametrize("kind", AVAILABLE)
def test_all_kinds_are_shown_and_json_says_the_same_as_describe(kind, tmp_path, capsys):
    path = export(spec_of(kind), tmp_path / "module", KINDS[kind].exported)
    assert run(["show", path, "--variables", "--ops"]) == 0
    text = capsys.readouterr().out
    assert run(["show", path, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert all(variable["name"] in text for variable in printed["variables"])
    assert all(op in text for variant in printed["variants"] for op in variant["ops"])
    for variant in printed["variants"]:
        for signature in variant["signatures"]:
            snippet = signature.pop("snippet")
            assert snippet is None if variant["missing_variables"] else compile(snippet, "snippet", "exec")
    assert printed == hub.describe(path).as_dict()


def test_long_lists_are_shortened_with_a_hint(show):
    output, _ = show(many_variables())
    assert lines_of(output, "Variables: 30, 1.9 kB, 27 trainable; the largest") == [
        *(f"v{place} float32 [{place + 1}] {4 * place + 4} B" for place in (29, 28, 27, 26, 25)),
        "... --variables shows all 30.",
    ]
    section = lines_of(output, "Signature default")
    assert section[-1] == "... --signature default shows all 26 outputs."
    assert len(section) == 1 + 10 + 1


def test_the_ops_used_most_are_shown(show):
    output, _ = show(spec_of("text"))
    *most, hint = lines_of(output, "Ops: ")
    assert len(most) == 5
    assert most[0].startswith("Const ")
    assert re.fullmatch(r"\.\.\. --ops shows all \d+\.", hint)


def test_nothing_is_left_out_when_asked_for(show):
    output, _ = show(many_variables(), "--variables", "--ops", "--signature", "default")
    assert len(lines_of(output, "Signature default")) == 27
    assert len(lines_of(output, "Variables: 30")) == 30
    assert "not trainable" in output
    assert "... " not in output
    assert "Variants" not in output


def test_many_signatures_are_named_and_shown_on_demand(show):
    def module_fn():
        x = tf.placeholder(tf.float32, [None])
        for place in range(12):
            hub.add_signature(f"s{place:02}", x, x + place)

    spec = hub.create_module_spec(module_fn)
    output, _ = show(spec)
    assert output.count("eval_function_for_module") == 8
    assert "More signatures: s08, s09, s10, s11" in output
    assert "Signature s10\n" in show(spec, "--signature", "s10")[0]


def test_one_variant_is_picked_by_its_tags(show):
    for tags, names in (("train", "w"), ("", "w"), ("gpu,serve", "w"), (" serve, gpu ", "w")):
        output, status = show(spec_of("shared_variables"), "--tags", tags)
        assert status == 0
        assert "Variants: 1" in output
        assert names in output
    assert "Signature sum\n" in output
    assert 'tags={"gpu", "serve"}' in output


def test_the_snippet_applies_the_variant_with_the_fewest_tags(show):
    def module_fn():
        x = tf.placeholder(tf.float32, [None])
        hub.add_signature(inputs=x, outputs=x)

    spec = hub.create_module_spec(module_fn, [({"gpu", "train"}, {}), ({"train"}, {}), ({"tpu"}, {})])
    output, _ = show(spec, tags={"tpu"})
    assert "Signature default of the variants {gpu, train}, {train}, {tpu}\n" in output
    assert 'eval_function_for_module("PATH", tags={"train"})' in output


def test_one_signature_is_shown_with_its_tensors(show):
    spec = spec_with(lambda x: {"default": x, "double": tf.multiply(x, 2.0, name="double")})
    assert lines_of(show(spec, "--signature", "default")[0], "Signature default")[-1].endswith(" double:0")
    assert "double:0" not in show(spec)[0]


def test_a_module_without_variables_has_no_parameters(show):
    output, _ = show(spec_with(lambda x: x))
    assert "  parameters  0\n" in output


def test_signatures_that_differ_between_variants_are_shown_apart(show):
    output, _ = show(spec_of("shared_variables"))
    assert "Signature default of the variants {}, {train}, {gpu, serve}\n" in output
    assert "Signature sum of the variant {gpu, serve}\n" in output


def test_unknown_tags_and_signatures_are_refused_with_those_there_are(show):
    output, status = show(spec_of("shared_variables"), "--tags", "nonsense")
    assert (status, output) == (
        2,
        "tf1hub: The module has no variant with the tags 'nonsense'. It has: '', 'train', 'gpu,serve'.\n",
    )
    output, status = show(spec_of("shared_variables"), "--signature", "nonsense")
    assert (status, output) == (2, "tf1hub: The module has no signature 'nonsense'. It has: 'default', 'sum'.\n")


def test_a_variant_that_cannot_be_used_says_so(show):
    output, status = show(spec_of("variant_that_lacks_variables"))
    assert status == 0
    assert "The variant {train} cannot be used: of its 2 variables the checkpoint lacks 1: training_only" in output
    output, _ = show(spec_of("variant_that_lacks_variables"), "--tags", "train")
    assert "It cannot be applied: the checkpoint lacks variables of it." in output
    assert "import" not in output


def test_a_damaged_module_is_shown_with_its_problems_and_status_1(show, tmp_path):
    show(spec_of("text"))
    [asset] = (tmp_path / "module" / "assets").iterdir()
    asset.unlink()
    output, status = show(None)
    assert status == 1
    assert lines_of(output, "Problems: 1; `tf1hub verify` tells more") == [
        f"There is no assets/{asset.name}, which the graph reads."
    ]
    assert "missing" in output
    assert show(None, "--json")[1] == 1


def test_names_cannot_steer_the_terminal(show, tmp_path):
    show(spec_of("dense"))  # what follows are characters that click does not take out by itself
    with edited_saved_model(str(tmp_path / "module")) as saved_model:
        meta_graph = saved_model.meta_graphs[0]
        meta_graph.meta_info_def.tags.append("a\x9b2J")
        meta_graph.meta_info_def.tensorflow_version = "\x9b31m2"
        meta_graph.signature_def["\x1b]0;x\x07"].CopyFrom(meta_graph.signature_def["default"])
        meta_graph.signature_def["default"].method_name = "\x9b1m"
        meta_graph.signature_def["default"].inputs["\r"].CopyFrom(meta_graph.signature_def["default"].inputs["default"])
        meta_graph.graph_def.node.add(name="\x9b", op="\x9b31m")
        meta_graph.collection_def["\x07"].node_list.value.append("x")
    output, status = show(None, "--ops", "--variables")
    assert status == 0
    assert all(character.isprintable() or character == "\n" for character in output)


def test_long_names_are_whole(show):
    name = "deep/" * 60 + "kernel"
    output, _ = show(spec_with(lambda x: x * tf.get_variable(name, [3])))
    assert f"  {name}  float32  [3]  12 B\n" in output


def test_one_long_name_does_not_push_the_columns_of_other_rows_away(show):
    names = ["w", "deep/" * 60 + "kernel"]
    output, _ = show(spec_with(lambda x: x * sum(tf.get_variable(name, [3]) for name in names)))
    [row] = [line for line in output.splitlines() if line.startswith("  w ")]
    assert row == f"  {'w':100}  float32  [3]  12 B"


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["--nonsense", "x"], ["http://example.com/x"], ["a", "b"]])
def test_bad_usage_ends_with_status_2_and_one_message(arguments, capsys):
    assert run(["show", *arguments]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err
    assert "Traceback" not in captured.err


def test_a_plain_saved_model_is_told_from_a_module(show, tmp_path):
    show(spec_of("dense"))
    (tmp_path / "module" / "tfhub_module.pb").unlink()
    output, status = show(None)
    assert status == 2
    assert "it is a plain SavedModel and no TF1 Hub module" in output


def test_the_help_has_examples_and_exit_statuses(capsys):
    assert run(["show", "--help"]) == 0
    output = capsys.readouterr().out
    assert "tf1hub show my_module --tags train --variables" in output
    assert "1  shown, but something in the module is damaged or missing" in output


def test_the_command_loads_neither_tensorflow_nor_numpy(tmp_path):
    path = export(spec_of("batch_norm"), tmp_path / "module")
    program = (
        "import sys; from tf1hub.cli.main import run; status = run(sys.argv[1:]);"
        "print(status, [name for name in ('tensorflow', 'numpy', 'rich') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program, "show", path], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "0 []"
    result = subprocess.run([sys.executable, "-m", "tf1hub", "show", "nowhere"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert "There is no directory" in result.stderr
