"""Parsing protocol messages that come from a file: what cannot be parsed is a damaged module."""

from typing import Any

from google.protobuf.message import DecodeError

from tf1hub.errors import CorruptModuleError
from tf1hub.format.wire_format import estimate_memory, find_fault

# What a message may take of memory for each of its bytes, and on top. A module's graphs take 5 to 10 times their bytes.
_MAX_GROWTH = 16
_MEMORY_ON_TOP = 24 << 20
# Whatever is in so few bytes, it does not take more than that.
_HARMLESS = 1 << 14


def parse_message(kind: Any, data: bytes, what: str) -> Any:
    """The message of class `kind` in `data`; `what` says where it comes from.

    Raises:
      CorruptModuleError: it is none, and at which byte; or so dense that it would take far more memory than a graph.
    """
    limit = _MAX_GROWTH * len(data) + _MEMORY_ON_TOP
    if len(data) > _HARMLESS and estimate_memory(kind, data, limit) > limit:
        raise CorruptModuleError(
            f"{what} ({len(data)} bytes), from byte 0 on: so many and so small messages that they would take more than"
            f" {limit} bytes of memory. No module needs that: do not use it unless you trust who made it."
        )
    try:
        return kind.FromString(data)
    except DecodeError:
        fault = find_fault(kind, data)
    where = f", at byte {fault.position}: {fault}" if fault else ""
    damage = CorruptModuleError(
        f"{what} ({len(data)} bytes) cannot be parsed{where}. It is damaged or cut short. Fetch the module again."
    )
    if fault:
        damage.byte, damage.found = fault.position, str(fault)
    raise damage
