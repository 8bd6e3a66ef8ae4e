"""Which inputs are put to a network: those that its examples show, and no label of them."""

from __future__ import annotations

from mips_jax.inputs import Inputs
from mips_jax.inputs.observed import observed_inputs
from mips_jax.tasks import Task
from mips_jax.tasks.examples import ExampleTask


def inputs_in_use(inputs: Inputs, task: Task | None) -> Inputs:
    """The range, with what is known of the inputs a network was trained on. No label is looked
    at.
    """
    if not isinstance(task, ExampleTask):
        return inputs
    return observed_inputs(inputs.bounds, task.training.inputs, task.training.mask)


def unseen_inputs(inputs: Inputs, task: Task | None) -> Inputs:
    """For judging: inputs that extraction has not seen."""
    if not isinstance(task, ExampleTask):
        return inputs
    return inputs.like(task.judging.inputs, task.judging.mask).unseen
