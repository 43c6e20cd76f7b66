"""Parsing protocol messages that come from a file: what cannot be parsed is a damaged module."""

from typing import Any

from google.protobuf.message import DecodeError

from tf1hub.errors import CorruptModuleError


def parse_message(kind: Any, data: bytes, what: str) -> Any:
    """The message of class `kind` in `data`; `what` says where it comes from.

    Raises:
      CorruptModuleError: it is none.
    """
    try:
        return kind.FromString(data)
    except DecodeError:
        raise CorruptModuleError(
            f"{what} ({len(data)} bytes) cannot be parsed: it is damaged or cut short. Fetch the module again."
        ) from None
