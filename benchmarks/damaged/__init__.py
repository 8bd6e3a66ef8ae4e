"""Networks damaged on purpose whose true machine is known; see `benchmarks.nearly_right`.

Axes: N words, T time, I inputs a step, O outputs a step, H hidden, S states, A letters, C classes.
"""
