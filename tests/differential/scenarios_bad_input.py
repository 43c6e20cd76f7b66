"""The class of the exception for every kind of bad input."""

import os
import shutil

from tests.differential.recording import (
    dense_spec,
    differs,
    exported,
    files_in,
    new_dir,
    outcome,
    outcomes,
    raised,
    returned,
    scenario,
)
from tests.module_fns import KINDS


def _spec(hub, body):
    def action():
        return sorted(hub.create_module_spec(body).get_signature_names())

    return action


@scenario(
    deliberate=differs(
        "an input that is no tensor gives the same error as an output that is none",
        {f"/{case}": (raised("AttributeError"), raised("ValueError"))
         for case in ["number_in", "text_in", "list_in", "none_in", "nested_dict", "outside"]},
    )
    | differs("a variable's value is an output", {"/variable_out": (raised("ValueError"), returned(["default"]))})
    | differs(
        "a tensor of another graph cannot be in the module",
        {"/tensor_of_another_graph": (returned([{"set of": []}]), raised("KeyError", "LookupError", "ValueError"))},
    )
)  # fmt: skip
def bad_signatures(hub, tf):
    def signature(*args, **kwargs):
        return lambda: hub.add_signature(*args, **kwargs)

    def placeholder():
        return tf.placeholder(tf.float32, [2])

    def with_x(make):
        def module_fn():
            make(placeholder())

        return _spec(hub, module_fn)

    return outcomes(
        none=_spec(hub, lambda: None),
        twice=with_x(lambda x: [hub.add_signature(inputs=x, outputs=x + 1.0), hub.add_signature(inputs=x, outputs=x)]),
        no_outputs=with_x(lambda x: hub.add_signature(inputs=x)),
        empty_outputs=with_x(lambda x: hub.add_signature(inputs=x, outputs={})),
        outputs_none=with_x(lambda x: hub.add_signature(inputs=x, outputs=None)),
        number_out=with_x(lambda x: hub.add_signature(inputs=x, outputs=5.0)),
        number_in=with_x(lambda x: hub.add_signature(inputs=5.0, outputs=x)),
        text_in=with_x(lambda x: hub.add_signature(inputs="x", outputs=x)),
        list_out=with_x(lambda x: hub.add_signature(inputs=x, outputs=[x, x])),
        list_in=with_x(lambda x: hub.add_signature(inputs=[x], outputs=x)),
        none_in=with_x(lambda x: hub.add_signature(inputs={"a": None}, outputs=x)),
        none_out=with_x(lambda x: hub.add_signature(inputs=x, outputs={"default": None})),
        operation_out=with_x(lambda x: hub.add_signature(inputs=x, outputs=tf.no_op())),
        array_out=with_x(lambda x: hub.add_signature(inputs=x, outputs={"default": [1.0, 2.0]})),
        variable_out=with_x(lambda x: hub.add_signature(inputs=x, outputs=tf.get_variable("v", [2]))),
        variable_in=_spec(hub, lambda: hub.add_signature(inputs=tf.get_variable("v", [2]), outputs=tf.zeros([2]))),
        key_that_is_no_text=with_x(lambda x: hub.add_signature(inputs={0: x}, outputs={1: x})),
        name_that_is_no_text=with_x(lambda x: hub.add_signature(5, inputs=x, outputs=x)),
        nested_dict=with_x(lambda x: hub.add_signature(inputs={"a": {"b": x}}, outputs=x)),
        computed_input=with_x(lambda x: hub.add_signature(inputs=x + 1.0, outputs=x + 2.0)),
        same_input_twice=with_x(lambda x: hub.add_signature(inputs={"a": x, "b": x}, outputs=x)),
        tensor_of_another_graph=lambda: _other_graph(hub, tf),
        outside=signature(inputs=1, outputs=2),
    )


def _other_graph(hub, tf):
    outer = tf.placeholder(tf.float32, [2])
    return hub.create_module_spec(lambda: hub.add_signature(inputs=outer, outputs=outer + 1.0)).get_tags()


