"""What `hub.describe` says of modules, compared with what TensorFlow and the files say; of damaged ones too."""

import collections
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2

import tf1hub as hub
from tests.graphs import edited_saved_model, export, spec_of
from tests.module_fns import KINDS, TRAIN
from tf1hub.format import protos

pytestmark = pytest.mark.filterwarnings("ignore:`:UserWarning")  # layers of TensorFlow 1 are deprecated
AVAILABLE = sorted(name for name, kind in KINDS.items() if kind.available())


@pytest.fixture(scope="session")
def module_of(tmp_path_factory):
    """The path of a module of a kind, exported once."""
    folder = tmp_path_factory.mktemp("modules")

    def path(kind: str) -> Path:
        if not (folder / kind).exists():
            export(spec_of(kind), folder / kind, tags=KINDS[kind].exported)
        return folder / kind

    return path


def as_tensorflow_reads(path: Path):
    return saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes()).meta_graphs


def described_type(tensor):
    """A described tensor as TensorFlow's type."""
    if tensor.kind == "dense":
        return tf.TensorSpec(tensor.shape, tensor.dtype)
    if tensor.kind == "sparse":
        return tf.SparseTensorSpec(tensor.shape, tensor.dtype)
    return tf.RaggedTensorSpec(tensor.shape, tensor.dtype, tensor.ragged_rank)


@pytest.mark.parametrize("kind", AVAILABLE)
def test_signatures_are_those_that_tensorflow_types_say(kind):
    spec = spec_of(kind)
    for variant in hub.describe(spec).variants:
        assert [each.name for each in variant.signatures] == spec.get_signature_names(variant.tags)
        for signature in variant.signatures:
            for tensors, infos in (
                (signature.inputs, spec.get_input_info_dict(signature.name, variant.tags)),
                (signature.outputs, spec.get_output_info_dict(signature.name, variant.tags)),
            ):
                assert {each.key: described_type(each) for each in tensors} == {
                    key: info.type_spec for key, info in infos.items()
                }
                names = [sorted(info.component_names()) for info in infos.values()]
                assert [sorted(each.tensors) for each in tensors] == names


@pytest.mark.parametrize("kind", AVAILABLE)
def test_variables_are_those_that_tensorflow_finds_in_the_checkpoint(kind, module_of):
    path = module_of(kind)
    description = hub.describe(path)
    stored = {each.name: each for each in description.variables if each.in_checkpoint}
    if not stored:
        assert not (path / "variables").exists()
        return
    reader = tf.train.load_checkpoint(str(path / "variables/variables"))
    assert {name: each.shape for name, each in stored.items()} == {
        name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()
    }
    assert {name: each.dtype for name, each in stored.items()} == {
        name: dtype.name for name, dtype in reader.get_variable_to_dtype_map().items()
    }
    for name, each in stored.items():
        assert each.parameters == reader.get_tensor(name).size
        if each.dtype != "string":
            assert each.bytes == reader.get_tensor(name).nbytes
    assert (description.other_tensors, description.problems) == ((), ())


@pytest.mark.parametrize("kind", AVAILABLE)
def test_graphs_are_counted_as_tensorflow_reads_them(kind, module_of):
    path = module_of(kind)
    for variant, meta_graph in zip(hub.describe(path).variants, as_tensorflow_reads(path), strict=True):
        bodies = [function.node_def for function in meta_graph.graph_def.library.function]
        called = {function.signature.name for function in meta_graph.graph_def.library.function}
        used = (node.op for nodes in (meta_graph.graph_def.node, *bodies) for node in nodes)
        ops = collections.Counter(op for op in used if op not in called)
        assert (variant.nodes, variant.functions) == (len(meta_graph.graph_def.node), len(bodies))
        assert variant.ops == ops
        assert list(variant.tags) == sorted(meta_graph.meta_info_def.tags)
        assert variant.tensorflow_version == meta_graph.meta_info_def.tensorflow_version == tf.__version__
        assert variant.producer == meta_graph.graph_def.versions.producer
        assert variant.collections.keys() == meta_graph.collection_def.keys()


@pytest.mark.parametrize("kind", AVAILABLE)
def test_a_spec_is_described_as_the_module_it_is_read_from(kind, module_of):
    path = module_of(kind)
    ours, of_spec = (hub.describe(each).as_dict() for each in (path, hub.load_module_spec(path)))
    for variant in (*ours["variants"], *of_spec["variants"]):
        for collection in ("saved_model_assets", "asset_filepaths"):  # the form on disk, and the form in memory
            variant["collections"].pop(collection, None)
    assert of_spec == ours
    assert json.loads(json.dumps(ours)) == ours


def test_a_spec_that_is_not_on_disk_is_described():
    description = hub.describe(spec_of("batch_norm"))
    assert description.path is None
    assert {each.in_checkpoint for each in description.variables} == {None}
    assert description.sizes.variables == 4 * description.parameters == 4 * (6 + 4 * 2)
    assert description.sizes.total == description.sizes.graph + description.sizes.variables


