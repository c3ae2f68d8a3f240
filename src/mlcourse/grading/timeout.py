"""End a call that takes too long, in the process of the person who made it."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading


class OutOfTime(BaseException):
    """Raised in a learner's code when its time is up; no ``except Exception`` keeps it."""


@contextlib.contextmanager
def time_limit(seconds):
    """Raise `OutOfTime` inside the block after `seconds`, and every 0.2 s again for code that goes on.

    In the main thread on Linux and macOS a timer signal does it, which ends waiting calls too; elsewhere the thread gets the
    exception at its next line of Python, so that a long call into a compiled library ends first. In a browser, which has neither
    timers nor threads, the block is not limited: the page ends it from outside.

    Parameters
    ----------
    seconds : float

    Examples
    --------
    >>> try:
    ...     with time_limit(0.01):
    ...         while True:
    ...             pass
    ... except OutOfTime:
    ...     print("ended")
    ended
    """
    if sys.platform == "emscripten":
        yield
        return
    by_signal = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    with _signal_after(seconds) if by_signal else _exception_after(seconds):
        yield


@contextlib.contextmanager
def _signal_after(seconds):
    def raise_it(*_):
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, raise_it)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 0.2)
        yield
    finally:
        _until_done(lambda: signal.setitimer(signal.ITIMER_REAL, 0))
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _exception_after(seconds):
    import ctypes

    thread, done = threading.get_ident(), threading.Event()

    def watch():
        wait = seconds
        while not done.wait(wait):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OutOfTime))
            wait = 0.2

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        _until_done(done.set)
        _until_done(watcher.join)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)


def _until_done(action):
    """The limit may strike once more before it is switched off."""
    while True:
        try:
            return action()
        except OutOfTime:
            continue
