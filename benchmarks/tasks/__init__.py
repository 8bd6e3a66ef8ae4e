"""Two sets of tasks that are not among the named ones, for benchmarks and tests alike."""

from benchmarks.tasks.first import HELD_OUT, write_npz
from benchmarks.tasks.second import SECOND_HELD_OUT

__all__ = ["HELD_OUT", "SECOND_HELD_OUT", "write_npz"]
