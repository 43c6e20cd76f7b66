"""What programs use of `tf.estimator`, which TensorFlow dropped in 2.16.

    import tf1hub as hub
    from tf1hub import estimator; tf.estimator = estimator

leaves every `tf.estimator.X` of a program as it stands. The names are those of `tf.compat.v1.estimator`; each is loaded when
it is first used.
"""

import importlib
from typing import Any

_ESTIMATORS = "tf1hub.training.estimators."
_CANNED = _ESTIMATORS + "canned."
_HOMES = {
    "BestExporter": _ESTIMATORS + "saved_model_exporters",
    "DNNClassifier": _CANNED + "dnn",
    "DNNLinearCombinedClassifier": _CANNED + "dnn_linear_combined",
    "DNNLinearCombinedRegressor": _CANNED + "dnn_linear_combined",
    "DNNRegressor": _CANNED + "dnn",
    "Estimator": _ESTIMATORS + "estimator",
    "EstimatorSpec": _ESTIMATORS + "estimator_spec",
    "EvalSpec": _ESTIMATORS + "run_specs",
    "Exporter": "tf1hub.training.exports.exporter",
    "FinalExporter": _ESTIMATORS + "saved_model_exporters",
    "LatestExporter": _ESTIMATORS + "saved_model_exporters",
    "LinearClassifier": _CANNED + "linear",
    "LinearRegressor": _CANNED + "linear",
    "ModeKeys": _ESTIMATORS + "mode_keys",
    "RunConfig": _ESTIMATORS + "run_config",
    "TrainSpec": _ESTIMATORS + "run_specs",
    "WarmStartSettings": _ESTIMATORS + "warm_start",
    "add_metrics": _ESTIMATORS + "added_metrics",
    "classifier_parse_example_spec": _CANNED + "example_specs",
    "regressor_parse_example_spec": _CANNED + "example_specs",
    "train_and_evaluate": _ESTIMATORS + "train_and_evaluate",
}
# TensorFlow kept these; programs know them by both names.
_KEPT = {
    *("CheckpointSaverHook", "CheckpointSaverListener", "FeedFnHook", "FinalOpsHook", "GlobalStepWaiterHook"),
    *("LoggingTensorHook", "NanLossDuringTrainingError", "NanTensorHook", "ProfilerHook", "SecondOrStepTimer"),
    *("SessionRunArgs", "SessionRunContext", "SessionRunHook", "SessionRunValues", "StepCounterHook"),
    *("StopAtStepHook", "SummarySaverHook", "VocabInfo"),
}
_PARTS = {"experimental", "export", "inputs"}
__all__ = sorted({*_HOMES, *_KEPT, *_PARTS})


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"tf1hub.estimator.{name}")
    if name in _KEPT:
        value = getattr(importlib.import_module("tensorflow").compat.v1.train, name)
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"tf1hub.estimator has no {name!r}. It has: {', '.join(__all__)}.")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
