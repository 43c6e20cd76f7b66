"""How this layer's readers report damage: file, byte offset, what was found there, and what to do next."""

from tf1hub.errors import CorruptModuleError


def corrupt(path: str, offset: int, found: str) -> CorruptModuleError:
    """The error to raise for what was found at a byte offset of a file."""
    return CorruptModuleError(
        f"{path}, byte {offset}: {found}. The file is damaged, incomplete or not what its name says: "
        "fetch or export it again."
    )
