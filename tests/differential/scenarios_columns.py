"""Image helpers and feature columns."""

import threading

from tests.differential.recording import (
    as_json,
    collections,
    differs,
    evaluate,
    exported,
    outcome,
    outcomes,
    raised,
    returned,
    scenario,
)
from tests.module_fns import KINDS


@scenario
def image_helpers(hub, tf):
    found = {}
    for name in ["image", "image_of_declared_size", "dense", "inputs_of_all_types"]:
        spec = KINDS[name].spec(hub)
        for what, holder in [("spec", spec), ("module", hub.Module(spec))]:
            found[f"{name} {what}"] = {
                "size": outcome(lambda h=holder: hub.get_expected_image_size(h)),
                "channels": outcome(lambda h=holder: hub.get_num_image_channels(h)),
                "size type": outcome(lambda h=holder: type(hub.get_expected_image_size(h)).__name__),
                "named": outcome(
                    lambda h=holder: hub.get_expected_image_size(h, signature="default", input_name="images")
                ),
                "other input": outcome(lambda h=holder: hub.get_expected_image_size(h, input_name="nonsense")),
                "other signature": outcome(lambda h=holder: hub.get_num_image_channels(h, signature="nonsense")),
                "attached": outcome(
                    lambda h=holder: str(h.get_attached_message("image_module_info", hub.ImageModuleInfo))
                ),
            }
    return found


@scenario
def image_modules_without_a_size(hub, tf):
    def module_fn(shape):
        images = tf.placeholder(tf.float32, shape)
        hub.add_signature(inputs={"images": images}, outputs=tf.reduce_sum(images))

    def size(shape):
        spec = hub.create_module_spec(module_fn, [(set(), {"shape": shape})])
        return lambda: [hub.get_expected_image_size(spec), hub.get_num_image_channels(spec)]

    return outcomes(
        unknown=size([None, None, None, 3]), half=size([None, 4, None, 3]), rank=size([None, 4, 3]), none=size(None),
        channels=size([None, 4, 4, None]), five=size([None, 1, 4, 4, 3]),
    )  # fmt: skip


@scenario(
    deliberate=differs(
        "messages have names of their own, so that both libraries can be imported in one process",
        {"[1]": ("tensorflow_hub.ImageModuleInfo", "tf1hub.format.ImageModuleInfo")},
    )
)
def image_module_info(hub, tf):
    info = hub.ImageModuleInfo()
    info.default_image_size.height = 7
    return [
        type(info).__name__, info.DESCRIPTOR.full_name, [field.name for field in info.DESCRIPTOR.fields],
        info.SerializeToString(), outcome(lambda: hub.attach_image_module_info(info)),
        outcome(lambda: hub.attach_image_module_info(None)), info.HasField("default_image_size"),
    ]  # fmt: skip


@scenario
def text_embedding_columns(hub, tf):
    """With input_layer and linear_model, fixed and trained, from a spec and from disk."""
    spec = KINDS["text"].spec(hub)
    features = {"text": [["the cat"], ["a mat"]]}
    found = {}
    for trainable in (False, True):
        for source in [spec, exported(hub, spec)]:
            with tf.Graph().as_default():
                column = hub.text_embedding_column("text", source, trainable=trainable)
                layer = tf.feature_column.input_layer({k: tf.constant(v) for k, v in features.items()}, [column])
                found[f"{trainable}, {'memory' if source is spec else 'disk'}"] = [
                    layer.name, layer.shape, evaluate(layer).shape, collections(), column.name,
                    as_json(column.parse_example_spec if hasattr(column, "parse_example_spec") else None),
                ]  # fmt: skip
    return found


@scenario
def text_embedding_columns_twice(hub, tf):
    column = hub.text_embedding_column("text", KINDS["text"].spec(hub), trainable=True)
    other = hub.text_embedding_column("title", KINDS["text"].spec(hub))
    features = {"text": tf.constant(["the cat"]), "title": tf.constant([["mat"]])}
    first = tf.feature_column.input_layer(features, [column, other])
    second = tf.feature_column.input_layer(features, [column])
    return [first.shape, second.shape, collections(), column == hub.text_embedding_column("text", column.module_spec)]


