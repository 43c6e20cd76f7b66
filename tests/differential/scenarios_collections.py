"""The collections of a graph, and a module's variables: before a module, after it is made, after it is applied."""

from tests.differential.recording import as_json, collections, dense_spec, differs, exported, outcome, scenario
from tests.module_fns import KINDS, as_tensors


def _stages(hub, tf, name, tags=None, from_disk=False, trainables=(False, True)):
    """Collections after each stage, for a module that is trained and one that is not."""
    kind = KINDS[name]
    spec = kind.spec(hub)
    source = exported(hub, spec, set(kind.exported)) if from_disk else spec
    found = {}
    for trainable in trainables:
        with tf.Graph().as_default() as graph:
            module = hub.Module(source, trainable=trainable, tags=tags)
            stages = {"made": collections()}
            for application in ["applied", "applied again"]:
                signature = next(iter(kind.inputs))
                module(as_tensors(kind.inputs[signature]), signature=signature, as_dict=True)
                stages[application] = collections()
            keys = {str(key) for key in graph.get_all_collection_keys()}
            stages["keys"] = sorted(keys - {"asset_filepaths"})
            found["trainable" if trainable else "fixed"] = stages
    return found


@scenario
def collections_of_dense(hub, tf):
    return {disk: _stages(hub, tf, "dense", from_disk=disk) for disk in (False, True)}


@scenario
def collections_of_regularized(hub, tf):
    return {disk: _stages(hub, tf, "regularized", from_disk=disk) for disk in (False, True)}


@scenario
def collections_of_batch_norm(hub, tf):
    tags = {"inference": None, "training": {"train"}}
    return {name: _stages(hub, tf, "batch_norm", tags=value) for name, value in tags.items()}


@scenario
def collections_of_batch_norm_from_disk(hub, tf):
    return _stages(hub, tf, "batch_norm", tags={"train"}, from_disk=True)


@scenario
def collections_of_text(hub, tf):
    return {disk: _stages(hub, tf, "text", from_disk=disk) for disk in (False, True)}


@scenario
def collections_of_tables_and_assets(hub, tf):
    names = ["two_vocabularies", "asset_read_by_the_graph", "table_of_tensors"]
    return {name: _stages(hub, tf, name, trainables=(False,)) for name in names}


PRUNED = "an application brings only the asset paths that it reads, and the state only those of its tables"


@scenario(
    deliberate=differs(
        PRUNED,
        {
            "/text": ([["module/asset_path:0"], ["module/asset_path:0", "module_apply_default/asset_path:0"]],
                      [["module/asset_path:0"], ["module/asset_path:0"]]),
            "/asset_read_by_the_graph": ([["module/path:0"], ["module/path:0", "module_apply_default/path:0"]],
                                         [[], ["module_apply_default/path:0"]]),
        },
    )
)  # fmt: skip
def asset_paths(hub, tf):
    found = {}
    for name in ["text", "asset_read_by_the_graph", "dense"]:
        kind = KINDS[name]
        with tf.Graph().as_default():
            module = hub.Module(kind.spec(hub))
            made = collections("asset_filepaths")["asset_filepaths"]
            module(as_tensors(kind.inputs["default"]), as_dict=True)
            found[name] = [made, collections("asset_filepaths")["asset_filepaths"]]
    return found


@scenario
def collections_of_partitioned(hub, tf):
    names = ["partitioned_rows", "partitioned_by_size", "partitioned_references", "partitioned_lookup"]
    return {name: _stages(hub, tf, name) for name in names}


@scenario
def collections_of_model_variables(hub, tf):
    return {disk: _stages(hub, tf, "untrained_and_model_variables", from_disk=disk) for disk in (False, True)}


@scenario
def collections_of_nested_modules(hub, tf):
    names = ["nested", "nested_with_assets", "nested_with_regularizers_and_updates"]
    return {name: _stages(hub, tf, name) for name in names}


@scenario
def collections_of_reference_variables(hub, tf):
    return {disk: _stages(hub, tf, "reference_variables", from_disk=disk) for disk in (False, True)}


@scenario
def collections_under_scopes(hub, tf):
    """Names of losses and update ops when the module and its applications stand under scopes."""
    with tf.variable_scope("outer"):
        module = hub.Module(KINDS["batch_norm"].spec(hub), trainable=True, tags={"train"}, name="m")
        made = collections()
    with tf.name_scope("tower"):
        module(tf.zeros([2, 3]))
    return [made, collections()]


