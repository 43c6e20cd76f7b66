"""eval_function_for_module, modules of SavedModels, and the library's public face."""

import threading

import numpy as np

from tests.differential.recording import (
    collections,
    differs,
    evaluate,
    exported,
    new_dir,
    outcome,
    outcomes,
    raised,
    scenario,
)
from tests.module_fns import KINDS
from tests.module_fns.interfaces import RAGGED, SPARSE


@scenario
def eval_function(hub, tf):
    rows = np.ones([2, 3])
    found = {}
    spec = KINDS["several_signatures"].spec(hub)
    for source in [spec, exported(hub, spec)]:
        with hub.eval_function_for_module(source) as f:
            found["memory" if source is spec else "disk"] = {
                "shape": [f(rows).shape, type(f(rows)).__name__, f(rows).dtype.name],
                "list": f([[0.0, 0.0, 0.0]]),
                "dict": f({"default": np.zeros([1, 3])}),
                "signature": f({"x": rows}, signature="full-projection").shape,
                "one for a named input": f(rows, signature="full-projection").shape,
                "as_dict": sorted(f({"a": [1.0] * 3, "b": [0.0] * 3}, signature="add", as_dict=True)),
                "positional": outcome(lambda f=f: f(rows, None, "full-projection").shape),
                "errors": outcomes(
                    missing=lambda f=f: f(), extra=lambda f=f: f({"default": rows, "x": rows}),
                    signature=lambda f=f: f(rows, signature="nonsense"), shape=lambda f=f: f([[1.0]]),
                    output=lambda f=f: f(rows, nonsense=1), many=lambda f=f: f(rows, signature="add"),
                    text=lambda f=f: f("text"),
                ),
            }  # fmt: skip
    return found


@scenario
def eval_function_of_other_kinds(hub, tf):
    found = {}
    values = {
        "text": ["the cat", "mat"], "no_inputs": None, "image_of_declared_size": {"images": np.ones([1, 4, 6, 1])},
        "sparse_in": SPARSE, "ragged_in": RAGGED, "random_with_seeds": np.zeros([5]),
        "table_of_tensors": ["two", "ten"],
        "while_v1": {"x": np.zeros([1, 3]), "n": 0}, "two_vocabularies": ["b", "nothing"],
    }  # fmt: skip
    for name, value in values.items():

        def action(name=name, value=value):
            with hub.eval_function_for_module(KINDS[name].spec(hub)) as f:
                result = f(value, as_dict=True) if value is not None else f(as_dict=True)
                return {key: np.shape(item) for key, item in result.items() if isinstance(item, np.ndarray)}

        found[name] = outcome(action)
    return found


@scenario
def eval_function_and_tags(hub, tf):
    spec = KINDS["shared_variables"].spec(hub)
    path = exported(hub, spec)

    def shape(tags):
        def action():
            with hub.eval_function_for_module(path, tags=tags) as f:
                return f(np.ones([1, 3])).shape

        return action

    def ratio():
        values = []
        for tags in [None, {"train"}, ["gpu", "serve"]]:
            with hub.eval_function_for_module(path, tags) as f:
                values.append(f(np.ones([1, 3])))
        return [values[1] / values[0], values[2] / values[0]]

    return outcomes(none=shape(None), set=shape(set()), list=shape([]), unknown=shape({"nonsense"}), ratio=ratio)


@scenario(
    deliberate=differs(
        "a closed session is a RuntimeError that says so", {"[2]": (raised("AttributeError"), raised("RuntimeError"))}
    )
)
def eval_function_and_the_default_graph(hub, tf):
    """What is current inside and after; whether the caller's graph is touched."""
    outer = tf.get_default_graph()
    with hub.eval_function_for_module(KINDS["dense"].spec(hub)) as f:
        inside = [tf.get_default_graph() is outer, tf.get_default_session() is None]
        f(np.zeros([1, 3]))
        operations = len(tf.get_default_graph().get_operations())
        f(np.zeros([1, 3]))
        same = len(tf.get_default_graph().get_operations()) == operations
    after = outcome(lambda: f(np.zeros([1, 3])))
    return [inside, same, after, tf.get_default_graph() is outer, len(outer.get_operations())]


@scenario
def eval_function_in_threads(hub, tf):
    found = {}
    with hub.eval_function_for_module(KINDS["random_with_seeds"].spec(hub)) as f:

        def work(index):
            found[index] = outcome(lambda: f(np.full([5], float(index)), as_dict=True)["stateless"].shape)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    return found


@scenario
def eval_function_keeps_state(hub, tf):
    with hub.eval_function_for_module(KINDS["control_dependencies"].spec(hub)) as f:
        counts = [int(f([1.0, 2.0], as_dict=True)["count"]) for _ in range(3)]
        random = outcome(lambda: f([1000.0, 2.0]))
    return [counts, random]


@scenario
def eval_function_bad_modules(hub, tf):
    def use(source):
        def action():
            with hub.eval_function_for_module(source):
                return "used"

        return action

    return outcomes(nowhere=use("/nonsense/nowhere"), none=use(None), empty=use(new_dir()))