@scenario
def feature_columns_with_bad_input(hub, tf):
    text, dense = KINDS["text"].spec(hub), KINDS["dense"].spec(hub)
    image = KINDS["image"].spec(hub)
    return outcomes(
        dense=lambda: hub.text_embedding_column("text", dense), image=lambda: hub.image_embedding_column("x", text),
        two=lambda: hub.text_embedding_column("text", KINDS["several_signatures"].spec(hub)),
        table=lambda: hub.text_embedding_column("text", KINDS["table_of_tensors"].spec(hub)),
        nowhere=lambda: hub.text_embedding_column("text", "/nonsense/nowhere"),
        v2=lambda: hub.text_embedding_column_v2("text", "/nonsense/nowhere").name,
        sparse_dense=lambda: hub.sparse_text_embedding_column("text", dense, "mean", ""),
        combiner=lambda: hub.sparse_text_embedding_column("text", text, "nonsense", ""),
        default_value=lambda: hub.sparse_text_embedding_column("text", text, "mean", None).name,
        size=lambda: str(hub.image_embedding_column("x", KINDS["dense"].spec(hub), image_size=[2, 2])),
        good=lambda: hub.image_embedding_column("x", image).name,
    )  # fmt: skip


@scenario
def sparse_text_embedding_columns(hub, tf):
    spec = KINDS["text"].spec(hub)
    words = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], ["the cat", "mat", "a"], [3, 2])
    found = {}
    for combiner in ["mean", "sum", "sqrtn"]:
        with tf.Graph().as_default():
            words = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], ["the cat", "mat", "a"], [3, 2])
            column = hub.sparse_text_embedding_column("words", spec, combiner, default_value="", trainable=True)
            layer = tf.feature_column.input_layer({"words": words}, [column])
            found[combiner] = [layer.name, layer.shape, evaluate(layer).shape, column.name, collections()]
    return found


@scenario(
    deliberate=differs(
        "the example has as many channels as the module wants",
        {f"/image_of_declared_size{again}/returned[4]/pixels[0][2]": (3, 1) for again in ["", " again"]},
    )
)
def image_embedding_columns(hub, tf):
    found = {}
    sized = {
        "image": None,
        "image_of_declared_size": None,
        "image again": (4, 6),
        "image_of_declared_size again": (2, 2),
    }
    for name, size in sized.items():

        def action(name=name, size=size):
            spec = KINDS[name.split()[0]].spec(hub)
            column = (
                hub.image_embedding_column("pixels", spec, size) if size else hub.image_embedding_column("pixels", spec)
            )
            channels = hub.get_num_image_channels(spec)
            height, width = size or hub.get_expected_image_size(spec)
            layer = tf.feature_column.input_layer({"pixels": tf.ones([2, height, width, channels])}, [column])
            return [layer.name, layer.shape, evaluate(layer).shape, column.name, as_json(column.parse_example_spec)]

        found[name] = outcome(action)
    return found


@scenario(
    deliberate=differs(
        "the column works in `input_layer` too",
        {"/layer": (raised("ValueError"), returned(["(None, 3)", [1, 3], "text_hub_module_embedding"]))},
    )
)
def text_embedding_columns_v2(hub, tf):
    """The column for TF2 takes a path."""
    path = exported(hub, KINDS["text"].spec(hub))

    def action():
        column = hub.text_embedding_column_v2("text", path, trainable=False)
        layer = tf.feature_column.input_layer({"text": tf.constant([["the cat"]])}, [column])
        return [layer.shape, evaluate(layer).shape, column.name]

    return outcomes(layer=action, trained=lambda: hub.text_embedding_column_v2("text", path, trainable=True).name)


@scenario
def text_embedding_columns_v2_in_keras(hub, tf):
    """In `DenseFeatures`, eagerly: what it is for."""
    import tensorflow

    path = exported(hub, KINDS["text"].spec(hub))
    found = {}

    def eagerly():
        for trainable in (False, True):

            def action(trainable=trainable):
                column = hub.text_embedding_column_v2("text", path, trainable=trainable)
                layer = tensorflow.keras.layers.DenseFeatures([column])
                output = layer({"text": tensorflow.constant([["the cat"], ["a"]])})
                return [output.shape, [v.shape for v in layer.trainable_variables]]

            found[str(trainable)] = outcome(action)

    thread = threading.Thread(target=eagerly)
    thread.start()
    thread.join()
    return found
