"""Running a small program in a Python of its own, for what can be seen only once in a process."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What tf.layers is depends on these; a program sets them itself.
_KERAS_SETTINGS = ("TF_USE_LEGACY_KERAS", "TF_KERAS", "KERAS_BACKEND")

# A finder that makes tf_keras impossible to import, as if it were not installed.
WITHOUT_TF_KERAS = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tf_keras":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def run_program(program: str, *arguments: str, **environment: str) -> str:
    """What the program prints. It must succeed."""
    settings = {key: value for key, value in os.environ.items() if key not in _KERAS_SETTINGS}
    settings |= {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    result = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
