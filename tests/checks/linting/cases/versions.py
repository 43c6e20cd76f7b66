"""Modules for the rules about what a module needs of its reader."""

from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows, two_variants, written
from tests.checks.linting.cases.editing import edited
from tests.checks.linting.cases.registry import breaks, keeps
from tf1hub.format import protos


def _module_fn(is_training: bool = False) -> None:
    x = rows()
    hub.add_signature(inputs=x, outputs=tf.tanh(dense(x, 3)))


def _with_marker(folder: Path, **fields: Any) -> str:
    path = written(one_variant(_module_fn), folder)
    Path(path, "tfhub_module.pb").write_bytes(protos.ModuleDef(format=3, **fields).SerializeToString())
    return path


@breaks("required-features")
def _features_that_nobody_knows(folder):
    return _with_marker(folder, required_features=["quantum-weights", "a-future"])


@keeps("required-features")
def _no_features(folder):
    return _with_marker(folder)


def _with_versions(**versions: Any) -> hub.ModuleSpec:
    def edit(meta_graph):
        meta_graph.graph_def.versions.MergeFrom(protos.VersionDef(**versions))

    return edited(two_variants(_module_fn), edit)


@breaks("tensorflow-too-new")
def _reader_must_be_newer_than_any(_):
    return _with_versions(min_consumer=100_000)


@breaks("tensorflow-too-new")
def _reader_must_be_newer_than_the_oldest(_):
    return _with_versions(min_consumer=2_000)


@breaks("tensorflow-too-new")
def _reader_must_not_be_the_oldest(_):
    return _with_versions(bad_consumers=[1645])


@keeps("tensorflow-too-new")
def _writer_is_newer_than_any(_):
    return _with_versions(producer=100_000, min_consumer=12)
