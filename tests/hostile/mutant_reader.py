"""Reads mutated modules with all readers, in a process of its own that is watched for time, memory and foreign errors.

    python -m tests.hostile.mutant_reader SEEDS FIRST COUNT
    python -m tests.hostile.mutant_reader SEEDS attacks all
    python -m tests.hostile.mutant_reader SEEDS length|bit all

SEEDS is a folder of modules. Mutant number N is the same every time: `SEEDS N 1` reads that one alone and shows what
failed, with its traceback; `SEEDS attacks NAME` does so for an attack. Prints one JSON document.
"""

import importlib
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.hostile import attacks, mutations
from tf1hub.checks.describing.description import describe
from tf1hub.checks.linting.linting import lint
from tf1hub.checks.verifying.verification import verify
from tf1hub.errors import CorruptModuleError, Tf1HubError
from tf1hub.format import protos
from tf1hub.format.bundle_index import BundleIndex
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.spec import load_module_spec

SEED = "tf1hub"
LONGEST_SECONDS = 1.0
MOST_GROWTH, MEMORY_ON_TOP = 20, 64 << 20
# Nothing here needs more; who asks for more gets a MemoryError, which counts as a failure.
ADDRESS_SPACE = 4 << 30
KEPT_FAILURES = 20
LARGE = 90_000


class Watch:
    """Runs readers one by one: collects our own errors, lets all others out, and notes what took longest.

    `precise`: memory is measured for each reader, which takes as long as reading a small module.
    """

    def __init__(self, precise):
        self.precise, self.memory = precise, 0
        self.errors = []
        self.slowest = (0.0, "")

    def run(self, what, reader, timed=True):
        """What a reader returns, or None when it raises one of our errors."""
        if self.precise:
            reset_peak_memory()
        before = memory("VmRSS") if self.precise else 0
        start = time.process_time()
        try:
            return reader()
        except Tf1HubError as error:
            self.note(error)
            return None
        finally:
            if timed:
                self.slowest = max(self.slowest, (time.process_time() - start, what))
            if self.precise:
                self.memory = max(self.memory, memory("VmHWM") - before)

    def note(self, error):
        # Its frames would keep what the readers had in hand.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        self.errors.append(error)


def read_checkpoint(prefix, watch):
    """The index, each tensor, and each part of it, with and without checks."""
    watch.run("BundleIndex", lambda: BundleIndex(prefix, check_blocks=False))
    for check in (True, False):
        reader = watch.run("BundleReader", lambda check=check: BundleReader(prefix, check_blocks=check))
        if reader:
            watch.run("read", lambda reader=reader, check=check: read_tensors(reader, check, watch), False)
            watch.run("close", reader.close)


def read_tensors(reader, check, watch):
    for name, entry in reader.entries.items():
        part = tuple(min(1, size) for size in entry.shape)
        for action in (
            lambda name=name: reader.read(name, check=check),
            lambda name=name, part=part: reader.read_slice(name, (0,) * len(part), part),
        ):
            start = time.process_time()
            try:
                action()
            except Tf1HubError as error:
                watch.note(error)
            watch.slowest = max(watch.slowest, (time.process_time() - start, f"reading {name[:50]!r}"))


def read_module(directory, watch):
    """All that a module says without TensorFlow."""
    spec = watch.run("load_module_spec", lambda: load_module_spec(directory))
    for tags in spec.get_tags() if spec else ():
        watch.run("stored_variables", lambda tags=tags: spec.stored_variables(tags))
        watch.run("check_files", lambda tags=tags: spec.check_files(tags))
        watch.run("attached", lambda tags=tags: spec.get_attached_message("size", protos.ImageModuleInfo, tags))
        watch.run("state", lambda tags=tags: spec.state(tags, trainable=True, everything=not tags))
        for name in spec.get_signature_names(tags):
            for infos in (spec.get_input_info_dict(name, tags), spec.get_output_info_dict(name, tags)):
                [info.component_names() for info in infos.values()]
            outputs = list(infos)
            watch.run("application", lambda args=(tags, name, outputs, not tags): spec.application(*args))


def read_everything(directory, watch):
    """Runs all readers."""
    read_checkpoint_of(directory, watch)
    read_module(directory, watch)
    for reader in (describe, verify, lint):
        watch.run(reader.__name__, lambda reader=reader: reader(directory))


def read_checkpoint_of(directory, watch):
    read_checkpoint(f"{directory}/variables/variables", watch)


def mutant(number, seeds):
    """The module that mutant number `number` is made from, the file that is changed, the mutation, the new bytes."""
    rng = random.Random(f"{SEED}/{number}")
    name = rng.choice(sorted(seeds))
    files = sorted(path for path in seeds[name] if not path.startswith("assets"))
    weights = [1 if path == "tfhub_module.pb" else 8 for path in files]
    path = rng.choices(files, weights)[0]
    options = list(mutations.BYTES)
    if path.endswith(".index"):
        options += mutations.INDEX
    elif path == "saved_model.pb":
        options += [mutations.saved_model_altered] * 12
    elif ".data-" in path:
        options.append(mutations.strings_altered)
    mutation = rng.choice(options)
    return name, path, mutation.__name__, mutation(rng, seeds[name][path])


