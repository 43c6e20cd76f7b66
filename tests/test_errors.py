"""The exceptions: tf1hub's own, the built-in ones and TensorFlow's at once."""

import inspect
import sys

import pytest

from tf1hub import errors

OWN = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.Tf1HubError)]


def combined(kind):
    with pytest.raises(kind) as caught, errors.raised_as_tensorflow():
        raise kind("what was found")
    return caught.value


@pytest.mark.parametrize("kind", OWN)
def test_every_message_is_shown_as_it_was_written(kind):
    assert str(kind("what was 'found'")) == "what was 'found'"


@pytest.mark.parametrize(
    ("kind", "name"),
    [(errors.MissingModuleError, "NotFoundError"), (errors.ModuleExistsError, "AlreadyExistsError")],
)
def test_an_error_is_tensorflows_too_at_the_public_entry_points(kind, name):
    tf = pytest.importorskip("tensorflow")
    error = combined(kind)
    assert isinstance(error, getattr(tf.errors, name))
    assert isinstance(error, OSError)
    assert str(error) == error.message == "what was found"
    assert type(error).__name__ == kind.__name__


def test_where_tensorflow_is_not_loaded_an_error_stays_as_it_is(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    assert type(combined(errors.MissingModuleError)) is errors.MissingModuleError


def test_other_errors_pass_unchanged():
    assert type(combined(errors.CorruptModuleError)) is errors.CorruptModuleError


@pytest.mark.parametrize(
    ("kind", "builtins"),
    [
        (errors.TagsError, (KeyError, ValueError)),
        (errors.AttachmentError, (KeyError,)),
        (errors.InputError, (TypeError, ValueError)),
        (errors.UnsupportedHandleError, (OSError, ValueError)),
        (errors.WrongGraphError, (RuntimeError,)),
        (errors.CorruptModuleError, (ValueError,)),
    ],
)
def test_programs_catch_them_as_they_caught_the_predecessors(kind, builtins):
    assert all(issubclass(kind, builtin) for builtin in builtins)
