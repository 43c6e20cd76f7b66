"""What an export writes, and where it may write."""

import os

from tests.differential.recording import (
    dense_spec,
    differs,
    evaluate,
    exported,
    files_in,
    new_dir,
    outcome,
    outcomes,
    raised,
    scenario,
)
from tests.module_fns import KINDS, as_tensors


def initialised_session(tf):
    session = tf.Session()
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    return session


def checkpoint_of(tf, path):
    reader = tf.train.load_checkpoint(path + "/variables/variables")
    return {name: [str(shape), reader.get_variable_to_dtype_map()[name]] for name, shape in
            sorted(reader.get_variable_to_shape_map().items())}  # fmt: skip


def _saved_model(path):
    from tensorflow.core.protobuf import saved_model_pb2

    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        return saved_model_pb2.SavedModel.FromString(file.read())


NOTHING_OF_THE_PUBLISHER = "nothing of the publisher's machine stays in a module"


@scenario(
    deliberate=differs(
        "a second asset of one name keeps its ending",
        {"/two_vocabularies[1]": ("assets/words.txt0", "assets/words_1.txt")},
    )
)
def files_of_an_export(hub, tf):
    found = {}
    names = [
        "dense",
        "no_inputs",
        "text",
        "two_vocabularies",
        "asset_read_by_the_graph",
        "batch_norm",
        "image",
        "inputs_of_all_types",
        "nested_with_assets",
        "partitioned_rows",
        "random_with_seeds",
    ]
    for name in names:
        found[name] = files_in(exported(hub, KINDS[name].spec(hub)))
    return found


@scenario
def checkpoints_of_an_export(hub, tf):
    found = {}
    names = [
        "dense",
        "text",
        "batch_norm",
        "nested",
        "nested_with_assets",
        "partitioned_rows",
        "partitioned_by_size",
        "reference_variables",
        "untrained_and_model_variables",
        "variables_of_all_types",
        "variables_of_odd_shapes",
    ]
    for name in names:
        found[name] = checkpoint_of(tf, exported(hub, KINDS[name].spec(hub)))
    return found


@scenario
def meta_graphs_of_an_export(hub, tf):
    """Tags, collections, signatures and asset entries on disk."""
    found = {}
    names = [
        "dense",
        "text",
        "two_vocabularies",
        "batch_norm",
        "attached_messages",
        "while_v1",
        "cond_v1",
        "while_v2",
        "regularized",
        "table_of_tensors",
        "collections_to_drop",
        "odd_keys",
        "untrained_and_model_variables",
        "image",
    ]
    for name in names:
        saved_model = _saved_model(exported(hub, KINDS[name].spec(hub)))
        found[name] = [
            {
                "tags": sorted(meta_graph.meta_info_def.tags),
                "collections": {key: _size(value) for key, value in sorted(meta_graph.collection_def.items())},
                "signatures": sorted(meta_graph.signature_def),
                "assets": len(meta_graph.asset_file_def),
                "method": [signature.method_name for signature in meta_graph.signature_def.values()],
                "saver": meta_graph.saver_def.restore_op_name,
                "stripped": meta_graph.meta_info_def.stripped_default_attrs,
                "operations": sorted(op.name for op in meta_graph.meta_info_def.stripped_op_list.op),
            }
            for meta_graph in saved_model.meta_graphs
        ]
    return found


def _size(collection):
    kind = collection.WhichOneof("kind")
    return [kind, len(getattr(collection, kind).value)]


@scenario(
    deliberate=differs("a placeholder says whose it is", {"[1]/asset_path[0]": ("SAVEDMODEL-ASSET", "tf1hub-asset")})
)
def assets_of_an_export(hub, tf):
    """What stands in the graph and the collection in place of the publisher's path."""
    path = exported(hub, KINDS["text"].spec(hub))
    meta_graph = _saved_model(path).meta_graphs[0]
    from tensorflow.core.protobuf import meta_graph_pb2

    entries = [
        meta_graph_pb2.AssetFileDef.FromString(item.value)
        for item in meta_graph.collection_def["saved_model_assets"].any_list.value
    ]
    constants = {
        node.name: node.attr["value"].tensor.string_val[:] for node in meta_graph.graph_def.node if "asset" in node.name
    }
    return [[[entry.filename, entry.tensor_info.name] for entry in entries], constants]


@scenario(
    deliberate=differs(NOTHING_OF_THE_PUBLISHER, {"": (["", "/device:CPU:0", "/device:CPU:1", "/device:GPU:7"], [""])})
)
def devices_of_an_export(hub, tf):
    """A publisher's devices in the exported graph."""
    meta_graph = _saved_model(exported(hub, KINDS["on_devices"].spec(hub))).meta_graphs[0]
    return sorted({node.device for node in meta_graph.graph_def.node})


@scenario(
    deliberate=differs(
        NOTHING_OF_THE_PUBLISHER,
        {f"/{name}": (True, False) for name in ["text", "two_vocabularies", "nested_with_assets"]},
    )
)
def paths_in_an_export(hub, tf):
    """Whether the publisher's directory is found anywhere in the exported files."""
    found = {}
    for name in ["text", "two_vocabularies", "asset_read_by_the_graph", "nested_with_assets"]:
        path = exported(hub, KINDS[name].spec(hub))
        with open(path + "/saved_model.pb", "rb") as file:
            data = file.read()
        found[name] = b"tf1hub-module-fns" in data
    return found


