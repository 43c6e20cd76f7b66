"""Mutated modules through all readers: only our own errors, in time, in bounded memory.

Each run is a process of `mutant_reader`. A failure says which mutant it was; `python -m tests.hostile.mutant_reader` reads
that one again.
"""

import itertools
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.hostile import mutant_reader, seeds
from tests.hostile.attacks import ATTACKS

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared/modules"
REAL = ["half_plus_two", "text_by_predecessor/sentences_oov1", "text_by_predecessor/tokens_oov1"]
MADE = ["while_v1", "nested_control_flow_v2", "partitioned_columns", "text", "variables_of_all_types"]
MANY = 20_000
QUICK = [
    "attributes_nested_deep",
    "contexts_nested_deep",
    "nodes_that_feed_and_are_placed_with_themselves",
    "a_part_that_does_not_fit",
    "an_attached_message_that_is_none",
    "a_colocation_that_is_no_text",
    "dense_graphs_100000",
    "dense_assets_100000",
    "a_block_that_snappy_blows_up",
    "an_array_that_is_nothing_but_shape",
]


@pytest.fixture(scope="module")
def seed_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    seeds.write_seeds(folder)
    return folder


def start(folder, *arguments):
    command = [sys.executable, "-m", "tests.hostile.mutant_reader", str(folder), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def reports_of(processes):
    """What each process found. One that died, or was killed for its memory, fails."""
    reports = []
    for process in processes:
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        reports.append(json.loads(output.splitlines()[-1]))
    return reports


def check(reports):
    """No failure; what was read is printed."""
    kinds = sum((Counter(report["kinds"]) for report in reports), Counter())
    outcomes = sum((Counter(report["outcomes"]) for report in reports), Counter())
    slowest, largest = (max(report[key] for report in reports) for key in ("slowest", "largest"))
    print(
        f"\n{sum(report['files'] for report in reports)} files: {outcomes['refused']} refused, {outcomes['read']} read"
    )
    print(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    print(f"slowest reader: {slowest[0]:.3f} s, {slowest[1]}; most memory: {largest[0] >> 20} MB, {largest[1]}")
    failures = [failure for report in reports for failure in report["failures"]]
    assert not failures, f"{outcomes['failed']} failures:\n" + "\n".join(failures)
    return sum(report["files"] for report in reports)


@pytest.mark.parametrize("half", [0, 1])
def test_mutated_modules_are_read_or_refused(seed_folder, half):
    assert check(reports_of([start(seed_folder, half * 750, 750)])) == 750


def test_quick_attacks_are_read_or_refused(seed_folder):
    assert check(reports_of([start(seed_folder, "attacks", ",".join(QUICK))])) == len(QUICK)


@pytest.mark.slow
def test_very_many_mutated_modules_are_read_or_refused(seed_folder, tmp_path, capsys):
    folder = all_seeds(seed_folder, tmp_path)
    half = MANY // 2
    reports = reports_of([start(folder, 0, half), start(folder, half, half)])
    with capsys.disabled():
        assert check(reports) == MANY


@pytest.mark.slow
def test_files_cut_at_every_length_and_with_each_bit_flipped(seed_folder, capsys):
    reports = reports_of([start(seed_folder, "length", "all"), start(seed_folder, "bit", "all")])
    with capsys.disabled():
        assert check(reports) > 10_000


@pytest.mark.slow
def test_attacks_are_read_or_refused(seed_folder, capsys):
    reports = reports_of([start(seed_folder, "attacks", "all")])
    with capsys.disabled():
        assert check(reports) == len(ATTACKS)


def all_seeds(folder, scratch):
    """Our own seeds, modules that TensorFlow made, and real ones where they are."""
    from tests.graphs import export, spec_of

    for name in seeds.CHECKPOINTS:
        (scratch / name).symlink_to(folder / name)
    for kind in MADE:
        export(spec_of(kind), scratch / kind)
    for name in REAL:
        if (SHARED / name).exists():
            (scratch / name.replace("/", "_")).symlink_to(SHARED / name)
    return scratch


def test_a_mutant_is_the_same_every_time(seed_folder):
    loaded = mutant_reader.load_seeds(seed_folder)
    assert sorted(loaded) == sorted(seeds.CHECKPOINTS)
    assert [mutant_reader.mutant(7, loaded) for _ in range(2)] == [mutant_reader.mutant(7, loaded)] * 2


def test_foreign_errors_time_and_memory_are_failures(tmp_path, monkeypatch):
    def reader(directory, watch):
        watch.run("grows", lambda: (b"x" * (100 << 20)).count(b"y"))
        watch.run("counts", lambda: next(at for at in itertools.count() if time.process_time() > end))

    end = time.process_time() + 1.2

    report = mutant_reader.Report()
    report.read(str(tmp_path), "slow", 0, reader)
    report.read(str(tmp_path), "broken", 0, lambda directory, watch: watch.run("fails", lambda: {}["a"]))
    found = "\n".join(report.failures)
    assert "slow: counts took 1." in found
    assert "bytes of memory for a module of 0" in found
    assert "broken: Traceback" in found
    assert "KeyError" in found
