"""Text-embedding modules: what is exported, what is refused, and what is left behind."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.publishing.embeddings import answers, binary, lines, many_lines, table, vocabulary
from tf1hub.format.bundle_writer import BundleWriter

SHARED = Path(__file__).parents[3] / "shared" / "modules" / "text_by_predecessor"
MODULES = ["sentences_oov1", "sentences_oov3", "tokens_oov1", "tokens_oov3"]
TEXT = b"the 1 2\ncat 0.5 -1.5\n. . . 3 4\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(TEXT)
    return path


@pytest.fixture
def module(tmp_path):
    return tmp_path / "module"


@pytest.fixture
def shared():
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there: the real modules are not part of the clone")
    return SHARED


@pytest.mark.parametrize("name", MODULES)
def test_answers_are_the_predecessors(name, module, shared):
    expected = json.loads((shared / "answers.json").read_text(encoding="utf-8"))[name]
    options = {"preprocess_text": name.startswith("sentences"), "num_oov_buckets": int(name[-1])}
    hub.export_text_embedding(module, shared / "vectors.txt", **options)
    np.testing.assert_allclose(answers(module, expected["inputs"]), expected["outputs"], atol=1e-6)
    np.testing.assert_array_equal(table(module), table(shared / name))
    assert b"\n".join(vocabulary(module)) == (shared / name / "assets" / "tokens.txt").read_bytes()


@pytest.mark.parametrize("preprocess_text", [True, False])
def test_the_signature_is_the_predecessors(module, file, preprocess_text):
    hub.export_text_embedding(module, file, preprocess_text=preprocess_text)
    spec = hub.load_module_spec(module)
    assert spec.get_signature_names() == ["default"]
    [(key, given)] = spec.get_input_info_dict().items()
    assert (key, given.dtype, given.get_shape().as_list()) == (
        "sentences" if preprocess_text else "tokens",
        tf.string,
        [None],
    )
    [(key, output)] = spec.get_output_info_dict().items()
    assert (key, output.dtype, output.get_shape().as_list()) == ("default", tf.float32, [None, 2])


@pytest.mark.parametrize("preprocess_text", [True, False])
def test_the_last_dimension_is_static_when_it_is_applied(module, file, preprocess_text):
    hub.export_text_embedding(module, file, preprocess_text=preprocess_text)
    assert hub.Module(str(module))(tf.placeholder(tf.string, [None])).shape.as_list() == [None, 2]


def test_the_table_holds_the_vectors_and_then_zeros(module, file):
    summary = hub.export_text_embedding(module, file, num_oov_buckets=2)
    assert vocabulary(module) == [b"the", b"cat", b". . ."]
    assert table(module).tolist() == [[1, 2], [0.5, -1.5], [3, 4], [0, 0], [0, 0]]
    assert (summary.tokens, summary.dimension, summary.num_oov_buckets, summary.format) == (3, 2, 2, "text")
    assert summary.bytes_written == sum(path.stat().st_size for path in module.rglob("*") if path.is_file())
    assert summary.bytes_read == len(TEXT)


@pytest.mark.parametrize("preprocess_text", [True, False])
def test_fine_tuning_changes_the_rows_that_were_used(module, file, preprocess_text):
    hub.export_text_embedding(module, file, preprocess_text=preprocess_text)
    tuned = hub.Module(str(module), trainable=True)
    output = tuned(["the", "the", "dog"])
    [variable] = tf.trainable_variables()
    gradient = tf.gradients(tf.reduce_sum(output), variable)[0]
    assert isinstance(gradient, tf.IndexedSlices)
    step = tf.train.GradientDescentOptimizer(0.5).minimize(tf.reduce_sum(output))
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        session.run(step)
        changed = session.run(variable)
    np.testing.assert_allclose(changed, [[0, 1], [0.5, -1.5], [3, 4], [-0.5, -0.5]])


def test_a_fine_tuned_module_is_exported_and_moved(module, file, tmp_path):
    hub.export_text_embedding(module, file)
    tuned = hub.Module(str(module), trainable=True)
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        session.run(tuned.variable_map["embeddings"].assign(np.ones([4, 2])))
        tuned.export(str(tmp_path / "tuned"), session)
    shutil.rmtree(module)
    shutil.move(tmp_path / "tuned", tmp_path / "moved")
    np.testing.assert_allclose(answers(tmp_path / "moved", ["the cat", "dog"]), [[2**0.5, 2**0.5], [1, 1]])


def test_a_table_that_is_not_trainable_stays_as_it_is(module, file):
    hub.export_text_embedding(module, file, trainable=False)
    hub.Module(str(module), trainable=True)
    assert tf.trainable_variables() == []
    assert [variable.op.name for variable in tf.global_variables()] == ["module/embeddings"]


def test_two_modules_in_a_graph_have_vocabularies_of_their_own(tmp_path):
    for name, tokens in (("one", ["a", "b"]), ("two", ["b", "a"])):
        hub.export_text_embedding(tmp_path / name, tokens=tokens, vectors=np.eye(2), preprocess_text=False)
    outputs = [hub.Module(str(tmp_path / name))(["a", "b"]) for name in ("one", "two", "one")]
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        one, two, again = session.run(outputs)
    assert one.tolist() == again.tolist() == [[1, 0], [0, 1]]
    assert two.tolist() == [[0, 1], [1, 0]]


def test_tables_are_shared_by_their_vocabulary(tmp_path):
    names = []
    for number, tokens in enumerate((["a", "b"], ["b", "a"], ["a", "b"], ["a"])):
        path = tmp_path / f"module{number}"
        hub.export_text_embedding(
            path, tokens=tokens, vectors=np.full([len(tokens), 3], number), num_oov_buckets=number + 1
        )
        [table_node] = [
            node for node in hub.load_module_spec(path).variant().meta_graph.graph_def.node if node.op == "HashTableV2"
        ]
        names.append(table_node.attr["shared_name"].s)
    assert names[0] == names[2]
    assert len(set(names)) == 3


def test_the_publishers_paths_are_not_in_the_module(module, file, tmp_path):
    hub.export_text_embedding(module, file)
    folder = os.fsencode(tmp_path.name)
    assert len(folder) > 3
    assert not any(folder in path.read_bytes() for path in module.rglob("*") if path.is_file())


def test_the_same_file_gives_the_same_bytes(file, tmp_path):
    contents = []
    for name in ("one", "two"):
        hub.export_text_embedding(tmp_path / name, file)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([(str(path.relative_to(tmp_path / name)), path.read_bytes()) for path in files])
    assert contents[0] == contents[1]


def test_the_first_of_several_vectors_for_a_token_counts(module, file):
    long = b"x" * 40
    file.write_bytes(b"a 1 2\nb 3 4\na 5 6\n%s 7 8\n%s 9 0\n%sy 1 1\n" % (long, long, long))
    summary = hub.export_text_embedding(module, file)
    assert vocabulary(module) == [b"a", b"b", long, long + b"y"]
    assert table(module)[:4].tolist() == [[1, 2], [3, 4], [7, 8], [1, 1]]
    assert (summary.tokens, summary.duplicates) == (4, 2)


def test_duplicates_are_found_across_a_large_file(module, file):
    file.write_bytes(many_lines(30_000, 60) + many_lines(30_010, 60))
    summary = hub.export_text_embedding(module, file)
    assert (summary.tokens, summary.duplicates) == (30_010, 30_000)
    assert vocabulary(module) == [b"w%d" % number for number in range(30_010)]


def test_a_large_file_is_the_same_as_numpy_reads(module, file):
    file.write_bytes(many_lines(40_000, 60))
    hub.export_text_embedding(module, file)
    rows = [line.split()[1:] for line in file.read_bytes().splitlines()]
    np.testing.assert_array_equal(table(module)[:-1], np.array(rows, np.float64).astype(np.float32))


@pytest.mark.parametrize(
    ("limit", "tokens"), [(1, [b"a"]), (2, [b"a", b"b"]), (3, [b"a", b"b", b"c"]), (9, [b"a", b"b", b"c"])]
)
def test_the_limit_counts_different_tokens(module, file, limit, tokens):
    file.write_bytes(b"a 1 2\na 3 4\nb 5 6\nb 1 1\nc 7 8\n")
    summary = hub.export_text_embedding(module, file, limit=limit)
    assert (vocabulary(module), summary.tokens) == (tokens, len(tokens))
    assert table(module)[: len(tokens)].tolist() == [[1, 2], [5, 6], [7, 8]][: len(tokens)]


def test_nothing_after_the_limit_matters(module, file):
    file.write_bytes(b"99 60\n" + many_lines(10, 60) + b"bad line\n" + many_lines(200, 60))
    summary = hub.export_text_embedding(module, file, limit=10)
    assert (summary.tokens, summary.warnings) == (10, ())
    with pytest.raises(hub.errors.EmbeddingFileError, match="line 12: it has 1 of the 60 values"):
        hub.export_text_embedding(module.with_name("other"), file, limit=11)


def test_the_limit_reads_no_further(module, file):
    file.write_bytes(many_lines(400_000, 10))
    assert hub.export_text_embedding(module, file, limit=5).bytes_read <= 2 << 20 < file.stat().st_size / 10


def test_the_empty_token_has_a_vector(module, file):
    file.write_bytes(b"a 1 2\n 3 4\nb 5 6\n 7 8\n")
    summary = hub.export_text_embedding(module, file, preprocess_text=False)
    assert (summary.tokens, summary.duplicates) == (3, 1)
    assert answers(module, ["", "a", "b", "c"]).tolist() == [[3, 4], [1, 2], [5, 6], [0, 0]]


def test_tokens_in_memory_are_kept_as_they_are(module):
    tokens = ["a b", " c", "東京", b"\xff", "\udcff\udcfe", "\u2028", "d\t", "nan"]
    vectors = np.arange(16).reshape(8, 2)
    hub.export_text_embedding(module, tokens=tokens, vectors=vectors, preprocess_text=False)
    given = ["a b", " c", "東京", b"\xff", b"\xff\xfe", "\u2028", "d\t", "nan", "c"]
    assert answers(module, given).tolist() == [*vectors.tolist(), [0, 0]]


def test_tokens_of_a_file_may_be_any_bytes(module, file):
    tokens = [
        b"\xff\xfe",
        "\u00a0".encode(),
        "\u0085".encode(),
        "\u2028".encode(),
        b". . .",
        b"a\0b",
        b'"',
        b"#",
        b"nan",
    ]
    vectors = np.arange(18).reshape(9, 2).astype(np.float32)
    for number, data in enumerate((lines(tokens, vectors), binary([t.replace(b" ", b"_") for t in tokens], vectors))):
        file.write_bytes(data)
        path = module.with_name(f"module{number}")
        hub.export_text_embedding(path, file, preprocess_text=False)
        given = tokens if number == 0 else [token.replace(b" ", b"_") for token in tokens]
        assert answers(path, given).tolist() == vectors.tolist()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"tokens": ["a"], "vectors": [[1.0], [2.0]]}, "1 tokens and 2 vectors"),
        ({"tokens": ["a"], "vectors": [1.0]}, r"shape \[1\]"),
        ({"tokens": ["a"], "vectors": [["x"]]}, "type <U1"),
        ({"tokens": [1], "vectors": [[1.0]]}, r"tokens\[0\] is 1"),
        ({"tokens": ["a", "b\n"], "vectors": [[1.0], [1.0]]}, r"tokens\[1\]: the token holds a line break"),
        ({"tokens": ["a", "b"], "vectors": [[1.0], [np.nan]]}, r"vectors\[1\]: value 1 is nan"),
        ({"tokens": ["a", "b"], "vectors": [[1.0], [1e300]]}, r"vectors\[1\]: value 1 is inf"),
        ({"tokens": [], "vectors": np.zeros([0, 3])}, "no token with a vector"),
        ({"tokens": [""], "vectors": [[1.0]]}, "no token with a vector"),
        ({"tokens": ["a"]}, "both `tokens` and `vectors`"),
        ({"vectors": [[1.0]]}, "both `tokens` and `vectors`"),
        ({}, "both `tokens` and `vectors`"),
        ({"tokens": ["a"], "vectors": [[1.0]], "num_oov_buckets": 0}, "num_oov_buckets is 0"),
        ({"tokens": ["a"], "vectors": [[1.0]], "combiner": "max"}, "one of sqrtn, mean, sum"),
        ({"tokens": ["a"], "vectors": [[1.0]], "limit": 0}, "limit is 0"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(module, arguments, problem):
    with pytest.raises(ValueError, match=problem):
        hub.export_text_embedding(module, **arguments)
    assert list(module.parent.iterdir()) == []


def test_an_empty_path_is_refused(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    with pytest.raises(ValueError, match="export_path is empty"):
        hub.export_text_embedding("", file)
    assert list(file.parent.iterdir()) == [file]


def test_values_that_are_not_finite_can_be_allowed(module, file):
    file.write_bytes(b"a nan 1\nb inf 1e39\n")
    with pytest.raises(hub.errors.EmbeddingFileError, match=r"vectors.txt, line 1: value 1 is nan"):
        hub.export_text_embedding(module, file)
    hub.export_text_embedding(module, file, allow_nonfinite=True)
    np.testing.assert_array_equal(table(module), np.array([[np.nan, 1], [np.inf, np.inf], [0, 0]], np.float32))


def test_an_export_over_a_module_is_refused_before_anything_is_read(module, file):
    hub.export_text_embedding(module, file)
    before = sorted((path, path.stat().st_mtime_ns) for path in module.rglob("*"))
    with pytest.raises(hub.errors.ModuleExistsError) as caught:
        hub.export_text_embedding(module, "no such file")
    assert isinstance(caught.value, tf.errors.AlreadyExistsError)
    assert sorted((path, path.stat().st_mtime_ns) for path in module.rglob("*")) == before


def test_a_missing_file_leaves_nothing(module):
    with pytest.raises(FileNotFoundError):
        hub.export_text_embedding(module, "no such file")
    assert list(module.parent.iterdir()) == []


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()]
)
def test_what_stops_it_leaves_nothing(module, file, monkeypatch, error):
    def stop(*arguments):
        raise error

    monkeypatch.setattr(BundleWriter, "close", stop)
    with pytest.raises(type(error)):
        hub.export_text_embedding(module, file)
    assert list(module.parent.iterdir()) == [file]


LIMITED = """
import resource, sys
import tf1hub as hub
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hub.export_text_embedding(sys.argv[1], sys.argv[2])
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit of files' sizes here")
def test_a_full_disk_leaves_nothing(module, file):
    file.write_bytes(many_lines(40_000, 60))
    command = [sys.executable, "-c", LIMITED, str(module), str(file)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert "File too large: '" in done.stderr  # and which one it was
    assert list(module.parent.iterdir()) == [file]


def test_progress_adds_up_to_the_file(module, file):
    file.write_bytes(many_lines(30_000, 60))
    told = []
    hub.export_text_embedding(module, file, progress=told.append)
    assert sum(told) == file.stat().st_size
    assert len(told) > 5


def test_tensorflow_is_not_loaded(module, file):
    code = "import sys, tf1hub as hub; hub.export_text_embedding(*sys.argv[1:]); print('tensorflow' in sys.modules)"
    command = [sys.executable, "-c", code, str(module), str(file)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
