"""What a spec says of itself, and the forms in which `create_module_spec` takes its arguments."""

import functools

from tests.differential.recording import dense_spec, differs, exported, outcome, outcomes, raised, returned, scenario
from tests.module_fns import KINDS


def _adder(hub, tf):
    def module_fn(amount=1.0, name="x"):
        x = tf.placeholder(tf.float32, [2], name=name)
        hub.add_signature(inputs=x, outputs=x + amount)

    return module_fn


@scenario
def tags_of_a_spec(hub, tf):
    found = {}
    for name in ["dense", "batch_norm", "shared_variables"]:
        spec = KINDS[name].spec(hub)
        for source, each in [("memory", spec), ("disk", hub.load_module_spec(exported(hub, spec)))]:
            tags = each.get_tags()
            found[f"{name}, {source}"] = [
                type(tags).__name__, [sorted(item) for item in tags], [type(item).__name__ for item in tags],
            ]  # fmt: skip
    return found


@scenario(
    deliberate=differs(
        "a string is no set of tags",
        {"/text": (returned([["a", "i", "n", "r", "t"]]), raised("KeyError", "LookupError", "ValueError"))},
    )
)
def forms_of_tags_and_args(hub, tf):
    def tags(value):
        def action():
            spec = hub.create_module_spec(_adder(hub, tf), value)
            return [sorted(item) for item in spec.get_tags()]

        return action

    return outcomes(
        none=tags(None), empty=tags([]), set=tags([(set(), {})]), list=tags([([], {})]), one=tags([(["train"], {})]),
        tuple=tags([(("a", "b"), {})]), frozenset=tags([(frozenset({"a"}), {})]), as_tuple=tags(((set(), {}),)),
        inner_lists=tags([[set(), {}]]), text=tags([("train", {})]), no_args=tags([(set(), None)]),
        dictionary=tags([({}, {})]), generator=tags(item for item in [(set(), {})]), no_tags=tags([(None, {})]),
        twice=tags([(set(), {}), ([], {})]), numbers=tags([({1}, {})]), triple=tags([(set(), {}, {})]),
        arguments=tags([({"a"}, {"amount": 2.0}), ({"b"}, {"amount": 3.0, "name": "y"})]),
        unknown_argument=tags([(set(), {"nonsense": 1})]), repeated_tag=tags([(["a", "a"], {})]),
    )  # fmt: skip


@scenario
def forms_of_module_fn(hub, tf):
    class Publisher:
        def __init__(self):
            self.amount = 4.0

        def method(self, amount=None):
            _adder(hub, tf)(amount or self.amount)

        def __call__(self):
            self.method()

        @staticmethod
        def static():
            _adder(hub, tf)()

    def needs_an_argument(amount):
        _adder(hub, tf)(amount)

    def returns():
        _adder(hub, tf)()
        return "ignored"

    def fails():
        raise ZeroDivisionError("within")

    def made(function, *args, **kwargs):
        def action():
            spec = hub.create_module_spec(function, *args, **kwargs)
            with tf.Session() as session:
                return session.run(hub.Module(spec)([1.0, 2.0]))

        return action

    return outcomes(
        partial=made(functools.partial(_adder(hub, tf), 5.0)), method=made(Publisher().method),
        callable=made(Publisher()), static=made(Publisher.static), wrapped=made(lambda: _adder(hub, tf)()),
        argument=made(needs_an_argument), returns=made(returns), fails=made(fails), none=made(None), text=made("fn"),
        keywords=made(_adder(hub, tf), tags_and_args=None),
        all_keywords=made(_adder(hub, tf), drop_collections=None, tags_and_args=[(set(), {"amount": 7.0})]),
        positional=made(_adder(hub, tf), [(set(), {"amount": 8.0})], ["x"]),
    )  # fmt: skip


@scenario
def state_around_module_fn(hub, tf):
    """Inside: a fresh graph, resource variables, no devices, no scopes. Outside: all as it was."""
    seen = {}

    def module_fn():
        graph = tf.get_default_graph()
        x = tf.placeholder(tf.float32, [2])
        w = tf.get_variable("w", [2])
        seen.update(
            operations=len(graph.get_operations()), resource=type(w).__name__, device=w.device, name=x.name,
            own_graph=graph is not outer, scope=tf.get_variable_scope().name, seed=graph.seed,
            variable=type(tf.Variable([1.0])).__name__, eager=tf.executing_eagerly(),
            use_resource=tf.get_variable_scope().use_resource, caching=str(tf.get_variable_scope().caching_device),
        )  # fmt: skip
        hub.add_signature(inputs=x, outputs=x * w)

    outer = tf.get_default_graph()
    tf.set_random_seed(5)
    with tf.variable_scope("outer"), tf.device("/cpu:0"), tf.control_dependencies([tf.no_op()]):
        hub.create_module_spec(module_fn)
    return [seen, len(outer.get_operations()), outer is tf.get_default_graph(), tf.get_variable_scope().use_resource]


