"""The values of a module's variables: initialised, fed, restored, assigned, saved, partitioned."""

import numpy as np

from tests.differential.recording import dense_spec, evaluate, exported, new_dir, outcome, outcomes, scenario
from tests.module_fns import KINDS, as_tensors, assign_values

ROW = [[1.0, 2.0, 3.0]]


def _values(tf, module):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return {name: session.run(variable) for name, variable in sorted(module.variable_map.items())}


@scenario
def initial_values(hub, tf):
    """From a spec the publisher's initializers; from disk the values there."""
    spec = dense_spec(hub)
    path = new_dir() + "/module"
    with tf.Graph().as_default(), tf.Session() as session:
        module = hub.Module(spec)
        assign_values(module, session)
        module.export(path, session)
    return [_values(tf, hub.Module(spec)), _values(tf, hub.Module(path, name="from_disk"))]


@scenario
def values_of_uninitialised_variables(hub, tf):
    found = {}
    for name in ["dense", "reference_variables"]:
        spec = KINDS[name].spec(hub)
        for source in [spec, exported(hub, spec)]:
            with tf.Graph().as_default(), tf.Session() as session:
                module = hub.Module(source)
                y = module(tf.ones([1, 3]))
                where = "memory" if source is spec else "disk"
                found[f"{name} from {where}"] = [
                    outcome(lambda s=session, y=y: s.run(y)),
                    sorted(item.decode() for item in session.run(tf.report_uninitialized_variables())),
                ]
    return found


@scenario
def values_that_are_fed(hub, tf):
    """Initializers never run: the values of the variables' reads are fed."""
    module = hub.Module(dense_spec(hub), trainable=True)
    y = module(ROW)
    graph = tf.get_default_graph()
    reads = [op.outputs[0] for op in graph.get_operations() if op.type == "ReadVariableOp" and "apply" in op.name]
    needed = [read for read in reads if "MatMul" in read.name]
    with tf.Session() as session:
        return [[read.name for read in needed], session.run(y, {read: np.ones([3, 2]) for read in needed})]


@scenario
def loading_in_the_initializer(hub, tf):
    """`variables_initializer` of one module's variables alone, and initialising twice."""
    path = exported(hub, dense_spec(hub))
    first, second = hub.Module(path), hub.Module(path)
    with tf.Session() as session:
        session.run(tf.variables_initializer(first.variables))
        state = [session.run(tf.is_variable_initialized(v)) for v in first.variables + second.variables]
        session.run(first.variables[0].assign(first.variables[0] * 5.0))
        session.run(tf.global_variables_initializer())
        return [list(map(bool, state)), session.run(first.variables)]


@scenario
def one_variable_initialised_alone(hub, tf):
    path = exported(hub, KINDS["several_outputs"].spec(hub))
    module = hub.Module(path)
    with tf.Session() as session:
        session.run(module.variables[0].initializer)
        return [bool(session.run(tf.is_variable_initialized(variable))) for variable in module.variables]


@scenario
def variables_that_depend_on_a_modules_values(hub, tf):
    """Another variable initialised from a module's, by `initialized_value` and by ordered initialisation."""
    module = hub.Module(dense_spec(hub))
    w = module.variables[0]
    copy = tf.Variable(w.initial_value * 2.0, name="copy")
    return [evaluate(copy), outcome(lambda: evaluate(w.initialized_value()))]


@scenario
def assigning_through_the_map(hub, tf):
    module = hub.Module(KINDS["dense"].spec(hub))
    y = module(ROW)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(module.variable_map["kernel"].assign(np.ones([3, 2])))
        session.run(tf.assign(module.variable_map["bias"], [1.0, -1.0]))
        module.variable_map["bias"].load([0.5, 0.25], session)
        return session.run([module.variable_map["bias"], y])


@scenario
def savers_on_modules(hub, tf):
    """A Saver of the graph, of the map and of the variables; names in the checkpoints."""
    module = hub.Module(KINDS["partitioned_rows"].spec(hub))
    folder = new_dir()
    found = {}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        savers = {
            "graph": lambda: tf.train.Saver(),
            "map": lambda: tf.train.Saver(module.variable_map),
            "variables": lambda: tf.train.Saver(module.variables),
        }
        for name, make in savers.items():

            def action(make=make, name=name):
                path = make().save(session, f"{folder}/{name}")
                return sorted(tf.train.list_variables(path))

            found[name] = outcome(action)
        before = session.run(module.variables)
        saver = tf.train.Saver()
        path = saver.save(session, folder + "/again")
        session.run([variable.assign(variable * 0.0) for variable in module.variables])
        saver.restore(session, path)
        found["restored"] = all(np.allclose(a, b) for a, b in zip(before, session.run(module.variables), strict=True))
    return found


