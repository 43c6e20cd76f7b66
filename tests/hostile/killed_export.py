"""A program that exports a module and kills itself just before one of its changes to the disk.

python -m tests.hostile.killed_export PATH ASSET STEP      the number of changes is printed when STEP is too large
"""

import os
import signal
import sys

import numpy as np

from tf1hub.format import protos
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.spec import ModuleSpec

VALUE = np.arange(6, dtype=np.float32).reshape(2, 3)
_CHANGES = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.chown", "shutil.rmtree"}


def tiny_spec(asset):
    """A module of one variable and one asset."""
    meta_graph = protos.MetaGraphDef()
    variable = meta_graph.graph_def.node.add(name="v", op="VarHandleOp")
    variable.attr["dtype"].type = 1
    for size in VALUE.shape:
        variable.attr["shape"].shape.dim.add(size=size)
    path = meta_graph.graph_def.node.add(name="path", op="Const")
    path.attr["value"].tensor.string_val.append(str(asset).encode())
    meta_graph.collection_def["asset_filepaths"].node_list.value.append("path:0")
    definition = protos.VariableDef(variable_name="v:0", is_resource=True)
    meta_graph.collection_def["variables"].bytes_list.value.append(definition.SerializeToString())
    return ModuleSpec(protos.SavedModel(meta_graphs=[meta_graph]))


def write_checkpoint(prefix):
    with BundleWriter(prefix) as writer:
        writer.add("v", VALUE)


def export(path, asset):
    tiny_spec(asset).write(path, write_checkpoint)


def kill_before(step):
    """Kills this process just before so many changes to the disk. Returns a list of one number: those that were made."""
    done = [0]

    def count(event, args):
        if event in _CHANGES or (event == "open" and _writes(*args[1:])):
            done[0] += 1
            if done[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    return done


def main(path, asset, step):
    spec = tiny_spec(asset)
    done = kill_before(step)
    spec.write(path, write_checkpoint)
    print(done[0])


def _writes(mode, flags):
    return bool(set(mode or "") & set("wax+")) or bool((flags or 0) & (os.O_WRONLY | os.O_RDWR))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
