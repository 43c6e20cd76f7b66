"""What importing tf1hub brings along, and the public names."""

import subprocess
import sys

import pytest

import tf1hub
from tf1hub.format import module_directory, protos

PUBLIC = [
    "BestModuleExporter",
    "FinalModuleExporter",
    "ImageModuleInfo",
    "KerasLayer",
    "LatestModuleExporter",
    "Module",
    "ModuleExportCallback",
    "ModuleExportHook",
    "ModuleSpec",
    "__version__",
    "add_signature",
    "attach_image_module_info",
    "attach_message",
    "compare",
    "create_module_spec",
    "create_module_spec_from_saved_model",
    "describe",
    "errors",
    "estimator",
    "eval_function_for_module",
    "export_from_checkpoint",
    "export_text_embedding",
    "export_weights",
    "get_expected_image_size",
    "get_num_image_channels",
    "image_embedding_column",
    "lint",
    "lint_training_graph",
    "load",
    "load_module_spec",
    "register_module_for_export",
    "replace_weights",
    "resolve",
    "sparse_text_embedding_column",
    "text_embedding_column",
    "text_embedding_column_v2",
    "to_saved_model",
    "verify",
]


@pytest.fixture
def module(tmp_path):
    """A module's directory, with one signature and one attached message."""
    meta_graph = protos.MetaGraphDef()
    meta_graph.signature_def["default"].outputs["default"].name = "x:0"
    meta_graph.graph_def.node.add(name="x", op="Const")
    info = protos.ImageModuleInfo()
    info.default_image_size.height = 224
    attached = protos.ModuleAttachment(key="image_module_info", value=info.SerializeToString())
    attachments = meta_graph.collection_def["hub_module_attachments"].bytes_list.value
    attachments.append(attached.SerializeToString())
    (tmp_path / "tfhub_module.pb").write_bytes(module_directory.marker_bytes())
    saved_model = protos.SavedModel(meta_graphs=[meta_graph])
    (tmp_path / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    return tmp_path


def run(program, *arguments):
    """What a program prints in a process of its own."""
    loaded = "; import sys; print([name for name in ('tensorflow', 'tf_keras', 'keras') if name in sys.modules])"
    command = [sys.executable, "-c", program + loaded, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_importing_does_not_import_tensorflow():
    assert run("import tf1hub; dir(tf1hub); tf1hub.errors") == ["[]"]


def test_a_module_is_looked_into_without_tensorflow(module):
    program = (
        "import sys, tf1hub as hub; spec = hub.load_module_spec(sys.argv[1]); print(spec.get_signature_names());"
        "print(spec.get_attached_message('image_module_info', hub.ImageModuleInfo).default_image_size.height);"
        "print(list(spec.get_output_info_dict()), spec.get_tags())"
    )
    assert run(program, module) == ["['default']", "224", "['default'] [frozenset()]", "[]"]


def test_a_missing_module_is_reported_as_tensorflows_error_when_it_is_installed(tmp_path):
    program = (
        "import sys, tf1hub as hub\ntry: hub.load_module_spec(sys.argv[1])\n"
        "except OSError as error: print(type(error).__name__)\npass"
    )
    assert run(program, tmp_path / "nothing")[0] == "MissingModuleError"


def test_the_public_names_are_pinned():
    assert sorted(tf1hub.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(tf1hub))


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_is_there(name):
    pytest.importorskip("tensorflow")
    assert getattr(tf1hub, name) is getattr(tf1hub, name)


def test_other_names_are_refused_with_those_that_are_there():
    with pytest.raises(
        AttributeError, match=r"no attribute 'nonsense'. It has: BestModuleExporter, FinalModuleExporter, "
    ):
        _ = tf1hub.nonsense
