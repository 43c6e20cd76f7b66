"""Every use of TensorFlow's private API, each with the reason why the public one does not do.

The tests of this file run on the oldest and the newest supported TensorFlow.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, TypeVar

import tensorflow as tf
from tensorflow.python.eager import execute as _execute
from tensorflow.python.eager import record as _record
from tensorflow.python.feature_column import feature_column as _feature_column
from tensorflow.python.feature_column import feature_column_v2 as _feature_column_v2
from tensorflow.python.framework import op_def_registry as _op_def_registry
from tensorflow.python.framework import ops as _ops
from tensorflow.python.framework.func_graph import FuncGraph as _FuncGraph
from tensorflow.python.ops import control_flow_ops as _control_flow_ops  # noqa: F401  (registers the contexts' readers)
from tensorflow.python.ops import control_flow_util as _control_flow_util
from tensorflow.python.ops import resource_variable_ops as _resource_variable_ops
from tensorflow.python.saved_model import fingerprinting_utils as _fingerprinting_utils
from tensorflow.python.saved_model import utils_impl as _saved_model_utils

from tf1hub.names import colocation_group

# A column that `tf.compat.v1.feature_column.input_layer` and Keras's DenseFeatures take must be of these classes; there is
# no public way to define one.
DenseColumnV1 = _feature_column._DenseColumn
DenseColumnV2 = _feature_column_v2.DenseColumn


_Function = TypeVar("_Function", bound=Callable[..., Any])


def not_converted(function: _Function) -> _Function:
    """Keeps AutoGraph from rewriting what a function calls within a tf.function. Public, but without types."""
    wrapped: _Function = tf.autograph.experimental.do_not_convert(function)
    return wrapped


def python_object(collection: str, message: bytes) -> Any:
    """The variable or control flow context that a message in a collection describes, in the default graph.

    Public `Variable.from_proto` makes reference variables only, and contexts have none: TensorFlow keeps the readers of
    both in a registry that `import_meta_graph` uses.
    """
    parsed = _ops.get_collection_proto_type(collection).FromString(message)
    return _ops.get_from_proto_function(collection)(parsed, import_scope=None)


def is_function_graph(graph: Any) -> bool:
    """Whether the graph is the body of a function, a v2 loop or a v2 branch. The class is not public."""
    return isinstance(graph, _FuncGraph)


def enclosing_graphs(graph: Any) -> Iterator[Any]:
    """The graphs around the body of a function, from the inside out, the graph itself first."""
    while graph is not None:
        yield graph
        graph = graph.outer_graph if isinstance(graph, _FuncGraph) else None


def brought_into(graph: Any, tensor: Any) -> Any:
    """A tensor as the graph can use it right here: captured by a function, and passed into a v1 loop or branch.

    Ops that are made one by one get this for free; an import that maps inputs does not.
    """
    if isinstance(graph, _FuncGraph) and (not tf.is_symbolic_tensor(tensor) or tensor.graph is not graph):
        tensor = graph.capture(tensor)
    context = graph._get_control_flow_context()
    return context.AddValue(tensor) if context else tensor


def watched_handle(variable: Any) -> Any:
    """A variable's handle in the function that is being built, which gradient tapes then know to depend on the variable.

    Public `variable.value()` does that too, but leaves a read in the function that each call would run for nothing.
    """
    _resource_variable_ops.variable_accessed(variable)
    return _ops.get_default_graph().capture(variable.handle)


def record_on_tapes(ops: Iterable[Any]) -> None:
    """Has the gradient tapes that are recording know ops of the graph that is being built, in their order.

    What makes ops one by one does so itself, and an import does not.
    """
    if not _execute.must_record_gradient():
        return
    for op in ops:
        attrs = tuple(part for name in op.node_def.attr for part in (name, op.get_attr(name)))
        _execute.record_gradient(op.type, tuple(op.inputs), attrs, list(op.outputs))


def is_compiled_by_xla(graph: Any) -> bool:
    """Whether the function that is being traced, or one around it, has `jit_compile=True`. Public API does not tell."""
    return bool(_control_flow_util.GraphOrParentsInXlaContext(graph))


def place_with(op: Any, others: list[Any]) -> None:
    """Colocates an existing op with others. `tf.compat.v1.colocate_with` works on ops that are being made only."""
    own = [group for group in op.colocation_groups() if group != colocation_group(op.name)]
    groups = dict.fromkeys([*own, *(group for other in others for group in other.colocation_groups())])
    attr = tf.compat.v1.AttrValue(list=tf.compat.v1.AttrValue.ListValue(s=sorted(groups)))
    op._set_attr("_class", attr)
    for other in others:
        if other.device:
            op._set_device(other.device)
            break


def tensor_info_of(tensor: Any) -> bytes:
    """The serialized TensorInfo of a tensor. The public function logs that it is deprecated."""
    serialized: bytes = _saved_model_utils.build_tensor_info_internal(tensor).SerializeToString()
    return serialized


def is_registered(op_type: str) -> bool:
    """Whether this TensorFlow, with the libraries loaded so far, has an op. Public API can only try to make one."""
    return _op_def_registry.get(op_type) is not None


def op_definition(op_type: str) -> bytes | None:
    """The OpDef of an op that this process knows, which no public function gives; None when it does not know it."""
    found = _op_def_registry.get(op_type)
    return None if found is None else found.SerializeToString()


def defined_functions(graph: Any) -> set[str]:
    """The names of the functions in a graph's library, without writing out the whole graph."""
    functions = graph._functions
    names = (getattr(function, "name", function) for function in getattr(functions, "values", lambda: functions)())
    return {tf.compat.as_str(name) for name in names}


