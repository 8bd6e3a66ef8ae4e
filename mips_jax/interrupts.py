"""Signals that end a run: told as KeyboardInterrupt, held back where they would break something,
and remembered. SIGUSR1, by which clusters tell that a job is about to be preempted or out of time,
is a `Preempted`, so that the process can leave with a code that says: start me again.

An exception from a handler vanishes where it meets a callback of a compiled library; so an
interrupt is remembered, and `check` raises it again at the next stage.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
from collections.abc import Iterator

PREEMPTION = getattr(signal, "SIGUSR1", None)  # there is none on Windows
_NUMBERS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, PREEMPTION)))
_seen: list[int] = []  # signals that came, until they are told or forgotten
_caught: list[bool] = []  # one for each `as_exceptions` that is open


class Preempted(KeyboardInterrupt):
    """The cluster wants the machine back: what is done is saved, and the same command goes on."""


@contextlib.contextmanager
def as_exceptions() -> Iterator[None]:
    """SIGTERM (a cluster's end of time, `kill`) and SIGUSR1 end a run as Ctrl-C does, with its
    message and its checkpoint. Within another such block it changes nothing.
    """
    if _caught or threading.current_thread() is not threading.main_thread():
        yield  # it is done already, or signals cannot be caught there
        return

    def interrupt(number, frame):
        _seen.append(number)
        raise _told(number)

    def unraisable(problem) -> None:
        if not issubclass(problem.exc_type, KeyboardInterrupt):  # that one is remembered
            hook(problem)

    before = {number: signal.signal(number, interrupt) for number in _NUMBERS}
    hook, sys.unraisablehook = sys.unraisablehook, unraisable
    _caught.append(True)
    try:
        yield
    finally:
        _caught.clear()
        _seen.clear()
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def forget() -> None:
    """Lets the process leave with the exit code that it chooses.

    CPython ends a process by SIGINT when an interrupt once passed through code that a compiled
    library ran from text, whoever caught it later; running other such code resets that.
    """
    with contextlib.suppress(AttributeError):  # other interpreters
        ctypes.pythonapi.PyRun_SimpleString(b"pass")


def ignore() -> None:
    """From now on signals do not change how the process ends."""
    if threading.current_thread() is threading.main_thread():
        for number in _NUMBERS:
            signal.signal(number, signal.SIG_IGN)


def check() -> None:
    """Raises KeyboardInterrupt where one came and was lost."""
    if _seen:
        number = _seen[0]
        _seen.clear()
        raise _told(number)


def _told(number: int) -> KeyboardInterrupt:
    return Preempted() if number == PREEMPTION else KeyboardInterrupt()


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Interrupts wait until the block is done."""
    held: list[int] = []
    caught = {}
    if threading.current_thread() is threading.main_thread():  # elsewhere none can be caught
        caught = {n: signal.getsignal(n) for n in _NUMBERS if callable(signal.getsignal(n))}
    for number in caught:
        signal.signal(number, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        for number, handler in caught.items():
            signal.signal(number, handler)
        for waiting in dict.fromkeys(held):
            signal.raise_signal(waiting)