@scenario
def init_from_checkpoint(hub, tf):
    """Forms of assignment maps, with plain and partitioned variables."""
    values = np.arange(21, dtype=np.float32).reshape(7, 3)
    path = new_dir() + "/model.ckpt"
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("old/embeddings", initializer=values)
        tf.get_variable("old/plain", initializer=[1.0, 2.0, 3.0])
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, path)

    def restored(assignment):
        def action():
            module = hub.Module(KINDS["partitioned_rows"].spec(hub))
            tf.train.init_from_checkpoint(path, assignment(module.variable_map))
            found = _values(tf, module)
            return [
                np.allclose(np.concatenate(found["embeddings"]), values),
                np.allclose(found["plain"], [1.0, 2.0, 3.0]),
            ]

        return action

    return outcomes(
        lists=restored(lambda variables: {"old/" + name: variable for name, variable in variables.items()}),
        scopes=restored(lambda variables: {"old/": "module/"}),
        names=restored(lambda variables: {"old/embeddings": "module/embeddings", "old/plain": "module/plain"}),
    )


@scenario
def init_from_a_modules_own_checkpoint(hub, tf):
    path = exported(hub, KINDS["dense"].spec(hub))
    module = hub.Module(KINDS["dense"].spec(hub))
    tf.train.init_from_checkpoint(path + "/variables/variables", module.variable_map)
    loaded = hub.Module(path, name="loaded")
    values = evaluate([module.variables, loaded.variables])
    return [np.allclose(a, b) for a, b in zip(*values, strict=True)]


@scenario
def restoring_over_a_loaded_module(hub, tf):
    """init_from_checkpoint on a module from disk wins over the values on disk."""
    ones = exported(hub, dense_spec(hub))
    checkpoint = new_dir() + "/model.ckpt"
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("w", initializer=np.full([3, 2], 4.0, np.float32))
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, checkpoint)
    module = hub.Module(ones)
    tf.train.init_from_checkpoint(checkpoint, {"w": module.variable_map["w"]})
    return _values(tf, module)


@scenario
def modules_under_a_partitioner(hub, tf):
    """The caller's partitioner, initializer, regularizer and dtype leave a module alone."""
    with tf.variable_scope(
        "outer",
        partitioner=tf.fixed_size_partitioner(2),
        initializer=tf.zeros_initializer(),
        regularizer=lambda w: tf.reduce_sum(w),
        constraint=tf.nn.relu,
        dtype=tf.float64,
    ):
        module = hub.Module(KINDS["partitioned_lookup"].spec(hub), trainable=True)
        other = hub.Module(dense_spec(hub), trainable=True)
        y = other(ROW)
    return [
        {name: len(value) if isinstance(value, list) else "one" for name, value in module.variable_map.items()},
        [variable.name for variable in other.variables], len(tf.losses.get_regularization_losses()), evaluate(y),
    ]  # fmt: skip


@scenario
def modules_under_custom_getters(hub, tf):
    """A custom getter or variable creator of the caller does not see a module's variables."""
    seen = []

    def getter(getter, name, *args, **kwargs):
        seen.append(name)
        return getter(name, *args, **kwargs)

    def creator(next_creator, **kwargs):
        seen.append("created")
        return next_creator(**kwargs)

    with tf.variable_scope("outer", custom_getter=getter), tf.variable_creator_scope(creator):
        hub.Module(dense_spec(hub))
    return seen


@scenario
def modules_where_references_are_the_default(hub, tf):
    """Variables stay what the publisher made them, whatever the caller's defaults."""
    found = {}
    for name in ["dense", "reference_variables"]:
        for use_resource in (True, False):
            with tf.Graph().as_default(), tf.variable_scope("", use_resource=use_resource):
                module = hub.Module(KINDS[name].spec(hub))
                found[f"{name}, {use_resource}"] = [type(variable).__name__ for variable in module.variables]
    return found


@scenario
def moving_averages_of_module_variables(hub, tf):
    module = hub.Module(dense_spec(hub), trainable=True)
    average = tf.train.ExponentialMovingAverage(0.5)
    update = average.apply(tf.trainable_variables())
    return [average.average_name(module.variables[0]), update.name]


@scenario
def training_steps(hub, tf):
    """Optimizers' slots, and the values after steps with each of the usual optimizers."""
    found = {}
    for name in ["GradientDescentOptimizer", "MomentumOptimizer", "AdamOptimizer", "AdagradOptimizer"]:
        for kind in ["dense", "partitioned_rows", "reference_variables"]:
            with tf.Graph().as_default(), tf.Session() as session:
                module = hub.Module(KINDS[kind].spec(hub), trainable=True)
                loss = tf.reduce_sum(tf.square(module(as_tensors(KINDS[kind].inputs["default"]))))
                arguments = [0.1, 0.9] if name == "MomentumOptimizer" else [0.1]
                step = getattr(tf.train, name)(*arguments).minimize(loss)
                session.run(tf.global_variables_initializer())
                assign_values(module, session)
                [session.run(step) for _ in range(2)]
                found[f"{name}, {kind}"] = [session.run(loss), sorted(v.name for v in tf.global_variables())]
    return found


@scenario
def updates_of_batch_norm(hub, tf):
    """Update ops run once for each application, and only when they are asked for."""
    module = hub.Module(KINDS["batch_norm"].spec(hub), trainable=True, tags={"train"})
    y = module(tf.constant(KINDS["batch_norm"].inputs["default"]["default"]))
    module(tf.zeros([2, 3]))
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    mean = module.variable_map["norm/moving_mean"]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assign_values(module, session)
        before = session.run(mean)
        session.run(y)
        after_forward = session.run(mean)
        session.run(updates[0])
        return [before, after_forward, session.run(mean), len(updates)]
