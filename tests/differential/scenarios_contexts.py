"""Modules made and applied within loops, conds, functions, devices, strategies and finished graphs."""

import threading

from tests.differential.recording import (
    ancestors,
    as_json,
    dense_spec,
    differs,
    evaluate,
    exported,
    files_in,
    new_dir,
    outcome,
    outcomes,
    raised,
    returned,
    scenario,
)
from tests.module_fns import KINDS, as_tensors
from tests.module_fns.registry import control_flow_v1, control_flow_v2

ROW = [[1.0, 2.0, 3.0]]


def _square_spec(hub, tf):
    """A module that maps rows of three to rows of three."""

    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        w = tf.get_variable("w", [3], initializer=tf.constant_initializer(2.0))
        hub.add_signature(inputs=x, outputs=x * w)

    return hub.create_module_spec(module_fn)


def _in_a_loop(tf, body):
    return tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, body(x)), [0, tf.constant(ROW)])[1]


def _within(hub, tf, control_flow, place, spec=None):
    """A module applied in a loop or a branch, or made there as well."""
    spec = spec or _square_spec(hub, tf)

    def loop():
        module = hub.Module(spec, trainable=True)
        with control_flow():
            y = _in_a_loop(tf, module)
            return [y.shape, evaluate(y), evaluate(tf.gradients(y, module.variables))]

    def branch():
        module = hub.Module(spec, trainable=True)
        choice = tf.placeholder_with_default(True, [])
        x = tf.constant(ROW)
        with control_flow():
            y = tf.cond(choice, lambda: module(x), lambda: x)
            return [y.shape, evaluate(y), evaluate(y, {choice: False}), evaluate(tf.gradients(y, module.variables))]

    def made_in_a_loop():
        with control_flow():
            return evaluate(_in_a_loop(tf, lambda x: hub.Module(spec)(x)))

    def made_in_a_branch():
        x = tf.constant(ROW)
        with control_flow():
            y = tf.cond(tf.placeholder_with_default(True, []), lambda: hub.Module(spec)(x), lambda: x)
        return [variable.name for variable in tf.global_variables()], evaluate(y)

    actions = {"loop": loop, "branch": branch, "made in a loop": made_in_a_loop, "made in a branch": made_in_a_branch}
    with tf.Graph().as_default():
        return outcome(actions[place])


@scenario
def applied_in_a_v1_loop(hub, tf):
    return _within(hub, tf, control_flow_v1, "loop")


FUNCTIONS = "a module is applied in the functions of its graph"
ELSEWHERE = raised("RuntimeError")


@scenario(
    deliberate=differs(FUNCTIONS, {"": (ELSEWHERE, returned(["(1, 3)", [[8.0, 16.0, 24.0]], [[12.0, 24.0, 36.0]]]))})
)
def applied_in_a_v2_loop(hub, tf):
    return _within(hub, tf, control_flow_v2, "loop")


@scenario
def applied_in_a_v1_cond(hub, tf):
    return _within(hub, tf, control_flow_v1, "branch")


@scenario(
    deliberate=differs(
        FUNCTIONS,
        {"": (ELSEWHERE, returned(["(1, 3)", [[2.0, 4.0, 6.0]], [[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]]]))},
    )
)
def applied_in_a_v2_cond(hub, tf):
    return _within(hub, tf, control_flow_v2, "branch")


@scenario
def made_in_v1_control_flow(hub, tf):
    return {place: _within(hub, tf, control_flow_v1, place) for place in ["made in a loop", "made in a branch"]}


@scenario(
    deliberate=differs(
        "a module that is made in a function has its state in the graph around it",
        {
            "/made in a loop": (raised("ValueError"), returned([[8.0, 16.0, 24.0]])),
            "/made in a branch": (raised("ValueError"), returned([["module/w:0"], [[2.0, 4.0, 6.0]]])),
        },
    )
)
def made_in_v2_control_flow(hub, tf):
    return {place: _within(hub, tf, control_flow_v2, place) for place in ["made in a loop", "made in a branch"]}


INNER_KINDS = ["while_v1", "cond_v1", "while_v2", "cond_v2", "tf_function", "batch_norm", "text", "partitioned_rows"]


