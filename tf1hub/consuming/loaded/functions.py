"""The functions that a loaded module runs: each is built when it is first needed, and kept."""

import contextlib
import functools
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from tf1hub.consuming.loaded.recording import is_recordable
from tf1hub.consuming.loaded.replicas import current_replica
from tf1hub.consuming.loaded.variant import Variant
from tf1hub.consuming.loaded.variant_import import import_part
from tf1hub.errors import GraphError, WrongGraphError
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph.application import Application
from tf1hub.graph.control_flow.regions import has_control_flow
from tf1hub.graph.subgraph import Subgraph
from tf1hub.spec import ModuleSpec
from tf1hub.tensor_info import TensorInfo
from tf1hub.tensorflow_private import is_compiled_by_xla, not_converted, note_effects, tape_may_record

Infos: TypeAlias = Mapping[str, TensorInfo]


def check_eager() -> None:
    """Refuses graphs of TensorFlow 1, and functions within them.

    Raises:
      WrongGraphError: one is being built.
    """
    with tf.init_scope():
        if not tf.executing_eagerly():
            raise WrongGraphError(
                "A loaded module is applied in eager code or in a tf.function, and here a graph of TensorFlow 1 is being"
                " built. Use hub.Module in it."
            )


class Functions:
    """The functions of one variant. Threads may share it."""

    def __init__(self, spec: ModuleSpec, variant: Variant):
        self._spec = spec
        self._variant = variant
        self._lock = threading.RLock()
        self._built: dict[tuple[Any, ...], Any] = {}
        self._specs: dict[str, list[Any]] = {}
        self._infos: dict[str, tuple[Infos, Infos]] = {}
        self._losses: list[Callable[[], Any]] | None = None

    def infos(self, signature: str) -> tuple[Infos, Infos]:
        """What a signature takes and gives.

        Raises:
          SignatureError: there is no such signature.
        """
        if signature not in self._infos:
            inputs = self._spec.get_input_info_dict(signature, self._variant.tags)
            self._infos[signature] = inputs, self._spec.get_output_info_dict(signature, self._variant.tags)
        return self._infos[signature]

    def apply(self, signature: str, outputs: list[str], training: bool, tensors: Sequence[Any]) -> list[Any]:
        """The tensors that some outputs are made of, computed from those that the inputs are made of.

        Both are in the order of `TensorInfo.component_names`. With `training` the update ops run before they are there.
        """
        if not tf.executing_eagerly():
            application = self._variant.application(signature, outputs, training)
            if is_compiled_by_xla(tf.compat.v1.get_default_graph()):
                self._check_compilable(signature, application)
            if is_recordable(application.subgraph):
                with self._variant.replicas.united(training):
                    return self._computed(signature, outputs, application, current_replica() or 0, tensors)
        function = self.function(signature, outputs, training, tensors)
        # TensorFlow builds a function's gradient at the first call under a tape, and threads would do so at once.
        with self._variant.replicas.united(training), self._lock if tape_may_record() else contextlib.nullcontext():
            return list(function(*tensors))

    def _check_compilable(self, signature: str, application: Application) -> None:
        """Refuses what XLA never compiles; while training, its own message would be of its inner workings."""
        texts = [
            f"the input {key!r} of strings" for key, info in self.infos(signature)[0].items() if info.dtype == tf.string
        ]
        tables = [f"the table {name!r}" for name in self._variant.tables_of(application.subgraph)]
        if found := texts + tables:
            raise GraphError(
                f"XLA cannot compile the signature {signature!r}, for it needs {', '.join(found)}. Leave out"
                " `jit_compile=True` for the function around the call, or for the model."
            )

    def function(self, signature: str, outputs: list[str], training: bool, tensors: Sequence[Any] | None = None) -> Any:
        """The concrete function that `apply` calls: dense tensors by position to dense tensors.

        Where a graph is being traced, the static shapes of `tensors` go in, so that those of the outputs follow from them.
        """
        specs = self._input_specs(signature)
        if tensors is not None and not tf.executing_eagerly():
            specs = [_narrowed(spec, tensor) for spec, tensor in zip(specs, tensors, strict=True)]
        # TensorFlow gives wrong gradients of nested v2 loops in a function that is differentiated both eagerly and in a graph.
        key = (signature, tuple(outputs), training, tf.executing_eagerly(), tuple(spec.shape for spec in specs))
        return self.kept(key, lambda component: self._built_function(signature, outputs, training, component, specs))

    def update_ops(self, signature: str) -> tuple[str, ...]:
        """The update ops that a call of a signature runs when training."""
        return self._variant.application(signature, list(self.infos(signature)[1]), training=True).update_ops

    def losses(self) -> list[Callable[[], Any]]:
        """The regularization losses; those that hang on an input, which nobody could evaluate, are told and left out."""
        if self._losses is None:
            names, unfed = self._variant.regularization_losses()
            if unfed:
                warnings.warn(
                    f"The regularization losses {unfed} of the module depend on an input, so they cannot be computed from its"
                    " variables. They are left out.",
                    stacklevel=3,
                )
            self._losses = [functools.partial(self._loss, name) for name in names]
        return list(self._losses)

    def kept(self, key: tuple[Any, ...], build: Callable[[int], Any]) -> Any:
        """What `build` builds, once for each replica of a distribution strategy, whose number it gets."""
        component = current_replica() or 0
        key = (*key, component)
        if key not in self._built:
            with self._lock:
                if key not in self._built:
                    with tf.init_scope(), no_garbage_collection():
                        check_eager()
                        self._built[key] = build(component)
        return self._built[key]

    @not_converted
    def _loss(self, name: str) -> Any:
        return self.kept(("loss", name), lambda component: self._built_loss(name, component))()

    def _input_specs(self, signature: str) -> list[Any]:
        if signature not in self._specs:
            infos, _ = self.infos(signature)
            specs = {name: spec for info in infos.values() for name, spec in _component_specs(info)}
            self._specs[signature] = list(specs.values())
        return self._specs[signature]

    def _built_function(
        self, signature: str, outputs: list[str], training: bool, component: int, specs: list[Any]
    ) -> Any:
        application = self._variant.application(signature, outputs, training)

        def compute(*tensors: Any) -> list[Any]:
            return self._computed(signature, outputs, application, component, tensors)

        return _traced(compute, specs, application.subgraph)

    def _computed(
        self, signature: str, outputs: list[str], application: Application, component: int, tensors: Sequence[Any]
    ) -> list[Any]:
        """Adds what computes some outputs to the function that is being traced."""
        infos, made = self.infos(signature)
        names = dict.fromkeys(name for info in infos.values() for name in info.component_names())
        wanted = [name for key in outputs for name in made[key].component_names()]
        inputs = dict(zip(names, tensors, strict=True))
        imported = import_part(
            self._variant, application.subgraph, component, inputs, [*wanted, *application.update_ops]
        )
        return _after_updates(imported, application, [imported.tensor(name) for name in wanted])

    def _built_loss(self, name: str, component: int) -> Any:
        subgraph = self._variant.loss(name)
        return _traced(lambda: import_part(self._variant, subgraph, component, {}, [name]).tensor(name), [], subgraph)


