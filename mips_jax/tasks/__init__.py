"""Tasks: the paper's 62 by name, a user's Python function, or a file of sequences.

A task yields `Sequences` and knows nothing of training or extraction. A new named task is one small
definition:

    from mips_jax.tasks import task

    @task("Doubled_Sum", "Twice the sum so far.", inputs=[(0, 9)], initial=0)
    def doubled_sum(total, number):
        return total + number, 2 * (total + number)
"""

from mips_jax.tasks.contradictions import Contradictions
from mips_jax.tasks.examples import ExampleTask, example_task
from mips_jax.tasks.files.load import load_file_task
from mips_jax.tasks.from_function import FunctionTask, load_function_task
from mips_jax.tasks.ranges import input_range_from_bounds
from mips_jax.tasks.registry import TASKS, get_task, register, task
from mips_jax.tasks.task import InputRange, LabelledTask, StepTask, Task, stepwise

# The named tasks, in the paper's order, which is the order of TASKS.
from mips_jax.tasks.named import (  # noqa: F401  # isort: skip
    addition,
    bits,
    sums,
    memory,
    statistics,
    detectors,
    modular,
    physics,
)

__all__ = [
    "TASKS",
    "Contradictions",
    "ExampleTask",
    "FunctionTask",
    "InputRange",
    "LabelledTask",
    "StepTask",
    "Task",
    "example_task",
    "get_task",
    "input_range_from_bounds",
    "load_file_task",
    "load_function_task",
    "register",
    "stepwise",
    "task",
]
