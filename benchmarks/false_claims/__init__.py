"""Question: is anything called right that is not, and is what is right called so?

300 cases that must not be called solved (or not beyond what their claims state) and 300 that are
integer functions and should be. The truth of each is known here, on its own, and never taken from
the package's figures.

    python -m benchmarks.false_claims [--only CATEGORY] [--count N] [--jobs 2] [--seed 0]

Axes: N words, T time, I inputs a step, O outputs a step, H hidden units, S states, A letters.
"""
