"""Interrupts are told, held back, and never lost."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from mips_jax import interrupts

BOTH = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


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


@pytest.mark.parametrize("swallowed", [False, True])
def test_a_preemption_is_told_from_an_interrupt(swallowed):
    with pytest.raises(interrupts.Preempted), interrupts.as_exceptions():
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
        except KeyboardInterrupt:
            if not swallowed:
                raise
        interrupts.check()


def test_a_block_within_another_changes_nothing():
    with interrupts.as_exceptions():
        outer = signal.getsignal(signal.SIGTERM)
        with interrupts.as_exceptions():
            assert signal.getsignal(signal.SIGTERM) is outer
        assert signal.getsignal(signal.SIGTERM) is outer


def test_other_threads_are_left_alone():
    reached = []

    def work():
        with interrupts.as_exceptions(), interrupts.held_back():
            reached.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert reached == [True]


def test_an_interrupt_in_a_destructor_is_neither_printed_nor_lost(capsys):
    class Last:
        def __init__(self, act):
            self.act = act

        def __del__(self):
            self.act()

    hook = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), interrupts.as_exceptions():
        Last(lambda: os.kill(os.getpid(), signal.SIGTERM))
        assert capsys.readouterr().err == ""
        interrupts.check()
    assert sys.unraisablehook is hook


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to die of")
@pytest.mark.parametrize("forgotten", [True, False])
def test_an_interrupt_within_code_from_text_does_not_choose_the_exit_code(tmp_path, forgotten):
    lines = (
        "import ctypes, sys",
        "from mips_jax import interrupts",
        "ctypes.pythonapi.PyRun_SimpleString(b'raise KeyboardInterrupt')",
        "interrupts.forget()" if forgotten else "",
        "sys.exit(3)",
    )
    (tmp_path / "leaving.py").write_text("\n".join(lines))
    command = [sys.executable, "-m", "leaving"]
    ended = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert (ended.returncode == 3) is forgotten
