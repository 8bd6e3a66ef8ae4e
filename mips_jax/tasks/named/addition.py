"""Addition of two numbers that arrive digit by digit, least significant digit first."""

from mips_jax.tasks.registry import task


def _addition(name: str, base: int):
    digit = (0, base - 1)

    @task(
        name,
        f"Digits of the sum of two base-{base} numbers, lowest digit first.",
        inputs=[digit, digit],
        initial=0,
    )
    def add(carry, digits):
        total = digits[0] + digits[1] + carry
        return total // base, total % base


_addition("Binary_Addition", 2)
for _base in range(3, 8):
    _addition(f"Base_{_base}_Addition", _base)
