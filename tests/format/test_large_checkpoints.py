"""Checkpoints larger than the memory that may be taken to write, copy and read them.

Only memory of the process's own counts: pages of mapped files are the system's to take back.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 100 << 20
# Runs the function `work` and prints the peak of the memory that is no file's.
MEASURED = """
import re, sys, threading
def own_memory():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
peak, done = [0], threading.Event()
def watch():
    while not done.wait(0.002):
        peak[0] = max(peak[0], own_memory())
watcher = threading.Thread(target=watch)
watcher.start()
try:
    work(*sys.argv[1:])
finally:
    done.set()
    watcher.join()
assert "tensorflow" not in sys.modules
print(peak[0])
"""
# A module of one variable of 512 MB, whole or in parts.
MODULE = """
from tf1hub.format import protos
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.spec import ModuleSpec
ROWS = 512 * 1024
def spec_of(parts):
    graph = protos.MetaGraphDef()
    for at in range(parts):
        name = f"table/part_{at}" if parts > 1 else "table"
        node = graph.graph_def.node.add(name=name, op="VarHandleOp")
        node.attr["dtype"].type = 1
        for size in (ROWS // parts, 256):
            node.attr["shape"].shape.dim.add(size=size)
        variable = protos.VariableDef(variable_name=name + ":0", is_resource=True)
        if parts > 1:
            variable.save_slice_info_def.full_name = "table"
            variable.save_slice_info_def.full_shape.extend([ROWS, 256])
            variable.save_slice_info_def.var_offset.extend([at * (ROWS // parts), 0])
            variable.save_slice_info_def.var_shape.extend([ROWS // parts, 256])
        graph.collection_def["variables"].bytes_list.value.append(variable.SerializeToString())
    return ModuleSpec(protos.SavedModel(meta_graphs=[graph]))
"""
WRITE = """
def work(prefix):
    with BundleWriter(prefix) as writer:
        writer.add_streamed("table", 1, (ROWS, 256), (bytes([at % 251]) * (1 << 20) for at in range(ROWS // 1024)))
"""
EXPORT = """
def work(parts, path, checkpoint):
    spec_of(int(parts)).export(path, checkpoint_path=checkpoint)
"""
COMPARE = """
from tf1hub.format.bundle_reader import BundleReader
def work(prefix, other):
    with BundleReader(prefix) as one, BundleReader(other) as two:
        one.check_tensor("table"), two.check_tensor("table")
        for row in range(0, ROWS, 4096):
            mine, theirs = (each.read_slice("table", (row, 0), (4096, 256)) for each in (one, two))
            assert (mine == theirs).all()
            one.release_memory(), two.release_memory()
"""


def run(work, *arguments):
    """The peak memory of a process of its own."""
    command = [sys.executable, "-c", MODULE + work + MEASURED, *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


@pytest.mark.slow
def test_a_tensor_larger_than_the_memory_is_written_and_copied_whole_and_in_parts(tmp_path):
    checkpoint = tmp_path / "model.ckpt"
    peaks = [run(WRITE, checkpoint)]
    for parts in (1, 4, 4, 1):  # As it is, cut, as it is in parts, put together.
        target = tmp_path / f"module_{len(peaks)}"
        peaks.append(run(EXPORT, parts, target, checkpoint))
        copied = target / "variables/variables"
        peaks.append(run(COMPARE, checkpoint, copied))
        for file in tmp_path.glob("model.ckpt.*"):
            file.unlink()
        checkpoint = copied
    assert max(peaks) < LIMIT, [peak >> 20 for peak in peaks]
