"""Takes the weights of a module of so many megabytes out and puts them into a copy, and says how much memory it took.

python -m tests.converting.weights_worker MODULE FOLDER SUFFIX
"""

import os
import resource
import sys

from tf1hub.converting.weights import export_weights, replace_weights


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(module: str, folder: str, suffix: str) -> None:
    before = peak()
    file = os.path.join(folder, f"weights{suffix}")
    if not os.path.exists(file):
        export_weights(module, file)
    replace_weights(module, file, os.path.join(folder, "copy" + suffix))
    print(peak() - before)


if __name__ == "__main__":
    main(*sys.argv[1:])