@scenario
def drop_collections(hub, tf):
    def module_fn():
        x = tf.placeholder(tf.float32, [2])
        tf.add_to_collection("mine", x)
        tf.add_to_collection("other", 5)
        hub.add_signature(inputs=x, outputs=x + 1.0)

    def made(value):
        return lambda: len(hub.create_module_spec(module_fn, drop_collections=value).get_tags())

    return outcomes(
        none=made(None), all=made(["mine", "other"]), tuple=made(("mine", "other")), one=made(["mine"]),
        extra=made(["mine", "other", "third"]), set=made({"mine", "other"}), text=made("mine"),
    )  # fmt: skip


@scenario(
    deliberate=differs(
        "an asset's path must be known at export",
        {"/asset_filepaths": (returned(["asset_filepaths", "trainable_variables", "variables"]), raised("ValueError"))},
    )
    | differs(
        "a variable that is listed twice is one variable",
        {"/variables": (raised("ValueError"), returned(["trainable_variables", "variables"]))},
    )
    | differs(
        "there it slips through for what cannot be written; a real step, runner or Saver it refuses as well",
        {
            f"/{key}": (returned(["trainable_variables", "variables"]), raised("ValueError"))
            for key in ("global_step", "queue_runners", "savers")
        },
    )
)
def collections_that_may_not_be_kept(hub, tf):
    """Which collections of TensorFlow's make create_module_spec fail, and which go along."""
    found = {}
    keys = sorted(value for name, value in vars(tf.GraphKeys).items() if name.isupper() and isinstance(value, str))
    for key in keys:

        def module_fn(key=key):
            x = tf.placeholder(tf.float32, [2])
            y = tf.identity(x, name="y")
            w = tf.get_variable("w", [2])
            tf.add_to_collection(key, w if key.endswith("variables") else y)
            hub.add_signature(inputs=x, outputs=y * w)

        def action(module_fn=module_fn):
            module = hub.Module(hub.create_module_spec(module_fn), trainable=True)
            module([1.0, 2.0])
            return sorted(str(key) for key in tf.get_default_graph().get_all_collection_keys())

        with tf.Graph().as_default():
            found[key] = outcome(action)
    return found


@scenario
def signature_names(hub, tf):
    found = {}
    for name in ["dense", "several_signatures", "odd_keys", "signature_with_a_slash", "shared_variables"]:
        spec = KINDS[name].spec(hub)
        names = spec.get_signature_names()
        found[name] = [type(names).__name__ if not isinstance(names, list) else "list", sorted(names)]
        found[f"{name} of the module"] = sorted(hub.Module(spec).get_signature_names())
    tags = KINDS["shared_variables"].tags
    found["by tags"] = [sorted(spec.get_signature_names(tags=set(each))) for each in tags]
    return found


@scenario
def infos(hub, tf):
    """dtype, shape, sparseness and text of every input and output."""
    found = {}
    names = [
        "dense",
        "several_signatures",
        "several_outputs",
        "odd_keys",
        "no_inputs",
        "sparse_in_and_out",
        "sparse_in",
        "ragged_in_and_out",
        "image",
        "inputs_of_all_types",
        "constant_inputs",
        "text",
    ]
    for name in names:
        spec = KINDS[name].spec(hub)
        for source, each in [("memory", spec), ("disk", hub.load_module_spec(exported(hub, spec)))]:
            for signature in KINDS[name].inputs:
                pair = each.get_input_info_dict(signature), each.get_output_info_dict(signature)
                found[f"{name}/{signature}, {source}"] = [
                    {key: _info(info) for key, info in sorted(infos.items())} for infos in pair
                ]
    return found


def _info(info):
    return {
        "dtype": outcome(lambda: info.dtype),
        "dtype is": type(info.dtype).__name__,
        "shape": outcome(lambda: info.get_shape()),
        "shape is": type(info.get_shape()).__name__,
        "sparse": [info.is_sparse, info.is_composite],
        "type_spec": outcome(lambda: info.type_spec),
        "text": [str(info), repr(info)],
    }


@scenario
def infos_of_a_module(hub, tf):
    module = hub.Module(KINDS["several_signatures"].spec(hub))
    return {
        "input": module.get_input_info_dict(),
        "output": module.get_output_info_dict(),
        "named": [module.get_input_info_dict(signature="add"), module.get_output_info_dict("add")],
        "unknown": outcomes(
            input=lambda: module.get_input_info_dict("nonsense"), output=lambda: module.get_output_info_dict("nonsense")
        ),
        "types": [type(module.get_input_info_dict()).__name__, type(module.get_output_info_dict()).__name__],
    }


