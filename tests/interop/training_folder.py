"""What a training left in a folder, as plain data: checkpoints, events, exports, other files.

Timestamps in names become their rank, so that two trainings can be compared.
"""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

import tf1hub

MARKERS = {"saved_model.pb", "saved_model.pbtxt"}
UNSTEADY = ("global_step/sec", "/fraction_of_zero_weights", "linear/bias")
"""Tags of speeds, and of variables that are read while the step changes them."""
QUEUES = "enqueue_input/"
"""Tags of how full the queue behind `numpy_input_fn` is. Ours has none."""


def describe_folder(folder: Path) -> dict[str, Any]:
    """All that lies in the folder, by kind."""
    exports = sorted({path.parent for path in folder.rglob("saved_model.pb*") if path.name in MARKERS})
    logs = sorted({path.parent for path in folder.rglob("events.out.tfevents.*")})
    named = _Names(folder)
    return {
        "files": sorted({named.of(path) for path in folder.rglob("*") if path.is_file()}),
        "checkpoints": {named.of(path): checkpoints_in(path.parent) for path in sorted(folder.rglob("checkpoint"))},
        "exports": {named.of(path): saved_model_at(path) for path in exports},
        "events": {named.of(path): events_in(path) for path in logs},
        "texts": {named.of(path): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt"))},
    }


class _Names:
    """Paths within a folder, free of time, host and process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ranks: dict[Path, str] = {}
        stamped = defaultdict(list)
        for path in sorted(folder.rglob("*")):
            if re.fullmatch(r"\d{10,}", path.name):
                stamped[path.parent].append(path)
        for paths in stamped.values():
            self._ranks |= {path: f"<{rank}>" for rank, path in enumerate(paths, 1)}

    def of(self, path: Path) -> str:
        if path == self._folder:
            return "."
        name = self._ranks.get(path, path.name)
        if name.startswith("events.out.tfevents."):
            name = "events"
        elif path.parent.name == "profile" or name.startswith("timeline-"):
            name = re.sub(r"\d{10,}", "<time>", name)
        parent = "" if path.parent == self._folder else self.of(path.parent) + "/"
        return parent + name


def checkpoints_in(folder: Path) -> dict[str, Any]:
    """The checkpoints that are kept, with the values in each, and which is the latest."""
    state = tf.train.get_checkpoint_state(str(folder))
    prefixes = [Path(folder, path) for path in state.all_model_checkpoint_paths]
    return {
        "latest": Path(state.model_checkpoint_path).name,
        "kept": {prefix.name: variables_of(prefix) for prefix in prefixes},
    }


def variables_of(prefix: Path) -> dict[str, Any]:
    """The variables of a checkpoint: dtype, shape and values by name."""
    reader = tf.train.load_checkpoint(str(prefix))
    return {name: as_json(reader.get_tensor(name)) for name in sorted(reader.get_variable_to_shape_map())}


def events_in(folder: Path) -> list[Any]:
    """Step, tag and value of all summaries, in order of the steps."""
    found = []
    for path in folder.glob("events.out.tfevents.*"):
        for event in tf.train.summary_iterator(str(path)):
            values = [value for value in event.summary.value if not value.tag.startswith(QUEUES)]
            found += [(event.step, value.tag, _summary_value(value)) for value in values]
            found += [(event.step, "", kind) for kind in ("graph_def", "meta_graph_def") if event.HasField(kind)]
    return [list(item) for item in sorted(found, key=lambda item: item[:2])]


def _summary_value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if value.tag.endswith(UNSTEADY):
        return kind
    if kind == "simple_value":
        return value.simple_value
    return as_json(tf.make_ndarray(value.tensor)) if kind == "tensor" else kind


def saved_model_at(folder: Path) -> dict[str, Any]:
    """Signatures and variables of a SavedModel, or of a module."""
    if (folder / "tfhub_module.pb").exists():
        return _module_at(folder)
    with tf.Graph().as_default(), tf.Session() as session:
        tags = _tags_of(folder)
        loaded = [_signatures(tf.saved_model.load(session, sorted(each), str(folder))) for each in tags[:1]]
    prefix = folder / "variables" / "variables"
    values = variables_of(prefix) if Path(f"{prefix}.index").exists() else {}
    return {"tags": tags, "signatures": loaded, "variables": values}


def _module_at(folder: Path) -> dict[str, Any]:
    spec = tf1hub.load_module_spec(str(folder))
    faults = [str(finding) for finding in tf1hub.verify(str(folder)).findings]
    signatures = {
        f"{sorted(tags)} {name}": [
            {key: str(info) for key, info in spec.get_input_info_dict(name, tags=set(tags)).items()},
            {key: str(info) for key, info in spec.get_output_info_dict(name, tags=set(tags)).items()},
        ]
        for tags in spec.get_tags()
        for name in spec.get_signature_names(tags=set(tags))
    }
    return {"faults": faults, "signatures": signatures, "variables": variables_of(folder / "variables" / "variables")}


def _tags_of(folder: Path) -> list[list[str]]:
    message = saved_model_pb2.SavedModel()
    if (folder / "saved_model.pb").exists():
        message.ParseFromString((folder / "saved_model.pb").read_bytes())
    else:
        text_format.Parse((folder / "saved_model.pbtxt").read_text(encoding="utf-8"), message)
    return [sorted(meta_graph.meta_info_def.tags) for meta_graph in message.meta_graphs]


def _signatures(meta_graph: Any) -> dict[str, Any]:
    return {
        name: {
            "method": signature.method_name,
            "inputs": {key: _tensor_info(info) for key, info in sorted(signature.inputs.items())},
            "outputs": {key: _tensor_info(info) for key, info in sorted(signature.outputs.items())},
        }
        for name, signature in sorted(meta_graph.signature_def.items())
    }


def _tensor_info(info: Any) -> list[Any]:
    shape = info.tensor_shape
    return [info.name, tf.as_dtype(info.dtype).name, None if shape.unknown_rank else [dim.size for dim in shape.dim]]


def as_json(value: Any) -> Any:
    """Arrays, bytes, dictionaries and lists as plain data."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray):
        return [value.dtype.name, list(value.shape), as_json(value.ravel().tolist())]
    if isinstance(value, np.generic):
        return as_json(value.item())
    json.dumps(value)
    return value
