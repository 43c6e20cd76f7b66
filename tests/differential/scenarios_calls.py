"""Calls of a module: forms of input and output, inferred shapes, values."""

import numpy as np

from tests.differential.recording import (
    as_json,
    dense_spec,
    differs,
    evaluate,
    outcome,
    outcomes,
    raised,
    returned,
    scenario,
)
from tests.module_fns import KINDS, as_tensors
from tests.module_fns.interfaces import RAGGED, SPARSE

VALUES = "what TensorFlow can make a tensor of is a tensor"


@scenario(deliberate=differs(VALUES, {"/variable": (raised("ValueError"), returned([[3.0, 3.0]]))}))
def forms_of_inputs(hub, tf):
    module = hub.Module(dense_spec(hub))
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    forms = {
        "list": rows, "tuple": tuple(map(tuple, rows)), "array": np.array(rows, np.float32), "float64": np.array(rows),
        "tensor": tf.constant(rows), "dict": {"default": rows}, "integers": [[1, 2, 3]],
        "rows of arrays": list(np.array(rows)), "placeholder": tf.placeholder_with_default(rows, [None, 3]),
        "rows of tensors": [tf.zeros([3]), tf.ones([3])],
        "half": np.array(rows, np.float16), "booleans": [[True, False, True]], "number": 1.0, "empty": np.zeros([0, 3]),
        "integer array": np.array([[1, 2, 3]]), "variable": tf.Variable([[1.0, 1.0, 1.0]]),
    }  # fmt: skip
    return {name: outcome(lambda form=form: evaluate(module(form))) for name, form in forms.items()}


@scenario
def forms_of_text_inputs(hub, tf):
    module = hub.Module(KINDS["text"].spec(hub))
    forms = {"list": ["the cat", "a"], "bytes": [b"mat"], "array": np.array(["the", "a mat"]), "one": "the cat",
             "objects": np.array(["the", b"cat"], object), "tensor": tf.constant(["cat"]), "none": [], "unicode": ["é"],
             "numbers": [1, 2], "nested": [["the"]]}  # fmt: skip
    return {name: outcome(lambda form=form: module(form).shape) for name, form in forms.items()}


@scenario
def forms_of_sparse_and_ragged_inputs(hub, tf):
    found = {}
    for name, value in [("sparse_in", SPARSE), ("ragged_in", RAGGED)]:
        tensor = as_tensors({"x": value})["x"]
        module = hub.Module(KINDS[name].spec(hub))
        found[f"{name} tensor"] = outcome(lambda m=module, t=tensor: evaluate(m(t)).shape)
        found[f"{name} dict"] = outcome(lambda m=module, t=tensor: evaluate(m({"default": t})).shape)
    return found


@scenario(
    deliberate=differs(
        VALUES,
        {"/sparse": (raised("ValueError"), returned("(3, 2)")), "/ragged": (raised("TypeError"), returned("(3,)"))},
    )
)
def sparse_values_as_inputs(hub, tf):
    """SparseTensorValue and RaggedTensorValue, as they come out of a session."""
    sparse, ragged = hub.Module(KINDS["sparse_in"].spec(hub)), hub.Module(KINDS["ragged_in"].spec(hub))
    return {"sparse": outcome(lambda: sparse(SPARSE).shape), "ragged": outcome(lambda: ragged(RAGGED).shape)}


@scenario
def forms_of_outputs(hub, tf):
    module = hub.Module(KINDS["several_outputs"].spec(hub))
    x = tf.ones([2, 3])
    with_sparse = hub.Module(KINDS["sparse_in_and_out"].spec(hub))
    with_ragged = hub.Module(KINDS["ragged_in_and_out"].spec(hub))
    sparse = {"ids": tf.SparseTensor.from_value(SPARSE), "factor": 1.0}
    ragged = {"rows": as_tensors({"x": RAGGED})["x"], "offset": 0.0}
    return {
        "default": type(module(x)).__name__,
        "as_dict": sorted(module(x, as_dict=True)),
        "as_dict false": module(x, as_dict=False).shape,
        "as_dict none": type(module(x, as_dict=None)).__name__,
        "kind": type(module(x, as_dict=True)).__name__,
        "sparse": {key: type(value).__name__ for key, value in with_sparse(sparse, as_dict=True).items()},
        "sparse alone": type(with_sparse(sparse)).__name__,
        "ragged": {key: type(value).__name__ for key, value in with_ragged(ragged, as_dict=True).items()},
        "no inputs": evaluate(hub.Module(KINDS["no_inputs"].spec(hub))(as_dict=True)["constant"]),
        "sentinel": outcome(lambda: module(x, None, "default", True)),
        "dictionary for none": outcome(lambda: type(hub.Module(KINDS["no_inputs"].spec(hub))({})).__name__),
        "input for none": outcome(lambda: hub.Module(KINDS["no_inputs"].spec(hub))(x)),
    }


@scenario
def inferred_shapes(hub, tf):
    """The shapes of outputs follow from the caller's inputs, not from the publisher's placeholders."""

    def module_fn():
        images = tf.placeholder(tf.float32, [None, None, None, 3])
        filters = tf.get_variable("filters", [3, 3, 3, 4])
        features = tf.nn.conv2d(images, filters, strides=[1, 2, 2, 1], padding="SAME")
        outputs = {"default": tf.reduce_mean(features, [1, 2]), "map": features, "flat": tf.reshape(features, [-1, 4])}
        outputs["sum"] = tf.reduce_sum(images)
        hub.add_signature(inputs=images, outputs=outputs)

    module = hub.Module(hub.create_module_spec(module_fn))
    inputs = {
        "known": tf.zeros([2, 8, 10, 3]), "batch": tf.placeholder(tf.float32, [None, 8, 10, 3]),
        "rank": tf.placeholder(tf.float32, [None] * 4), "unknown": tf.placeholder(tf.float32),
        "array": np.zeros([1, 3, 3, 3]),
    }  # fmt: skip
    return {name: {k: v.shape for k, v in module(x, as_dict=True).items()} for name, x in inputs.items()}


