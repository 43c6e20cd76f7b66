"""The published text classifier: a module as a feature column of a `DNNClassifier`, on a data frame."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.graphs import export, spec_of
from tests.programs import run_program
from tf1hub import estimator

SENTENCES = pd.DataFrame({"sentence": ["the cat", "a mat", "the the cat", "a a mat"] * 8, "polarity": [1, 0, 1, 0] * 8})


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return export(spec_of("text"), tmp_path_factory.mktemp("text") / "module", values=True)


def trained(path, folder, trainable):
    column = hub.text_embedding_column(key="sentence", module_spec=path, trainable=trainable)
    model = estimator.DNNClassifier(
        hidden_units=[50, 10],
        feature_columns=[column],
        n_classes=2,
        optimizer=tf.compat.v1.train.AdagradOptimizer(learning_rate=0.1),
        config=estimator.RunConfig(str(folder), tf_random_seed=1),
    )
    train_fn = estimator.inputs.pandas_input_fn(SENTENCES, SENTENCES["polarity"], num_epochs=None, shuffle=True)
    return model.train(train_fn, steps=60)


@pytest.mark.parametrize("trainable", [False, True])
def test_it_learns_and_answers(path, tmp_path, trainable):
    model = trained(path, tmp_path, trainable)
    eval_fn = estimator.inputs.pandas_input_fn(SENTENCES, SENTENCES["polarity"], shuffle=False)
    assert model.evaluate(eval_fn)["accuracy"] == 1.0
    answers = [each["class_ids"][0] for each in model.predict(eval_fn)]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        confusion = session.run(tf.math.confusion_matrix(SENTENCES["polarity"], answers))
    assert confusion.tolist() == [[16, 0], [0, 16]]
    assert any("embeddings/" in name for name in model.get_variable_names()) == trainable  # the optimizer's slots


def test_the_latest_exporter_exports_it_whole(path, tmp_path):
    model = trained(path, tmp_path, True)
    features = tf.compat.v1.feature_column.make_parse_example_spec([hub.text_embedding_column("sentence", path)])
    exporter = estimator.LatestExporter(
        "latest", estimator.export.build_parsing_serving_input_receiver_fn(features), exports_to_keep=2
    )
    exported = tf.compat.as_str(exporter.export(model, str(tmp_path / "exports"), model.latest_checkpoint(), {}, True))
    assert [file.name for file in Path(exported, "assets").iterdir()] == ["tokens.txt"]
    example = tf.train.Example()
    example.features.feature["sentence"].bytes_list.value.append(b"the cat")
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], exported)
        assert sorted(meta_graph.signature_def) == ["classification", "predict", "regression", "serving_default"]
        signature = meta_graph.signature_def["serving_default"]
        scores = graph.get_tensor_by_name(signature.outputs["scores"].name)
        found = session.run(scores, {signature.inputs["inputs"].name: [example.SerializeToString()]})
    np.testing.assert_allclose(found.sum(), 1.0, rtol=1e-5)
    assert found[0, 1] > 0.5


@pytest.mark.slow
def test_it_runs_with_the_behaviour_of_tensorflow_1(path, tmp_path):
    program = """
        import sys
        import pandas as pd
        import tensorflow.compat.v1 as tf
        import tf1hub as hub
        from tf1hub import estimator; tf.estimator = estimator

        tf.disable_v2_behavior()
        path, folder = sys.argv[1:]
        column = hub.text_embedding_column(key="sentence", module_spec=path, trainable=True)
        model = tf.estimator.DNNClassifier([4], [column], model_dir=folder, batch_norm=True, dropout=0.1)
        frame = pd.DataFrame({"sentence": ["the cat", "a mat"] * 4, "polarity": [1, 0] * 4})
        input_fn = tf.estimator.inputs.pandas_input_fn(frame, frame["polarity"], num_epochs=3, batch_size=4, shuffle=True)
        model.train(input_fn)
        print(int(model.evaluate(input_fn)["global_step"]))
    """
    assert run_program(program, path, str(tmp_path / "model")).split()[-1] == "6"


@pytest.mark.slow
def test_batch_normalization_needs_no_import_of_tensorflow_1():
    program = """
        import tensorflow as tf
        from tf1hub import estimator

        column = tf.feature_column.numeric_column("x")
        model = estimator.DNNRegressor([2, 2], [column], batch_norm=True)
        data = lambda: tf.data.Dataset.from_tensors(({"x": [[1.0], [2.0]]}, [1.0, 2.0])).repeat(2)
        print(int(model.train(data).evaluate(data)["global_step"]))
    """
    assert run_program(program).split()[-1] == "2"
