"""Memory does not grow with the vectors, and by at most 150 bytes for each distinct token."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.publishing.embeddings import many_lines

ROOT = Path(__file__).parents[2]
# What the process and its workers have in memory, looked at often.
PROGRAM = """
import json, os, resource, sys, threading, time
from pathlib import Path
import tf1hub as hub

def resident(process):
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0

peak = 0
def watch():
    global peak
    me = os.getpid()
    while not done.wait(0.01):
        children = Path(f"/proc/{me}/task/{me}/children").read_text().split()
        peak = max(peak, sum(map(resident, [me, *children])))

done = threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
summary = hub.export_text_embedding(sys.argv[1], sys.argv[2])
done.set()
watcher.join()
print(json.dumps([peak, summary.tokens]))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc"),
]


def write(path: Path, prefix: bytes, tokens: int, dimension: int) -> Path:
    with open(path, "wb") as file:
        for start in range(0, tokens, 20_000):
            text = many_lines(min(20_000, tokens - start), dimension, start)
            file.write(text.replace(b"w", prefix))
    return path


def peak_memory(folder: Path, prefix: bytes, tokens: int, dimension: int) -> int:
    """The most bytes that an export has in memory, its workers' included."""
    file = write(folder / "vectors.txt", prefix, tokens, dimension)
    module = folder / f"module_{len(prefix)}_{tokens}_{dimension}"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(module), str(file)], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    peak, found = json.loads(done.stdout)
    assert found == tokens
    return int(peak)


def test_memory_does_not_grow_with_the_vectors(tmp_path):
    narrow, wide = (peak_memory(tmp_path, b"w", 50_000, dimension) for dimension in (20, 400))
    print(f"50,000 x 20: {narrow / 1e6:.0f} MB; 50,000 x 400 (80 MB of vectors): {wide / 1e6:.0f} MB")
    assert wide < narrow + 40e6


@pytest.mark.parametrize("prefix", [b"w", b"a-rather-long-token-of-many-letters-"], ids=["short", "long"])
def test_memory_grows_by_at_most_150_bytes_for_each_token(tmp_path, prefix):
    peaks = {tokens: peak_memory(tmp_path, prefix, tokens, 4) for tokens in (400_000, 1_000_000, 2_000_000)}
    growth = (peaks[2_000_000] - peaks[400_000]) / 1_600_000
    print(f"{growth:.0f} bytes for each token; peaks: {[f'{peak / 1e6:.0f} MB' for peak in peaks.values()]}")
    assert growth < 150
    assert all(peak < 250e6 + 150 * tokens for tokens, peak in peaks.items())
