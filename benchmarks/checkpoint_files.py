"""`python -m benchmarks.checkpoint_files`: reading and copying a large checkpoint against plain file reading and copying.

Each measurement runs in a process of its own, theirs and ours in turn; every second round begins with the other one. The
files are in the system's cache, which cannot be emptied without being root, so the figures are those of memory, not of
a disk. "Reading" copies all bytes into one buffer of 4 MB, whoever reads; where the wall clock says more about other
programs on the machine, compare the CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Summary, ratios

BUFFER = 4 << 20
VARIABLE_MEGABYTES = 4
ROOT = Path(__file__).resolve().parent.parent


def write_module(directory: Path, megabytes: int) -> None:
    """A module with variables of 4 MB each, of which one has another size. Nothing here needs TensorFlow."""
    from tf1hub.format import protos
    from tf1hub.format.bundle_writer import BundleWriter
    from tf1hub.spec import ModuleSpec

    graph = protos.MetaGraphDef()
    rows = {f"layer_{number:04}/kernel": 1024 for number in range(megabytes // VARIABLE_MEGABYTES)} | {"bias": 3}
    for name, count in rows.items():
        node = graph.graph_def.node.add(name=name, op="VarHandleOp")
        node.attr["dtype"].type = 1
        for size in (count, 1024):
            node.attr["shape"].shape.dim.add(size=size)
        variable = protos.VariableDef(variable_name=f"{name}:0", is_resource=True, trainable=True)
        graph.collection_def["variables"].bytes_list.value.append(variable.SerializeToString())

    def write_checkpoint(prefix: str) -> None:
        with BundleWriter(prefix) as writer:
            for number, (name, count) in enumerate(rows.items()):
                writer.add(name, np.random.default_rng(number).standard_normal((count, 1024), np.float32))

    ModuleSpec(protos.SavedModel(meta_graphs=[graph])).write(directory, write_checkpoint)


def _prefix(module: str) -> str:
    return f"{module}/variables/variables"


def _data_file(module: str) -> str:
    return _prefix(module) + ".data-00000-of-00001"


def read_file(module: str, target: str) -> None:
    """read() into one buffer."""
    buffer = memoryview(bytearray(BUFFER))
    with open(_data_file(module), "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def copy_mapped(module: str, target: str) -> None:
    """The mapped file copied into one buffer."""
    with open(_data_file(module), "rb") as file:
        _copy_pieces(np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8))


def _copy_pieces(value: np.ndarray[Any, Any]) -> None:
    buffer = np.empty(BUFFER, np.uint8)
    for at in range(0, len(value), BUFFER):
        piece = value[at : at + BUFFER]
        np.copyto(buffer[: len(piece)], piece)


def read_tensors(module: str, target: str, check: bool = False) -> None:
    """Each tensor copied into one buffer."""
    from tf1hub.format.bundle_reader import BundleReader

    with BundleReader(_prefix(module)) as reader:
        for name in reader.entries:
            _copy_pieces(reader.read(name, check=check).reshape(-1).view(np.uint8))


def read_tensors_checked(module: str, target: str) -> None:
    """The same, the checksum of each verified before."""
    read_tensors(module, target, check=True)


def copy_file(module: str, target: str) -> None:
    """shutil.copyfile of the data file."""
    shutil.copyfile(_data_file(module), target)


def export_spec(module: str, target: str) -> None:
    """spec.export from the module's own checkpoint, into a new module."""
    from tf1hub.spec import load_module_spec

    load_module_spec(module).export(target, checkpoint_path=_prefix(module))


WORK: dict[str, Callable[[str, str], None]] = {
    "read": read_file,
    "mapped": copy_mapped,
    "tensors": read_tensors,
    "checked": read_tensors_checked,
    "copy": copy_file,
    "export": export_spec,
}
# What is compared: title, theirs, ours.
ROWS = [
    ("all tensors / read()", "read", "tensors"),
    ("all tensors / mapped file", "mapped", "tensors"),
    ("all tensors, checksums verified / read()", "read", "checked"),
    ("all tensors, checksums verified / mapped file", "mapped", "checked"),
    ("spec.export / copyfile", "copy", "export"),
]


def measure(name: str, module: str) -> dict[str, float]:
    """Wall and CPU seconds of one piece of work, imports left out."""
    import resource

    import tf1hub.format.bundle_writer
    import tf1hub.spec  # noqa: F401

    os.sync()  # What was written before is not written now.
    with tempfile.TemporaryDirectory(dir=Path(module).parent) as scratch:
        wall, cpu = time.perf_counter(), time.process_time()
        WORK[name](module, f"{scratch}/target")
        figures = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return figures | {"peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _rounds(module: Path, count: int) -> dict[str, list[dict[str, float]]]:
    from benchmarks.__main__ import run_child

    found: dict[str, list[dict[str, float]]] = {name: [] for name in WORK}
    for number in range(count):
        for name in list(WORK)[:: -1 if number % 2 else 1]:
            print(f"{name}, round {number + 1} of {count}", file=sys.stderr, flush=True)
            arguments = ("benchmarks.checkpoint_files", "--measure", name, "--module", str(module))
            found[name].append(run_child(Path(sys.executable), *arguments))
    return found


def _print_table(found: dict[str, list[dict[str, float]]]) -> None:
    print("seconds: median (lowest..highest)")
    for name, work in WORK.items():
        wall, cpu, memory = (Summary.of([each[key] for each in found[name]]) for key in ("wall", "cpu", "peak_rss_mb"))
        title = (work.__doc__ or "").splitlines()[0]
        print(f"  {title:70} wall {wall.text(3):26} CPU {cpu.text(3):26} peak {memory.median:,.0f} MB")
    print("our time as a multiple of theirs, round by round")
    for title, theirs, ours in ROWS:
        wall, cpu = (ratios(found[ours], found[theirs], key) for key in ("wall", "cpu"))
        if wall and cpu:
            print(f"  {title:50} wall {wall.text(2):20} CPU {cpu.text(2)}")


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkpoint_files", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500, metavar="N", help="size of the checkpoint (500)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds of each measurement (5)")
    parser.add_argument("--folder", metavar="DIR", help="where the files are written (a temporary folder)")
    parser.add_argument("--measure", choices=list(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--module", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.module)))
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        module = Path(scratch, "module")
        write_module(module, arguments.megabytes)
        size = os.path.getsize(_data_file(str(module)))
        found = _rounds(module, arguments.rounds)
    print(f"A checkpoint of {size / 1e6:,.0f} MB in {arguments.megabytes // VARIABLE_MEGABYTES + 1} variables")
    _print_table(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
