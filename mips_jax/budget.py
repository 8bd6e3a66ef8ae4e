"""A budget of work: searches stop after so many operations, never after so many seconds.

What a search finds must not depend on how busy the machine is, so every limit is a count of what
was done (network steps, rows compared, values computed). The clock only guards against a request
that nobody wants to wait for; when it strikes, that is recorded, and the result says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping


class Guard:
    """A clock that ends everything once, and remembers that it did.

    Args:
        seconds: from now until it strikes.
    """

    def __init__(self, seconds: float = math.inf):
        self._end = time.monotonic() + seconds
        self.struck = False

    def strikes(self) -> bool:
        """Whether the time is up. From the first True on the answer stays True."""
        self.struck = self.struck or time.monotonic() > self._end
        return self.struck


class Share:
    """The work that one stage may do, in a unit of its own.

    Args:
        limit: how much of it.
        guard: the clock over all stages.

    >>> share = Share(10)
    >>> share.spend(10), share.out
    (None, False)
    >>> share.spend(1), share.out
    (None, True)
    """

    def __init__(self, limit: float = math.inf, guard: Guard | None = None):
        self.limit, self.guard = limit, guard or Guard()
        self.spent = 0.0

    def spend(self, work: float) -> None:
        """Counts work that was done, or is about to be."""
        self.spent += work

    @property
    def exhausted(self) -> bool:
        """Whether more than the limit was spent, whatever the clock says."""
        return self.spent > self.limit

    @property
    def out(self) -> bool:
        """Whether the stage has to end."""
        return self.exhausted or self.guard.strikes()

    def part(self, limit: float) -> Share:
        """At most `limit` of what is left; its work counts here too."""
        return _Part(self, limit)


class _Part(Share):
    def __init__(self, whole: Share, limit: float):
        super().__init__(min(limit, whole.limit - whole.spent), whole.guard)
        self._whole = whole

    def spend(self, work: float) -> None:
        super().spend(work)
        self._whole.spend(work)


class Budget:
    """Named shares of work under one guard.

    Args:
        limits: work of each stage, in the stage's unit.
        effort: all limits are multiplied by it.
        guard: the clock over all of them.
    """

    def __init__(self, limits: Mapping[str, float], effort: float, guard: Guard):
        self._limits, self._effort, self.guard = dict(limits), effort, guard

    def share(self, stage: str, fraction: float = 1.0) -> Share:
        """A fresh share for a stage.

        Raises:
            KeyError: no stage has this name.
        """
        return Share(self._limits[stage] * self._effort * fraction, self.guard)