def _saved_model(tf, tags=("serve",), collection=None, legacy_init=False):
    path = new_dir() + "/saved_model"
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2])
        w = tf.get_variable("w", initializer=[3.0, 4.0])
        if collection:
            tf.add_to_collection(collection, x)
        info = tf.saved_model.build_tensor_info
        signature = tf.saved_model.build_signature_def({"x": info(x)}, {"y": info(x * w)}, "predict")
        session.run(tf.global_variables_initializer())
        builder = tf.saved_model.Builder(path)
        table_init = tf.tables_initializer() if legacy_init else None
        builder.add_meta_graph_and_variables(
            session, list(tags), {"serving_default": signature, "other": signature}, main_op=table_init
        )
        builder.save()
    return path


@scenario
def modules_of_saved_models(hub, tf):
    def made(path, **kwargs):
        def action():
            spec = hub.create_module_spec_from_saved_model(path, **kwargs)
            found = [sorted(map(sorted, spec.get_tags()))]
            tags = spec.get_tags()[0]
            module = hub.Module(spec, tags=set(tags))
            found += [sorted(spec.get_signature_names(tags=set(tags))), sorted(module.variable_map), collections()]
            y = module({"x": [[1.0, 2.0]]}, signature="serving_default", as_dict=True)["y"]
            return [*found, evaluate(y), y.name, evaluate(hub.Module(exported(hub, spec, tags), tags=tags).variables)]

        return action

    hub_module = exported(hub, KINDS["dense"].spec(hub))
    return outcomes(
        plain=made(_saved_model(tf)), tags=made(_saved_model(tf, ("a", "b"))),
        collection=made(_saved_model(tf, collection="mine")),
        dropped=made(_saved_model(tf, collection="mine"), drop_collections=["mine"]),
        init_op=made(_saved_model(tf, legacy_init=True)),
        init_op_dropped=made(_saved_model(tf, legacy_init=True), drop_collections=["saved_model_main_op"]),
        hub_module=lambda: sorted(hub.create_module_spec_from_saved_model(hub_module).get_signature_names()),
        nowhere=made("/nonsense/nowhere"), empty=made(new_dir()),
    )  # fmt: skip


@scenario
def modules_of_saved_models_with_assets(hub, tf):
    path = new_dir() + "/saved_model"
    with tf.Graph().as_default(), tf.Session() as session:
        KINDS["text"].make(_Signatures)[0]()
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        info = tf.saved_model.build_tensor_info
        signature = tf.saved_model.build_signature_def(
            {"default": info(_Signatures.x)}, {"default": info(_Signatures.y)}, "m"
        )
        builder = tf.saved_model.Builder(path)
        assets = tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)
        builder.add_meta_graph_and_variables(session, [], {"default": signature}, assets_collection=assets)
        builder.save()
    spec = hub.create_module_spec_from_saved_model(path)
    module = hub.Module(spec)
    return [evaluate(module(["the cat"])).shape, sorted(module.variable_map), exported(hub, spec) != path]


class _Signatures:
    """Takes the place of the library where only the graph is wanted."""

    @classmethod
    def add_signature(cls, inputs=None, outputs=None):
        cls.x, cls.y = inputs, outputs


@scenario
def public_attributes(hub, tf):
    """Public names of modules and specs, and that nothing may be set on properties."""
    names = [
        "ImageModuleInfo",
        "Module",
        "ModuleSpec",
        "add_signature",
        "attach_image_module_info",
        "attach_message",
        "create_module_spec",
        "create_module_spec_from_saved_model",
        "eval_function_for_module",
        "get_expected_image_size",
        "get_num_image_channels",
        "image_embedding_column",
        "load_module_spec",
        "resolve",
        "sparse_text_embedding_column",
        "text_embedding_column",
        "text_embedding_column_v2",
    ]
    module = hub.Module(KINDS["dense"].spec(hub))

    def setting(name):
        return outcome(lambda: setattr(module, name, None))

    return {
        "library": [hasattr(hub, name) for name in names],
        "unknown": outcome(lambda: hub.nonsense),
        "module": [hasattr(module, name) for name in dir(hub.Module) if not name.startswith("_")],
        "variables": setting("variables"),
        "variable_map": setting("variable_map"),
        "unknown of a module": outcome(lambda: module.nonsense),
    }


@scenario(
    deliberate=differs(
        "an application can do without pruning",
        {"/Module": (["spec", "trainable", "name", "tags"], ["spec", "trainable", "name", "tags", "prune"])},
    )
)
def arguments_of_public_functions(hub, tf):
    import inspect

    names = [
        "add_signature",
        "attach_image_module_info",
        "attach_message",
        "create_module_spec",
        "Module",
        "create_module_spec_from_saved_model",
        "eval_function_for_module",
        "get_expected_image_size",
        "get_num_image_channels",
        "image_embedding_column",
        "load_module_spec",
        "resolve",
        "sparse_text_embedding_column",
        "text_embedding_column",
        "text_embedding_column_v2",
    ]
    return {name: list(inspect.signature(getattr(hub, name)).parameters) for name in names}
