"""The migration table has every public name that `tf.estimator` had, and no other."""

import json
import subprocess

import pytest

from tests.interop.peer import peer_python
from tests.test_migration_table import migration_table

pytestmark = pytest.mark.peer

# TensorFlow 2's names too: its RNN Estimators were never in the older one.
NAMES = """
import json, tensorflow as tf
def names_of(module, before=""):
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_"):
            continue
        if type(value).__name__ in ("module", "TFModuleWrapper"):
            yield from names_of(value, f"{before}{name}.")
        else:
            yield before + name
print(json.dumps(sorted({*names_of(tf.compat.v1.estimator), *names_of(tf.compat.v2.estimator)})))
"""


def test_the_table_has_what_tf_estimator_had():
    printed = subprocess.run([peer_python(), "-c", NAMES], capture_output=True, text=True, check=True).stdout
    theirs = set(json.loads(printed.splitlines()[-1]))
    assert theirs ^ set(migration_table()) == set()
