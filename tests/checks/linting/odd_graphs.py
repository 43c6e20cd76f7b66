"""Graphs that TensorFlow would not build, as variants."""

from tests.graph.graphs import meta_graph
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.graph.index import GraphIndex


def odd(*nodes, functions=()):
    return Variant([], GraphIndex(meta_graph(*nodes, functions=functions)))