@scenario(
    deliberate=differs(FUNCTIONS, {f"/{name} in control_flow_v2": (ELSEWHERE, returned([])) for name in INNER_KINDS})
)
def modules_with_loops_in_loops(hub, tf):
    """A module with control flow of its own, applied within the caller's."""
    found = {}
    for name in INNER_KINDS:
        kind = KINDS[name]
        inputs = kind.inputs["default"]
        for flow in [control_flow_v1, control_flow_v2]:

            def action(kind=kind, inputs=inputs, flow=flow):
                module = hub.Module(kind.spec(hub), trainable=True)
                with flow():
                    value = tf.cond(
                        tf.placeholder_with_default(True, []),
                        lambda: tf.reduce_sum(module(as_tensors(inputs))),
                        lambda: 0.0,
                    )
                return evaluate(value).shape

            found[f"{name} in {flow.__name__}"] = outcomes(_=action)["_"]
    return found


@scenario(
    deliberate=differs(
        FUNCTIONS,
        {
            "/made": (raised("ValueError"), returned([["module/w:0"], [[2.0, 4.0, 6.0]]])),
            "/applied": (ELSEWHERE, returned([[2.0, 4.0, 6.0]])),
        },
    )
)
def inside_a_wrap_function_in_a_graph(hub, tf):
    spec = _square_spec(hub, tf)
    signature = [tf.TensorSpec([None, 3], tf.float32)]

    def made_inside():
        wrapped = tf.wrap_function(lambda x: hub.Module(spec, trainable=True)(x), signature)
        y = wrapped(tf.constant(ROW))
        return [variable.name for variable in tf.global_variables()], evaluate(y)

    def applied_inside():
        return evaluate(tf.wrap_function(hub.Module(spec), signature)(tf.constant(ROW)))

    return outcomes(made=made_inside, applied=applied_inside)


@scenario
def inside_an_eager_wrap_function(hub, tf):
    """As TF2 programs used modules: the wrapped function owns the variables."""
    path = exported(hub, _square_spec(hub, tf))
    signature = [tf.TensorSpec([None, 3], tf.float32)]

    def from_disk():
        wrapped = tf.wrap_function(lambda x: hub.Module(path, trainable=True)(x), signature)
        names = {
            key: [v.name for v in wrapped.graph.get_collection(key)] for key in ["variables", "trainable_variables"]
        }
        return [names, [variable.name for variable in wrapped.variables], wrapped(tf.constant(ROW)).numpy()]

    return _eagerly(lambda: outcome(from_disk))


def _eagerly(action):
    """The action's result in a thread of its own, where no graph is the default one."""
    found = []
    thread = threading.Thread(target=lambda: found.append(action()))
    thread.start()
    thread.join()
    return found[0]


@scenario(
    deliberate=differs(
        FUNCTIONS,
        {
            "/applied": (ELSEWHERE, returned([[2.0, 4.0, 6.0]])),
            "/made": (raised("ValueError"), returned([[2.0, 4.0, 6.0]])),
        },
    )
)
def inside_a_tf_function(hub, tf):
    spec = _square_spec(hub, tf)

    def applied():
        module = hub.Module(spec)
        function = tf.function(lambda x: module(x))
        return evaluate(function(tf.constant(ROW)))

    def made():
        return evaluate(tf.function(lambda x: hub.Module(spec)(x))(tf.constant(ROW)))

    return outcomes(applied=applied, made=made)


@scenario
def in_eager_mode(hub, tf):
    spec = _square_spec(hub, tf)

    return {
        "made": _eagerly(lambda: outcome(lambda: [v.name for v in hub.Module(spec).variables])),
        "spec": _eagerly(lambda: outcome(lambda: sorted(_square_spec(hub, tf).get_signature_names()))),
    }


@scenario
def under_distribution_strategies(hub, tf):
    import tensorflow

    spec = _square_spec(hub, tf)

    def under(strategy):
        def action():
            with strategy().scope():
                module = hub.Module(spec, trainable=True)
                y = module(ROW)
            return [type(module.variables[0]).__name__, module.variables[0].name, evaluate(y)]

        return action

    return outcomes(
        default=under(tensorflow.distribute.get_strategy),
        one=under(lambda: tensorflow.distribute.OneDeviceStrategy("/cpu:0")),
        mirrored=under(lambda: tensorflow.distribute.MirroredStrategy(["/cpu:0"])),
    )


@scenario
def on_devices(hub, tf):
    """Devices of the caller and of the publisher, and colocation."""
    found = {}
    for name in ["dense", "on_devices", "colocated"]:
        for where in ["", "/device:CPU:0", "/job:worker/task:1"]:
            with tf.Graph().as_default() as graph:
                with tf.device(where or None):
                    module = hub.Module(KINDS[name].spec(hub))
                made = {op.name: op.device for op in graph.get_operations() if op.type == "VarHandleOp"}
                with tf.device("/device:CPU:3" if where else None):
                    output = module(tf.zeros([1, 3]))
                applied = {name: graph.get_operation_by_name(name).device for name in ancestors([output])}
                found[f"{name} at {where or 'no device'}"] = [made, applied, output.op.name]
    return found


