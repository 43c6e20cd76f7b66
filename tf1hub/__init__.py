"""The TF1 Hub module format on today's TensorFlow.

`import tf1hub as hub` takes the place of `import tensorflow_hub as hub`. The public names are loaded when they are first
used; importing tf1hub does not import TensorFlow.
"""

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "BestModuleExporter": "training.exports.module_exporters",
    "FinalModuleExporter": "training.exports.module_exporters",
    "ImageModuleInfo": "format.protos",
    "KerasLayer": "consuming.keras_layers.keras_layer",
    "LatestModuleExporter": "training.exports.module_exporters",
    "Module": "consuming.module",
    "ModuleExportCallback": "training.exports.module_export_callback",
    "ModuleExportHook": "training.exports.module_export_hook",
    "ModuleSpec": "spec",
    "add_signature": "publishing.signatures",
    "attach_image_module_info": "publishing.images",
    "attach_message": "publishing.signatures",
    "compare": "checks.comparing.comparison",
    "create_module_spec": "publishing.module_spec",
    "create_module_spec_from_saved_model": "publishing.saved_model",
    "describe": "checks.describing.description",
    "errors": "errors",
    "estimator": "estimator",
    "eval_function_for_module": "consuming.evaluating",
    "export_from_checkpoint": "training.exports.checkpoint_export",
    "export_text_embedding": "publishing.text_embedding",
    "export_weights": "converting.weights",
    "get_expected_image_size": "consuming.images",
    "get_num_image_channels": "consuming.images",
    "image_embedding_column": "consuming.feature_columns",
    "lint": "checks.linting.linting",
    "lint_training_graph": "checks.linting.training_graph",
    "load": "consuming.loaded.loading",
    "load_module_spec": "spec",
    "register_module_for_export": "training.exports.registered_modules",
    "replace_weights": "converting.weights",
    "resolve": "spec",
    "sparse_text_embedding_column": "consuming.feature_columns",
    "text_embedding_column": "consuming.feature_columns",
    "text_embedding_column_v2": "consuming.feature_columns",
    "to_saved_model": "converting.saved_models.conversion",
    "verify": "checks.verifying.verification",
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tf1hub' has no attribute {name!r}. It has: {', '.join(sorted(_HOMES))}.")
    module = importlib.import_module(f"tf1hub.{_HOMES[name]}")
    value = module if _HOMES[name] == name else getattr(module, name)
    globals()[name] = value
    _help_tensorflow()
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _help_tensorflow() -> None:
    """Makes `tf.layers` work, where it would only raise, in a program that has imported TensorFlow before tf1hub."""
    if hasattr(sys.modules.get("tensorflow"), "__version__"):
        importlib.import_module("tf1hub.tensorflow_private").provide_tf_layers()


_help_tensorflow()
