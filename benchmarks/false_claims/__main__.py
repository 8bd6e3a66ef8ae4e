"""Runs the cases and prints the table; exit code 1 at a false claim or more than six missed."""

from __future__ import annotations

import argparse
import os
import sys

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # one core for each job
    os.environ.setdefault(name, "1")

from benchmarks.false_claims.cases import CATEGORIES, chosen  # noqa: E402
from benchmarks.false_claims.running import run_all, show  # noqa: E402

MISSED = 6  # right cases that need not be solved, of 300


def main() -> int:
    parser = argparse.ArgumentParser(description="Is anything called right that is not?")
    parser.add_argument("--only", choices=sorted(CATEGORIES), help="one category")
    parser.add_argument("--count", type=int, help="a sample of so many cases")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = run_all(chosen(options.only, options.count, options.seed), options.seed, options.jobs)
    wrong, solved, right, false = show(rows)
    print(f"{false} false claims of {wrong + right}, {wrong} of which must not be solved")
    print(f"{solved} of {right} right ones solved")
    return int(false > 0 or right - solved > MISSED)


if __name__ == "__main__":
    sys.exit(main())
