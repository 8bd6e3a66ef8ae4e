"""Positions of a unit mass under forces, in integer time steps, starting from rest at the origin.

The velocity is updated first and the position moves by the new velocity; forces other than the
input come from the position or velocity before the step.
"""

from mips_jax.tasks.registry import task

FORCE = (-10, 10)


@task(
    "Newton_Freebody",
    "Position of a free body pushed by the input.",
    inputs=[FORCE],
    initial=(0, 0),
)
def newton_freebody(state, force):
    position, velocity = state
    velocity = velocity + force
    position = position + velocity
    return (position, velocity), position


@task(
    "Newton_Gravity",
    "Position of a body under gravity, pushed by the input.",
    inputs=[FORCE],
    initial=(0, 0),
)
def newton_gravity(state, force):
    position, velocity = state
    velocity = velocity + force - 1
    position = position + velocity
    return (position, velocity), position


@task(
    "Newton_Spring",
    "Position of a body on a spring, pushed by the input.",
    inputs=[FORCE],
    initial=(0, 0),
)
def newton_spring(state, force):
    position, velocity = state
    velocity = velocity + force - position
    position = position + velocity
    return (position, velocity), position


@task(
    "Newton_Magnetic",
    "Position in a plane of a charge in a magnetic field, pushed by the input.",
    inputs=[FORCE, FORCE],
    initial=(0, 0, 0, 0),
    outputs=2,
)
def newton_magnetic(state, force):
    x, y, velocity_x, velocity_y = state
    velocity_x, velocity_y = velocity_x + force[0] - velocity_y, velocity_y + force[1] + velocity_x
    x, y = x + velocity_x, y + velocity_y
    return (x, y, velocity_x, velocity_y), (x, y)
