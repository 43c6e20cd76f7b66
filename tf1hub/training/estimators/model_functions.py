"""Calling a program's functions with just the arguments that they declare: `model_fn` and `input_fn`."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from tf1hub.training.estimators.estimator_spec import EstimatorSpec

# A function that was taken out of its class has a first argument "self".
_KNOWN = {"features", "labels", "mode", "params", "config", "self"}


def declared_arguments(function: Any) -> tuple[str, ...]:
    """The names of the arguments that are left to give. `*args`, `**kwargs` and what a partial binds are not among them.

    Raises:
      TypeError: it cannot be called.
    """
    if not callable(function):
        raise TypeError(f"{function!r} is no function.")
    if isinstance(function, functools.partial):
        left = declared_arguments(function.func)[len(function.args) :]
        return tuple(name for name in left if name not in function.keywords)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(one.name for one in inspect.signature(function).parameters.values() if one.kind in positional)


def call_with_declared(function: Any, offered: Mapping[str, Any]) -> Any:
    """What the function returns when it is given those of the offered arguments that it declares, by name."""
    declared = declared_arguments(function)
    return function(**{name: value for name, value in offered.items() if name in declared})


def check_model_fn(model_fn: Any, params: Any) -> None:
    """Checks that a `model_fn` takes what an Estimator gives.

    Raises:
      ValueError: there is none; it lacks `features`, or `params` when there are some; it has other arguments.
    """
    if model_fn is None:
        raise ValueError("model_fn must be given to an Estimator.")
    declared = declared_arguments(model_fn)
    if "features" not in declared:
        raise ValueError(f"model_fn {model_fn!r} must have an argument named features; it has {list(declared)}.")
    if params is not None and "params" not in declared:
        raise ValueError(
            f"model_fn {model_fn!r} has no argument named params, and the Estimator was given params={params!r}. Add the"
            " argument to model_fn, or leave out params."
        )
    if unknown := [name for name in declared if name not in _KNOWN]:
        raise ValueError(
            f"model_fn {model_fn!r} has arguments that an Estimator knows nothing of: {unknown}. It gives features, labels,"
            " mode, params and config; bind others with functools.partial."
        )


def call_model_fn(
    model_fn: Callable[..., Any], features: Any, labels: Any, mode: str, params: Any, config: Any
) -> EstimatorSpec:
    """Builds the program's part of the graph, in the default graph.

    Raises:
      ValueError: there are labels and `model_fn` takes none, or it returns no `EstimatorSpec`.
    """
    if labels is not None and "labels" not in declared_arguments(model_fn):
        raise ValueError(
            f"model_fn {model_fn!r} has no argument named labels, and input_fn returns labels. Add the argument, or return"
            " features alone."
        )
    offered = {"features": features, "labels": labels, "mode": mode, "params": params, "config": config}
    spec = call_with_declared(model_fn, offered)
    if not isinstance(spec, EstimatorSpec):
        raise ValueError(f"model_fn {model_fn!r} must return an EstimatorSpec, and returned {spec!r} in mode {mode!r}.")
    return spec
