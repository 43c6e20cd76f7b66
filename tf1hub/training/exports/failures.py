"""What becomes of a training when an export cannot be written."""

import errno
import warnings
from collections.abc import Callable
from typing import TypeVar

from tf1hub.errors import Tf1HubError

_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_Result = TypeVar("_Result")


class UnwrittenExportError(OSError):
    """An export that could not be written; nothing of it is there."""


def write_or_report(path: str, stop_on_error: bool, write: Callable[[], _Result]) -> _Result | None:
    """Calls what writes an export, and says what it means when that fails.

    Args:
      path: where it writes, for messages.
      stop_on_error: with False an export that cannot be written is a warning. Errors of the program are raised anyway.
      write: writes the export, whole or not at all.

    Returns:
      What `write` returns; None when it failed and that is a warning.

    Raises:
      OSError: the disk is full, or cannot be written. The message says what to do.
    """
    try:
        return write()
    except Tf1HubError:
        raise
    except OSError as error:
        what = f"The export to {path!r} could not be written, and nothing of it was left behind ({error})."
        if not stop_on_error:
            warnings.warn(f"{what} Training goes on, since stop_on_error is False.", stacklevel=3)
            return None
        if error.errno not in _NO_ROOM:
            raise
        raise OSError(
            error.errno,
            f"{what} Older exports are as they were. Make room and run the program again, or pass stop_on_error=False,"
            " which has training go on without this export",
        ) from error
