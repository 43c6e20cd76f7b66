"""What differs between the variables of two modules. NumPy is loaded when values differ, or are stored in other parts."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tf1hub.checks.comparing.differences import Difference
from tf1hub.checks.comparing.moved_variables import find_moved
from tf1hub.checks.comparing.stored_variables import StoredForm, StoredVariables
from tf1hub.errors import Tf1HubError
from tf1hub.format import dtypes
from tf1hub.format.bundle_entry import TensorEntry

if TYPE_CHECKING:
    from tf1hub.format.bundle_reader import BundleReader

SAME, CHANGED, ONLY_IN_A, ONLY_IN_B, UNREAD = "same", "changed", "only_in_a", "only_in_b", "unread"

# Bytes that are compared at a time; they stay in the processor's cache.
_CHUNK = 1 << 18
# Bytes to read before the system may have their memory back.
_RELEASE = 16 << 20
_VERIFY = ": one of the two is damaged. Run `tf1hub verify` on both modules."

Advance = Callable[[int], None]
# Given how many bytes there are to compare, a context that gives a function to call with how many were compared.
Watch = Callable[[int], AbstractContextManager[Advance]]


@dataclass(frozen=True)
class VariableComparison:
    """One variable of two modules.

    Attributes:
      name: its name in A, or in B when only that has it.
      name_in_b: its name in B when it lies in another scope there, else the same.
      status: "same" when dtype, shape and all bits are equal, else "changed"; "only_in_a", "only_in_b"; "unread" when a
        checkpoint is damaged there.
      trainable: whether a variant of either module lists it as trainable.
      a, b: how it is stored.
      difference: how far apart the values are; None unless it is "changed", of one shape, and of types with values.
    """

    name: str
    name_in_b: str
    status: str
    trainable: bool
    a: StoredForm | None
    b: StoredForm | None
    difference: Difference | None = None


def compare_variables(
    a: StoredVariables, b: StoredVariables, trainable: frozenset[str], watch: Watch, problems: list[str]
) -> tuple[VariableComparison, ...]:
    """All variables of both, sorted by name. What cannot be read is added to `problems`."""
    names_in_b = {name: name for name in a.entries if name in b.entries}
    names_in_b |= find_moved(
        {name: entry.shape for name, entry in a.entries.items() if name not in b.entries},
        {name: entry.shape for name, entry in b.entries.items() if name not in a.entries},
    )
    found = []
    with watch(sum(a.size(name) for name in names_in_b)) as advance, _Values(a, b, advance, problems) as comparing:
        for name in a.entries:
            other = names_in_b.get(name, name)
            status, difference = comparing.compare(name, other) if name in names_in_b else (ONLY_IN_A, None)
            is_trainable = name in trainable or other in trainable
            found.append(VariableComparison(name, other, status, is_trainable, a.form(name), b.form(other), difference))
    for name in b.entries.keys() - names_in_b.values():
        found.append(VariableComparison(name, name, ONLY_IN_B, name in trainable, None, b.form(name)))
    return tuple(sorted(found, key=lambda each: each.name))


class _Values:
    """Comparing the values of variables."""

    def __init__(self, a: StoredVariables, b: StoredVariables, advance: Advance, problems: list[str]) -> None:
        self._a = a
        self._b = b
        self._advance = advance
        self._problems = problems
        self._unreleased = 0
        self._readers: tuple[BundleReader, BundleReader] | None = None

    def __enter__(self) -> "_Values":
        return self

    def __exit__(self, *error: object) -> None:
        for opened in (self._a, self._b, *(self._readers or ())):
            opened.close()

    def compare(self, name: str, other: str) -> tuple[str, Difference | None]:
        """The status of a variable that both have, and how far apart its values are."""
        entry_a, entry_b = self._a.entries[name], self._b.entries[other]
        if entry_a.shape != entry_b.shape:
            self._advance(self._a.size(name))
            return CHANGED, None
        try:
            same_type = dtypes.base_dtype(entry_a.dtype) == dtypes.base_dtype(entry_b.dtype)
            if same_type and self._a.places(name) == self._b.places(other) and self._equal_bytes(name, other):
                return SAME, None
            equal, difference = self._compare_values(name, other)
            return (SAME, None) if same_type and equal else (CHANGED, difference)
        except (Tf1HubError, OSError) as error:
            self._problems.append(str(error))
            return UNREAD, None

    def _equal_bytes(self, name: str, other: str) -> bool:
        """Whether the stored bytes are equal. Checksums alone would not tell; but they tell of damage."""
        done = 0
        for (piece_a, bytes_a), (piece_b, bytes_b) in zip(self._a.pieces(name), self._b.pieces(other), strict=True):
            equal = len(bytes_a) == len(bytes_b)
            for start in range(0, len(bytes_a) if equal else 0, _CHUNK):
                chunk = bytes(bytes_a[start : start + _CHUNK])
                if chunk != bytes(bytes_b[start : start + _CHUNK]):
                    equal = False
                    break
                self._count(len(chunk))
                done += len(chunk)
            self._check_damage(name, equal, piece_a, piece_b)
            if not equal:
                self._advance(-done)
                return False
        return True

    def _check_damage(self, name: str, equal: bool, a: TensorEntry, b: TensorEntry) -> None:
        if (a.size, a.crc32c, equal) == (b.size, b.crc32c, False):
            self._problems.append(f"The bytes of {name!r} differ, and their checksums do not{_VERIFY}")
        elif equal and a.crc32c != b.crc32c:
            self._problems.append(f"The bytes of {name!r} are the same, and their checksums differ{_VERIFY}")

    def _compare_values(self, name: str, other: str) -> tuple[bool, Difference | None]:
        from tf1hub.checks.comparing.value_comparison import compare_values  # late: it takes NumPy
        from tf1hub.format.bundle_reader import BundleReader

        if self._readers is None:
            assert self._a.prefix is not None
            assert self._b.prefix is not None
            self._readers = BundleReader(self._a.prefix), BundleReader(self._b.prefix)
        return compare_values(self._readers[0], name, self._readers[1], other, self._count)

    def _count(self, compared: int) -> None:
        """Tells of the progress, and lets the system take back the memory that reading filled."""
        self._advance(compared)
        self._unreleased += compared
        if self._unreleased >= _RELEASE:
            for mapped in (self._a, self._b, *(self._readers or ())):
                mapped.release_memory()
            self._unreleased = 0
