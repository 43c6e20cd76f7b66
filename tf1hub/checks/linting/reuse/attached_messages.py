"""Rules about attached messages."""

from collections.abc import Iterator

from google.protobuf.message import DecodeError, Message

from tf1hub.checks.linting.findings import ERROR, Problem
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.rule import rule
from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.variables import static_shape

_IMAGE_INFO = "image_module_info"
# The keys whose type the format knows.
_TYPES = {_IMAGE_INFO: protos.ImageModuleInfo}
_IMAGES = "images"
_ATTACH = "Attach it with `hub.attach_image_module_info(hub.ImageModuleInfo(...))`"


@rule("attached-message-malformed", ERROR, "an attached message that is not of its key's type")
def attached_message_malformed(module: LintedModule) -> Iterator[Problem]:
    """Yields attached messages that cannot be parsed, and sizes of images that are none."""
    for variant in module.variants:
        for found, remedy in _iter_faults(variant):
            yield Problem(found, remedy, variant.tags)


def _iter_faults(variant: Variant) -> Iterator[tuple[str, str]]:
    """What is wrong with the messages of a variant, and what to do about it."""
    for place, data in enumerate(variant.index.collection_bytes(collections.ATTACHMENTS)):
        attachment = protos.ModuleAttachment()
        if not _parses(attachment, data) or not attachment.key:
            yield (
                f"The attached message number {place + 1} ({len(data):,} bytes) has no key that can be read, so"
                " `get_attached_message` fails for every key, or never finds it.",
                "Attach it with `hub.attach_message(key, message)`.",
            )
        elif attachment.key in _TYPES:
            message = _TYPES[attachment.key]()
            # Bytes of another message may parse; what they hold is then in fields that this type does not have.
            if not _parses(message, attachment.value) or _has_unknown_fields(message):
                kind, size = message.DESCRIPTOR.name, len(attachment.value)
                yield (
                    f"The message that is attached as {attachment.key!r} ({size:,} bytes) is no {kind}, which is what everyone"
                    " reads it as.",
                    f"{_ATTACH}, or attach the other message by a key of its own.",
                )
            elif isinstance(message, protos.ImageModuleInfo) and (found := _wrong_size(variant, message)):
                yield found, f"{_ATTACH} with `default_image_size.height` and `.width` in pixels."


def _parses(message: Message, data: bytes) -> bool:
    try:
        message.ParseFromString(data)
    except DecodeError:
        return False
    return True


def _has_unknown_fields(message: Message) -> bool:
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    return known.ByteSize() != message.ByteSize()


def _wrong_size(variant: Variant, info: protos.ImageModuleInfo) -> str | None:
    """What is wrong with the size of images that an info tells."""
    if info.HasField("default_image_size"):
        size = info.default_image_size
        if size.height > 0 and size.width > 0:
            return _other_size(variant, (size.height, size.width))
        return (
            f"The image size that is attached as {_IMAGE_INFO!r} is {size.height} x {size.width} pixels, and"
            " `hub.get_expected_image_size` gives it to those who scale their images by it."
        )
    sizes = _told_sizes(variant)
    unsized = [name for name, size in sizes if size is None]
    if sizes and not unsized:
        return None
    where = (
        f"the shape of {_IMAGES!r} in the signature {unsized[0]!r} does not tell it" if unsized else "no input tells it"
    )
    return (
        f"The message that is attached as {_IMAGE_INFO!r} holds no image size, and {where}, so no one can find it out."
    )


def _other_size(variant: Variant, attached: tuple[int, ...]) -> str | None:
    """That every input of images takes another size than the attached one."""
    sizes = _told_sizes(variant)
    if not sizes or any(size is None or size == attached for _, size in sizes):
        return None
    signature, size = sizes[0]
    assert size is not None
    return (
        f"The image size that is attached as {_IMAGE_INFO!r} is {attached[0]} x {attached[1]} pixels, and {_IMAGES!r} of the"
        f" signature {signature!r} takes {size[0]} x {size[1]}, so who asks `hub.get_expected_image_size` makes images that"
        " the module refuses."
    )


def _told_sizes(variant: Variant) -> list[tuple[str, tuple[int, ...] | None]]:
    """The signatures that take images, with the height and width that the shape fixes."""
    definitions = variant.signatures.items()
    return [(name, _told_size(each.inputs[_IMAGES])) for name, each in definitions if _IMAGES in each.inputs]


def _told_size(info: protos.TensorInfo) -> tuple[int, ...] | None:
    if info.tensor_shape.unknown_rank or len(info.tensor_shape.dim) != 4:
        return None
    images = protos.TensorShapeProto()
    images.dim.extend(info.tensor_shape.dim[1:3])
    return static_shape(images)


RULES = (attached_message_malformed,)
