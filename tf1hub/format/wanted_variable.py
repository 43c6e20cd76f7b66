"""What a new checkpoint shall hold, told before it is copied from another one."""

from dataclasses import dataclass

from tf1hub.format import boxes
from tf1hub.format.boxes import Box


@dataclass(frozen=True)
class WantedVariable:
    """A variable that the new checkpoint shall hold.

    Attributes:
      name: its name there.
      source_name: its name in the checkpoint that is copied from.
      dtype: its DataType number; a reference type stands for its base.
      shape: its shape, of all parts together.
      slices: (start, shape) of each part when it shall be partitioned, None when it shall be whole.
    """

    name: str
    source_name: str
    dtype: int
    shape: tuple[int, ...]
    slices: tuple[Box, ...] | None = None

    @property
    def parts(self) -> tuple[Box, ...]:
        """The parts that shall be stored, one when it shall be whole."""
        return (boxes.whole(self.shape),) if self.slices is None else self.slices
