"""The names of a module's variables and of the nodes that it makes, which programs fetch by name."""

from tests.differential.recording import (
    ancestors,
    dense_spec,
    differs,
    evaluate,
    exported,
    outcome,
    outcomes,
    raised,
    returned,
    scenario,
)
from tests.module_fns import KINDS, as_tensors


def _names(variables):
    return [variable.name for variable in variables]


def _by_key(outputs):
    return [outputs[key] for key in sorted(outputs)]


@scenario
def variable_names(hub, tf):
    spec = dense_spec(hub)
    modules = [hub.Module(spec), hub.Module(spec), hub.Module(spec, name="encoder"), hub.Module(spec, name="a/b")]
    modules.append(hub.Module(spec, name="a/b"))
    return [[_names(module.variables), sorted(module.variable_map)] for module in modules]


@scenario
def variable_names_under_scopes(hub, tf):
    spec = dense_spec(hub)
    found = {}
    with tf.variable_scope("outer"):
        found["variable scope"] = _names(hub.Module(spec).variables)
        found["again"] = _names(hub.Module(spec, name="x/y").variables)
    with tf.name_scope("named"):
        found["name scope"] = _names(hub.Module(spec).variables)
    with tf.name_scope("named"), tf.variable_scope("inner"):
        found["both"] = _names(hub.Module(spec).variables)
    with tf.variable_scope("outer"):
        found["variable scope once more"] = outcome(lambda: hub.Module(spec))
        found["another name there"] = _names(hub.Module(spec, name="another").variables)
    with tf.variable_scope("", use_resource=False):
        found["empty scope"] = _names(hub.Module(spec).variables)
    return found


@scenario
def module_under_a_reusing_scope(hub, tf):
    spec = dense_spec(hub)

    def reuse():
        with tf.variable_scope("outer"):
            first = hub.Module(spec)
        with tf.variable_scope("outer", reuse=True):
            return [_names(first.variables), _names(hub.Module(spec).variables)]

    def auto_reuse():
        with tf.variable_scope("outer", reuse=tf.AUTO_REUSE):
            return [_names(hub.Module(spec).variables), _names(hub.Module(spec).variables)]

    return outcomes(reuse=reuse, auto_reuse=auto_reuse)


@scenario
def module_names_that_are_taken(hub, tf):
    spec = dense_spec(hub)

    def by_a_variable():
        tf.get_variable("module/w", [3, 2])
        return _names(hub.Module(spec).variables)

    def by_a_node():
        tf.no_op(name="module")
        return _names(hub.Module(spec).variables)

    def by_a_variable_scope():
        with tf.variable_scope("module"):
            tf.get_variable("v", [])
        return _names(hub.Module(spec).variables)

    def by_a_name_scope():
        with tf.name_scope("module"):
            tf.no_op()
        return _names(hub.Module(spec).variables)

    return outcomes(
        variable=by_a_variable, node=by_a_node, variable_scope=by_a_variable_scope, name_scope=by_a_name_scope
    )


@scenario(
    deliberate=differs(
        "names that TensorFlow can use are used, and no others",
        {
            "/empty": (returned([]), raised("ValueError")),
            "/none": (raised("TypeError"), raised("ValueError")),
            "/digit": (raised(), returned(["1st/w:0"])),
            "/trailing": (raised("KeyError", "LookupError"), returned(["end/w:0"])),
        },
    )
)
def odd_module_names(hub, tf):
    spec = dense_spec(hub)

    def named(name):
        return lambda: _names(hub.Module(spec, name=name).variables)

    return outcomes(
        empty=named(""), none=named(None), dash=named("my-module"), dot=named("my.module"), space=named("my module"),
        digit=named("1st"), underscore=named("_private"), trailing=named("end/"), leading=named("/start"),
        colon=named("a:b"),
    )  # fmt: skip


@scenario
def application_names(hub, tf):
    module = hub.Module(KINDS["several_signatures"].spec(hub), name="m")
    x = tf.zeros([2, 3])
    found = [module(x), module(x), module({"x": x}, signature="full-projection")]
    pair = {"a": tf.zeros([3]), "b": tf.zeros([3])}
    found += [module(pair, signature="add"), *_by_key(module(pair, signature="add", as_dict=True))]
    with tf.name_scope("tower"):
        found += [module(x), module(x)]
    with tf.variable_scope("scope"):
        found.append(module(x))
    with tf.variable_scope("scope"):
        found.append(module(x))
    with tf.name_scope("m"):
        found.append(module(x))
    return [tensor.name for tensor in found]


@scenario
def application_names_of_modules_with_scopes(hub, tf):
    spec = dense_spec(hub)
    x = tf.zeros([2, 3])
    found = [hub.Module(spec, name="a/b")(x), hub.Module(spec)(x), hub.Module(spec)(x)]
    with tf.variable_scope("outer"):
        module = hub.Module(spec)
        found.append(module(x))
    found.append(module(x))
    with tf.name_scope("elsewhere"):
        found += [module(x), hub.Module(spec, name="late")(x)]
    return [tensor.name for tensor in found]


@scenario
def application_when_its_name_is_taken(hub, tf):
    module = hub.Module(dense_spec(hub))
    tf.no_op(name="module_apply_default")
    return [module(tf.zeros([1, 3])).name, module(tf.zeros([1, 3])).name]