@scenario
def losses_are_those_of_the_variables(hub, tf):
    """Each module brings its losses once, whatever the number of applications; a scope selects them."""
    spec = KINDS["regularized"].spec(hub)
    for name in ["first", "second"]:
        module = hub.Module(spec, trainable=True, name=name)
        module(tf.zeros([1, 3]))
        module(tf.zeros([1, 3]))
    return [
        [loss.name for loss in tf.losses.get_regularization_losses()],
        [loss.name for loss in tf.losses.get_regularization_losses(scope="first/")],
        [loss.shape.as_list() for loss in tf.losses.get_regularization_losses()],
    ]


@scenario
def local_variables_of_a_module(hub, tf):
    """LOCAL_VARIABLES is not among the collections that a module may carry."""

    def module_fn():
        x = tf.placeholder(tf.float32, [2])
        v = tf.get_variable("v", [2], collections=[tf.GraphKeys.LOCAL_VARIABLES])
        hub.add_signature(inputs=x, outputs=x + v)

    found = {"kept": outcome(lambda: hub.create_module_spec(module_fn).get_tags())}

    def dropped():
        module = hub.Module(hub.create_module_spec(module_fn, drop_collections=[tf.GraphKeys.LOCAL_VARIABLES]))
        return [sorted(module.variable_map), collections()]

    found["dropped"] = outcome(dropped)
    return found


@scenario
def variable_maps(hub, tf):
    """Keys in order, and what stands behind them."""
    names = [
        "dense", "several_signatures", "partitioned_rows", "partitioned_by_size", "partitioned_references",
        "partitioned_lookup", "reference_variables", "variables_of_all_types", "variables_of_odd_shapes",
        "untrained_and_model_variables", "nested", "nested_with_assets", "text", "no_inputs", "passed_through",
        "random_with_seeds", "batch_norm",
    ]  # fmt: skip
    found = {}
    for name in names:
        with tf.Graph().as_default():
            module = hub.Module(KINDS[name].spec(hub), name="m")
            found[name] = {
                key: [type(value).__name__ if isinstance(value, list) else "one", as_json(value)]
                for key, value in module.variable_map.items()
            }
            found[name]["order"] = list(module.variable_map)
            found[name]["variables"] = [variable.name for variable in module.variables]
    return found


@scenario
def properties_of_variables(hub, tf):
    """What a variable of a module says of itself: class, type, shape, trainable, slices."""
    names = [
        "dense",
        "partitioned_rows",
        "reference_variables",
        "untrained_and_model_variables",
        "odd_keys",
        "variables_of_all_types",
    ]
    found = {}
    for name in names:
        for trainable in (False, True):
            with tf.Graph().as_default():
                module = hub.Module(KINDS[name].spec(hub), name="m", trainable=trainable)
                found[f"{name}, {trainable}"] = {variable.name: _properties(variable) for variable in module.variables}
    return found


def _properties(variable):
    info = variable._get_save_slice_info()
    return {
        "class": type(variable).__name__,
        "dtype": variable.dtype.name,
        "shape": str(variable.shape),
        "trainable": variable.trainable,
        "slice": None if info is None else [info.full_name, info.full_shape, info.var_offset, info.var_shape],
        "device": variable.device,
    }


@scenario
def collections_hold_the_same_objects(hub, tf):
    module = hub.Module(KINDS["untrained_and_model_variables"].spec(hub), trainable=True)
    by_name = {variable.name: variable for variable in module.variables}
    return {
        key: [by_name[variable.name] is variable for variable in tf.get_collection(key)]
        for key in ["variables", "trainable_variables", "model_variables"]
    }


@scenario
def module_that_adds_to_a_full_graph(hub, tf):
    """Collections of the caller keep what they held, in front."""
    own = tf.get_variable("own", [2], regularizer=lambda w: tf.reduce_sum(w))
    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.no_op(name="own_update"))
    module = hub.Module(KINDS["batch_norm"].spec(hub), trainable=True, tags={"train"})
    module(tf.zeros([2, 3]))
    return [own.name, collections()]


@scenario(deliberate=differs("the map and the list are the caller's own copies", {"[0]": ([], ["w"]), "[1]": (0, 1)}))
def map_can_be_changed_by_its_owner(hub, tf):
    """Whether a change to the returned map is seen by the next one who asks."""
    module = hub.Module(dense_spec(hub))
    module.variable_map.clear()
    module.variables.clear() if isinstance(module.variables, list) else None
    return [list(module.variable_map), len(module.variables), type(module.variable_map).__name__]
