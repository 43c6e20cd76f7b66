"""The protocol messages of a module on disk, usable without TensorFlow and beside it.

`protos.proto` declares them under our own package name; `make protos` compiles it to a descriptor set. The classes are
made from that at run time, in a pool of their own: generated code would tie us to one protobuf release, and
TensorFlow 2.15 comes with protobuf 4 where 2.21 comes with 7. `protos.pyi` tells type checkers what is in here.
"""

from pathlib import Path as _Path
from typing import Any as _Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def _load_messages() -> dict[str, _Any]:
    """Message class by name, for each top-level message of protos.proto."""
    files = descriptor_pb2.FileDescriptorSet.FromString(_Path(__file__).with_name("protos.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    classes: dict[str, _Any] = {}
    for file in files.file:
        # Not `pool.Add`: protobuf 4's C++-backed pools take serialized files only.
        pool.AddSerializedFile(file.SerializeToString())
        for message in file.message_type:
            descriptor = pool.FindMessageTypeByName(f"{file.package}.{message.name}")
            classes[message.name] = message_factory.GetMessageClass(descriptor)
    return classes


globals().update(_load_messages())
