"""The rule about modules of images: float32 [batch, height, width, 3] to float32 [batch, N]."""

from collections.abc import Iterator

from tf1hub.checks.linting.findings import WARNING, Problem
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.interface import DEFAULT, Endpoint, inputs_of, main_inputs, outputs_of
from tf1hub.checks.linting.reuse.near_misses import CommonSignature, Detail, more_inputs, output_details
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted
from tf1hub.errors import CorruptModuleError
from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.graph import collections

CLASSIFICATION = "image_classification"
FEATURE_VECTOR = "image_feature_vector"
_NAMED = (CLASSIFICATION, FEATURE_VECTOR)
_IMAGES = "images"
_INFO = "image_module_info"
_IMAGE = CommonSignature(
    "that of an image module ('images' float32 [batch, height, width, 3] to 'default' float32 [batch, N])",
    "programs that are written for such modules cannot take it as it is",
)


@rule("image-signature", WARNING, "a signature comes close to that of an image feature vector or classification")
def image_signature(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        names = [name for name in variant.signatures if is_image_signature(variant, name)]
        details = ((name, detail) for name in names for detail in _details(variant, name))
        yield from _IMAGE.problems(variant, details)


def is_image_signature(variant: Variant, signature: str) -> bool:
    """Whether a signature makes one vector of each image, or comes close to it.

    It does when it has the name of a common one, or when it is the default one, its main input is called so or looks like
    images, and its main output may be vectors. What gives an image, boxes or masks is something else.
    """
    if signature in _NAMED and signature in variant.signatures:
        return bool(variant.inputs(signature))
    if signature != DEFAULT or DEFAULT not in variant.signatures:
        return False
    images = main_inputs(variant, inputs_of(variant, DEFAULT))
    output = outputs_of(variant, DEFAULT).get(DEFAULT)
    return len(images) == 1 and _may_be_images(images[0]) and output is not None and _may_be_vectors(output)


def _may_be_images(endpoint: Endpoint) -> bool:
    """Pixels with three channels; of the input that is called "images", any number of them."""
    if not endpoint.is_dense or not (endpoint.is_float or endpoint.dtype == "uint8") or not endpoint.refs:
        return False
    if endpoint.key == _IMAGES:
        return endpoint.rank in (None, 2, 3, 4)
    return endpoint.shape is not None and len(endpoint.shape) == 4 and endpoint.shape[3] == 3


def _may_be_vectors(output: Endpoint) -> bool:
    is_pooled = output.shape is not None and len(output.shape) == 4 and output.shape[1:3] == (1, 1)
    return output.is_dense and output.is_float and bool(output.refs) and (output.rank in (None, 2) or is_pooled)


def _details(variant: Variant, signature: str) -> Iterator[Detail]:
    inputs = inputs_of(variant, signature)
    images = inputs.get(_IMAGES) or next(iter(main_inputs(variant, inputs)), next(iter(inputs.values())))
    output = outputs_of(variant, signature).get(DEFAULT)
    yield from more_inputs(images, inputs.values())
    yield from _details_of_images(images)
    if images.rank == 4 and None in (images.shape or ())[1:3] and not _size_is_attached(variant):
        yield Detail(
            f"its input {images.key!r} leaves height and width open and no size of image is attached",
            "Attach the size that you trained with: `info = hub.ImageModuleInfo()`, set `info.default_image_size`, and"
            " `hub.attach_image_module_info(info)`.",
            images,
        )
    if output is not None:
        yield from output_details(output, rank_follows=output.rank is None and images.rank is None)
    if signature == DEFAULT and not any(name in variant.signatures for name in _NAMED):
        yield Detail(
            "no signature beside it is called 'image_feature_vector' or 'image_classification', to say what it gives",
            "Add the same inputs and outputs once more under the name that fits:"
            ' `hub.add_signature("image_feature_vector", inputs, outputs)`.',
        )


def _details_of_images(images: Endpoint) -> Iterator[Detail]:
    """What keeps an input from being 'images' float32 [batch, height, width, 3]."""
    if images.key != _IMAGES:
        yield Detail(f"its input is called {images.key!r}, not 'images'", "Call the input `images`.", images)
    if images.dtype != "float32" or not images.is_dense:
        yield Detail(
            f"its input {images.key!r} is {'' if images.is_dense else 'not dense, and '}of type {images.dtype}, not float32",
            "Take float32 images with values from 0 to 1, and convert them inside of the module.",
            images,
        )
    if images.rank is None:  # told by the rule unknown-shape
        return
    shape = images.shape or ()
    if len(shape) != 4:
        yield Detail(
            f"its input {images.key!r} has the shape {list(shape)}, not [batch, height, width, 3]",
            "Take images in the layout [batch, height, width, 3]: `tf.placeholder(tf.float32, [None, 224, 224, 3])`.",
            images,
        )
    elif shape[3] != 3:
        found = "an open number of channels" if shape[3] is None else counted(shape[3], "channel")
        yield Detail(
            f"its input {images.key!r} has {found}, not 3: {list(shape)}",
            "Take images with three channels, and make of them inside of the module what the network needs.",
            images,
        )


def _size_is_attached(variant: Variant) -> bool:
    """Whether a message about images is attached. What is in it is checked by the rule attached-message-malformed."""
    try:
        attached = (
            parse_message(protos.ModuleAttachment, value, "An attached message")
            for value in variant.index.collection_bytes(collections.ATTACHMENTS)
        )
        return any(each.key == _INFO for each in attached)
    except CorruptModuleError:
        return True


RULES = (image_signature,)
