"""Remainders: long division, addition modulo n, and dithering."""

from mips_jax.tasks.named.bits import BIT
from mips_jax.tasks.registry import task


def _long_division(divisor: int):
    @task(
        f"Div_{divisor}",
        f"Quotient bits of a binary number divided by {divisor}, highest bit first.",
        inputs=[BIT],
        initial=0,
    )
    def divide(remainder, bit):
        value = 2 * remainder + bit
        return value % divisor, value // divisor


for _divisor in (3, 5, 7):
    _long_division(_divisor)


def _add_modulo(modulus: int):
    @task(
        f"Add_Mod_{modulus}",
        f"The sum so far modulo {modulus}.",
        inputs=[(0, modulus - 1)],
        initial=0,
    )
    def add(total, number):
        total = (total + number) % modulus
        return total, total


for _modulus in range(3, 9):
    _add_modulo(_modulus)


@task(
    "Dithering",
    "Shades 0..15 rendered as 0 and 1, the rounding error carried on.",
    inputs=[(0, 15)],
    initial=0,
)
def dithering(error, shade):
    light = error + shade
    return light % 15, light // 15
