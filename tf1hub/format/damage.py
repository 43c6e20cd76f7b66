"""How this layer's readers report damage: file, byte offset, what was found there, and what to do next."""

from tf1hub.errors import CorruptModuleError

_LONGEST = 400


def corrupt(path: str, offset: int, found: str) -> CorruptModuleError:
    """The error to raise for what was found at a byte offset of a file."""
    if len(found) > _LONGEST:  # Names and shapes are as long as the file likes.
        found = f"{found[: _LONGEST // 2]} ... {found[-_LONGEST // 2 :]}"
    error = CorruptModuleError(
        f"{path}, byte {offset}: {found}. The file is damaged, incomplete or not what its name says: "
        "fetch or export it again."
    )
    error.byte, error.found = offset, found
    return error
