"""A module's directory: what lies where, and reading its messages.

    tfhub_module.pb             ModuleDef: format = 3, required_features; makes the directory a TF1 Hub module
    saved_model.pb              SavedModel: one MetaGraphDef for each variant
    variables/variables.index   the checkpoint's table, see `table`
    variables/variables.data-*  the checkpoint's values
    assets/                     files that the graph reads

`variables/` and `assets/` may be missing. Other files in the directory are nobody's business here.
"""

from tf1hub import files
from tf1hub.errors import CorruptModuleError, MissingModuleError, UnsupportedModuleError
from tf1hub.format import protos
from tf1hub.format.messages import parse_message

MARKER = "tfhub_module.pb"
SAVED_MODEL = "saved_model.pb"
SAVED_MODEL_TEXT = "saved_model.pbtxt"
VARIABLES = "variables"
FORMAT_VERSION = 3


def is_module(directory: str) -> bool:
    """Whether the directory holds a TF1 Hub module."""
    return files.exists(files.join(directory, MARKER))


def check_marker(directory: str) -> None:
    """Refuses a directory that is no module, or one that this version cannot read.

    Raises:
      MissingModuleError: no `tfhub_module.pb`.
      CorruptModuleError: it cannot be parsed.
      UnsupportedModuleError: a format or required features that are not known.
    """
    if features := required_features(directory):
        raise UnsupportedModuleError(
            f"{files.join(directory, MARKER)!r} requires features that this version of tf1hub does not know:"
            f" {features}. A newer version may."
        )


def required_features(directory: str) -> list[str]:
    """The features that a reader of the module must know, sorted. So far the format has none.

    Raises:
      MissingModuleError: no `tfhub_module.pb`.
      CorruptModuleError: it cannot be parsed.
      UnsupportedModuleError: a format that is not known.
    """
    path = files.join(directory, MARKER)
    if not files.exists(path):
        raise MissingModuleError(_why_no_module(directory))
    module_def = parse_message(protos.ModuleDef, files.read_bytes(path), repr(path))
    if module_def.format != FORMAT_VERSION:
        raise UnsupportedModuleError(
            f"{path!r} says format {module_def.format}; this version of tf1hub reads format {FORMAT_VERSION}."
        )
    return sorted(module_def.required_features)


def _why_no_module(directory: str) -> str:
    if not files.exists(directory):
        return f"There is no directory {directory!r}. Check the path of the module."
    if not files.is_directory(directory):
        return f"{directory!r} is a file. A module is a directory: unpack an archive first."
    if files.exists(files.join(directory, SAVED_MODEL)):
        return (
            f"{directory!r} holds no {MARKER}, so it is a plain SavedModel and no TF1 Hub module. If it was"
            " written by TensorFlow 1, `hub.create_module_spec_from_saved_model` makes a module spec of it;"
            " otherwise load it with `tf.saved_model.load`."
        )
    return f"{directory!r} holds no {MARKER}, so it is no TF1 Hub module. Check the path."


def read_saved_model(directory: str) -> protos.SavedModel:
    """The graph variants of a module, or of a SavedModel.

    Raises:
      MissingModuleError: no `saved_model.pb`.
      CorruptModuleError: it cannot be parsed, or holds no graph.
    """
    path = files.join(directory, SAVED_MODEL)
    if not files.exists(path):
        raise MissingModuleError(f"{directory!r} holds no {SAVED_MODEL}. Fetch the module again.")
    data = files.read_bytes(path)
    saved_model: protos.SavedModel = parse_message(protos.SavedModel, data, repr(path))
    if not saved_model.meta_graphs:
        raise CorruptModuleError(f"{path!r} ({len(data)} bytes) holds no graph. Fetch the module again.")
    return saved_model


def checkpoint_prefix(directory: str) -> str:
    """The prefix of the checkpoint's files, whether they exist or not."""
    return files.join(directory, VARIABLES, "variables")


def marker_bytes() -> bytes:
    """The contents of `tfhub_module.pb`."""
    return protos.ModuleDef(format=FORMAT_VERSION).SerializeToString()
