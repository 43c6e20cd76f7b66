"""A module as the rules see it: its variants with their dataflow, its files and its checkpoint."""

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from tf1hub import files
from tf1hub.checkpoints import local_checkpoint
from tf1hub.checks.linting.dataflow.expansion import Ref, parse_ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.liveness import Liveness
from tf1hub.format import dtypes, protos
from tf1hub.format.bundle_data import index_path
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_index import BundleIndex
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.signature_tensors import iter_tensor_names
from tf1hub.graph.variables import StoredVariable, stored_variable
from tf1hub.names import node_name
from tf1hub.spec import ModuleSpec

TRAIN = "train"
_Computed = TypeVar("_Computed")


class Variant:
    """One graph variant.

    Attributes:
      tags: its tags, sorted.
      index: its graph.
    """

    def __init__(self, tags: Iterable[str], index: GraphIndex):
        self.tags = tuple(sorted(tags))
        self.index = index
        self._kept: dict[Any, Any] = {}

    @property
    def is_for_training(self) -> bool:
        """Whether its tags say that it is the variant to train."""
        return TRAIN in self.tags

    @functools.cached_property
    def flow(self) -> Flow:
        """What is computed from what, functions included."""
        return Flow(self.index)

    @functools.cached_property
    def liveness(self) -> Liveness:
        """What is constant, and what is computed when nothing is fed that need not be."""
        return Liveness(self.flow)

    @functools.cached_property
    def signatures(self) -> Mapping[str, protos.SignatureDef]:
        """The signatures, sorted by name."""
        definitions = self.index.meta_graph.signature_def
        return {name: definitions[name] for name in sorted(definitions)}

    def inputs(self, signature: str) -> dict[str, list[Ref]]:
        """The tensors of each input of a signature: one, or those of a sparse or ragged one."""
        return _refs(self.signatures[signature].inputs)

    def outputs(self, signature: str) -> dict[str, list[Ref]]:
        """The tensors of each output of a signature."""
        return _refs(self.signatures[signature].outputs)

    @functools.cached_property
    def all_inputs(self) -> frozenset[Ref]:
        """The tensors of all inputs of all signatures."""
        return frozenset(ref for name in self.signatures for refs in self.inputs(name).values() for ref in refs)

    @functools.cached_property
    def all_outputs(self) -> frozenset[Ref]:
        """The tensors of all outputs of all signatures."""
        return frozenset(ref for name in self.signatures for refs in self.outputs(name).values() for ref in refs)

    @functools.cached_property
    def has_switch(self) -> bool:
        """Whether a signature has a single truth value among its inputs, such as one that says "training"."""
        inputs = [info for signature in self.signatures.values() for info in signature.inputs.values()]
        return any(each.dtype == dtypes.BOOL and not each.tensor_shape.dim for each in inputs)

    @functools.cached_property
    def input_nodes(self) -> frozenset[str]:
        """The nodes that are inputs of signatures."""
        return frozenset(name for name, _ in self.all_inputs)

    @functools.cached_property
    def variables(self) -> Mapping[str, StoredVariable]:
        """The global variables by their nodes."""
        stored = (stored_variable(each, self.index) for each in self._definitions(collections.GLOBAL_VARIABLES))
        return {variable.node: variable for variable in stored}

    @functools.cached_property
    def trainable(self) -> frozenset[str]:
        """The nodes of the trainable variables."""
        return frozenset(node_name(each.variable_name) for each in self._definitions(collections.TRAINABLE_VARIABLES))

    def _definitions(self, key: str) -> list[protos.VariableDef]:
        return self.index.variables(key)

    @functools.cached_property
    def update_ops(self) -> tuple[str, ...]:
        """The nodes of the collection UPDATE_OPS."""
        return tuple(map(node_name, self.index.collection_nodes(collections.UPDATE_OPS)))

    @functools.cached_property
    def regularization_losses(self) -> tuple[Ref, ...]:
        """The values of the collection REGULARIZATION_LOSSES."""
        return tuple(map(parse_ref, self.index.collection_nodes(collections.REGULARIZATION_LOSSES)))

    def kept(self, compute: "Callable[[Variant], _Computed]") -> _Computed:
        """What a function computes of the variant. It is called once, however many rules ask."""
        return _kept(self._kept, compute, self)

    def variable_name(self, node: str) -> str:
        """What the checkpoint calls the variable of a node."""
        variable = self.variables.get(node)
        return variable.checkpoint_name if variable is not None else node


class LintedModule:
    """A module that is linted.

    Attributes:
      spec: the module.
      directory: where it lies; None for a spec in memory, of which there are no files to look at.
      variants: in the order of the file.
    """

    def __init__(self, spec: ModuleSpec):
        self.spec = spec
        self.directory = spec.directory
        self.variants = [Variant(tags, spec.variant(tags)) for tags in spec.get_tags()]
        self._kept: dict[Any, Any] = {}

    @functools.cached_property
    def for_training(self) -> list[Variant]:
        """The variants that are there to be trained: those tagged so, and those that have no such counterpart."""
        return [each for each in self.variants if each.is_for_training or self.training_counterpart(each) is None]

    @functools.cached_property
    def for_inference(self) -> list[Variant]:
        """The variants that are not tagged for training."""
        return [each for each in self.variants if not each.is_for_training]

    def kept(self, compute: "Callable[[LintedModule], _Computed]") -> _Computed:
        """What a function computes of the module. It is called once, however many rules ask."""
        return _kept(self._kept, compute, self)

    @functools.cached_property
    def stored_entries(self) -> Mapping[str, TensorEntry]:
        """What the checkpoint's index says of each tensor; nothing for a spec in memory, or a module without variables."""
        prefix = self.spec.checkpoint
        has_variables = any(variant.variables for variant in self.variants)
        if prefix is None or not (has_variables or files.exists(index_path(prefix))):
            return {}
        with local_checkpoint(prefix, index_only=True) as local:
            return dict(BundleIndex(local).entries)

    def path_inside(self, path: str) -> str:
        """A file's path inside the module; of a spec in memory the path where it lies."""
        if self.directory is None:
            return path
        return path.removeprefix(files.join(self.directory, "")).replace(os.sep, "/")

    def training_counterpart(self, variant: Variant) -> Variant | None:
        """The variant that has the tag "train" and otherwise the same ones."""
        wanted = {*variant.tags, TRAIN}
        return next((each for each in self.variants if each is not variant and set(each.tags) == wanted), None)


def _refs(infos: Mapping[str, protos.TensorInfo]) -> dict[str, list[Ref]]:
    return {key: [parse_ref(name) for name in iter_tensor_names(infos[key]) if name] for key in sorted(infos)}


def _kept(found: dict[Any, Any], compute: Callable[[Any], _Computed], of: Any) -> _Computed:
    if compute not in found:
        found[compute] = compute(of)
    computed: _Computed = found[compute]
    return computed
