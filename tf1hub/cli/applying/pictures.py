"""Image files become what an image module takes: RGB values between 0 and 1, in the size that it asks for."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import IO, Any

import numpy as np

from tf1hub.cli.applying.calls import DENSE, Input
from tf1hub.cli.applying.extras import import_extra
from tf1hub.errors import InputError
from tf1hub.format import protos
from tf1hub.format.dtypes import STRING, dtype_name, numpy_dtype
from tf1hub.spec import ModuleSpec

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def is_image(wanted: Input) -> bool:
    """Whether an input takes an image: numbers of shape [height, width, channels]."""
    shape = wanted.value_shape
    is_picture = shape is not None and len(shape) == 3 and shape[2] in (None, *_MODES)
    return wanted.field.kind == DENSE and is_picture and wanted.field.dtype != STRING


@dataclass(frozen=True)
class ImageReader:
    """Reads images for a variant of a module, in the size that it asks for."""

    spec: ModuleSpec
    tags: frozenset[str]

    @cached_property
    def attached_size(self) -> tuple[int, int]:
        """The height and width that the module's publisher attached; zeros when there are none."""
        info = self.spec.get_attached_message("image_module_info", protos.ImageModuleInfo, tags=self.tags)
        return (info.default_image_size.height, info.default_image_size.width) if info is not None else (0, 0)

    def read(self, stream: IO[bytes], file: str, wanted: Input) -> Any:
        """An image for an input, from an open file. An input of strings gets the bytes of the file as they are.

        Raises:
          InputError: the input takes no image, or the file is none.
        """
        data = stream.read()
        if wanted.field.dtype == STRING and wanted.value_shape in (None, ()):
            return data
        if not is_image(wanted):
            raise InputError(f"{file}: the input {wanted.field.key!r} takes {wanted}; that is no image")
        height, width, channels = wanted.value_shape or (None, None, None)
        size = (height or self.attached_size[0], width or self.attached_size[1])
        pixels = _decoded(data, file, size, _MODES[channels or 3])
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        name = dtype_name(wanted.field.dtype)
        if "int" in name:
            return pixels.astype(numpy_dtype(wanted.field.dtype))
        return (pixels.astype(np.float32) / np.float32(255)).astype(numpy_dtype(wanted.field.dtype))


def _decoded(data: bytes, file: str, size: tuple[int, int], mode: str) -> np.ndarray:
    """The image's pixels, 0 to 255, upright, resized to [height, width] where they are not 0."""
    images = import_extra("PIL.Image", "images", "Reading images")
    operations = import_extra("PIL.ImageOps", "images", "Reading images")
    stream = BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of large images, which are meant
            with images.open(stream) as opened:
                image = operations.exif_transpose(opened)
                if image.mode.startswith(("I", "F")):  # which Pillow would cut, not scale
                    image = images.fromarray(_scaled(np.asarray(image, np.float64), image.mode))
                image = image.convert(mode)
                height, width = size[0] or image.height, size[1] or image.width
                if image.size != (width, height):
                    image = image.resize((width, height), images.Resampling.BILINEAR)
                return np.asarray(image)
    except Exception as error:  # The decoders raise whatever they stumble upon.
        found = str(error).replace(f" {stream!r}", "")
        raise InputError(f"{file}: no image that can be read: {found}") from error


def _scaled(pixels: np.ndarray, mode: str) -> np.ndarray:
    """Pixels of 16 bits as those of 8. Nobody knows which value of wider ones is white."""
    if mode == "F" or pixels.min() < 0 or pixels.max() > 0xFFFF:
        raise ValueError("it has pixels of more than 16 bits, or floats; convert it to 8 or 16 bits")
    scaled: np.ndarray = (pixels / 257).round().astype(np.uint8)
    return scaled
