"""Earlier inputs repeated, and the current input compared with the one before (0 before the first
step).
"""

from mips_jax.tasks.named.windows import window
from mips_jax.tasks.registry import task
from mips_jax.tasks.sampling import uniform_distinct

NUMBER = (0, 99)
SIGNED = (-100, 99)


@task("Current_Number", "The current number itself.", inputs=[NUMBER])
def current_number(_, number):
    return None, number


def _repeat_after(delay: int, length: int):
    steps = "one step" if delay == 1 else f"{delay} steps"

    @task(
        f"Prev{delay}",
        f"The number {steps} before, 0 where there is none.",
        inputs=[NUMBER],
        initial=(0,) * delay,
        length=length,
    )
    def repeat(earlier, number):
        latest = window(earlier, number)
        return latest[1:], latest[0]


for _delay in range(1, 6):
    _repeat_after(_delay, length=10 if _delay < 5 else 20)


@task(
    "Previous_Equals_Current",
    "Whether the number equals the one before.",
    inputs=[(0, 7)],
    initial=0,
    draw=uniform_distinct,
)
def previous_equals_current(previous, number):
    return number, number == previous


@task("Diff_Last2", "The number minus the one before.", inputs=[SIGNED], initial=0)
def diff_last2(previous, number):
    return number, number - previous


@task("Abs_Diff", "The distance between the number and the one before.", inputs=[SIGNED], initial=0)
def abs_diff(previous, number):
    return number, abs(number - previous)


@task("Abs_Current", "The absolute value of the current number.", inputs=[SIGNED])
def abs_current(_, number):
    return None, abs(number)


@task(
    "Diff_Abs_Values",
    "The number's absolute value minus that of the one before.",
    inputs=[SIGNED],
    initial=0,
)
def diff_abs_values(previous, number):
    return number, abs(number) - abs(previous)