@scenario
def inputs_that_are_computed_from_state(hub, tf):
    """Inputs are replaced at application; what stands before them is left out."""

    def module_fn(kind="add"):
        w = tf.get_variable("w", [2])
        x = {"add": lambda: w + 1.0, "read": lambda: w.read_value(), "table": lambda: tf.placeholder(tf.float32, [2])}[
            kind
        ]()
        hub.add_signature(inputs=x, outputs=x * 2.0)

    def applied(kind):
        return lambda: hub.Module(hub.create_module_spec(module_fn, [(set(), {"kind": kind})]))([1.0, 2.0]).shape

    return outcomes(add=applied("add"), read=applied("read"), table=applied("table"))


@scenario
def colocations_that_cannot_be(hub, tf):
    def input_under_a_constraint():
        w = tf.get_variable("w", [2])
        with tf.colocate_with(w):
            x = tf.placeholder(tf.float32, [2])
        hub.add_signature(inputs=x, outputs=x * w)

    def state_with_an_op():
        x = tf.placeholder(tf.float32, [2])
        y = x * 2.0
        with tf.colocate_with(y):
            w = tf.get_variable("w", [2])
        hub.add_signature(inputs=x, outputs=x * w)

    def state_with_an_input():
        x = tf.placeholder(tf.float32, [2])
        with tf.colocate_with(x):
            w = tf.get_variable("w", [2])
        hub.add_signature(inputs=x, outputs=x * w)

    def op_with_an_input():
        x = tf.placeholder(tf.float32, [2])
        with tf.colocate_with(x):
            y = x * 2.0
        hub.add_signature(inputs=x, outputs=y)

    def output_with_an_input_of_many():
        x, y = tf.placeholder(tf.float32, [2]), tf.placeholder(tf.float32, [2])
        with tf.colocate_with(x), tf.colocate_with(y):
            z = x * y
        hub.add_signature(inputs={"x": x, "y": y}, outputs=z)

    def applied(module_fn):
        def action():
            module = hub.Module(hub.create_module_spec(module_fn))
            inputs = {key: [1.0, 2.0] for key in module.get_input_info_dict()}
            return module(inputs).op.colocation_groups()

        return action

    functions = [input_under_a_constraint, state_with_an_op, state_with_an_input, op_with_an_input,
                 output_with_an_input_of_many]  # fmt: skip
    found = {f"{fn.__name__}, made": outcome(_spec(hub, fn)) for fn in functions}
    return found | outcomes(**{f"{fn.__name__}, applied": applied(fn) for fn in functions})


@scenario(
    deliberate=differs(
        "what TensorFlow can make a tensor of is a tensor", {"/variable": (raised("ValueError"), returned("(2, 2)"))}
    )
    | differs(
        "a type that is wrong is a TypeError",
        {"/signature of another type": (raised("AttributeError"), raised("TypeError"))},
    )
)
def bad_calls(hub, tf):
    module = hub.Module(KINDS["several_signatures"].spec(hub))
    tail = tf.ones([2, 3])
    pair = {"a": tf.zeros([3]), "b": tf.zeros([3])}
    cases = {
        "nothing": lambda: module(),
        "missing": lambda: module({"a": pair["a"]}, signature="add"),
        "extra": lambda: module({**pair, "c": pair["a"]}, signature="add"),
        "wrong key": lambda: module({"x": tail}),
        "single for many": lambda: module(tail, signature="add"),
        "single for a named one": lambda: module(tail, signature="full-projection"),
        "rank": lambda: module(tf.ones([3])),
        "shape": lambda: module(tf.ones([2, 4])),
        "shape of a list": lambda: module([[1.0, 2.0]]),
        "ragged list": lambda: module([[1.0, 2.0, 3.0], [1.0]]),
        "dtype": lambda: module(tf.ones([2, 3], tf.int32)),
        "dtype of a list": lambda: module([[1, 2, 3]]),
        "text": lambda: module("text"),
        "none": lambda: module(None),
        "empty": lambda: module({}),
        "value none": lambda: module({"default": None}),
        "sparse": lambda: module(tf.SparseTensor([[0, 0]], [1.0], [2, 3])),
        "unknown signature": lambda: module(tail, signature="nonsense"),
        "signature of another type": lambda: module(tail, signature=5),
        "no default output": lambda: _without_default(hub, tf)(tail),
        "positional signature": lambda: module(tail, "full-projection"),
        "unknown keyword": lambda: module(tail, nonsense=True),
        "wide unknown": lambda: module(tf.placeholder(tf.float32)).shape,
        "narrow unknown": lambda: module(tf.placeholder(tf.float32, [None, None])).shape,
        "operation": lambda: module(tf.no_op()),
        "variable": lambda: module(tf.get_variable("v", [2, 3])).shape,
        "list of tensors": lambda: module([tail, tail]),
        "another graph": lambda: module(_elsewhere(tf)),
    }
    return {name: outcome(action) for name, action in cases.items()}


