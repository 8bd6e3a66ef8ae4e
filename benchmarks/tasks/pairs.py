"""Programs as a person would write them, for tasks whose extracted programs were riddles.

A pair is a task and its person's program at once: the lines before the loop name the registers and
what they start as, the loop is one step. The registers of a pair are its network's hidden state
(`benchmarks.tasks.networks`), so nothing need be trained to ask what extraction writes for it.
"""

from __future__ import annotations

import dataclasses
import textwrap

import numpy as np

from mips_jax.inputs import InputRange, input_names
from mips_jax.tasks import LabelledTask

BIT = (0, 1)

PAIRS: dict[str, Pair] = {}


@dataclasses.dataclass(frozen=True)
class Pair(LabelledTask):
    """A task that is defined by a program which a person wrote.

    Attributes:
        start: lines that assign the registers.
        loop: lines of one step; reads the inputs by their usual names, appends to `outputs`.
    """

    name: str
    input_range: InputRange
    start: str
    loop: str
    length: int = 10
    output_dim: int = 1

    @property
    def description(self) -> str:
        return f"What a person's program for {self.name} does."

    @property
    def person(self) -> str:
        """The whole program."""
        names = ", ".join(input_names(len(self.input_range)))
        return (
            "def program(inputs):\n"
            + (textwrap.indent(self.start, "    ") + "\n" if self.start else "")
            + "    outputs = []\n"
            + f"    for {names} in inputs:\n"
            + textwrap.indent(self.loop, "        ")
            + "\n    return outputs\n"
        )

    def label(self, inputs: np.ndarray) -> np.ndarray:
        """See `LabelledTask.label`."""
        namespace: dict = {}
        exec(compile(self.person, f"<{self.name}>", "exec"), namespace)
        single = len(self.input_range) == 1
        rows = [
            namespace["program"]([row[0] for row in word] if single else list(map(tuple, word)))
            for word in inputs.tolist()
        ]
        return np.array(rows, np.int64).reshape(*inputs.shape[:2], self.output_dim)


def _pair(name: str, inputs, start: str, loop: str, length: int = 10, outputs: int = 1) -> None:
    assert name not in PAIRS
    texts = (textwrap.dedent(text).strip() for text in (start, loop))
    PAIRS[name] = Pair(name, tuple(inputs), *texts, length, outputs)


# Words of two letters

_pair(
    "balanced",
    [BIT],
    "depth = 0",
    """
    if depth >= 0:
        depth += 1 - 2 * x
    outputs.append(int(depth == 0))
    """,
)
_pair(
    "alternating_last3",
    [BIT],
    "previous = previous2 = 0",
    """
    outputs.append(int(x != previous != previous2))
    previous2, previous = previous, x
    """,
)
_pair(
    "alternating_last4",
    [BIT],
    "previous = previous2 = previous3 = 0",
    """
    outputs.append(int(x != previous != previous2 != previous3))
    previous3, previous2, previous = previous2, previous, x
    """,
)
for _n in (3, 5, 7):
    _pair(
        f"div_{_n}",
        [BIT],
        "rest = 0",
        f"""
        rest = 2 * rest + x
        outputs.append(rest // {_n})
        rest %= {_n}
        """,
    )
