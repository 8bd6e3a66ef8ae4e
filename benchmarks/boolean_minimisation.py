"""Boolean minimisation against the number of input bits: seconds and size, beside sympy's
`SOPform`.

    python benchmarks/boolean_minimisation.py [--most-bits 12] [--sympy-bits 9] [--repeats 3]

Functions: `random` (half of the rows on), `sparse` (half of the rows are don't-cares), `structured`
    (the first bit and
a majority of the others: short, but with many prime implicants). The baseline is sympy 1.14's
Quine-McCluskey, run on the same tables in the same process while it stays below a few seconds. Size
is literals plus products of the two-level form; `formula` is the number of operators and variables
of the shortest formula of any form.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time

import numpy as np
import sympy
from sympy.logic import SOPform

from mips_jax.extraction.regression.boolean.minimise import minimise
from mips_jax.extraction.regression.boolean.two_level import sum_of_products
from mips_jax.programs import walk


def tables(bits: int, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """On-set and don't-cares of each kind of function."""
    generator = np.random.default_rng([bits, seed])
    rows = np.arange(1 << bits)
    chance = generator.random(rows.size)
    ones = np.bitwise_count(rows >> 1)
    structured = (rows & 1 == 1) & (ones > (bits - 1) // 2)
    return {
        "random": (rows[chance < 0.5], rows[:0]),
        "sparse": (rows[chance < 0.25], rows[chance >= 0.5]),
        "structured": (rows[structured], rows[:0]),
    }


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def sympy_size(on: np.ndarray, dont_care: np.ndarray, bits: int) -> tuple[float, int]:
    """Seconds and literals plus products of sympy's minimal sum of products."""
    symbols = sympy.symbols(f"b0:{bits}")
    digits = lambda rows: [[int(row >> i & 1) for i in range(bits)] for row in rows]
    seconds, formula = timed(SOPform, symbols, digits(on), digits(dont_care))
    products = formula.args if formula.func == sympy.Or else (formula,)
    literals = sum(len(p.args) if p.func == sympy.And else 1 for p in products)
    return seconds, literals + len(products)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--most-bits", type=int, default=12)
    parser.add_argument("--sympy-bits", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    versions = f"numpy {np.__version__}, sympy {sympy.__version__}"
    print(f"{platform.machine()}, Python {platform.python_version()}, {versions}")
    print(
        f"{'bits':>4} {'function':>10} {'two-level s':>17} {'size':>6} {'proven':>6} "
        f"{'formula s':>9} {'formula':>7} {'sympy s':>8} {'size':>6}"
    )
    for bits in range(4, options.most_bits + 1):
        for kind in ("random", "sparse", "structured"):
            seconds, sizes, proven, all_seconds, lengths, baseline = [], [], [], [], [], []
            for seed in range(options.repeats):
                on, dont_care = tables(bits, seed)[kind]
                spent, cover = timed(sum_of_products, on, dont_care, bits)
                seconds.append(spent)
                sizes.append(cover.cost)
                proven.append(cover.proven_minimal)
                spent, formula = timed(minimise, on, dont_care, bits)
                all_seconds.append(spent)
                lengths.append(sum(1 for _ in walk(formula)))
                if bits <= options.sympy_bits:
                    baseline.append(sympy_size(on, dont_care, bits))
            median = statistics.median
            spread = f"{median(seconds):8.3f} ({min(seconds):.3f}-{max(seconds):.3f})"
            beside = (
                f"{median(s for s, _ in baseline):8.2f} {median(n for _, n in baseline):6.0f}"
                if baseline
                else ""
            )
            print(
                f"{bits:4d} {kind:>10} {spread:>17} {median(sizes):6.0f} "
                f"{sum(proven):>3}/{len(proven)} "
                f"{median(all_seconds):10.3f} {median(lengths):7.0f} {beside}",
                flush=True,
            )


if __name__ == "__main__":
    main()