@scenario(
    deliberate=differs(
        "a file in the way is something that exists already",
        {
            place: (raised("FailedPreconditionError"), raised("AlreadyExistsError"))
            for place in ("/file", "/under a file")
        },
    )
)
def places_to_export_to(hub, tf):
    module = hub.Module(dense_spec(hub))
    session = initialised_session(tf)
    taken = exported(hub, dense_spec(hub))
    in_use = new_dir()
    with open(in_use + "/README.md", "w") as file:
        file.write("hello")
    a_file = new_dir() + "/file"
    with open(a_file, "w") as file:
        file.write("hello")
    places = {
        "new": new_dir() + "/module", "nested": new_dir() + "/a/b/c", "empty": new_dir(), "in use": in_use,
        "slash": new_dir() + "/m/",
        "taken": taken, "file": a_file, "under a file": a_file + "/module", "bytes": new_dir().encode() + b"/module",
        "relative": os.path.relpath(new_dir()) + "/module", "none": None, "number": 5,
    }  # fmt: skip
    found = {}
    for name, path in places.items():
        found[name] = outcome(lambda path=path: module.export(path, session))
        if isinstance(path, str) and os.path.isdir(path):
            found[name]["files"] = files_in(path)
    return found


@scenario
def forms_of_export(hub, tf):
    module = hub.Module(dense_spec(hub))
    session = initialised_session(tf)
    other = tf.Session(graph=tf.Graph())
    uninitialised = tf.Session()
    calls = {
        "keyword": lambda path: module.export(path, session=session),
        "keywords": lambda path: module.export(path=path, session=session),
        "default session": lambda path: module.export(path),
        "another graph": lambda path: module.export(path, other),
        "uninitialised": lambda path: module.export(path, uninitialised),
        "none": lambda path: module.export(path, None),
        "result": lambda path: module.export(path, session),
    }
    found = {}
    for name, call in calls.items():
        path = new_dir() + "/module"
        found[name] = [outcome(lambda call=call, path=path: call(path)), os.path.isfile(path + "/tfhub_module.pb")]
    return found


@scenario
def export_in_another_default_graph(hub, tf):
    module = hub.Module(dense_spec(hub))
    session = initialised_session(tf)
    path = new_dir() + "/module"
    with tf.Graph().as_default() as graph:
        found = outcome(lambda: module.export(path, session))
        return [found, files_in(path), len(graph.get_operations())]


@scenario
def export_adds_nothing_to_the_graph(hub, tf):
    """Nodes and collections that an export adds to the caller's graph."""
    module = hub.Module(dense_spec(hub))
    session = initialised_session(tf)
    graph = tf.get_default_graph()
    before = len(graph.get_operations()), sorted(map(str, graph.get_all_collection_keys()))
    module.export(new_dir() + "/module", session)
    return before == (len(graph.get_operations()), sorted(map(str, graph.get_all_collection_keys())))


@scenario
def exported_values(hub, tf):
    """A module that was changed, exported, loaded, changed and exported again, with all its variants."""
    kind = KINDS["batch_norm"]
    module = hub.Module(kind.spec(hub), trainable=True, tags={"train"})
    session = initialised_session(tf)
    session.run([variable.assign(variable * 0.0 + 3.0) for variable in module.variables])
    path = exported_again = new_dir() + "/module"
    module.export(path, session)
    with tf.Graph().as_default():
        loaded = hub.Module(path)
        outputs = evaluate(loaded(as_tensors(kind.inputs["default"])))
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            exported_again = new_dir() + "/module"
            loaded.export(exported_again, session)
    return [
        outputs,
        sorted(map(sorted, hub.load_module_spec(exported_again).get_tags())),
        checkpoint_of(tf, exported_again),
    ]


@scenario
def export_of_a_variant_decides_the_variables(hub, tf):
    spec = KINDS["variant_with_more_variables"].spec(hub)
    return {str(tags): checkpoint_of(tf, exported(hub, spec, tags)) for tags in (None, ["train"])}


@scenario
def moved_modules(hub, tf):
    """A module that is moved after its export finds its assets."""
    path = exported(hub, KINDS["text"].spec(hub))
    moved = new_dir() + "/elsewhere"
    os.rename(path, moved)
    return evaluate(hub.Module(moved)(["the cat"])).shape


@scenario
def files_that_are_missing(hub, tf):
    """An asset that is gone when the module is exported, or used."""

    def gone_at_export():
        def module_fn():
            path = new_dir() + "/tokens.txt"
            tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, tf.constant(path))
            hub.add_signature(outputs=tf.constant(path))

        path = new_dir() + "/module"
        module = hub.Module(hub.create_module_spec(module_fn))
        try:
            module.export(path, tf.Session())
        finally:
            assert not os.path.exists(path + "/tfhub_module.pb")

    def gone_at_use():
        path = exported(hub, KINDS["text"].spec(hub))
        os.remove(path + "/assets/tokens.txt")
        return evaluate(hub.Module(path)(["the"]))

    return outcomes(export=gone_at_export, use=gone_at_use)