_pair(
    "parity_of_zeros",
    [BIT],
    "parity = 0",
    """
    parity ^= x == 0
    outputs.append(parity)
    """,
)
_pair(
    "majority",
    [BIT],
    "zeros = ones = 0",
    """
    if x:
        ones += 1
    else:
        zeros += 1
    outputs.append(int(ones > zeros))
    """,
)
_pair(
    "clock",
    [BIT],
    "parity = 0",
    """
    outputs.append(parity)
    parity = 1 - parity
    """,
)
_pair(
    "tomita_2",
    [BIT],
    "ok = expected = 1",
    """
    ok = int(ok and x == expected)
    outputs.append(int(ok and x == 0))
    expected = 1 - x
    """,
)
_pair(
    "tomita_4",
    [BIT],
    "zeros = 0",
    """
    if zeros < 3:
        zeros = 0 if x else zeros + 1
    outputs.append(int(zeros < 3))
    """,
)
_pair(
    "tomita_5",
    [BIT],
    "zeros = ones = 0",
    """
    zeros ^= 1 - x
    ones ^= x
    outputs.append(int(zeros == ones == 0))
    """,
)
_pair(
    "tomita_6",
    [BIT],
    "rest = 0",
    """
    rest = (rest + (1 if x else -1)) % 3
    outputs.append(int(rest == 0))
    """,
)
_pair(
    "tomita_7",
    [BIT],
    "previous = changes = 0",
    """
    changes += x != previous
    previous = x
    outputs.append(int(changes <= 3))
    """,
)
_pair(
    "count_transitions",
    [BIT],
    "previous = count = 0",
    """
    count += x != previous
    outputs.append(count)
    previous = x
    """,
)
_pair(
    "steps_since_one",
    [BIT],
    "steps = 0",
    """
    steps = 0 if x else steps + 1
    outputs.append(steps)
    """,
)
_pair(
    "run_length_of_ones",
    [BIT],
    "run = 0",
    """
    run = run + 1 if x else 0
    outputs.append(run)
    """,
)
_pair(
    "longest_run",
    [BIT],
    "run = longest = 0",
    """
    run = run + 1 if x else 0
    longest = max(longest, run)
    outputs.append(longest)
    """,
)
_pair(
    "saturating_counter",
    [BIT],
    "value = 0",
    """
    value = min(value + 1, 5) if x else max(value - 1, 0)
    outputs.append(value)
    """,
)
_pair(
    "xor_with_first",
    [BIT],
    "first = -1",
    """
    if first < 0:
        first = x
    outputs.append(x ^ first)
    """,
)
_pair(
    "zeros_against_twice_ones",
    [BIT],
    "lead = 0",
    """
    lead += 1 - 3 * x
    outputs.append((lead > 0) - (lead < 0))
    """,
)
_pair(
    "a_n_b_n",
    [BIT],
    "zeros = ones = dead = 0",
    """
    if x:
        ones += 1
    elif ones:
        dead = 1
    else:
        zeros += 1
    outputs.append(int(not dead and zeros == ones))
    """,
)
_pair(
    "crc3",
    [BIT],
    "value = 0",
    """
    feedback = x ^ value >> 2
    value = (2 * value & 7) ^ 3 * feedback
    outputs.append(value)
    """,
)
_pair(
    "tennis_game",
    [BIT],
    "score = [0, 0]",
    """
    score[x] += 1
    if score[x] >= 4 and score[x] - score[1 - x] >= 2:
        outputs.append(x + 1)
        score = [0, 0]
    else:
        outputs.append(0)
    """,
    length=20,
)
_pair(
    "lfsr4_with_input",
    [BIT],
    "window = [0, 0, 0, 0]",
    """
    window = [x ^ window[2] ^ window[3]] + window[:3]
    outputs.append(window[3])
    """,
    length=12,
)
_pair(
    "dihedral_5",
    [BIT],
    "place = flip = 0",
    """
    if x:
        flip = 1 - flip
    else:
        place = (place + 1 - 2 * flip) % 5
    outputs.append(place)
    """,
)
for _n in (3, 4, 5):
    _pair(
        f"permutations_of_{_n}",
        [BIT],
        f"p = {list(range(_n))}",
        """
        if x:
            p[0], p[1] = p[1], p[0]
        else:
            p = p[1:] + p[:1]
        outputs.append(p[0])
        """,
        length=6 + 2 * _n,
    )

# Numbers

_pair(
    "difference_of_magnitudes",
    [(-9, 9)],
    "previous = 0",
    """
    outputs.append(abs(x) - previous)
    previous = abs(x)
    """,
)
_pair(
    "count_of_evens",
    [(0, 9)],
    "count = 0",
    """
    count += x % 2 == 0
    outputs.append(count)
    """,
)
_pair(
    "previous_5",
    [(0, 9)],
    "window = [0, 0, 0, 0, 0]",
    """
    outputs.append(window[0])
    window = window[1:] + [x]
    """,
    length=16,
)
for _n in (7, 8):
    _pair(
        f"sum_last{_n}",
        [(0, 9)],
        f"window = {[0] * _n}",
        """
        window = window[1:] + [x]
        outputs.append(sum(window))
        """,
        length=20,
    )
_pair(
    "product_mod_7",
    [(1, 6)],
    "product = 1",
    """
    product = product * x % 7
    outputs.append(product)
    """,
)
_pair(
    "sum_at_least_20",
    [(0, 9)],
    "total = 0",
    """
    total += x
    outputs.append(int(total >= 20))
    """,
)
_pair(
    "cycle_navigation",
    [(0, 2)],
    "place = 0",
    """
    place = (place + (0, 1, -1)[x]) % 5
    outputs.append(place)
    """,
)
_pair(
    "three_flip_flops",
    [(0, 6)],
    "bits = [0, 0, 0]",
    """
    if x:
        bits[(x - 1) // 2] = (x - 1) % 2
    outputs.append(bits[0] + 2 * bits[1] + 4 * bits[2])
    """,
)
_pair(
    "vending_machine",
    [(0, 2)],
    "paid = 0",
    """
    paid += (5, 10, 20)[x]
    if paid >= 30:
        outputs.append((1, paid - 30))
        paid = 0
    else:
        outputs.append((0, 0))
    """,
    outputs=2,
)

# Several inputs

_pair(
    "base_3_addition",
    [(0, 2), (0, 2)],
    "carry = 0",
    """
    total = a + b + carry
    outputs.append(total % 3)
    carry = total // 3
    """,
)
_pair(
    "comparison",
    [BIT, BIT],
    "larger = 0",
    """
    if a != b:
        larger = a - b
    outputs.append(larger)
    """,
)
_pair(
    "three_bit_strings",
    [BIT, BIT, BIT],
    "carry = 0",
    """
    total = a + b + c + carry
    outputs.append(total % 2)
    carry = total // 2
    """,
)
_pair(
    "two_cell_memory",
    [BIT, BIT, (0, 3)],
    "cell = [0, 0]",
    """
    if a:
        cell[b] = c
    outputs.append(cell[b])
    """,
)