def _without_default(hub, tf):
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs={"only": x})

    return hub.Module(hub.create_module_spec(module_fn))


def _elsewhere(tf):
    with tf.Graph().as_default():
        return tf.ones([2, 3])


@scenario(
    deliberate=differs(
        "what TensorFlow can make a sparse or ragged tensor of is one",
        {
            "/sparse value": (raised("ValueError"), returned("(2, 2)")),
            "/ragged value": (raised("TypeError"), returned("(2,)")),
            "/list for ragged": (raised("ValueError"), returned("(2,)")),
            "/other splits": (raised("TypeError"), returned("(2,)")),
            "/other type": (
                raised("ValueError"),
                returned("module_apply_default_2/SparseTensorDenseMatMul/SparseTensorDenseMatMul:0"),
            ),
        },
    )
)
def bad_sparse_and_ragged_calls(hub, tf):
    sparse = hub.Module(KINDS["sparse_in"].spec(hub))
    ragged = hub.Module(KINDS["ragged_in"].spec(hub))
    value = tf.SparseTensorValue([[0, 1]], [1.0], [2, 4])
    ragged_value = tf.ragged.constant_value([[1.0, 2.0], []], dtype="float32")
    cases = {
        "sparse value": lambda: sparse(value).shape,
        "sparse tensor": lambda: sparse(tf.SparseTensor.from_value(value)).shape,
        "dense for sparse": lambda: sparse(tf.ones([2, 4])),
        "list for sparse": lambda: sparse([[1.0, 2.0, 3.0, 4.0]]),
        "other type": lambda: sparse(tf.SparseTensorValue([[0, 1]], [1], [2, 4])),
        "other shape": lambda: sparse(tf.SparseTensorValue([[0, 1]], [1.0], [2, 5])),
        "other rank": lambda: sparse(tf.SparseTensorValue([[0]], [1.0], [2])),
        "ragged for sparse": lambda: sparse(ragged_value),
        "ragged value": lambda: ragged(ragged_value).shape,
        "ragged tensor": lambda: ragged(tf.ragged.constant([[1.0], []])).shape,
        "dense for ragged": lambda: ragged(tf.ones([2, 4])),
        "list for ragged": lambda: ragged([[1.0], [2.0, 3.0]]).shape,
        "sparse for ragged": lambda: ragged(tf.SparseTensor.from_value(value)),
        "other splits": lambda: ragged(tf.ragged.constant([[1.0], []], row_splits_dtype=tf.int32)).shape,
        "ragged of rank 2": lambda: ragged(tf.ragged.constant([[[1.0], []]])),
        "integers": lambda: ragged(tf.ragged.constant([[1], []])),
    }
    return {name: outcome(action) for name, action in cases.items()}


@scenario
def bad_modules(hub, tf):
    spec = KINDS["batch_norm"].spec(hub)
    lacking = exported(hub, KINDS["variant_that_lacks_variables"].spec(hub))
    return outcomes(
        unknown_tags=lambda: hub.Module(spec, tags={"nonsense"}),
        no_spec=lambda: hub.Module(None),
        number=lambda: hub.Module(5),
        nowhere=lambda: hub.Module(new_dir() + "/nowhere"),
        empty_directory=lambda: hub.Module(new_dir()),
        missing_variables=lambda: hub.Module(lacking, tags={"train"}),
        no_such_host=lambda: hub.Module("nonsense"),
        bytes=lambda: hub.Module(exported(hub, spec).encode()).get_signature_names(),
        spec_keyword=lambda: hub.Module(spec=spec, name="n", tags=None, trainable=False).get_signature_names(),
        positional=lambda: hub.Module(spec, True, "n", {"train"}).get_signature_names(),
    )


