"""Extremes and majorities of everything so far."""

import numpy as np

from mips_jax.tasks.registry import task


@task("Min_Seen", "The smallest number so far.", inputs=[(0, 9)], initial=9)
def min_seen(smallest, number):
    smallest = np.minimum(smallest, number)
    return smallest, smallest


@task("Max_Seen", "The largest number so far.", inputs=[(0, 99)], initial=0)
def max_seen(largest, number):
    largest = np.maximum(largest, number)
    return largest, largest


def _majority(largest: int):
    @task(
        f"Majority_0_{largest}",
        f"The most frequent of 0..{largest} so far, the smallest if several tie.",
        inputs=[(0, largest)],
        initial=(0,) * (largest + 1),
    )
    def majority(counts, number):
        counts = tuple(count + (number == value) for value, count in enumerate(counts))
        return counts, np.argmax(counts, axis=0)  # the first of several maxima


for _largest in range(1, 4):
    _majority(_largest)