def test_it_is_said_what_is_trained():
    description = hub.describe(spec_of("untrained_and_model_variables"))
    with tf.Graph().as_default():
        module = hub.Module(spec_of("untrained_and_model_variables"), trainable=True)
        trained = {variable.name for variable in tf.trainable_variables()}
        expected = {name: variable.name in trained for name, variable in module.variable_map.items()}
    assert {each.name: each.trainable for each in description.variables} == expected
    assert description.trainable_parameters == 2 * sum(expected.values())


def test_regularization_losses_and_update_ops_are_counted():
    inference, training = hub.describe(spec_of("batch_norm")).variants
    assert (inference.tags, inference.regularization_losses, inference.update_ops) == ((), 1, 0)
    assert (training.tags, training.regularization_losses, training.update_ops) == (("train",), 1, 2)


def test_partitions_are_listed_and_cover_the_variable(module_of):
    partitioned = [each for each in hub.describe(module_of("partitioned_columns")).variables if each.partitions]
    assert partitioned
    for each in partitioned:
        assert sum(math.prod(part.shape) for part in each.partitions) == each.parameters
        assert len({part.offset for part in each.partitions}) == len(each.partitions)


def test_a_variant_that_lacks_variables_is_no_problem_when_another_is_complete(module_of):
    description = hub.describe(module_of("variant_that_lacks_variables"))
    assert [each.missing_variables for each in description.variants] == [(), ("training_only",)]
    assert {each.name: each.variants for each in description.variables} == {
        "training_only": (("train",),),
        "w": ((), ("train",)),
    }
    assert description.problems == ()


def test_no_complete_variant_is_a_problem(module_of, tmp_path):
    export(spec_of("dense"), tmp_path / "other")
    (tmp_path / "other" / "saved_model.pb").write_bytes((module_of("several_outputs") / "saved_model.pb").read_bytes())
    description = hub.describe(tmp_path / "other")
    assert description.problems == ("No variant can be used: the checkpoint lacks variables of each.",)
    assert {each.name for each in description.other_tensors} == {"bias", "kernel"}


def test_sizes_are_those_of_the_files(tmp_path):
    path = Path(export(spec_of("text"), tmp_path / "module"))
    (path / "more").mkdir()
    (path / "more" / "notes.txt").write_text("twelve bytes")
    (path / "more" / "around").symlink_to(path)
    sizes = hub.describe(path).sizes
    assert sizes.graph == (path / "saved_model.pb").stat().st_size
    assert sizes.other == 12 + (path / "tfhub_module.pb").stat().st_size
    files = [file for file in path.rglob("*") if file.is_file() and "around" not in str(file)]
    assert sizes.total == sum(file.stat().st_size for file in files)


def test_attached_messages_are_listed_and_image_sizes_decoded():
    [variant] = hub.describe(spec_of("image_of_declared_size")).variants
    [message] = variant.attached_messages
    assert (message.key, message.fields) == ("image_module_info", {"height": 4, "width": 6})
    [variant] = hub.describe(spec_of("attached_messages")).variants
    assert [(each.key, each.bytes, each.fields) for each in variant.attached_messages] == [
        ("numbers", tf.train.Int64List(value=[1, 2, 3]).ByteSize(), None),
        ("words", tf.train.BytesList(value=[b"a", b"\xff\x00"]).ByteSize(), None),
    ]


def test_an_asset_is_described_with_its_size_and_its_absence(tmp_path):
    path = Path(export(spec_of("text"), tmp_path / "module"))
    [file] = (path / "assets").iterdir()
    [asset] = hub.describe(path).assets
    assert (asset.name, asset.bytes, asset.variants) == (file.name, file.stat().st_size, ((),))
    file.unlink()
    description = hub.describe(path)
    assert [asset.bytes for asset in description.assets] == [None]
    assert description.problems == (f"There is no assets/{file.name}, which the graph reads.",)


def test_an_asset_that_leads_out_of_the_module_is_a_problem(tmp_path):
    path = export(spec_of("text"), tmp_path / "module")
    with edited_saved_model(path) as saved_model:
        [asset] = saved_model.meta_graphs[0].collection_def["saved_model_assets"].any_list.value
        parsed = protos.AssetFileDef.FromString(asset.value)
        parsed.filename = "../saved_model.pb"
        asset.value = parsed.SerializeToString()
    description = hub.describe(path)
    assert [asset.bytes for asset in description.assets] == [None]
    assert "leads out of its assets/ folder" in description.problems[0]


def test_the_graph_is_described_without_its_checkpoint(tmp_path):
    path = Path(export(spec_of("dense"), tmp_path / "module"))
    (path / "variables" / "variables.index").unlink()
    description = hub.describe(path)
    assert [signature.name for signature in description.variants[0].signatures] == ["default"]
    assert [(each.name, each.shape, each.in_checkpoint) for each in description.variables] == [
        ("bias", (2,), False),
        ("kernel", (3, 2), False),
    ]
    assert description.problems == ("There is no variables/variables.index, so the variables have no values.",)


def test_the_graph_is_described_with_a_corrupt_checkpoint(tmp_path):
    path = Path(export(spec_of("dense"), tmp_path / "module"))
    index = path / "variables" / "variables.index"
    index.write_bytes(index.read_bytes()[:-1])
    description = hub.describe(path)
    assert [each.in_checkpoint for each in description.variables] == [None, None]
    [problem] = description.problems
    assert str(index) in problem


