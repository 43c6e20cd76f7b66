"""Rules about the shapes of inputs and outputs: how many examples a call takes, and how wide they are."""

from collections.abc import Iterator

from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.findings import WARNING, Problem
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.image_signature import is_image_signature
from tf1hub.checks.linting.reuse.interface import DEFAULT, Endpoint, Shape, inputs_of, outputs_of, told_once
from tf1hub.checks.linting.reuse.text_signature import is_text_signature
from tf1hub.checks.linting.rule import rule

# Ops that multiply an input by a variable, and which dimension of that must be as large as the input's last one.
_WIDTH_OF_WEIGHTS = {"MatMul": 0, "BatchMatMul": -2, "BatchMatMulV2": -2, "Conv2D": 2, "DepthwiseConv2dNative": 2}


@rule("fixed-batch-size", WARNING, "an input takes one number of examples only")
def fixed_batch_size(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        fixed = (each for each in _fixed(variant) if not _has_an_open_variant(module, variant, *each))
        for told in told_once(fixed):
            yield told.problem(
                variant,
                f"The signature {told.signature!r}{told.also} fixes the first dimension of its input {told.shapes}, so a call"
                " takes exactly that many rows, and users cannot choose the size of their batches"
                f"{_agreed(variant, told.signature)}.",
                "Leave the first dimension of the placeholder open (None); where the graph needs the number, take it from"
                " `tf.shape(...)[0]`.",
            )


def _agreed(variant: Variant, signature: str) -> str:
    """What else a fixed size breaks, as the end of a sentence."""
    for is_common, kind in ((is_text_signature, "texts"), (is_image_signature, "images")):
        if is_common(variant, signature):
            return f", which the common signature for {kind} leaves open"
    return ""


def _has_an_open_variant(module: LintedModule, variant: Variant, signature: str, endpoint: Endpoint) -> bool:
    """Whether a more general variant takes any number of examples: then this one is for devices that need the number."""
    general = [
        each
        for each in module.variants
        if set(each.tags) < set(variant.tags) and each.is_for_training == variant.is_for_training
    ]
    inputs = (inputs_of(each, signature).get(endpoint.key) for each in general if signature in each.signatures)
    return any(each is not None and _leaves_rows_open(each) for each in inputs)


def _fixed(variant: Variant) -> Iterator[tuple[str, Endpoint]]:
    for name in variant.signatures:
        inputs = [each for each in inputs_of(variant, name).values() if each.refs]
        given_back = {each.shape[0] for each in outputs_of(variant, name).values() if each.shape}
        some_open = any(_leaves_rows_open(each) for each in inputs)
        for each in inputs:
            if (
                each.shape
                and each.shape[0] is not None
                and _fixes_rows(each.shape, each.shape[0] in given_back, some_open)
            ):
                yield name, each


def _leaves_rows_open(endpoint: Endpoint) -> bool:
    """Whether an input takes any number of examples; a vector of numbers may be settings."""
    shape = endpoint.shape
    return shape is None or (shape[:1] == (None,) and (len(shape) > 1 or endpoint.dtype == "string"))


def _fixes_rows(shape: Shape, is_given_back: bool, some_open: bool) -> bool:
    """Whether an input's known first dimension is the number of examples, and not that of some settings.

    `is_given_back`: it is that of an output as well; `some_open`: another input takes any number of examples.
    """
    if some_open:
        return len(shape) > 1 and is_given_back and shape[0] != 1
    # The examples can come later, as in [time, examples, features]; the last dimension is never theirs.
    return is_given_back or (len(shape) > 1 and None not in shape[1:-1])


@rule("unknown-shape", WARNING, "the rank or the last dimension of an input or output is unknown")
def unknown_shape(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        yield from _inputs_without_rank(variant)
        yield from _inputs_without_width(variant)
        yield from _outputs_without_shape(variant)


def _inputs_without_rank(variant: Variant) -> Iterator[Problem]:
    for told in told_once((name, each) for name, each in _all_inputs(variant) if _lacks_rank(each)):
        yield told.problem(
            variant,
            f"The signature {told.signature!r}{told.also} does not tell how many dimensions its input {told.keys} should have,"
            " so users learn what to feed from failures inside of the graph.",
            "Give the placeholder a shape, with None for what is open, such as `tf.placeholder(tf.float32, [None, 3])`.",
        )


def _inputs_without_width(variant: Variant) -> Iterator[Problem]:
    """Of images, the rule about those tells."""
    inputs = [(name, each) for name, each in _all_inputs(variant) if not is_image_signature(variant, name)]
    for told in told_once((name, each) for name, each in inputs if _width_of_weights(variant, each) is not None):
        width, weights = _width_of_weights(variant, told.endpoints[0]) or (0, "")
        yield told.problem(
            variant,
            f"The signature {told.signature!r}{told.also} leaves the last dimension of its input {told.shapes} open, though"
            f" the variable {weights!r} that it is multiplied by takes {width:,}, so other sizes fail only when the graph"
            " runs.",
            f"Say it in the placeholder's shape: {[*(told.endpoints[0].shape or ())[:-1], width]}.",
        )


def _all_inputs(variant: Variant) -> list[tuple[str, Endpoint]]:
    return [(name, each) for name in variant.signatures for each in inputs_of(variant, name).values() if each.refs]


def _lacks_rank(endpoint: Endpoint) -> bool:
    return endpoint.rank is None and (endpoint.is_dense or endpoint.is_sparse)


def _width_of_weights(variant: Variant, endpoint: Endpoint) -> tuple[int, str] | None:
    """For an input that leaves its last dimension open: what a variable says that it is, and that variable's name."""
    if not endpoint.is_dense or not endpoint.is_float or not _is_open(endpoint):
        return None
    flow = variant.flow
    for name, place in flow.consumers.get(endpoint.refs[0][0], ()):
        node = flow.nodes[name]
        dimension = _WIDTH_OF_WEIGHTS.get(node.op)
        if dimension is None or place != 0 or len(node.inputs) < 2 or _is_turned(node):
            continue
        weights = variant.variables.get(flow.variable_of(node.inputs[1]) or "")
        if weights is not None and weights.shape is not None and len(weights.shape) > max(1, dimension):
            return weights.shape[dimension], weights.checkpoint_name
    return None


def _is_turned(node: FlowNode) -> bool:
    """Whether dimensions are in another order than usual."""
    transposed = any(node.attr(name).b for name in ("transpose_a", "transpose_b", "adj_x", "adj_y"))
    return transposed or node.attr("data_format").s == b"NCHW"


def _outputs_without_shape(variant: Variant) -> Iterator[Problem]:
    for told in told_once((name, each) for name in variant.signatures for each in _unknown_outputs(variant, name)):
        lacking = "the number of dimensions" if told.endpoints[0].rank is None else "the last dimension"
        yield told.problem(
            variant,
            f"The signature {told.signature!r}{told.also} does not tell {lacking} of its output {told.keys}, so users cannot"
            " build a layer on it, whose weights need that number.",
            "Say it where the graph lost it, such as `outputs = tf.ensure_shape(outputs, [None, 128])`.",
        )


def _unknown_outputs(variant: Variant, signature: str) -> Iterator[Endpoint]:
    """The outputs that lack a number which the module's publisher knows.

    Not those that are open since the signature's inputs are. Of common signatures, the rules about those tell.
    """
    inputs = inputs_of(variant, signature).values()
    is_common = is_text_signature(variant, signature) or is_image_signature(variant, signature)
    rank_follows = any(_lacks_rank(each) for each in inputs)
    width_follows = rank_follows or any(each.is_float and _is_open(each) for each in inputs)
    for each in outputs_of(variant, signature).values():
        if not each.is_dense or not each.refs or (is_common and each.key == DEFAULT):
            continue
        if each.rank is None and not rank_follows:
            yield each
        # Others than the main output may be as wide as a text is long, such as the weights of attention.
        if each.key == DEFAULT and each.is_float and _is_open(each) and not width_follows:
            yield each


def _is_open(endpoint: Endpoint) -> bool:
    """Whether the number of dimensions is known, and the last one, which is not that of the examples, is open."""
    return endpoint.shape is not None and len(endpoint.shape) > 1 and endpoint.shape[-1] is None


RULES = (fixed_batch_size, unknown_shape)
