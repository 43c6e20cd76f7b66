"""Our messages against TensorFlow's own: the same numbers, labels and wire types."""

import importlib

import pytest
import tensorflow as tf
from google.protobuf import any_pb2, descriptor, descriptor_pb2, descriptor_pool

from tf1hub.format import protos

ENUM, INT32 = descriptor_pb2.FieldDescriptorProto.TYPE_ENUM, descriptor_pb2.FieldDescriptorProto.TYPE_INT32
PREDECESSORS = {
    "ModuleDef": "module_def_pb2",
    "ModuleAttachment": "module_attachment_pb2",
    "ImageModuleInfo": "image_module_info_pb2",
}
# Loading these, with all that they import, fills the pool.
TENSORFLOWS = ["saved_model_pb2", "meta_graph_pb2", "control_flow_pb2", "tensor_bundle_pb2", "struct_pb2"]


def our_messages():
    """Each message by its name, nested ones as "MetaGraphDef.MetaInfoDef"."""
    found = [getattr(value, "DESCRIPTOR", None) for value in vars(protos).values()]
    todo = [each for each in found if isinstance(each, descriptor.Descriptor)]
    messages = {}
    while todo:
        message = todo.pop()
        messages[message.full_name.removeprefix("tf1hub.format.")] = message
        todo.extend(message.nested_types)
    return messages


OURS = our_messages()


def fields_of(message):
    """What must be equal, by the field's name."""
    proto = descriptor_pb2.DescriptorProto()
    message.CopyToProto(proto)
    found = {}
    for field in proto.field:
        kind = INT32 if field.type == ENUM else field.type
        target = "" if field.type == ENUM else field.type_name.rpartition(".")[2]
        found[field.name] = (field.number, field.label, kind, target, field.HasField("oneof_index"))
    return found


def tensorflows(name):
    assert tf.__version__
    for module in TENSORFLOWS:
        importlib.import_module(f"tensorflow.core.protobuf.{module}")
    if name == "Any":
        return any_pb2.Any.DESCRIPTOR
    return descriptor_pool.Default().FindMessageTypeByName(f"tensorflow.{name}")


def compare(ours, theirs):
    found, expected = fields_of(ours), fields_of(theirs)
    assert found == {name: expected.get(name) for name in found}


@pytest.mark.parametrize("name", sorted(name for name in OURS if name.split(".")[0] not in PREDECESSORS))
def test_fields_are_those_of_tensorflow(name):
    compare(OURS[name], tensorflows(name))


@pytest.mark.parametrize("name", sorted(name for name in OURS if name.split(".")[0] in PREDECESSORS))
def test_fields_are_those_of_tensorflow_hub(name):
    outer, _, inner = name.partition(".")
    module = pytest.importorskip(
        f"tensorflow_hub.{PREDECESSORS[outer]}",
        reason="only the predecessor, tensorflow_hub 0.15.0 in .venv-peer, has these messages",
    )
    theirs = getattr(module, outer).DESCRIPTOR
    compare(OURS[name], theirs.nested_types_by_name[inner] if inner else theirs)


def test_all_messages_are_compared():
    assert {"SavedModel", "MetaGraphDef.MetaInfoDef", "BundleEntryProto", "StructuredValue"} <= set(OURS)
    assert len(OURS) > 50