def load_seeds(folder):
    """The files of each module, by module and relative path."""
    seeds = {}
    for marker in sorted(Path(folder).rglob("tfhub_module.pb")):
        files = [path for path in marker.parent.rglob("*") if path.is_file()]
        name = str(marker.parent.relative_to(folder))
        seeds[name] = {str(path.relative_to(marker.parent)): path.read_bytes() for path in files}
    return seeds


def put(directory, files):
    for path, data in files.items():
        target = Path(directory, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


class Report:
    """What was found over all files."""

    def __init__(self):
        self.files = 0
        self.kinds, self.outcomes = Counter(), Counter()
        self.slowest, self.largest = [0.0, ""], [0, ""]
        self.failures = []

    def fail(self, what, text):
        self.outcomes["failed"] += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(f"{what}: {text}")

    def read(self, directory, what, size, readers=None):
        """Reads a module and notes how that went."""
        self.files += 1
        reset_peak_memory()
        before = memory("VmRSS")
        watch = Watch(precise=size > LARGE)
        try:
            (readers or read_everything)(directory, watch)
        except BaseException:
            self.fail(what, traceback.format_exc())
            return
        self.outcomes["refused" if watch.errors else "read"] += 1
        seconds, slow = watch.slowest
        used = watch.memory if watch.precise else memory("VmHWM") - before
        self.slowest = max(self.slowest, [round(seconds, 4), f"{slow} of {what}"])
        self.largest = max(self.largest, [used, what])
        if seconds > LONGEST_SECONDS:
            self.fail(what, f"{slow} took {seconds:.2f} s")
        if used > MOST_GROWTH * size + MEMORY_ON_TOP:
            self.fail(what, f"took {used} bytes of memory for a module of {size}")
        for error in watch.errors:
            if isinstance(error, CorruptModuleError) and not names_its_place(str(error), directory):
                self.fail(what, f"does not name file and byte: {error}")


def names_its_place(text, directory):
    """Whether an error about damage says in which file, or message of the graph, and at which byte of it."""
    # A module without a graph has no byte that is wrong.
    place = directory in text or re.match(r"An? .* in |The message that is attached as ", text)
    return bool(place and re.search(r"byte \d+|holds no graph", text))


def memory(field):
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) << 10


def reset_peak_memory():
    Path("/proc/self/clear_refs").write_text("5")


def read_mutants(folder, first, count):
    """Reads that many mutants, starting with number `first`."""
    seeds, report = load_seeds(folder), Report()
    with tempfile.TemporaryDirectory(dir=work_folder()) as scratch:
        directory, current = f"{scratch}/module", None
        for number in range(first, first + count):
            name, path, kind, data = mutant(number, seeds)
            if name != current:
                shutil.rmtree(directory, ignore_errors=True)
                put(directory, seeds[name])
                current = name
            put(directory, {path: data})
            size = sum(map(len, seeds[name].values())) - len(seeds[name][path]) + len(data)
            report.kinds[kind] += 1
            report.read(directory, f"mutant {number} ({kind} of {path} of {name})", size)
            put(directory, {path: seeds[name][path]})
    return report


def read_attacks(folder, names):
    """Reads the modules of tests/hostile/attacks.py."""
    seed, report = load_seeds(folder)["mixed"], Report()
    for name in names:
        with tempfile.TemporaryDirectory(dir=work_folder()) as scratch:
            files = seed | attacks.ATTACKS[name]()
            put(f"{scratch}/module", files)
            report.kinds["attack"] += 1
            report.read(f"{scratch}/module", name, sum(map(len, files.values())))
    return report


def read_each(folder, kind):
    """Reads a module with each of its files cut at every length, or with each bit of them flipped."""
    seed, report = load_seeds(folder)["mixed"], Report()
    with tempfile.TemporaryDirectory(dir=work_folder()) as scratch:
        directory = f"{scratch}/module"
        put(directory, seed)
        for path, data in seed.items():
            reader = read_module if path == "saved_model.pb" else read_checkpoint_of
            if path.startswith("assets") or (kind == "bit" and path == "saved_model.pb"):
                continue
            for at in range(len(data) * (8 if kind == "bit" else 1)):
                changed = bytearray(data)
                if kind == "bit":
                    changed[at // 8] ^= 1 << at % 8
                else:
                    del changed[at:]
                put(directory, {path: changed})
                report.kinds[kind] += 1
                report.read(directory, f"{kind} {at} of {path}", len(data), reader)
            put(directory, {path: data})
    return report


def work_folder():
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main(folder, what, count):
    # Errors are raised as TensorFlow's too where it is installed; loading it takes seconds that are not the readers'.
    sys.modules["tensorflow"] = None
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    for late in ("numpy", "ml_dtypes", "cramjam"):  # Loading them is not the first mutant's.
        importlib.import_module(late)
    if what in ("length", "bit"):
        report = read_each(folder, what)
    elif what == "attacks":
        report = read_attacks(folder, list(attacks.ATTACKS) if count == "all" else count.split(","))
    else:
        report = read_mutants(folder, int(what), int(count))
    if report.files == 1:
        print(*report.failures, sep="\n", file=sys.stderr)
    print(json.dumps(vars(report)))


if __name__ == "__main__":
    main(*sys.argv[1:])