@scenario
def colocation_in_applications(hub, tf):
    found = {}
    for name in ["colocated", "partitioned_lookup", "dense"]:
        with tf.Graph().as_default() as graph:
            kind = KINDS[name]
            module = hub.Module(kind.spec(hub))
            nodes = ancestors([module(as_tensors(kind.inputs["default"]))])
            found[name] = {
                name: as_json(sorted(graph.get_operation_by_name(name).colocation_groups())) for name in nodes
            }
    return found


@scenario
def replica_device_setter(hub, tf):
    setter = tf.train.replica_device_setter(ps_tasks=2, worker_device="/job:worker/task:3")
    with tf.device(setter):
        module = hub.Module(KINDS["several_outputs"].spec(hub))
        y = module(tf.zeros([1, 3]))
    return [{variable.name: variable.device for variable in module.variables}, y.device]


@scenario
def control_dependencies_of_the_caller(hub, tf):
    """A module made and applied under the caller's control dependencies."""
    counter = tf.get_variable("counter", [], initializer=tf.zeros_initializer())
    with tf.control_dependencies([counter.assign_add(1.0)]):
        module = hub.Module(_square_spec(hub, tf))
        y = module(ROW)
    initializer = module.variables[0].initializer
    with tf.Session() as session:
        session.run(counter.initializer)
        session.run(initializer)
        after_initializer = session.run(counter)
        session.run(y)
        return [after_initializer, session.run(counter)]


@scenario
def finalised_graphs(hub, tf):
    module = hub.Module(_square_spec(hub, tf))
    y = module(ROW)
    path = exported(hub, _square_spec(hub, tf))
    init = tf.global_variables_initializer()
    tf.get_default_graph().finalize()
    with tf.Session() as session:
        session.run(init)
        found = {"run": session.run(y)}
    found["apply"] = outcome(lambda: module(ROW))
    found["make"] = outcome(lambda: hub.Module(path))
    found["ask"] = sorted(module.get_signature_names())
    return found


@scenario
def exports_from_finalised_graphs(hub, tf):
    module = hub.Module(_square_spec(hub, tf))
    init = tf.global_variables_initializer()
    path = new_dir() + "/module"
    with tf.Session() as session:
        session.run(init)
        tf.get_default_graph().finalize()
        found = outcome(lambda: module.export(path, session))
    return [found, files_in(path)]


@scenario
def monitored_sessions(hub, tf):
    module = hub.Module(KINDS["text"].spec(hub), trainable=True)
    y = module(["the cat"])
    with tf.train.MonitoredSession() as session:
        return session.run(y).shape


@scenario
def nested_modules_share_what_they_hold(hub, tf):
    """Names, collections and assets of a module within a module within a module."""
    inner = KINDS["nested"].spec(hub)

    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        module = hub.Module(inner, trainable=True, name="inner")
        hub.add_signature(inputs=x, outputs={"default": module(x), "twice": module(x * 2.0)})

    spec = hub.create_module_spec(module_fn)
    module = hub.Module(spec, trainable=True)
    outputs = module(ROW, as_dict=True)
    found = [sorted(module.variable_map), [v.name for v in tf.trainable_variables()], as_json(outputs)]
    loaded = hub.Module(exported(hub, spec), name="loaded")
    return [*found, sorted(loaded.variable_map), loaded(ROW).name]


@scenario
def modules_in_threads(hub, tf):
    """Two threads, each with a graph of its own."""
    spec = _square_spec(hub, tf)
    found = {}

    def work(index):
        with tf.Graph().as_default():
            found[index] = evaluate(hub.Module(spec)(ROW)).tolist()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return found


@scenario(deliberate=differs(FUNCTIONS, {"": (ELSEWHERE, returned([[6.0, 6.0]]))}))
def modules_of_a_dataset_map(hub, tf):
    """A module applied within `Dataset.map`, whose body is a function graph."""
    module = hub.Module(dense_spec(hub))

    def action():
        dataset = tf.data.Dataset.from_tensors(ROW).map(lambda x: module(x))
        iterator = tf.data.make_initializable_iterator(dataset)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(iterator.initializer)
            return session.run(iterator.get_next())

    return outcome(action)
