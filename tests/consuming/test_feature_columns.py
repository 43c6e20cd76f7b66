"""Feature columns: their values by hand, their parse specs, and what they refuse."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import evaluate, export, names, spec_of, spec_with, started_session
from tests.module_fns.registry import numbers

pytestmark = pytest.mark.filterwarnings("ignore:`layer.add_variable` is deprecated:UserWarning")

WORDS = {"the cat": [1.0, 10.0], "a mat": [2.0, 20.0], "": [4.0, 40.0]}
UNKNOWN = [8.0, 80.0]


def text_spec(output=None):
    """Texts to the vectors above, each times the variable `scale`, which starts as 1."""

    def embedded(texts):
        keys = tf.constant(list(WORDS))
        initializer = tf.lookup.KeyValueTensorInitializer(keys, tf.range(3, dtype=tf.int64))
        ids = tf.lookup.StaticHashTable(initializer, 3).lookup(texts)
        vectors = tf.gather(tf.constant([*WORDS.values(), UNKNOWN]), ids)
        made = vectors * tf.get_variable("scale", [], initializer=tf.ones_initializer())
        return made if output is None else {output: made}

    return spec_with(embedded, [None], tf.string)


@pytest.fixture(params=["memory", "disk"])
def module(request, tmp_path):
    return text_spec() if request.param == "memory" else export(text_spec(), tmp_path / "module")


TEXTS = np.array([["the cat"], ["a mat"], ["no such"]])
VECTORS = [WORDS["the cat"], WORDS["a mat"], UNKNOWN]


@pytest.mark.parametrize("shape", [(3, 1), (3,)])
def test_a_text_column_in_an_input_layer(module, shape):
    column = hub.text_embedding_column("review", module)
    layer = tf.feature_column.input_layer({"review": tf.constant(TEXTS.reshape(shape))}, [column])
    assert layer.shape[1] == 2
    assert evaluate(layer).tolist() == VECTORS


def test_a_text_column_in_a_linear_model(module):
    column = hub.text_embedding_column("review", module)
    logits = tf.feature_column.linear_model({"review": tf.constant(TEXTS)}, [column])
    weights = next(v for v in tf.trainable_variables() if "weights" in v.name)
    with started_session() as session:
        weights.load([[1.0], [0.5]], session)
        np.testing.assert_allclose(session.run(logits), np.array(VECTORS) @ [[1.0], [0.5]])


@pytest.mark.parametrize("trainable", [True, False])
def test_a_text_column_is_trained_when_asked(module, trainable):
    column = hub.text_embedding_column("review", module, trainable=trainable)
    layer = tf.feature_column.input_layer({"review": tf.constant(TEXTS)}, [column])
    assert len(tf.trainable_variables()) == int(trainable)
    if trainable:
        gradient = tf.gradients(layer, tf.trainable_variables())[0]
        np.testing.assert_allclose(evaluate(gradient), np.sum(VECTORS))


def test_two_columns_of_one_module_and_another_column_beside_them(module):
    columns = [hub.text_embedding_column(key, module) for key in ("title", "body")] + [
        tf.feature_column.numeric_column("n")
    ]
    features = {"title": tf.constant(TEXTS), "body": tf.constant(TEXTS[::-1]), "n": tf.constant([[1.0], [2.0], [3.0]])}
    layer = evaluate(tf.feature_column.input_layer(features, columns))
    body = np.array(VECTORS)[::-1]
    np.testing.assert_allclose(layer, np.concatenate([body, [[1], [2], [3]], VECTORS], axis=1))


SPARSE_TEXTS = [["the cat", "a mat", "the cat"], [], ["no such"]]


def sparse(rows):
    indices = [[i, j] for i, row in enumerate(rows) for j in range(len(row))]
    return tf.SparseTensor(indices, [text for row in rows for text in row], [len(rows), max(map(len, rows))])


COMBINERS = {"sum": lambda v: v.sum(0), "mean": lambda v: v.mean(0), "sqrtn": lambda v: v.sum(0) / np.sqrt(len(v))}


@pytest.mark.parametrize("combiner", COMBINERS)
@pytest.mark.parametrize("default", ["", "a mat"])
def test_the_texts_of_an_example_are_combined(module, combiner, default):
    column = hub.sparse_text_embedding_column("tags", module, combiner, default)
    found = evaluate(tf.feature_column.input_layer({"tags": sparse(SPARSE_TEXTS)}, [column]))
    rows = [[WORDS.get(text, UNKNOWN) for text in row or [default]] for row in SPARSE_TEXTS]
    np.testing.assert_allclose(found, [COMBINERS[combiner](np.array(row)) for row in rows], rtol=1e-6)


def test_a_sparse_column_in_a_linear_model_is_trained(module):
    column = hub.sparse_text_embedding_column("tags", module, "mean", "", trainable=True)
    logits = tf.feature_column.linear_model({"tags": sparse(SPARSE_TEXTS)}, [column])
    assert logits.shape[1] == 1
    scale = next(v for v in tf.trainable_variables() if "scale" in v.name)
    assert evaluate(tf.gradients(logits, scale)[0]) == 0.0  # the weights start as 0
    assert len(tf.trainable_variables()) == 3


def test_an_unknown_combiner_is_refused(module):
    with pytest.raises(ValueError, match=r"The combiner is one of \['mean', 'sqrtn', 'sum'\]; this is 'max'"):
        hub.sparse_text_embedding_column("tags", module, "max", "")


def test_parse_specs_read_examples(module):
    dense, many = hub.text_embedding_column("a", module), hub.sparse_text_embedding_column("b", module, "sum", "")
    spec = tf.feature_column.make_parse_example_spec([dense, many])
    features = {"a": _bytes(b"a mat"), "b": _bytes(b"the cat", b"a mat")}
    example = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    layer = tf.feature_column.input_layer(tf.io.parse_example([example], spec), [dense, many])
    assert evaluate(layer).tolist() == [[2.0, 20.0, 3.0, 30.0]]


def _bytes(*values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


IMAGES = numbers(2, 4, 6, 3)


def test_an_image_column(tmp_path):
    path = export(spec_of("image"), tmp_path / "module", values=True)
    column = hub.image_embedding_column("photo", path)
    found = evaluate(tf.feature_column.input_layer({"photo": tf.constant(IMAGES)}, [column]))
    with hub.eval_function_for_module(path) as f:
        np.testing.assert_allclose(found, f({"images": IMAGES}), rtol=1e-6)
    assert tf.trainable_variables() == []


def test_the_parse_spec_of_an_image_column():
    spec = hub.image_embedding_column("photo", spec_of("image")).parse_example_spec
    assert spec == {"photo": tf.io.FixedLenFeature([4, 6, 3], tf.float32)}
    sized = hub.image_embedding_column("photo", spec_of("image"), image_size=(8, 9)).parse_example_spec
    assert sized == {"photo": tf.io.FixedLenFeature([8, 9, 3], tf.float32)}


@pytest.mark.parametrize("kind", ["dense", "several_signatures", "image", "no_inputs"])
def test_a_module_that_embeds_no_text_is_refused(kind):
    for make in (hub.text_embedding_column, lambda k, s: hub.sparse_text_embedding_column(k, s, "sum", "")):
        with pytest.raises(
            ValueError, match="no text embedding: its default signature should take one input of strings"
        ):
            make("key", spec_of(kind))


def test_a_text_module_without_a_default_output_is_refused():
    with pytest.raises(ValueError, match="no text embedding: its default signature should give an output 'default'"):
        hub.text_embedding_column("key", text_spec("other"))


@pytest.mark.parametrize("kind", ["dense", "text"])
def test_a_module_that_embeds_no_image_is_refused(kind):
    with pytest.raises(ValueError, match="no image embedding: its default signature should take one input 'images'"):
        hub.image_embedding_column("key", spec_of(kind))


def test_columns_are_equal_when_all_they_are_made_of_is():
    spec = text_spec()
    one, same = hub.text_embedding_column("a", spec), hub.text_embedding_column("a", spec)
    assert (one == same, hash(one) == hash(same)) == (True, True)
    assert one != hub.text_embedding_column("b", spec)
    assert one.name == "a_hub_module_embedding"


def test_a_text_column_v2_in_a_graph(tmp_path):
    path = export(text_spec("other"), tmp_path / "module")
    column = hub.text_embedding_column_v2("review", path, output_key="other", trainable=True)
    layer = tf.feature_column.input_layer({"review": tf.constant(TEXTS)}, [column])
    assert evaluate(layer).tolist() == VECTORS
    assert len(names(tf.trainable_variables())) == 1
