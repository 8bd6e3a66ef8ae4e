"""Which failures are the environment's, and what is said of them."""

import errno
import os

import pytest

from mips_jax.command_line.failures import environment_failure


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_a_library_tells_of_in_text_is_no_lack_of_memory(number):
    text = f"RESOURCE_EXHAUSTED: Error writing 'x': {os.strerror(number)} [os_error_code='28']"
    failure = environment_failure(ValueError(text))
    assert failure is not None and os.strerror(number) in str(failure)
    assert "memory" not in str(failure) and "hydra.run.dir" in str(failure)


def test_a_lack_of_memory_is_told_as_such():
    failure = environment_failure(RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 B"))
    assert failure is not None and "lower training.members" in str(failure)


def test_what_an_error_was_raised_from_counts():
    outer = RuntimeError("saving failed")
    outer.__cause__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "file")
    assert "make room on that disk" in str(environment_failure(outer))
    assert environment_failure(ZeroDivisionError("1/0")) is None
