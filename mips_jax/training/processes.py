"""Several processes that train one population (hosts of a cluster, of a TPU pod): the first leads.

It alone extracts, judges and writes; the others train with it, and wait to hear how it goes on.
They talk through jax's coordination service, which keeps no device busy and waits for hours.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

LONGEST = 7 * 24 * 3600 * 1000  # milliseconds that is waited for the first process
START, STOP = "train", "stop"
_words: dict[str, int] = {}  # how often each thing has been said or heard so far


def leads() -> bool:
    """Whether this process is the first, or the only one."""
    return jax.process_index() == 0


def agreed(what: str, word: str = "") -> str:
    """What the first process says; it tells, the others wait for it. Each call of one process meets
    the same call of every other.

    Args:
        what: the question.
        word: what this process says, should it lead.
    """
    if jax.process_count() == 1:
        return word
    from jax._src import distributed  # there is no public way to reach the service

    number = _words[what] = _words.get(what, 0) + 1
    key, client = f"mips_jax/{what}/{number}", distributed.global_state.client
    assert client is not None  # there are several processes
    if leads():
        client.key_value_set(key, word)
        return word
    return client.blocking_key_value_get(key, LONGEST)


def shared(value: Any) -> Any:
    """The first process's object, on all of them."""
    if jax.process_count() == 1:
        return value
    content = np.frombuffer(pickle.dumps(value), np.uint8) if leads() else np.zeros(0, np.uint8)
    size = int(multihost_utils.broadcast_one_to_all(np.int32(len(content))))
    buffer = np.zeros(size, np.uint8)
    buffer[: len(content)] = content
    return pickle.loads(np.asarray(multihost_utils.broadcast_one_to_all(buffer)).tobytes())


def start() -> None:
    """The first process has something to train."""
    agreed("start", START)


def follow() -> bool:
    """Waits for the first process; whether there is something to train."""
    return agreed("start") == START


@contextlib.contextmanager
def leading(failed: int) -> Iterator[Callable[[int], int]]:
    """However a job ends, the other processes hear of it. Gives a function that passes on the exit
    code.

    Args:
        failed: exit code where none is passed on.
    """
    codes, before = [failed], _words.get("start", 0)

    def passed_on(code: int) -> int:
        codes.append(code)
        return code

    try:
        yield passed_on
    finally:
        with contextlib.suppress(Exception):  # the others are gone; this process has more to say
            if _words.get("start", 0) == before:
                agreed("start", STOP)
            agreed("end", str(codes[-1]))
