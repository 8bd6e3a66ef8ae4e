"""Counts and sums over everything so far or over the latest few inputs."""

from mips_jax.tasks.named.windows import window
from mips_jax.tasks.registry import task

NUMBER = (0, 99)


@task("Evens_Counter", "How many of the numbers so far are even.", inputs=[(0, 9)], initial=0)
def evens_counter(count, number):
    count = count + (number % 2 == 0)
    return count, count


@task("Sum_All", "The sum of all numbers so far.", inputs=[NUMBER], initial=0)
def sum_all(total, number):
    total = total + number
    return total, total


def _sum_of_latest(size: int, length: int):
    @task(
        f"Sum_Last{size}",
        f"The sum of the latest {size} numbers.",
        inputs=[NUMBER],
        initial=(0,) * (size - 1),
        length=length,
    )
    def sum_of_latest(earlier, number):
        latest = window(earlier, number)
        return latest[1:], sum(latest)


for _size in range(2, 8):
    _sum_of_latest(_size, length=10 if _size < 5 else 20)