@scenario
def nodes_behind_outputs(hub, tf):
    """The nodes of an application, by name and type, for kinds of every structure."""
    found = {}
    names = [
        "dense",
        "several_outputs",
        "odd_keys",
        "text",
        "while_v1",
        "cond_v1",
        "while_v2",
        "partitioned_rows",
        "reference_variables",
        "colocated",
        "scopes",
        "nested",
        "control_dependencies",
        "tf_function",
        "sparse_in_and_out",
        "ragged_in_and_out",
        "constant_inputs",
        "placeholders_with_defaults",
        "passed_through",
        "no_inputs",
    ]
    for name in names:
        kind = KINDS[name]
        with tf.Graph().as_default():
            module = hub.Module(kind.spec(hub))
            outputs = {}
            for signature, inputs in kind.inputs.items():
                outputs |= module(as_tensors(inputs), signature=signature, as_dict=True)
            flat = tf.nest.flatten(outputs, expand_composites=True)
            nodes = ancestors(flat)
            found[name] = {
                "outputs": {key: str(getattr(value, "name", type(value).__name__)) for key, value in outputs.items()},
                "nodes": {node: op for node, op in nodes.items() if op not in ("Const", "Identity")},
            }
    return found


@scenario
def inner_tensors_by_name(hub, tf):
    """Programs reach into an application: activations and inputs by name."""
    module = hub.Module(KINDS["several_outputs"].spec(hub))
    x = tf.ones([2, 3])
    outputs = module(x)
    graph = tf.get_default_graph()
    names = ["module_apply_default/hidden_relu:0", "module_apply_default/MatMul:0", "module_apply_default/hidden_relu"]
    found = [graph.as_graph_element(name).name for name in names]
    gradient = tf.gradients(outputs, graph.get_tensor_by_name(names[0]))[0]
    return [found, gradient.shape]


@scenario
def nodes_of_variables(hub, tf):
    """Initializers, initial values and ops, by name."""
    found = {}
    for name in ["dense", "reference_variables", "partitioned_rows", "untrained_and_model_variables"]:
        with tf.Graph().as_default():
            module = hub.Module(KINDS[name].spec(hub))
            found[name] = {variable.name: _nodes_of(variable) for variable in module.variables}
    return found


def _nodes_of(variable):
    return {
        "initializer": variable.initializer.name,
        "initial value": variable.initial_value.op.name,
        "shared name": variable.op.get_attr("shared_name"),
        "op": [variable.op.name, variable.op.type],
    }


@scenario(
    deliberate=differs(
        "one restore op for all variables, under the module's name",
        {
            "/initializer": ("AssignVariableOp", "module/w/Assign"),
            "/initial value": ("checkpoint_initializer", "module/checkpoint_initializer"),
        },
    )
)
def nodes_of_variables_from_disk(hub, tf):
    return _nodes_of(hub.Module(exported(hub, dense_spec(hub))).variables[0])


USED = {"slash": (raised("KeyError", "LookupError"), ["a/b"], "module_apply_a/b"),
        "space": (raised("ValueError"), ["a b"], "module_apply_a_b"),
        "dollar": (raised("ValueError"), ["$x"], "module_apply__x")}  # fmt: skip


@scenario(
    deliberate=differs(
        "every signature can be applied; characters that TensorFlow's names cannot hold become `_`",
        {
            f"/{case}, {state}": (theirs, returned([names, f"{scope}/mul:0"]))
            for case, (theirs, names, scope) in USED.items()
            for state in (True, False)
        },
    )
)
def odd_signature_names(hub, tf):
    def named(name, with_variable):
        def action():
            def module_fn():
                x = tf.placeholder(tf.float32, [2])
                w = tf.get_variable("w", [2]) if with_variable else 2.0
                hub.add_signature(name, inputs=x, outputs=x * w)

            spec = hub.create_module_spec(module_fn)
            return [list(spec.get_signature_names()), hub.Module(spec)(tf.ones([2]), signature=name).name]

        return action

    names = {"dash": "full-projection", "dot": "a.b", "slash": "a/b", "space": "a b", "dollar": "$x", "digit": "0",
             "colon": "a:b", "empty": "", "underscore": "_x"}  # fmt: skip
    actions = {f"{key}, {state}": named(name, state) for key, name in names.items() for state in (True, False)}
    return outcomes(**actions)


@scenario
def import_of_a_graph_with_modules(hub, tf):
    """`import_meta_graph` of a graph that holds modules gives the same values under the same names."""
    module = hub.Module(dense_spec(hub), trainable=True)
    module(tf.ones([1, 3]))
    meta_graph = tf.train.export_meta_graph()
    with tf.Graph().as_default() as graph:
        tf.train.import_meta_graph(meta_graph)
        found = [_names(tf.global_variables()), _names(tf.trainable_variables())]
        found.append(evaluate(graph.get_tensor_by_name("module_apply_default/MatMul:0")).tolist())
    with tf.Graph().as_default() as graph:
        tf.train.import_meta_graph(meta_graph, import_scope="again")
        found.append(evaluate(graph.get_tensor_by_name("again/module_apply_default/MatMul:0")).tolist())
    return found


@scenario
def names_after_a_module_are_untouched(hub, tf):
    """What the caller makes afterwards is named as if there were no module."""
    module = hub.Module(dense_spec(hub))
    first = tf.constant(1.0)
    module(tf.zeros([1, 3]))
    second = tf.get_variable("w", [3])
    with tf.variable_scope("module_scope"):
        third = tf.get_variable("w", [3])
    with tf.variable_scope("outer"):
        hub.Module(dense_spec(hub))
        fourth = tf.get_variable("w", [3])
    return [first.name, second.name, third.name, fourth.name, tf.add(first, 1.0).name]
