"""The graph of a `module_fn` as it is without a module: what a module's answers and gradients are compared with."""

from contextlib import nullcontext
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import started_session
from tests.module_fns import KINDS, as_tensors, assign_values
from tests.module_fns.registry import control_flow_v1, value_for


class _Recorder:
    """Takes the place of the library in a `module_fn`, and keeps what it declares."""

    def __init__(self) -> None:
        self.signatures: dict[str, tuple[Any, Any]] = {}

    def add_signature(self, name: str = "default", inputs: Any = None, outputs: Any = None) -> None:
        self.signatures[name] = inputs, outputs


def plain_answers(kind: str) -> list[Any]:
    """The output "default" and its gradients by the variables, the variables' values following from their names."""
    recorder = _Recorder()
    with tf.Graph().as_default(), tf.variable_scope("", use_resource=True):
        KINDS[kind].make(recorder)[0]()
        inputs, outputs = recorder.signatures["default"]
        variables = sorted(tf.trainable_variables(), key=lambda variable: variable.name)
        fetches = [default_of(outputs), *gradients(kind, default_of(outputs), variables)]
        with started_session() as session:
            for variable in variables:
                name = variable.op.name
                session.run(
                    variable.assign(value_for(f"{name}:0", variable.dtype.base_dtype, variable.shape.as_list()))
                )
            given = inputs if isinstance(inputs, dict) else {"default": inputs}
            return session.run(fetches, {given[key]: value for key, value in KINDS[kind].inputs["default"].items()})


def module_answers(kind: str, spec: Any, apply: Any = None) -> list[Any]:
    """The same of a module; `apply(module, inputs)` gives what is differentiated."""
    module = hub.Module(spec, trainable=True)
    inputs = as_tensors(KINDS[kind].inputs["default"])
    output = apply(module, inputs) if apply else module(inputs)
    variables = sorted(module.variables, key=lambda variable: variable.name)
    fetches = [output, *gradients(kind, output, variables)]
    with started_session() as session:
        assign_values(module, session)
        return session.run(fetches)


def default_of(outputs: Any) -> Any:
    """The output "default" of what a signature was declared with."""
    return outputs["default"] if isinstance(outputs, dict) else outputs


def gradients(kind: str, output: Any, variables: list[Any]) -> list[Any]:
    """The gradients of the sum of an output; all must be there."""
    with control_flow_v1() if KINDS[kind].tf1_gradients else nullcontext():
        found = tf.gradients(tf.reduce_sum(output), variables)
    assert None not in found
    return [tf.convert_to_tensor(gradient) for gradient in found]