@scenario
def shapes_of_other_kinds(hub, tf):
    found = {}
    names = [
        "while_v1",
        "while_v2",
        "cond_v1",
        "cond_v2",
        "text",
        "ragged_in_and_out",
        "sparse_in_and_out",
        "tf_function",
        "nested",
        "nested_control_flow_v1",
        "no_inputs",
        "passed_through",
        "placeholders_with_defaults",
    ]
    for name in names:
        kind = KINDS[name]
        signature = next(iter(kind.inputs))
        with tf.Graph().as_default():
            module = hub.Module(kind.spec(hub))
            outputs = module(as_tensors(kind.inputs[signature]), signature=signature, as_dict=True)
            found[name] = {key: [output.dtype, output.shape] for key, output in outputs.items()}
    return found


@scenario
def applications_share_state(hub, tf):
    module = hub.Module(KINDS["control_dependencies"].spec(hub))
    counts = [module([1.0, 2.0], as_dict=True)["count"] for _ in range(3)]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [[int(session.run(count)) for count in counts] for _ in range(2)]


@scenario
def failing_checks_of_the_publisher(hub, tf):
    """Control dependencies are kept: an assertion still fails."""
    module = hub.Module(KINDS["control_dependencies"].spec(hub))
    return outcome(lambda: evaluate(module([200.0, 2.0])))


@scenario
def inputs_with_defaults_must_be_given(hub, tf):
    module = hub.Module(KINDS["placeholders_with_defaults"].spec(hub))
    x = tf.ones([1, 2])
    return [outcome(lambda: module({"x": x})), outcome(lambda: module({"x": x, "rate": 1.0}).shape)]


@scenario
def same_tensor_for_two_inputs(hub, tf):
    module = hub.Module(KINDS["several_signatures"].spec(hub))
    x = tf.constant([1.0, 2.0, 3.0])
    return evaluate(module({"a": x, "b": x}, signature="add"))


@scenario
def gradients_flow_through_modules(hub, tf):
    first = hub.Module(dense_spec(hub), trainable=True)
    second = hub.Module(dense_spec(hub, width=2), name="second")
    x = tf.constant([[1.0, 2.0, 3.0]])
    y = second(first(x))
    gradients = tf.gradients(y, [x, *tf.trainable_variables()])
    fixed = tf.gradients(y, second.variables)
    return evaluate(gradients), evaluate(fixed), [variable.name for variable in tf.trainable_variables()]


@scenario
def outputs_that_are_inputs(hub, tf):
    """Whether a passed-through output is the caller's own tensor."""
    module = hub.Module(KINDS["passed_through"].spec(hub))
    x = tf.ones([1, 2])
    outputs = module(x, as_dict=True)
    return [outputs["default"] is x, as_json(outputs), evaluate(outputs["constant"])]


@scenario
def random_ops_of_two_applications(hub, tf):
    """Seeds set by the publisher hold in each application and each session."""
    module = hub.Module(KINDS["random_with_seeds"].spec(hub))
    values = [module(tf.zeros([5]), as_dict=True)["normal"] for _ in range(2)]
    return [np.allclose(*evaluate(values)), evaluate(values[0]).tolist(), evaluate(values[0]).tolist()]


@scenario
def random_ops_and_the_callers_seed(hub, tf):
    """A seed of the caller's graph changes nothing in a module; a publisher's graph seed is kept."""

    def value(name, seed):
        with tf.Graph().as_default():
            if seed is not None:
                tf.set_random_seed(seed)
            return evaluate(hub.Module(KINDS[name].spec(hub))(tf.zeros([5])))

    seeded = [value("random_with_a_graph_seed", seed) for seed in (None, 1, 2)]
    return [seeded, np.allclose(seeded[0], seeded[1])]


@scenario
def initial_values_and_seeds(hub, tf):
    """Initializers without a seed differ from module to module; with one they agree."""

    def module_fn(seed):
        x = tf.placeholder(tf.float32, [4])
        w = tf.get_variable("w", [4], initializer=tf.random_uniform_initializer(seed=seed))
        hub.add_signature(inputs=x, outputs=x * w)

    found = []
    for seed in (None, 3):
        spec = hub.create_module_spec(module_fn, [(set(), {"seed": seed})])
        values = evaluate([hub.Module(spec)(tf.ones([4])) for _ in range(2)])
        found.append(bool(np.allclose(*values)))
    return found


@scenario
def calls_by_keyword(hub, tf):
    module = hub.Module(dense_spec(hub))
    x = tf.ones([1, 3])
    return outcomes(
        inputs=lambda: hub.Module(dense_spec(hub))(inputs=[[1.0, 2.0, 3.0]]).shape,
        all=lambda: hub.Module(dense_spec(hub))(inputs=[[1.0, 2.0, 3.0]], signature="default", as_dict=True),
        signature_none=lambda: hub.Module(dense_spec(hub))([[1.0, 2.0, 3.0]], signature=None).shape,
        elsewhere=lambda: module(x),
    )


@scenario
def application_in_another_graph(hub, tf):
    module = hub.Module(dense_spec(hub))
    with tf.Graph().as_default():
        return outcome(lambda: module([[1.0, 2.0, 3.0]]))
