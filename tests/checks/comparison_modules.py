"""Small modules on disk for the tests of comparisons, made of messages and arrays without TensorFlow."""

from pathlib import Path
from typing import Any

import tf1hub as hub
from tests.graph.graphs import meta_graph, node
from tf1hub.checks.comparing.comparison import Comparison
from tf1hub.format import module_directory, protos
from tf1hub.format.bundle_writer import BundleWriter

FLOAT = 1


def variant(*nodes: protos.NodeDef, tags: tuple[str, ...] = (), **options: Any) -> protos.MetaGraphDef:
    """A graph variant; see `tests.graph.graphs.meta_graph`."""
    result = meta_graph(*nodes, **options)
    result.meta_info_def.tags.extend(tags)
    return result


def write_module(
    path: Path,
    *variants: protos.MetaGraphDef,
    values: dict[str, Any] | None = None,
    files: dict[str, bytes] | None = None,
) -> Path:
    """A module with these variants (or an empty one), variables' values, and further files by their paths in it."""
    path.mkdir()
    (path / "tfhub_module.pb").write_bytes(module_directory.marker_bytes())
    saved_model = protos.SavedModel(meta_graphs=variants or [variant(node("x"))])
    (path / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    if values is not None:
        (path / "variables").mkdir()
        with BundleWriter(path / "variables" / "variables") as writer:
            for name, value in values.items():
                writer.add(name, value)
    for name, content in (files or {}).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def add_asset(graph: protos.MetaGraphDef, tensor: str, file_name: str) -> None:
    """Lists a file as the asset of a constant of the graph."""
    constant = node(tensor.partition(":")[0], "Const")
    constant.attr["value"].tensor.CopyFrom(protos.TensorProto(dtype=7, string_val=[b"placeholder"]))
    graph.graph_def.node.append(constant)
    asset = protos.AssetFileDef(filename=file_name)
    asset.tensor_info.name = tensor
    graph.collection_def["saved_model_assets"].any_list.value.add(value=asset.SerializeToString())


def compared(tmp_path: Path, a: Any, b: Any) -> Comparison:
    """What differs between two modules, each of which is given as the arguments of `write_module`."""
    paths = [
        write_module(tmp_path / name, *each.get("variants", ()), values=each.get("values"), files=each.get("files"))
        for name, each in (("a", a), ("b", b))
    ]
    return hub.compare(*paths)


def graphs_compared(tmp_path: Path, a: protos.MetaGraphDef, b: protos.MetaGraphDef) -> Any:
    """What differs between two variants."""
    return compared(tmp_path, {"variants": [a]}, {"variants": [b]}).common_variants[0]


def named(changes: Any) -> dict[str, tuple[str | None, str | None]]:
    """Changes as what is in A and in B, by name."""
    return {change.name: (change.a, change.b) for change in changes}
