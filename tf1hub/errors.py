"""The exceptions of tf1hub.

Each is also the built-in type that callers of tensorflow_hub 0.15.0 caught. Where 0.15.0 raised one of TensorFlow's own
errors, `raised_as_tensorflow` gives a class that is both; it loads TensorFlow only then.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Tf1HubError(Exception):
    """Whatever tf1hub itself finds wrong."""


# By this AutoGraph knows that it can raise the same error out of a tf.function, with where in it that was.
Tf1HubError.__init__ = Exception.__init__  # type: ignore[method-assign]


class CorruptModuleError(Tf1HubError, OSError, ValueError):
    """Bytes that cannot be what they claim to be: a file that is cut short, a checksum that does not match.

    `byte` is where in the file, and `found` what was found there; both are None when that is not known.
    """

    byte: int | None = None
    found: str | None = None


class UnsupportedModuleError(Tf1HubError, ValueError):
    """A well-formed module that needs something which this version does not know."""


class MissingModuleError(Tf1HubError, OSError):
    """A path that holds no TF1 Hub module. Public functions raise it as `tf.errors.NotFoundError` too."""


class MissingAssetError(Tf1HubError, OSError):
    """A file that a module's graph reads and that is not there. Raised as `tf.errors.NotFoundError` too."""


class ModuleExistsError(Tf1HubError, FileExistsError):
    """An export over something that is already there. Public functions raise it as `tf.errors.AlreadyExistsError` too."""


class UnsupportedHandleError(Tf1HubError, OSError, ValueError):
    """A handle that is no local path."""


class SpecTypeError(Tf1HubError, ValueError, TypeError):
    """Something that stands for no module."""


class SignatureError(Tf1HubError, ValueError, KeyError):
    """A signature that is not declared, or cannot be."""

    __str__ = Exception.__str__  # a KeyError's own shows the message quoted


class TagsError(Tf1HubError, ValueError, KeyError):
    """Tags that name no graph variant, or name one twice."""

    __str__ = Exception.__str__


class InputError(Tf1HubError, TypeError, ValueError):
    """Inputs that a signature does not take, or outputs that it does not give."""


class GraphError(Tf1HubError, ValueError):
    """A graph that cannot be made into a module, or a module that cannot be imported into a graph."""


class WrongGraphError(Tf1HubError, RuntimeError, ValueError):
    """A module that is used in another graph than the one it was made in, or whose name is taken there."""


class CheckpointError(Tf1HubError, ValueError):
    """A checkpoint that lacks variables, or has them with another shape or dtype."""


class MissingCheckpointError(CheckpointError, OSError):
    """A path that holds no checkpoint. Public functions raise it as `tf.errors.NotFoundError` too."""


class RuleError(Tf1HubError, ValueError):
    """A rule of lint that does not exist."""


class WeightsError(Tf1HubError, ValueError):
    """Values in a file that a module's variables cannot take, or variables that a file's format cannot hold."""


class EmbeddingFileError(Tf1HubError, ValueError):
    """An embedding file that no module can be made of; the message names the line."""


class AttachmentError(Tf1HubError, KeyError):
    """An attached message that is required and not there."""

    __str__ = Exception.__str__


_TENSORFLOW_ERRORS = {
    MissingModuleError: "NotFoundError",
    MissingAssetError: "NotFoundError",
    MissingCheckpointError: "NotFoundError",
    ModuleExistsError: "AlreadyExistsError",
}


@contextmanager
def raised_as_tensorflow() -> Iterator[None]:
    """Within this context what is missing, or there already, is raised as TensorFlow's error too, as 0.15.0 did."""
    try:
        yield
    except tuple(_TENSORFLOW_ERRORS) as error:
        # Without it in the process nobody waits for its errors.
        if type(error) not in _TENSORFLOW_ERRORS or not hasattr(sys.modules.get("tensorflow"), "errors"):
            raise
        raise _as_tensorflow(error) from None


def _as_tensorflow(error: Tf1HubError) -> Exception:
    kind = type(error)
    base = getattr(sys.modules["tensorflow"].errors, _TENSORFLOW_ERRORS[kind])
    both = type(kind.__name__, (base, kind), {"__module__": kind.__module__, "__str__": lambda self: self.message})
    combined: Exception = both(None, None, str(error))
    return combined