def _traced(compute: Callable[..., Any], specs: Sequence[Any], subgraph: Subgraph) -> Any:
    """What builds a subgraph as a concrete function."""
    if has_control_flow(subgraph) and not subgraph.graph_def.library.function:
        return tf.function(compute, autograph=False).get_concrete_function(*specs)

    def noted(*tensors: Any) -> Any:
        results = compute(*tensors)
        note_effects(tf.compat.v1.get_default_graph())
        return results

    # It makes functions known that come with an import, as tf.function does not; and those of rebuilt loops and branches,
    # too, but for good, also when all of this has long been dropped.
    return tf.compat.v1.wrap_function(noted, specs, name="tf1hub")


def _component_specs(info: TensorInfo) -> Iterator[tuple[str, Any]]:
    """The dense tensors that an input is made of: their names and specs."""
    specs = tf.nest.flatten(info.type_spec, expand_composites=True)
    return zip(info.component_names(), specs, strict=True)


def _after_updates(imported: Any, application: Application, tensors: list[Any]) -> list[Any]:
    updates = [imported.element(name) for name in application.update_ops]
    with tf.control_dependencies(updates):
        return [tf.identity(tensor) for tensor in tensors]


def _narrowed(spec: Any, tensor: Any) -> Any:
    """A spec with what is known of a tensor's shape, too."""
    return tf.TensorSpec(spec.shape.merge_with(tensor.shape), spec.dtype)
