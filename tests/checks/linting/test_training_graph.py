"""`hub.lint_training_graph`: what is read, whose variables count, what a finding says."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, scaling_spec, spec_of, started_session
from tests.module_fns import KINDS
from tests.module_fns.registry import control_flow_v2
from tests.programs import run_program
from tf1hub.checks.linting import training_graph
from tf1hub.errors import CorruptModuleError, GraphError, MissingModuleError
from tf1hub.format import protos

STRENGTHS = {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02}


@pytest.fixture
def training():
    """A graph in which FTRL trains a module in the scope "outer/module", and a head."""
    with tf.Graph().as_default() as graph:
        with tf.variable_scope("outer"):
            module = hub.Module(scaling_spec(), trainable=True)
        head = tf.get_variable("head", [3])
        loss = tf.nn.l2_loss(module([[1.0, 2.0, 3.0]]) * head)
        tf.train.FtrlOptimizer(0.1, **STRENGTHS).minimize(loss)
    return graph, module


def variables(findings):
    return [finding.variable for finding in findings]


def test_a_finding_names_optimizer_variables_and_strengths(training):
    [finding] = hub.lint_training_graph(*training)
    assert finding.reason == (
        "The optimizer 'Ftrl' (FtrlOptimizer) regularizes the variable 'outer/module/w' with l1=0.01 and l2=0.02; an"
        " optimizer's strengths are not exported with a module, so who fine-tunes it trains without them."
    )
    assert finding.remedy == (
        "In the module_fn add a loss for each variable w to the collection REGULARIZATION_LOSSES, 0.01 *"
        " tf.reduce_sum(tf.abs(w)) + 0.04 * tf.nn.l2_loss(w), and leave the optimizer's strengths at 0; tune the factors,"
        " since FTRL counts l1 and l2 once and not with each step."
    )
    assert (finding.rule, finding.severity) == ("optimizer-regularization", "warning")
    assert (finding.node, finding.variable) == ("Ftrl/update_outer/module/w/ResourceApplyFtrl", "outer/module/w")


def test_variables_with_the_same_strengths_are_one_finding(training):
    [finding] = hub.lint_training_graph(training[0])
    assert "regularizes 2 variables ('outer/module/w' and 'head') with" in finding.reason


def test_a_strength_that_the_graph_computes_has_no_number():
    with tf.Graph().as_default() as graph:
        strength = tf.placeholder(tf.float32, [])
        loss = tf.nn.l2_loss(tf.get_variable("w", [2]))
        tf.train.ProximalGradientDescentOptimizer(0.1, l2_regularization_strength=strength).minimize(loss)
    [finding] = hub.lint_training_graph(graph)
    assert "with l2=(computed)" in finding.reason
    assert "strength * tf.nn.l2_loss(w)" in finding.remedy


def test_a_module_is_told_by_object_spec_path_or_scope(training, tmp_path):
    graph, module = training
    path = export(scaling_spec(), tmp_path / "module")
    for told in (module, scaling_spec(), path, tmp_path / "module", "outer/module", "outer/module/", "outer"):
        assert variables(hub.lint_training_graph(graph, told)) == ["outer/module/w"]
    assert variables(hub.lint_training_graph(graph, "head")) == ["head"]


def test_a_graph_is_a_graph_a_message_or_a_file(training, tmp_path):
    graph, module = training
    path = tmp_path / "graph.meta"
    with graph.as_default():
        theirs = tf.train.export_meta_graph(str(path))
    ours = protos.MetaGraphDef.FromString(path.read_bytes())
    for told in (graph, theirs, ours, path, str(path)):
        assert variables(hub.lint_training_graph(told, module)) == ["outer/module/w"]


def test_a_file_is_read_without_tensorflow(training, tmp_path):
    with training[0].as_default():
        tf.train.export_meta_graph(str(tmp_path / "graph.meta"))
    program = """
        import sys, tf1hub as hub
        print(len(hub.lint_training_graph(sys.argv[1], "outer/module")), "tensorflow" in sys.modules)
    """
    assert run_program(program, str(tmp_path / "graph.meta")).split() == ["1", "False"]


def test_a_graph_without_such_an_optimizer_is_not_made_a_message():
    class Graph:
        def get_operations(self):
            with tf.Graph().as_default() as graph:
                tf.constant(1)
            return graph.get_operations()

        def as_graph_def(self):
            raise AssertionError("not needed")

    assert hub.lint_training_graph(Graph()) == []


def test_messages_without_such_an_optimizer_are_not_parsed(monkeypatch):
    """A graph that calls functions is serialized, and so is TensorFlow's message: neither is parsed for nothing."""

    def parsed(data):
        raise AssertionError("not needed")

    with tf.Graph().as_default() as graph, control_flow_v2():
        tf.cond(tf.placeholder(tf.bool, []), lambda: 1.0, lambda: 2.0)
        theirs = tf.train.export_meta_graph()
    monkeypatch.setattr(training_graph, "GraphIndex", parsed)
    assert hub.lint_training_graph(graph) == hub.lint_training_graph(theirs) == []