@scenario(
    deliberate=differs(
        "damage is a CorruptModuleError, whatever found it",
        {
            "/empty graph/spec": (raised("KeyError", "LookupError"), raised("ValueError")),
            "/truncated index/module": (raised("OpError"), raised("ValueError")),
        },
    )
)
def bad_directories(hub, tf):
    """What comes of a damaged module, when its spec is read and when it is used."""
    good = exported(hub, dense_spec(hub))

    def damaged(change):
        path = new_dir() + "/damaged"
        shutil.copytree(good, path)
        change(path)
        return {
            "spec": outcome(lambda: sorted(hub.load_module_spec(path).get_signature_names())),
            "module": outcomes(_=lambda: [v.name for v in hub.Module(path).variables])["_"],
        }

    def write(name, data):
        def change(path):
            with open(os.path.join(path, name), "wb") as file:
                file.write(data)

        return change

    def truncate(name):
        def change(path):
            os.truncate(os.path.join(path, name), os.path.getsize(os.path.join(path, name)) // 2)

        return change

    return {
        "no marker": damaged(lambda path: os.remove(path + "/tfhub_module.pb")),
        "empty marker": damaged(write("tfhub_module.pb", b"")),
        "unknown format": damaged(write("tfhub_module.pb", b"\x08\x02")),
        "unknown feature": damaged(write("tfhub_module.pb", b"\x08\x03\x12\x04nuts")),
        "broken marker": damaged(write("tfhub_module.pb", b"\x08")),
        "no graph": damaged(lambda path: os.remove(path + "/saved_model.pb")),
        "truncated graph": damaged(truncate("saved_model.pb")),
        "empty graph": damaged(write("saved_model.pb", b"")),
        "no variables": damaged(lambda path: shutil.rmtree(path + "/variables")),
        "no index": damaged(lambda path: os.remove(path + "/variables/variables.index")),
        "truncated index": damaged(truncate("variables/variables.index")),
        "extra file": damaged(write("README.md", b"hello")),
        "files": files_in(good),
    }


@scenario
def checkpoints_that_do_not_fit(hub, tf):
    """A module whose variables have other shapes, names or types than those on disk."""
    narrow, wide = exported(hub, dense_spec(hub, 3)), exported(hub, dense_spec(hub, 4))

    def swapped(source):
        path = new_dir() + "/swapped"
        shutil.copytree(narrow, path)
        shutil.rmtree(path + "/variables")
        shutil.copytree(source + "/variables", path + "/variables")
        return path

    def session_of(path):
        module = hub.Module(path)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return len(module.variables)

    other_names = exported(hub, KINDS["regularized"].spec(hub))
    return outcomes(shape=lambda: session_of(swapped(wide)), names=lambda: session_of(swapped(other_names)))


@scenario(
    deliberate=differs(
        "a handle that is no string is a TypeError",
        {f"/{case}": (raised("AttributeError"), raised("TypeError")) for case in ["none", "resolved_number"]},
    )
)
def handles(hub, tf):
    """Forms of a handle that names a directory."""
    path = exported(hub, dense_spec(hub))

    def loaded(handle):
        return lambda: sorted(hub.load_module_spec(handle).get_signature_names())

    return outcomes(
        plain=loaded(path), slash=loaded(path + "/"),
        resolved=lambda: hub.resolve(path) == path, resolved_slash=lambda: hub.resolve(path + "/") == path + "/",
        resolved_nowhere=lambda: hub.resolve("/nonsense/nowhere"), resolved_relative=lambda: hub.resolve("nonsense"),
        resolved_plain=lambda: hub.resolve(os.path.dirname(path)) == os.path.dirname(path),
        relative=loaded(os.path.relpath(path)), nowhere=loaded("/nonsense/nowhere"), none=loaded(None),
        resolved_number=lambda: hub.resolve(5), resolved_empty=lambda: hub.resolve(""),
    )  # fmt: skip