@scenario
def forms_of_tags_when_asking(hub, tf):
    spec = KINDS["batch_norm"].spec(hub)

    def signature(tags):
        return lambda: sorted(spec.get_signature_names(tags=tags))

    forms = {
        "none": None, "set": set(), "list": [], "tuple": (), "dictionary": {}, "text": "train", "train": {"train"},
        "train list": ["train"], "frozenset": frozenset({"train"}), "unknown": {"nonsense"}, "too many": {"train", "x"},
        "bytes": {b"train"}, "number": 3,
    }  # fmt: skip
    return outcomes(**{name: signature(tags) for name, tags in forms.items()})


@scenario
def unknown_tags_and_signatures(hub, tf):
    spec = KINDS["batch_norm"].spec(hub)
    tags = {"nonsense"}
    return outcomes(
        names=lambda: spec.get_signature_names(tags=tags),
        input=lambda: spec.get_input_info_dict(tags=tags),
        output=lambda: spec.get_output_info_dict(tags=tags),
        attached=lambda: spec.get_attached_message("key", tf.train.Feature, tags=tags),
        unknown_input=lambda: spec.get_input_info_dict("nonsense"),
        unknown_output=lambda: spec.get_output_info_dict("nonsense", tags={"train"}),
        input_none=lambda: spec.get_input_info_dict(None),
        empty_signature=lambda: spec.get_input_info_dict(""),
    )


@scenario
def attached_messages(hub, tf):
    spec = KINDS["attached_messages"].spec(hub)
    module = hub.Module(spec)
    loaded = hub.load_module_spec(exported(hub, spec))
    found = {}
    for name, holder in [("spec", spec), ("module", module), ("loaded", loaded)]:
        ask = holder.get_attached_message
        found[name] = outcomes(
            there=lambda ask=ask: ask("numbers", tf.train.Int64List),
            required=lambda ask=ask: ask("numbers", tf.train.Int64List, required=True),
            keyword=lambda ask=ask: ask(key="words", message_type=tf.train.BytesList),
            missing=lambda ask=ask: ask("nonsense", tf.train.Int64List),
            missing_required=lambda ask=ask: ask("nonsense", tf.train.Int64List, required=True),
            other_type=lambda ask=ask: ask("words", tf.train.Int64List),
            no_type=lambda ask=ask: ask("numbers", None),
            class_=lambda ask=ask: type(ask("numbers", tf.train.Int64List)).__name__,
        )
    return found


@scenario
def attached_messages_of_variants(hub, tf):
    spec = KINDS["shared_variables"].spec(hub)
    ask = spec.get_attached_message
    float_list = tf.train.FloatList
    return outcomes(
        none=lambda: ask("factor", float_list),
        tagged=lambda: ask("factor", float_list, tags={"serve", "gpu"}),
        listed=lambda: ask("factor", float_list, tags=["gpu", "serve"], required=True),
        module=lambda: hub.Module(spec, tags={"serve", "gpu"}).get_attached_message("factor", float_list),
        module_without=lambda: hub.Module(spec).get_attached_message("factor", float_list),
        required=lambda: hub.Module(spec).get_attached_message("factor", float_list, required=True),
    )


@scenario
def attaching(hub, tf):
    """What may be attached, twice, and outside a module_fn."""
    message = tf.train.Int64List(value=[1])

    def made(*pairs):
        def module_fn():
            x = tf.placeholder(tf.float32, [])
            hub.add_signature(inputs=x, outputs=x + 1.0)
            for key, value in pairs:
                hub.attach_message(key, value)

        return lambda: hub.create_module_spec(module_fn).get_attached_message(pairs[0][0], tf.train.Int64List)

    return outcomes(
        twice=made(("key", message), ("key", tf.train.Int64List(value=[2]))), no_message=made(("key", "text")),
        empty=made(("key", tf.train.Int64List())), odd_key=made(("a key/$", message)), empty_key=made(("", message)),
        key_that_is_no_text=made((3, message)), digits=made(("1key", message)), dots=made(("a.b-c_d", message)),
        outside=lambda: hub.attach_message("key", message), none=made(("key", None)),
    )  # fmt: skip


@scenario
def signatures_outside_a_module_fn(hub, tf):
    x = tf.placeholder(tf.float32, [2])
    found = outcomes(
        harmless=lambda: hub.add_signature(inputs=x, outputs=x),
        nothing=lambda: hub.add_signature(),
    )
    return [found, sorted(str(key) for key in tf.get_default_graph().get_all_collection_keys())]


@scenario(
    deliberate=differs("a spec is a value: what says the same is equal", {"[2]": (returned(False), returned(True))})
)
def text_of_specs_and_modules(hub, tf):
    spec = dense_spec(hub)
    return [
        isinstance(spec, hub.ModuleSpec),
        isinstance(hub.load_module_spec(exported(hub, spec)), hub.ModuleSpec),
        outcome(lambda: spec == dense_spec(hub)),
        outcome(lambda: hash(spec) == hash(spec)),
        outcome(lambda: bool(spec)),
    ]
