"""A program that makes three exports, of which one is kept, and kills itself just before one of its changes to the disk.

python -m tests.training.exports.killed_exports FOLDER ASSET STEP    the number of changes is printed when STEP is too large
"""

import sys

from tests.hostile.killed_export import kill_before, tiny_spec, write_checkpoint
from tf1hub.training.exports.export_folder import ExportFolder


def export_once(folder, asset, holds_export):
    """An export of two modules."""
    with ExportFolder(folder, 1, holds_export).new_export() as new:
        for name in ("a", "b"):
            tiny_spec(asset).write(f"{new.staging}/{name}", write_checkpoint)
    return new.path


def main(folder, asset, step):
    done = kill_before(step)
    for _ in range(3):
        export_once(folder, asset, lambda _: True)
    print(done[0])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
