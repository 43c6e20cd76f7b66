"""Writes every kind of module with one library, and does no more with it.

    .venv-peer/bin/python -m tests.interop.kind_writer tensorflow_hub MODULES

Each kind lies in MODULES/NAME/module. Kinds that the library cannot make are left out.
"""

import importlib
import os
import sys
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.interop.exchange import write_module
from tests.module_fns import KINDS


def main(library: str, modules: str) -> None:
    hub = importlib.import_module(library)
    for name, kind in KINDS.items():
        if kind.available():
            try:
                write_module(hub, kind, f"{modules}/{name}/module")
            except Exception:
                traceback.print_exc()


if __name__ == "__main__":
    main(*sys.argv[1:])
