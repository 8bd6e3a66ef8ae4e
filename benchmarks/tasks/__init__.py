"""Sets of tasks that are not among the named ones, for benchmarks and tests alike."""

from benchmarks.tasks.first import HELD_OUT, write_npz
from benchmarks.tasks.networks import network_of
from benchmarks.tasks.pairs import PAIRS, Pair
from benchmarks.tasks.second import SECOND_HELD_OUT

__all__ = ["HELD_OUT", "PAIRS", "SECOND_HELD_OUT", "Pair", "network_of", "write_npz"]
