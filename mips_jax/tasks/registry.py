"""The named tasks: the 62 of the paper, and whatever a user adds with `@task(...)`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TypeVar

from mips_jax.errors import RequestError
from mips_jax.tasks.task import StepTask, Task, stepwise

T = TypeVar("T", bound=Task)

TASKS: dict[str, Task] = {}
"""All named tasks in the order of their definition, which for those of the paper is the paper's."""


def register(task: T) -> T:
    """Makes a task available by name."""
    taken = {name.casefold() for name in TASKS}
    if task.name.casefold() in taken:
        raise RequestError(
            f"there is already a task named {task.name}; choose another name for the new one"
        )
    TASKS[task.name] = task
    return task


def task(*args, **kwargs) -> Callable[[Callable], StepTask]:
    """Decorator that defines a named task by its step function; arguments as for
    `mips_jax.tasks.stepwise`.

    @task("Doubled_Sum", "Twice the sum so far.", inputs=[(0, 9)], initial=0)
    def doubled_sum(total, number):
        return total + number, 2 * (total + number)
    """
    define = stepwise(*args, **kwargs)
    return lambda step: register(define(step))


def get_task(name: str) -> Task:
    """The task of that name, without regard to case.

    Raises:
        RequestError: there is none; names the nearest ones.
    """
    by_folded_name = {known.casefold(): task for known, task in TASKS.items()}
    folded = str(name).casefold()
    if folded in by_folded_name:
        return by_folded_name[folded]
    near = [
        by_folded_name[key].name
        for key in difflib.get_close_matches(folded, by_folded_name, n=3, cutoff=0.6)
    ]
    hint = f"did you mean {' or '.join(near)}?" if near else "see all of them with `mips-jax tasks`"
    raise RequestError(f"there is no task named {name!r}; {hint} (key: task)")