def test_data_files_that_are_short_or_missing_are_problems(tmp_path):
    path = Path(export(spec_of("dense"), tmp_path / "module"))
    name = "variables/variables.data-00000-of-00001"
    (path / name).write_bytes((path / name).read_bytes()[:-1])
    assert hub.describe(path).problems == (f"{name} has 31 bytes; the values of the variables take 32.",)
    (path / name).unlink()
    assert hub.describe(path).problems == (f"There is no {name}, which values of variables lie in.",)


def test_a_variable_that_the_checkpoint_has_otherwise_is_a_problem(tmp_path):
    path = export(spec_of("dense"), tmp_path / "module")
    with edited_saved_model(path) as saved_model:
        [node] = [node for node in saved_model.meta_graphs[0].graph_def.node if node.name == "kernel"]
        node.attr["shape"].shape.dim[0].size = 5
        node.attr["dtype"].type = 2
    description = hub.describe(path)
    assert [each.in_checkpoint for each in description.variables] == [True, False]
    assert description.problems[:2] == (
        "The variable 'kernel' has the shape [3, 2] in the checkpoint and [5, 2] in the graph.",
        "The variable 'kernel' is float32 in the checkpoint and float64 in the graph.",
    )


def damage_a_definition(meta_graph):
    meta_graph.collection_def["variables"].bytes_list.value[0] = b"\xff"


def lose_a_node(meta_graph):
    [node] = [node for node in meta_graph.graph_def.node if node.name == "bias"]
    node.name = "renamed"


def damage_an_asset_list(meta_graph):
    meta_graph.collection_def["saved_model_assets"].any_list.value.add(value=b"\xff")


def damage_an_attachment(meta_graph):
    meta_graph.collection_def["hub_module_attachments"].bytes_list.value.append(b"\xff")


def damage_an_image_size(meta_graph):
    attached = protos.ModuleAttachment(key="image_module_info", value=b"\xff").SerializeToString()
    meta_graph.collection_def["hub_module_attachments"].bytes_list.value.append(attached)


def give_an_impossible_shape(meta_graph):
    [node] = [node for node in meta_graph.graph_def.node if node.name == "bias"]
    for _ in range(300):
        node.attr["shape"].shape.dim.add(size=2**62)


DAMAGES = [
    damage_a_definition,
    lose_a_node,
    damage_an_asset_list,
    damage_an_attachment,
    damage_an_image_size,
    give_an_impossible_shape,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_in_the_graph_is_a_problem_and_the_rest_is_described(damage, tmp_path):
    path = export(spec_of("dense"), tmp_path / "module")
    with edited_saved_model(path) as saved_model:
        damage(saved_model.meta_graphs[0])
    description = hub.describe(path)
    assert description.problems
    assert "kernel" in [each.name for each in description.variables] or damage is damage_a_definition
    assert [signature.name for signature in description.variants[0].signatures] == ["default"]
    json.dumps(description.as_dict())


def test_variants_with_the_same_tags_are_a_problem(tmp_path):
    path = export(spec_of("dense"), tmp_path / "module")
    with edited_saved_model(path) as saved_model:
        saved_model.meta_graphs.add().CopyFrom(saved_model.meta_graphs[0])
    description = hub.describe(path)
    assert len(description.variants) == 2
    assert description.problems[0].startswith("2 variants have the tags []")


def test_what_is_no_module_is_refused(tmp_path):
    with pytest.raises(hub.errors.MissingModuleError, match="There is no directory"):
        hub.describe(tmp_path / "nothing")
    path = Path(export(spec_of("dense"), tmp_path / "module"))
    (path / "saved_model.pb").write_bytes(b"\xff")
    with pytest.raises(hub.errors.CorruptModuleError, match=r"saved_model.pb"):
        hub.describe(path)
    (path / "tfhub_module.pb").unlink()
    with pytest.raises(hub.errors.MissingModuleError, match="plain SavedModel"):
        hub.describe(path)


def test_a_module_on_a_remote_file_system_is_described(tmp_path):
    path = export(spec_of("text"), tmp_path / "module")
    remote = "ram://describe"
    for file in [file for file in Path(path).rglob("*") if file.is_file()]:
        target = f"{remote}/{file.relative_to(path)}"
        tf.io.gfile.makedirs(target.rpartition("/")[0])
        tf.io.gfile.copy(str(file), target)
    assert {**hub.describe(remote).as_dict(), "path": path} == hub.describe(path).as_dict()


def test_neither_tensorflow_nor_numpy_is_loaded(module_of):
    program = (
        "import sys, tf1hub; print(len(tf1hub.describe(sys.argv[1]).variants));"
        "print([name for name in ('tensorflow', 'numpy', 'rich') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(module_of("batch_norm"))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "2\n[]\n"


def test_tags_are_compared_as_sets():
    tags = [variant.tags for variant in hub.describe(spec_of("shared_variables")).variants]
    assert tags == [(), tuple(TRAIN), ("gpu", "serve")]
