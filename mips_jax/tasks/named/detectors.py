"""Properties of the current number, of the whole prefix, of the time step, and patterns among the
latest bits.
"""

import itertools

import numpy as np

from mips_jax.tasks.named.bits import BIT
from mips_jax.tasks.named.windows import window
from mips_jax.tasks.registry import task
from mips_jax.tasks.sampling import palindrome_first


@task("Evens_Detector", "Whether the current number is even.", inputs=[(0, 9)])
def evens_detector(_, number):
    return None, number % 2 == 0


@task(
    "Perfect_Square_Detector", "Whether the current number is a perfect square.", inputs=[(0, 19)]
)
def perfect_square_detector(_, number):
    return None, np.isin(number, (0, 1, 4, 9, 16))


@task(
    "Bit_Palindrome",
    "Whether all bits so far read the same backwards.",
    inputs=[BIT],
    initial=(0, 0, 1),
    draw=palindrome_first,
)
def bit_palindrome(state, bit):
    # the bits so far as a binary number, read both ways; 2 ** (bits so far)
    forwards, backwards, weight = state
    forwards, backwards = 2 * forwards + bit, backwards + weight * bit
    return (forwards, backwards, 2 * weight), forwards == backwards


@task(
    "Balanced_Parenthesis",
    "Whether the brackets so far are balanced (0 opens, 1 closes).",
    inputs=[BIT],
    initial=0,
)
def balanced_parenthesis(depth, bracket):
    depth = np.where(
        depth < 0, depth, depth + 1 - 2 * bracket
    )  # closed too often: stays at -1 for good
    return depth, depth == 0


@task("Parity_Bits_Mod2", "0 and 1 in turn, whatever the input.", inputs=[BIT], initial=0)
def parity_bits_mod2(odd_step, _):
    return 1 - odd_step, odd_step


def _alternating(size: int):
    @task(
        f"Alternating_Last{size}",
        f"Whether the latest {size} bits alternate.",
        inputs=[BIT],
        initial=(0,) * (size - 1),
    )
    def alternating(earlier, bit):
        latest = window(earlier, bit)
        changes = sum(left ^ right for left, right in itertools.pairwise(latest))
        return latest[1:], changes == size - 1


_alternating(3)
_alternating(4)


@task("Bit_Shift_Right", "The bit before, 0 at first.", inputs=[BIT], initial=0)
def bit_shift_right(previous, bit):
    return bit, previous


@task(
    "Bit_Dot_Prod_Mod2",
    "Parity of the scalar product of two streams of bits.",
    inputs=[BIT, BIT],
    initial=0,
)
def bit_dot_prod_mod2(parity, bits):
    parity = parity ^ (bits[0] & bits[1])
    return parity, parity
