"""What must be true of the disk after a training was killed. Reads without TensorFlow's runtime, since its caller forks."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import tf1hub as hub
from tf1hub.format.bundle_reader import BundleReader

FOREIGN = {
    "README": b"read me",
    "1234567890/notes.txt": b"ten digits, but no export",
    "2000000000": b"a file",
    "best/keep.txt": b"keep",
    ".hidden": b"hidden",
}


@dataclass(frozen=True)
class Seen:
    """What lay on the disk."""

    exports: list[str]
    checkpoints: list[str]
    leftovers: set[str]
    unlisted: set[str]


class Disk:
    """The folders of a training."""

    def __init__(self, folder: Path, in_estimator: bool):
        self.model = folder / "model"
        self.exports = self.model / "export" / "modules" if in_estimator else folder / "exports"
        self.module = "module" if in_estimator else "."
        self.failure = folder / "failure.txt"
        self._state = None
        self.model.mkdir(parents=True)

    def read_failure(self) -> str:
        return self.failure.read_text(encoding="utf-8") if self.failure.exists() else "it left no message"

    def put_foreign_files(self) -> None:
        for folder in (self.exports, self.model):
            for name, data in FOREIGN.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(data)

    def check_foreign_files(self) -> None:
        for folder in (self.exports, self.model):
            for name, data in FOREIGN.items():
                assert (folder / name).read_bytes() == data, f"{folder / name} was changed"

    def kept_checkpoints(self) -> list[str]:
        """The names in the list that TensorFlow keeps, the oldest first."""
        state = self.model / "checkpoint"
        text = state.read_text(encoding="utf-8") if state.exists() else ""
        return re.findall(r'^all_model_checkpoint_paths: "(.*)"$', text, re.MULTILINE)

    def latest_step(self) -> int:
        kept = self.kept_checkpoints()
        return step_of(kept[-1]) if kept else 0

    def state_changed(self) -> bool:
        """Whether the list of checkpoints was written since this was last asked."""
        try:
            now = (self.model / "checkpoint").stat().st_mtime_ns
        except FileNotFoundError:
            now = None
        before, self._state = self._state, now
        return before != now

    def visible_exports(self) -> list[Path]:
        return sorted(
            path
            for path in self.exports.iterdir()
            if re.fullmatch(r"\d{10}", path.name) and path.name not in ("1234567890", "2000000000")
        )

    def leftovers(self) -> set[str]:
        return {str(path) for path in self.exports.rglob("*tf1hub-export*")}

    def look(self) -> Seen:
        exports, kept = [path.name for path in self.visible_exports()], self.kept_checkpoints()
        files = {path.name for path in self.model.glob("model.ckpt-*")}
        return Seen(exports, kept, self.leftovers(), {name for name in files if checkpoint_of(name) not in kept})


def checkpoint_of(name: str) -> str:
    """The checkpoint that a file belongs to, or that is being made of it."""
    return re.match(r"model\.ckpt-\d+", name)[0]


def step_of(name: str) -> int:
    return int(name.rpartition("-")[2])


def read_step(checkpoint: str | Path) -> int:
    """The step that all variables of a checkpoint are at; its checksums are checked."""
    steps = set()
    with BundleReader(str(checkpoint)) as reader:
        for name in reader.entries:
            steps |= set(np.unique(reader.read(name, check=True)).tolist())
    assert len(steps) == 1, f"{checkpoint} mixes the values of steps {sorted(steps)[:5]}"
    return int(steps.pop())


def check_after_kill(disk: Disk, before: Seen, kept_checkpoints: int, kept_exports: int) -> Counter:
    """Checks all that is there; returns how often traces of the kill were found."""
    after = disk.look()
    disk.check_foreign_files()
    for name in after.checkpoints:
        assert read_step(disk.model / name) == step_of(name), f"{name} has variables of another step"
    check_kept(before.checkpoints, after.checkpoints, kept_checkpoints, step_of)
    for path in disk.visible_exports():
        check_export(path / disk.module)
    check_kept(before.exports, after.exports, kept_exports, int)
    if set(after.exports) - set(before.exports):
        assert not before.leftovers & after.leftovers, "an export left what an earlier one that was killed had left"
    return traces(before, after)


def check_kept(before, after, count, age) -> None:
    """Nothing is lost but what is older than enough others."""
    lost = set(before) - set(after)
    assert len(after) >= min(count, len(before)), f"{sorted(lost)} were lost, and there are only {after}"
    assert all(age(name) < min(map(age, after)) for name in lost), f"{sorted(lost)} were lost and {after} kept"


def check_export(module: Path) -> None:
    verification = hub.verify(str(module))
    assert verification.is_sound, f"{module}: {verification}"
    assert read_step(module / "variables" / "variables") >= 0


def traces(before: Seen, after: Seen) -> Counter:
    """What the disk itself tells of where the kill fell."""
    new = {step_of(checkpoint_of(name)) for name in after.unlisted - before.unlisted}
    kept = [step_of(name) for name in after.checkpoints]
    return Counter(
        {
            "left a checkpoint unfinished": any(step > max(kept, default=-1) for step in new),
            "left a checkpoint half removed": any(step < min(kept, default=0) for step in new),
            "left an export or a removed one hidden": bool(after.leftovers - before.leftovers),
        }
    )


def check_cleared(disk: Disk, last: int, kept_exports: int) -> int:
    """After a training that was not killed nothing hidden is left, and the newest export is that of the last step."""
    disk.check_foreign_files()
    assert disk.latest_step() == last
    assert not disk.leftovers()
    exports = disk.visible_exports()
    assert len(exports) == kept_exports
    assert read_step(exports[-1] / disk.module / "variables" / "variables") == last
    return last
