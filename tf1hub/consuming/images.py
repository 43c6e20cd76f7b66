"""What an image module expects of its images."""

from typing import Any

from tf1hub.errors import SignatureError
from tf1hub.format import protos
from tf1hub.tensor_info import TensorInfo

_KEY = "image_module_info"
_INPUT = "images"


def get_expected_image_size(
    module_or_spec: Any, signature: str | None = None, input_name: str | None = None
) -> list[int]:
    """The size of image that a module expects, as [height, width] in pixels.

    Args:
      module_or_spec: a `hub.Module` or `hub.ModuleSpec`.
      signature: the signature's name; "default" when left out.
      input_name: the name of its image input, of shape [batch, height, width, channels]; "images" when left out.

    Raises:
      SignatureError: no such signature or input, or neither its shape nor an attached message tells (a `ValueError`).

    >>> hub.get_expected_image_size(image_spec)
    [32, 48]
    """
    attached = module_or_spec.get_attached_message(_KEY, protos.ImageModuleInfo)
    if attached is not None and attached.HasField("default_image_size"):
        module_or_spec.get_input_info_dict(signature)  # there is such a signature
        return [attached.default_image_size.height, attached.default_image_size.width]
    shape = _image_shape(module_or_spec, signature, input_name)
    if len(shape) != 4 or shape[1] is None or shape[2] is None:
        raise SignatureError(
            f"The module's image input has the shape {shape or 'unknown'}, which does not tell height and width"
            " ([batch, height, width, channels]), and no ImageModuleInfo is attached. Ask its publisher for the size."
        )
    return [shape[1], shape[2]]


def get_num_image_channels(module_or_spec: Any, signature: str | None = None, input_name: str | None = None) -> int:
    """The number of channels of the images that a module takes; see `get_expected_image_size`.

    Raises:
      SignatureError: no such signature or input, or its shape does not tell (a `ValueError`).

    >>> hub.get_num_image_channels(image_spec)
    3
    """
    shape = _image_shape(module_or_spec, signature, input_name)
    if len(shape) != 4 or shape[3] is None:
        raise SignatureError(
            f"The module's image input has the shape {shape or 'unknown'}, which does not tell the number of channels"
            " ([batch, height, width, channels])."
        )
    return int(shape[3])


def _image_shape(module_or_spec: Any, signature: str | None, input_name: str | None) -> list[int | None]:
    """The static shape of the image input; [] when its rank is unknown."""
    infos: dict[str, TensorInfo] = module_or_spec.get_input_info_dict(signature)
    name = input_name or _INPUT
    if name not in infos:
        raise SignatureError(
            f"The signature {signature or 'default'!r} has no input {name!r}, so it is no image signature. It has:"
            f" {sorted(infos)}."
        )
    shape = infos[name].get_shape()
    return [] if shape.rank is None else list(shape.as_list())
