"""SIGTERM while a model trains: the step ends, a checkpoint is saved, and the process leaves."""

import os
import signal
import threading
from types import FrameType
from typing import Any

import tensorflow as tf

_EXIT_STATUS = 128 + signal.SIGTERM
_NO_SIGNAL = 0


class Termination(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]  # TensorFlow has no types
    """A hook that ends a training after the step during which SIGTERM came; as a context manager it then leaves.

    From the session's start to the context's end SIGTERM is caught, in the main thread only: Python allows it nowhere else.
    At the context's end the session is closed and its checkpoint saved. Then the program's own handler is called, if it has
    one, and decides what follows; else SystemExit(143) is raised. A second SIGTERM kills at once.
    """

    def __init__(self) -> None:
        self._requested = False
        self._caught = False
        self._former: Any = None
        self._watch: _SecondSignal | None = None

    def __enter__(self) -> "Termination":
        return self

    def after_create_session(self, session: Any, coord: Any) -> None:
        del session, coord
        if self._caught or threading.current_thread() is not threading.main_thread():
            return
        former = signal.getsignal(signal.SIGTERM)
        # Ignored: the program wants to live. None: a library's handler in C, which Python can neither call nor bring back.
        if former in (signal.SIG_IGN, None):
            return
        self._former = former
        self._watch = _SecondSignal.start()
        signal.signal(signal.SIGTERM, self._request)
        self._caught = True
        _active.append(self)

    def _request(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._requested = True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        tf.compat.v1.logging.warning("SIGTERM: training ends after this step. A second SIGTERM kills at once.")

    def after_run(self, run_context: Any, run_values: Any) -> None:
        del run_values
        if self._requested:
            run_context.request_stop()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self.release()
        if not self._requested or error is not None:
            return
        if callable(self._former):
            self._former(signal.SIGTERM, None)
        else:
            raise SystemExit(_EXIT_STATUS)

    def release(self) -> None:
        """Gives SIGTERM back to who had it."""
        if self._caught:
            self._caught = False
            _active.remove(self)
            signal.signal(signal.SIGTERM, self._former)
            if self._watch:
                self._watch.stop()

    @property
    def requested(self) -> bool:
        """Whether SIGTERM came."""
        return self._requested

    def release_in_child(self) -> None:
        """Makes SIGTERM end a forked process as ever: it has no training of its own, and the watching thread is not in it."""
        signal.signal(signal.SIGTERM, self._former)
        if self._watch:
            signal.set_wakeup_fd(-1)
            self._watch.close()


class _SecondSignal:
    """Ends the process at the second SIGTERM while the main thread is inside a long step.

    Python runs handlers only when the main thread is back in Python, and by then two signals are one. But each writes a byte
    to the wakeup descriptor at once, and a thread can read that.
    """

    @classmethod
    def start(cls) -> "_SecondSignal | None":
        """Watches, unless the program uses the wakeup descriptor itself, as asyncio does."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        former = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        if former == -1:
            return cls(reader, writer)
        signal.set_wakeup_fd(former)
        os.close(reader)
        os.close(writer)
        return None

    def __init__(self, reader: int, writer: int):
        self._reader, self._writer = reader, writer
        self._thread = threading.Thread(target=self._wait, name="second SIGTERM", daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        signals = 0
        while (number := os.read(self._reader, 1)[0]) != _NO_SIGNAL:
            signals += number == signal.SIGTERM
            if signals == 2:
                os._exit(_EXIT_STATUS)

    def stop(self) -> None:
        signal.set_wakeup_fd(-1)
        os.write(self._writer, bytes([_NO_SIGNAL]))
        self._thread.join()
        self.close()

    def close(self) -> None:
        os.close(self._writer)
        os.close(self._reader)


_active: list[Termination] = []


def is_requested() -> bool:
    """Whether SIGTERM came during a training that is still ending, so that nothing long should begin."""
    return any(termination.requested for termination in _active)


def _release_in_child() -> None:
    while _active:
        _active.pop().release_in_child()


os.register_at_fork(after_in_child=_release_in_child)
