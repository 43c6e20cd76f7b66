"""The rule about text embeddings: strings [batch] to float32 [batch, N]."""

from collections.abc import Iterator

from tf1hub.checks.linting.findings import WARNING, Problem
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.interface import DEFAULT, Endpoint, inputs_of, main_inputs, outputs_of
from tf1hub.checks.linting.reuse.near_misses import CommonSignature, Detail, more_inputs, output_details
from tf1hub.checks.linting.rule import rule

_TEXT = CommonSignature(
    "that of a text embedding (strings [batch] to float32 [batch, N])",
    "programs that are written for such modules, and text columns, cannot take it as it is",
)
# What reads these takes its strings for bytes of a file, a name of one, or a message.
_READERS_OF_BYTES = frozenset(
    {"ParseExample", "ParseExampleV2", "ParseSingleExample", "ParseSequenceExample", "ParseSequenceExampleV2"}
    | {"ParseSingleSequenceExample", "ParseTensor", "DecodeProtoV2", "DecodeCSV", "DecodeJSONExample", "DecodeRaw"}
    | {"DecodePaddedRaw", "DecodeCompressed", "DecodeBase64", "DecodeImage", "DecodeJpeg", "DecodeAndCropJpeg"}
    | {"DecodePng", "DecodeGif", "DecodeBmp", "DecodeWav", "ReadFile", "ExtractJpegShape"}
)  # fmt: skip


@rule("text-signature", WARNING, "a signature comes close to that of a text embedding")
def text_signature(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        if is_text_signature(variant, DEFAULT):
            yield from _TEXT.problems(variant, ((DEFAULT, detail) for detail in _details(variant)))


def is_text_signature(variant: Variant, signature: str) -> bool:
    """Whether a signature embeds texts, or comes close to it.

    It does when it is the default one, makes a float output of strings, and those are no files, file names or messages.
    What gives a number for each text, an image or several outputs none of which is the main one is something else.
    """
    if signature != DEFAULT or DEFAULT not in variant.signatures:
        return False
    texts = main_inputs(variant, inputs_of(variant, DEFAULT))
    output = outputs_of(variant, DEFAULT).get(DEFAULT)
    if len(texts) != 1 or texts[0].dtype != "string" or texts[0].encoding == "composite_tensor" or not texts[0].refs:
        return False
    if output is None or not output.is_dense or not output.is_float or not _may_be_vectors(texts[0], output):
        return False
    readers = (variant.flow.nodes[name].op for name in variant.flow.descendants([texts[0].refs[0][0]]))
    return not any(op in _READERS_OF_BYTES for op in readers)


def _may_be_vectors(texts: Endpoint, output: Endpoint) -> bool:
    """Whether an output may be a vector for each text, or for each token."""
    return output.rank in (None, 2, 3) or (texts.rank == 0 and output.rank == 1)


def _details(variant: Variant) -> Iterator[Detail]:
    inputs = inputs_of(variant, DEFAULT)
    texts = main_inputs(variant, inputs)[0]
    yield from more_inputs(texts, inputs.values())
    if texts.is_sparse:
        yield Detail(
            f"its input {texts.key!r} is a sparse tensor",
            "Take whole texts as a dense tensor of strings [None] and split them inside, with `tf.strings.split`.",
            texts,
        )
    elif texts.rank not in (None, 1):  # an unknown one is told by the rule unknown-shape
        yield Detail(
            f"its input {texts.key!r} has the shape {list(texts.shape or ())}, not [batch]",
            "Take one whole text for each example: `tf.placeholder(tf.string, [None])`.",
            texts,
        )
    rank_follows = texts.rank != 1 or texts.is_sparse
    output = outputs_of(variant, DEFAULT)[DEFAULT]
    yield from output_details(output, rank_follows)


RULES = (text_signature,)
