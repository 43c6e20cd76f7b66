"""Attaching to a module what its users should know of its images."""

from typing import Any

from tf1hub.publishing.signatures import attach_message

IMAGE_MODULE_INFO_KEY = "image_module_info"


def attach_image_module_info(image_module_info: Any) -> None:
    """Attaches an `hub.ImageModuleInfo` to the variant that is being defined. Call it inside a `module_fn`.

    Args:
      image_module_info: the message; its `default_image_size` is the size, in pixels, that images should have for a
        signature whose input leaves height and width open.

    >>> def module_fn():
    ...     info = hub.ImageModuleInfo()
    ...     info.default_image_size.height, info.default_image_size.width = 224, 224
    ...     hub.attach_image_module_info(info)
    """
    attach_message(IMAGE_MODULE_INFO_KEY, image_module_info)
