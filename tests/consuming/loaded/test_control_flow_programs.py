"""Made-up programs of nested loops, branches and arrays: a session's values and gradients are those of what is rebuilt."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.consuming.loaded.control_flow_programs import counted
from tests.consuming.loaded.rebuilt_graphs import Rebuilt

pytestmark = pytest.mark.slow

# A program is a list of steps; a step is a tuple of its kind and what it needs.
_PLAIN = st.one_of(
    st.tuples(st.just("scale"), st.sampled_from([0.5, -0.75, 1.25])),
    st.tuples(st.sampled_from(["tanh", "weight", "swap", "array"])),
)
_PREDICATES = st.one_of(st.sampled_from(["input", "flag"]), st.floats(-1.0, 1.0, width=16))


def _nested(steps):
    program = st.lists(steps, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("cond"), _PREDICATES, program, program),
        st.tuples(st.just("loop"), st.integers(0, 3), program),
        st.tuples(st.just("counted"), program),
    )


PROGRAM = st.lists(st.recursive(_PLAIN, _nested, max_leaves=8), min_size=1, max_size=4)


def run(program, x, w, flag, y, z):
    for kind, *arguments in program:
        y, z = _step(kind, arguments, x, w, flag, y, z)
    return y, z


def _step(kind, arguments, x, w, flag, y, z):
    within = lambda steps: lambda *state: run(steps, x, w, flag, *state)  # noqa: E731
    if kind == "scale":
        return y * arguments[0] + 0.25 * z, z
    if kind == "tanh":
        return tf.tanh(y), z
    if kind == "weight":
        return y * w, z
    if kind == "swap":
        return z, y
    if kind == "array":
        return tf1.map_fn(lambda one: one * tf.reduce_sum(w), y), z
    if kind == "cond":
        taken, other = (within(steps) for steps in arguments[1:])
        return tf1.cond(_predicate(arguments[0], x, flag, y), lambda: taken(y, z), lambda: other(y, z))
    times = arguments[0] if kind == "loop" else tf.cast(flag, tf.int32) + 1
    body = within(arguments[-1])
    return tuple(counted(times, lambda i, y, z: body(y + tf.cast(i, tf.float32), z), y, z))


def _predicate(which, x, flag, y):
    if which == "flag":
        return flag
    return tf.reduce_sum(x) > 0.0 if which == "input" else tf.reduce_sum(y) > which


@given(PROGRAM, st.booleans(), st.sampled_from([-1.0, 1.0]))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_program_computes_what_it_did(program, flag, sign):
    values = np.array([0.3, 0.7], np.float32) * np.float32(sign), np.array([0.9, -0.4], np.float32), flag
    Rebuilt(lambda x, w, flag: run(program, x, w, flag, x, x * 0.5), *values).check()
