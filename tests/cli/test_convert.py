"""`tf1hub convert`."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.converting.saved_models.conversions import converted, example
from tests.graphs import exported_bytes, published
from tf1hub.cli.main import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def answer(capsys, *arguments, status=0):
    """What a command line prints: on standard output when it succeeds, else on standard error."""
    assert run(["convert", *map(str, arguments)]) == status
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert "internal error" not in err
    return out if status == 0 else " ".join(err.split())


def process(*arguments, **options):
    command = [sys.executable, "-m", "tf1hub", "convert", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **{**pipes, **options})


@pytest.fixture
def saved_model(tmp_path):
    """One of TensorFlow 1, with a collection that a module cannot carry."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None])
        w = v1.get_variable("w", [], initializer=v1.ones_initializer(), use_resource=True)
        v1.add_to_collection("mine", w * w)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "saved"), {"x": x}, {"y": 2.0 * w * x})
    return "saved"


def test_a_module_becomes_a_saved_model(capsys):
    out = answer(capsys, published("batch_norm"), "out")
    first, *rows = out.splitlines()
    assert first.startswith("out: a TF2 SavedModel of ")
    assert "  calling it         applies 'default'" in rows
    assert "  signatures         default, serving_default" in rows
    assert "  training=True      the variant 'train'" in rows
    assert "  variables          5 variables (3 trainable, 1 regularization loss)" in rows
    assert "    model = tf.saved_model.load('out')" in rows
    assert tf.saved_model.load("out")(example("batch_norm")).shape == (6, 2)


def test_what_is_printed_to_apply_it_runs(capsys):
    printed = answer(capsys, published("dense"), "out").splitlines()
    program = "\n".join(line[4:] for line in printed if line.startswith("    "))
    names = {"inputs": example("dense")}
    exec(program, names)
    assert names["output"].shape == (4, 2)


def test_the_options_choose_variant_signature_and_outputs(capsys):
    chosen = ["--tags", "serve,gpu", "--training-tags", "", "--signature", "default", "--as-dict"]
    out = answer(capsys, published("shared_variables"), "out", *chosen)
    assert "applies 'default', gives a dict" in out
    assert "training=True      the variant without tags" in out
    model, rows = tf.saved_model.load("out"), example("shared_variables")
    np.testing.assert_allclose(model(rows)["default"], 3 * rows * model.variables[0], rtol=1e-6)
    np.testing.assert_allclose(model(rows, training=True)["default"], rows * model.variables[0], rtol=1e-6)
    assert set(model.signatures) == {"default", "serving_default", "sum"}


def test_json_says_what_was_written(capsys):
    module = published("image_of_declared_size")
    found = json.loads(answer(capsys, module, "out", "--json"))
    assert found == {
        "source": module, "path": "out", "called": "default", "returns_dict": False,
        "signatures": ["default", "serving_default"], "tags": [], "training_tags": [],
        "variables": 0, "trainable_variables": 0, "regularization_losses": 0, "assets": 0,
        "attached_messages": ["image_module_info"],
        "bytes_written": sum(map(len, exported_bytes("out").values())),
    }  # fmt: skip


def test_a_module_of_several_named_signatures_is_told_of(capsys, tmp_path):
    def module_fn():
        for name in ("small", "large"):
            x = tf.compat.v1.placeholder(tf.float32, [None])
            hub.add_signature(name, inputs=x, outputs=2.0 * x)

    hub.create_module_spec(module_fn).write(tmp_path / "module", lambda prefix: None)
    out = answer(capsys, "module", "out")
    assert "not possible: several signatures, choose one with --signature" in out
    assert "    outputs = model.signatures['large'](**inputs)" in out


def test_a_saved_model_becomes_a_module(capsys, saved_model):
    out = answer(capsys, saved_model, "out", "--drop-collection", "mine")
    first, *rows = out.splitlines()
    assert first.startswith("out: a TF1 Hub module of ")
    assert "  variant 'serve'  signatures serving_default" in rows
    assert rows[-1] == "How to apply it: tf1hub show out"
    model = hub.load("out", tags={"serve"})
    assert model({"x": [3.0]}, signature="serving_default", as_dict=True)["y"].numpy() == [6.0]


def test_json_of_the_way_back(capsys, saved_model):
    found = json.loads(answer(capsys, saved_model, "out", "--drop-collection", "mine", "--json"))
    size = sum(map(len, exported_bytes("out").values()))
    variants = [{"tags": ["serve"], "signatures": ["serving_default"]}]
    assert found == {
        "source": "saved", "path": "out", "variants": variants, "variables": 1, "assets": 0, "bytes_written": size
    }  # fmt: skip