def add_saving_listeners(hook: Any, listeners: list[Any]) -> None:
    """Has a CheckpointSaverHook that a program made tell more listeners. Public API takes them only when it is made."""
    hook._listeners.extend(listener for listener in listeners if listener not in hook._listeners)


def write_fingerprint(directory: str) -> None:
    """Writes the fingerprint of a SavedModel anew, after its graph was changed on disk. Public API can only read one."""
    _fingerprinting_utils.write_fingerprint(directory)


def named_variable(name: str, value: Any, **settings: Any) -> Any:
    """A `tf.Variable` of a name.

    TensorFlow builds a kernel for each name that it is told, which takes it longer than all else that makes a variable.
    """
    variable = tf.Variable(value, **settings)
    variable._handle_name = f"{name}:0"
    return variable


def set_trainable(variable: Any, trainable: bool) -> None:
    """Has gradient tapes watch a variable by themselves, or not. Public API takes that only when it is made."""
    for one in getattr(variable, "values", (variable,)):  # a distributed variable's replicas
        one._trainable = trainable


def note_effects(graph: Any) -> None:
    """Notes in a function's graph, once it is built, which ops read and change variables, as every tf.function does.

    A function that calls it goes by that: such ops run though nobody takes the outputs, and before what comes after the
    call. `wrap_function` does not note it, and there is no public way to.
    """
    for op in graph.get_operations():
        if op.op_def.is_stateful and any(each.dtype == tf.resource for each in op.inputs):
            graph.control_outputs.append(op)


def tape_may_record() -> bool:
    """Whether a gradient tape, or an accumulator, may be recording in this thread. Public API knows only given tapes."""
    recording: bool = _record.could_possibly_record()
    return recording


def describe_keywords(function: Any, specs: dict[str, Any]) -> None:
    """Has a concrete function say that it takes keyword arguments, as those of `tf.saved_model.load` do.

    Public API makes it say so only where it then takes no list or NumPy array by position.
    """
    function.graph.structured_input_signature = ((), specs)


class _LegacyKerasModule(ModuleType):
    """Stands in for `tf.layers` or `tf.nn.rnn_cell`: loads tf_keras when an attribute is asked for."""

    def __getattr__(self, item: str) -> Any:
        if item.startswith("__") and item != "__all__":
            raise AttributeError(item)
        return getattr(_legacy_keras(self.__dict__["_tf1hub_submodule"]), item)

    def __dir__(self) -> list[str]:
        return dir(_legacy_keras(self.__dict__["_tf1hub_submodule"]))

    def __repr__(self) -> str:
        return f"<tf_keras's {self.__dict__['_tf1hub_submodule']}, by tf1hub>"


def _legacy_keras(submodule: str) -> ModuleType:
    try:
        return importlib.import_module(f"tf_keras.api._v1.keras.__internal__.legacy.{submodule}")
    except ImportError as error:
        version = ".".join(tf.__version__.split(".")[:2])
        name = "tf.layers" if submodule == "layers" else "tf.nn.rnn_cell"
        raise ImportError(
            f"{name} is part of Keras 2, which this TensorFlow {tf.__version__} does not bring. Install it beside Keras 3:"
            f" pip install 'tf-keras~={version}.0'"
        ) from error


def provide_tf_layers() -> None:
    """Makes `tf.layers` and `tf.nn.rnn_cell` work in this process where, under Keras 3, they would only raise.

    Both are lazy loaders that refuse every attribute under Keras 3. Each is changed where it is, so that whoever holds it
    already has a working one. `tf.keras` and all else stay as they are; where they work, nothing is changed.
    """
    global _layers_checked
    if _layers_checked:
        return
    _layers_checked = True
    sys.meta_path.append(_LegacyLayersFinder())
    if _keras_two_is_used():
        return
    # tf_keras imports these, each of which makes new loaders that the program then finds in place of the old ones.
    for name in ("tensorflow.compat.v1", "tensorflow.compat.v2"):
        importlib.import_module(name)
    for module in [module for name, module in sys.modules.items() if name.startswith("tensorflow")]:
        for submodule in ("layers", "rnn_cell"):
            loader = getattr(module, "__dict__", {}).get(submodule)
            if type(loader).__name__ == "KerasLazyLoader":
                loader.__dict__["_tf1hub_submodule"] = submodule
                # Not `loader.__class__ = ...`: a loader hands attributes on to the module that it cannot load.
                object.__setattr__(loader, "__class__", _LegacyKerasModule)


class _LegacyLayersFinder(importlib.abc.MetaPathFinder):
    """Finds `tf_keras.legacy_tf_layers`, by which TensorFlow's own normalization layers (tf_slim's) ask for tf_keras.

    tf_keras has it under `tf_keras.src`. The finder comes last, so it is asked only for what is not there.
    """

    _WANTED = "tf_keras.legacy_tf_layers"

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self._WANTED and not name.startswith(self._WANTED + "."):
            return None
        loader = _AliasLoader("tf_keras.src." + name.removeprefix("tf_keras."))
        return importlib.machinery.ModuleSpec(name, loader, is_package=name == self._WANTED)


class _AliasLoader(importlib.abc.Loader):
    """Loads a module under another name by taking over what the real one has."""

    def __init__(self, real_name: str):
        self._real_name = real_name

    def exec_module(self, module: ModuleType) -> None:
        real = importlib.import_module(self._real_name)
        module.__dict__.update({name: value for name, value in vars(real).items() if not name.startswith("__")})


_layers_checked = False


def _keras_two_is_used() -> bool:
    if os.environ.get("TF_USE_LEGACY_KERAS") in ("true", "True", "1"):
        return True
    try:
        return importlib.metadata.version("keras").startswith("2.")
    except importlib.metadata.PackageNotFoundError:
        return False
