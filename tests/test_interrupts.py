"""Interrupts are told, held back, and never lost."""

import os
import signal
import threading

import pytest

from mips_jax import interrupts

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_is_an_interrupt(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupts.as_exceptions():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", BOTH)
def test_an_interrupt_that_was_swallowed_is_raised_at_the_next_stage(number):
    with interrupts.as_exceptions():
        interrupts.check()
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            pass  # as a callback of a compiled library would do
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()  # once
    interrupts.check()  # and nothing stays for the next run


@pytest.mark.parametrize("number", BOTH)
def test_an_interrupt_waits_for_what_must_be_whole(number):
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.as_exceptions():
        with interrupts.held_back():
            os.kill(os.getpid(), number)
            done.append("whole")
        done.append("too late")
    assert done == ["whole"]


def test_other_threads_are_left_alone():
    reached = []

    def work():
        with interrupts.as_exceptions(), interrupts.held_back():
            reached.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert reached == [True]