def test_a_collection_that_cannot_be_carried_is_named_with_the_option(capsys, saved_model):
    message = answer(capsys, saved_model, "out", status=2)
    assert "cannot carry: ['mine']" in message
    assert message.endswith("On the command line: --drop-collection KEY.")


def test_a_saved_model_of_tensorflow_2_is_refused(capsys):
    message = answer(capsys, converted("dense"), "out", status=2)
    assert "was written by TensorFlow 2" in message
    assert "cannot become a TF1 Hub module. Use it as it is, with `hub.load`" in message


def test_nothing_that_is_there_is_replaced(capsys, tmp_path, saved_model):
    answer(capsys, published("dense"), "out")
    before = exported_bytes(tmp_path)
    for arguments in ([published("dense"), "out"], [saved_model, "out", "--drop-collection", "mine"]):
        message = answer(capsys, *arguments, status=2)
        assert "already" in message
    assert exported_bytes(tmp_path) == before


USAGE = {
    "": "Missing argument 'SOURCE'",
    "MODULE": "Missing argument 'OUT'",
    "MODULE out --drop-collection a": "--drop-collection is for SavedModels, and",
    "SAVED out --signature a": "--signature is for TF1 Hub modules, and 'saved' is a SavedModel",
    "SAVED out --tags train": "--tags is for TF1 Hub modules",
    "SAVED out --as-dict": "--as-dict is for TF1 Hub modules",
    "MODULE out --tags gpu": "no graph variant with the tags ['gpu']",
    "MODULE out --signature s": "no signature 's' in its variant without tags. It has: 'default'.",
    "nothing out": "There is no directory 'nothing'",
    "empty out": "'empty' holds neither tfhub_module.pb nor saved_model.pb",
    "file out": "'file' is a file. Modules and SavedModels are directories",
    "text out": "'text' is a SavedModel as text (saved_model.pbtxt)",
    "MODULE http://x/y": "http",
}


@pytest.mark.parametrize("arguments", USAGE)
def test_bad_usage_says_what_is_wrong(arguments, capsys, tmp_path, saved_model):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "saved_model.pbtxt").write_text("")
    (tmp_path / "file").write_text("")
    words = arguments.replace("MODULE", published("dense")).replace("SAVED", saved_model).split()
    assert USAGE[arguments] in answer(capsys, *words, status=2)
    assert not (tmp_path / "out").exists()


def test_help_needs_no_tensorflow():
    program = (
        "import sys; from tf1hub.cli.main import run; run(['--help']); run(['convert', '--help']);"
        "run(['convert', 'nothing', 'out']);"
        "print([name for name in ('tensorflow', 'keras', 'numpy', 'rich') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "tf1hub convert my_module my_saved_model" in done.stdout
    assert " convert " in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_person_who_watches_sees_how_far_it_is():
    controller, terminal = os.openpty()
    running = process(published("several_signatures"), "out", stderr=terminal)
    os.close(terminal)
    seen = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:  # the end of a terminal
            break
        if not part:
            break
        seen += part
    os.close(controller)
    printed, _ = running.communicate()
    assert running.returncode == 0
    assert b"Converting" in seen
    assert printed.startswith("out: a TF2 SavedModel of")


@pytest.mark.slow
def test_a_process_of_its_own_says_nothing_else():
    running = process(published("text"), "out")
    printed, errors = running.communicate()
    assert (running.returncode, errors) == (0, "")
    assert printed.startswith("out: a TF2 SavedModel of")


@pytest.mark.slow
@pytest.mark.parametrize("back", [False, True])
def test_ctrl_c_leaves_nothing(tmp_path, back):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None])
        w = v1.get_variable("w", [100 << 20], use_resource=True, initializer=v1.zeros_initializer())
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, "saved", {"x": x}, {"y": x * w[0]})
    if not back:
        process("saved", "module").communicate()
    before = set(os.listdir())
    running = process(*(["saved"] if back else ["module", "--tags", "serve"]), "out")
    while set(os.listdir()) == before and running.poll() is None:
        time.sleep(0.002)
    running.send_signal(signal.SIGINT)
    message = running.communicate()[1]
    assert (running.returncode, message.strip()) == (130, "tf1hub: stopped")
    assert set(os.listdir()) == before
