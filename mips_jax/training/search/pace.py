"""How many steps are trained between two looks at the clock. Results do not depend on it: a chunk
taken in several stretches ends in the same bits as in one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import jax
from jax.experimental import multihost_utils


class Pace:
    """Stretches of about so many seconds, adapted to the time that a step was measured to take.

    Args:
        seconds: of one stretch.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.steps = 1

    def stretches(self, chunk: int, out_of_time: Callable[[], bool]) -> Iterator[tuple[int, int]]:
        """(first step, steps) until the chunk is complete or time is up; each must have ended when
        the next is asked for.
        """
        first = 0
        while first < chunk and not out_of_time():
            steps = min(_same_everywhere(self.steps), chunk - first)
            began = time.monotonic()
            yield first, steps
            took = time.monotonic() - began
            first += steps
            # a first stretch may hold the compilation, so the pace grows in leaps, but not at once
            wanted = int(self.seconds * steps / max(took, 1e-6))
            if steps == self.steps or wanted < self.steps:
                self.steps = max(1, min(wanted, 10 * self.steps))


def _same_everywhere(value: int) -> int:
    if jax.process_count() == 1:
        return value
    return int(multihost_utils.broadcast_one_to_all(value))
