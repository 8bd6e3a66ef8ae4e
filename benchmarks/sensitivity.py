"""How much does each number of extraction's ledger matter? Each is halved and doubled on tasks that
none was chosen for.

    python -m benchmarks.own_data --out NETWORKS              # trains and saves the first set
    python -m benchmarks.own_data --set second --out NETWORKS
    python -m benchmarks.sensitivity NETWORKS [--most-seconds 2] [--fields features.,choice.]
                                     [--jobs 2] [--sample 16] [--out FILE.md]

Extraction runs on the saved networks, with the inputs of the files that they were trained on; a
program counts when it is exact at five times their length. --sample takes so many of the networks,
evenly by name; those on which extraction takes longer than --most-seconds are left out. Written:
for each number the tasks lost and gained at half and at twice its value, and the time as a ratio.
`mips_jax/extraction/tuning.py` is the ledger.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tasks import HELD_OUT, SECOND_HELD_OUT, write_npz
from mips_jax.extraction import ExtractionSettings
from mips_jax.extraction.extract import extract_tuned
from mips_jax.extraction.tuning import TUNING, Tuning
from mips_jax.inputs import Inputs
from mips_jax.networks import Network, load_network
from mips_jax.pipeline.inputs_in_use import inputs_in_use
from mips_jax.tasks import load_file_task
from mips_jax.verification import whole_sequence_accuracy

FACTORS = (0.5, 2.0)
LONGER = 5
SEQUENCES = 1_000
NOISE = 0.2  # seconds that a run takes anyway: ratios of shorter ones say nothing


@dataclasses.dataclass(frozen=True)
class Subject:
    """One network, and what it is asked about."""

    name: str
    network: Network
    inputs: Inputs

    def exact(self, tuning: Tuning) -> tuple[bool, float]:
        """Whether the program is right, and the seconds that it took."""
        began = time.perf_counter()
        found = extract_tuned(self.network, self.inputs, ExtractionSettings(), tuning)
        seconds = time.perf_counter() - began
        task = (HELD_OUT | SECOND_HELD_OUT)[self.name]
        long = task.long_sequences(SEQUENCES, LONGER * task.length, 1)
        right = found.program is not None and whole_sequence_accuracy(found.program, long) == 1.0
        return right, seconds


def subjects(folder: Path, names: tuple[str, ...] | None = None) -> list[Subject]:
    """The saved networks (of these names), with the inputs of their files."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(folder.glob("*.npz")):
            if names is not None and path.stem not in names:
                continue
            file = Path(scratch) / path.name
            write_npz((HELD_OUT | SECOND_HELD_OUT)[path.stem], file, count=5_000, seed=0, noise=0.0)
            task = load_file_task(file)
            inputs = inputs_in_use(Inputs.of(task.input_range), task)
            found.append(Subject(path.stem, load_network(path), inputs))
    return found


def sampled(folder: Path, count: int | None) -> tuple[str, ...] | None:
    """Names of so many networks, evenly by name; None: all."""
    names = sorted(path.stem for path in folder.glob("*.npz"))
    if count is None:
        return None
    return tuple(names[i * len(names) // count] for i in range(min(count, len(names))))


def numbers(tuning, prefix: str = "") -> list[str]:
    """Every single number by its path, such as `features.window`."""
    paths = []
    for field in dataclasses.fields(tuning):
        value = getattr(tuning, field.name)
        if dataclasses.is_dataclass(value):
            paths += numbers(value, f"{prefix}{field.name}.")
        elif isinstance(value, int | float):
            paths.append(prefix + field.name)
    return paths


def changed(tuning, path: str, factor: float):
    """The ledger with one number multiplied; counts stay whole, and at least 1."""
    name, _, rest = path.partition(".")
    value = getattr(tuning, name)
    if rest:
        return dataclasses.replace(tuning, **{name: changed(value, rest, factor)})
    new = max(1, round(value * factor)) if isinstance(value, int) else value * factor
    return dataclasses.replace(tuning, **{name: new})


_SUBJECTS: list[Subject] = []


def _prepare(folder: Path, names: tuple[str, ...] | None) -> None:
    _SUBJECTS[:] = subjects(folder, names)


def _results(tuning: Tuning) -> dict[str, tuple[bool, float]]:
    return {subject.name: subject.exact(tuning) for subject in _SUBJECTS}


def line(path: str, base: dict, variants: list[dict]) -> str:
    """One row of the table."""
    cells = [f"`{path}`", str(_value(path))]
    for variant in variants:
        lost = [name for name in base if base[name][0] and not variant[name][0]]
        gained = [name for name in base if variant[name][0] and not base[name][0]]
        seconds = sum(v for _, v in variant.values()) + NOISE
        ratio = seconds / (sum(v for _, v in base.values()) + NOISE)
        named = ", ".join([f"-{name}" for name in lost] + [f"+{name}" for name in gained])
        cells += [named or "none", f"{ratio:.2f}"]
    return f"| {' | '.join(cells)} |"


def _value(path: str):
    value = TUNING
    for name in path.split("."):
        value = getattr(value, name)
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", type=Path, help="folder of own_data.py --out")
    parser.add_argument("--most-seconds", type=float, default=2.0)
    parser.add_argument("--fields", default="", help="comma-separated beginnings of paths")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sample", type=int, default=None)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    _prepare(options.networks, sampled(options.networks, options.sample))
    base = {name: r for name, r in _results(TUNING).items() if r[1] <= options.most_seconds}
    prefixes = tuple(options.fields.split(","))
    paths = [path for path in numbers(TUNING) if path.startswith(prefixes)]
    exact = sum(right for right, _ in base.values())
    text = [
        f"{len(base)} networks, {exact} exact at {LONGER} times their length with the ledger as it "
        f"is; {len(paths)} numbers.\n",
        "| number | value | at half | time | at twice | time |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(text), flush=True)
    variants = [changed(TUNING, path, factor) for path in paths for factor in FACTORS]
    start = multiprocessing.get_context("spawn")
    with start.Pool(options.jobs, _prepare, (options.networks, tuple(base))) as pool:
        results = pool.imap(_results, variants)
        for path in paths:
            text.append(line(path, base, [next(results) for _ in FACTORS]))
            print(text[-1], flush=True)
    if options.out is not None:
        options.out.write_text("\n".join(text) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
