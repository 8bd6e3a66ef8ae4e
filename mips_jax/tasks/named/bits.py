"""Logic on the bits of one step, and parities over time."""

from mips_jax.tasks.named.windows import window
from mips_jax.tasks.registry import task

BIT = (0, 1)


@task("Bitwise_Xor", "Whether exactly one of the two current bits is 1.", inputs=[BIT, BIT])
def bitwise_xor(_, bits):
    return None, bits[0] ^ bits[1]


@task("Bitwise_Or", "Whether at least one of the two current bits is 1.", inputs=[BIT, BIT])
def bitwise_or(_, bits):
    return None, bits[0] | bits[1]


@task("Bitwise_And", "Whether both current bits are 1.", inputs=[BIT, BIT])
def bitwise_and(_, bits):
    return None, bits[0] & bits[1]


@task("Bitwise_Not", "The opposite of the current bit.", inputs=[BIT])
def bitwise_not(_, bit):
    return None, 1 - bit


def _parity_of_latest(size: int):
    @task(
        f"Parity_Last{size}",
        f"Parity of the latest {size} bits.",
        inputs=[BIT],
        initial=(0,) * (size - 1),
    )
    def parity(earlier, bit):
        latest = window(earlier, bit)
        return latest[1:], sum(latest) % 2


for _size in range(2, 5):
    _parity_of_latest(_size)


@task("Parity_All", "Parity of all bits so far.", inputs=[BIT], initial=0)
def parity_all(parity, bit):
    parity = parity ^ bit
    return parity, parity


@task("Parity_Zeros", "Whether the number of zeros so far is odd.", inputs=[BIT], initial=0)
def parity_zeros(parity, bit):
    parity = parity ^ 1 ^ bit
    return parity, parity