def test_l1_is_told_of_the_deep_part_alone_where_one_optimizer_trains_both():
    with tf.Graph().as_default() as graph:
        linear, bias = tf.get_variable("linear", [9, 1]), tf.get_variable("bias", [])
        embeddings, kernel = tf.get_variable("embeddings", [9, 4]), tf.get_variable("kernel", [4, 1])
        layer_bias, ids = tf.get_variable("layer_bias", [1]), [[1, 2, 3]]
        deep = tf.reduce_sum(tf.gather(embeddings, ids), 1) @ kernel + layer_bias
        logits = tf.reduce_sum(tf.gather(linear, ids), 1) + deep + bias
        tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.1).minimize(tf.nn.l2_loss(logits))
    [finding] = hub.lint_training_graph(graph)
    assert "3 variables ('kernel', 'layer_bias' and 'embeddings')" in finding.reason


def test_what_is_no_graph_is_refused(training, tmp_path):
    with pytest.raises(GraphError, match=r"but got Session\. Of a session, pass its attribute `graph`"):
        hub.lint_training_graph(tf.Session(graph=training[0]))
    (tmp_path / "broken.meta").write_bytes(b"\x0a\xff\xff\x01ApplyFtrl")
    with pytest.raises(CorruptModuleError, match=r"The graph in '.*broken\.meta'"):
        hub.lint_training_graph(tmp_path / "broken.meta")
    with pytest.raises(MissingModuleError, match="There is no file"):
        hub.lint_training_graph(tmp_path / "missing.meta")


def test_a_directory_is_refused_with_a_hint(tmp_path):
    with pytest.raises(GraphError, match=r"is a directory.*model.ckpt-1000.meta"):
        hub.lint_training_graph(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    """Not taken for a graph without such an optimizer: these lie beside a graph."""
    with tf.Graph().as_default() as graph, started_session() as session:
        tf.get_variable("w", [2])
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver().save(session, str(tmp_path / "model.ckpt"))
        tf.train.write_graph(graph, str(tmp_path), "graph.pbtxt")
    for name in ("checkpoint", "model.ckpt.index", "graph.pbtxt"):
        with pytest.raises(CorruptModuleError, match="The graph in "):
            hub.lint_training_graph(tmp_path / name)
    assert hub.lint_training_graph(prefix + ".meta") == []


def test_a_graph_without_the_module_is_refused(training):
    graph, _ = training
    with pytest.raises(GraphError, match=r"no variables in the scope 'other'.*Scopes that it has: 'head', 'outer'"):
        hub.lint_training_graph(graph, "other")

    def other() -> None:
        hub.add_signature(outputs=tf.get_variable("not_there", [3]))

    with pytest.raises(GraphError, match="no scope with all variables of the module; the first ones are 'not_there'"):
        hub.lint_training_graph(graph, hub.create_module_spec(other))


def penalized(w):
    return 0.1 * tf.reduce_sum(tf.abs(w)) + 0.2 * tf.nn.l2_loss(w)


@pytest.mark.parametrize(
    ("optimizer", "without", "loss"),
    [
        (
            lambda: tf.train.ProximalGradientDescentOptimizer(0.1, 0.1, 0.2),
            tf.train.GradientDescentOptimizer,
            penalized,
        ),
        (lambda: tf.train.ProximalAdagradOptimizer(0.1, 0.1, 0.1, 0.2), tf.train.AdagradOptimizer, penalized),
        (
            lambda: tf.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=0.1),
            tf.train.FtrlOptimizer,
            lambda w: 0.2 * tf.nn.l2_loss(w),
        ),
    ],
    ids=["gradient descent", "adagrad", "shrinkage"],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_losses_of_the_remedy_train_to_the_same_values(optimizer, without, loss):
    """The page's table of strengths and losses."""
    with tf.Graph().as_default():
        mine, theirs = tf.get_variable("mine", [2]), tf.get_variable("theirs", [2])
        target = tf.constant([0.5, -1.0])
        steps = [
            optimizer().minimize(tf.nn.l2_loss(mine - target), var_list=[mine]),
            without(0.1).minimize(tf.nn.l2_loss(theirs - target) + loss(theirs), var_list=[theirs]),
        ]
        with started_session() as session:
            for _ in range(1500):
                session.run(steps)
            values = session.run([mine, theirs])
    np.testing.assert_allclose(*values, atol=0.01)
    assert np.all(np.abs(values[0]) < [0.45, 0.95])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.available()])
def test_the_trained_variables_of_every_kind_of_module_are_found(kind):
    with tf.Graph().as_default() as graph:
        module = hub.Module(spec_of(kind), trainable=True)
        trained = [variable for variable in tf.trainable_variables() if variable.dtype.base_dtype.is_floating]
        optimizer = tf.train.ProximalGradientDescentOptimizer(0.1, l2_regularization_strength=0.5)
        if trained:
            optimizer.apply_gradients((tf.zeros_like(variable), variable) for variable in trained)
    for told in (module, spec_of(kind), "module", None) if trained else (module, spec_of(kind), None):
        found = [finding.reason for finding in hub.lint_training_graph(graph, told)]
        assert len(found) == bool(trained)
        assert all(f"{len(trained):,} variables (" in reason or len(trained) == 1 for reason in found)
