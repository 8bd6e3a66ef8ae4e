"""Does one request have one answer? Under load, with one thread, on three devices.

    python benchmarks/determinism.py [--tasks A,B] [--networks FOLDER] [--circumstances idle,busy]

Twelve tasks are trained and distilled, and six given networks (of FOLDER, saved by train_all.py,
or hand-built ones) are distilled, in processes of their own: idle; with two busy processes beside;
with one thread; with three devices. What is compared: the printed program, and every claim, as
JSON. The last line counts the differences; the exit code is 1 when there is one.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

TASKS = (
    "Binary_Addition",
    "Base_3_Addition",
    "Parity_Last3",
    "Parity_All",
    "Sum_All",
    "Sum_Last3",
    "Prev2",
    "Max_Seen",
    "Majority_0_1",
    "Div_3",
    "Add_Mod_3",
    "Newton_Gravity",
)
CIRCUMSTANCES = {
    "idle": {},
    "busy": {},
    "one thread": {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    },
    "three devices": {"JAX_NUM_CPU_DEVICES": "3"},
}


def hand_built() -> dict[str, tuple]:
    """Six networks and the ranges of their inputs."""
    from mips_jax.networks import MLPRNN, CallableNetwork

    layer = lambda weight, bias: (np.atleast_2d(np.array(weight, float)), np.array(bias, float))

    def clock(step: int) -> MLPRNN:
        """The parity of bits, upside down after some steps."""
        transition = [
            layer([[1, 0, -1], [-1, 0, 1], [0, 1, 0]], [0, 0, 1]),
            layer([[1, 1, 0], [0, 0, 1]], [0, 0]),
        ]
        output = [
            layer([[1, 0], [0, 1], [0, 1]], [0, -step, -step - 1]),
            layer([[1, -1, 1], [-1, 1, -1]], [0, 0]),
            layer([[1, 1]], [0]),
        ]
        return MLPRNN.from_layers(transition, output)

    def counted(kinds: int) -> CallableNetwork:
        step = lambda h, x: h + (x == np.arange(kinds)[None])
        return CallableNetwork(step, lambda h: h.argmax(axis=1)[:, None] * 1.0, np.zeros(kinds))

    remainder = lambda m: CallableNetwork(lambda h, x: (2 * h + x) % m, lambda h: h, np.zeros(1))
    return {
        "parity_clock_12": (clock(12), ((0, 1),)),
        "parity_clock_1000": (clock(1000), ((0, 1),)),
        "majority_of_3": (counted(3), ((0, 2),)),
        "majority_of_4": (counted(4), ((0, 3),)),
        "remainder_9": (remainder(9), ((0, 4),)),
        "remainder_14": (remainder(14), ((0, 1),)),
    }


def answer(kind: str, name: str) -> dict:
    """What one request gives: the program and the claims."""
    from mips_jax.pipeline import distil, distil_network

    if kind == "task":
        found = distil(name)
    else:
        network, input_range = hand_built()[name]
        found = distil_network(network, input_range, name)
    claims = [dataclasses.asdict(claim) for claim in found.claims]
    weights = None
    if found.member is not None:
        leaves = json.dumps(found.member.weights, default=lambda a: np.asarray(a).tolist())
        weights = hashlib.sha256(leaves.encode()).hexdigest()[:12]
    return {
        "program": found.source,
        "outcome": str(found.verdict.outcome),
        "reason": found.reason,
        "claims": json.dumps(claims, default=str, sort_keys=True),
        "network": weights,
    }


@contextlib.contextmanager
def beside(count: int) -> Iterator[None]:
    """Busy processes beside what runs in the meantime."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: sum(range(10**6))"])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def asked(kind: str, name: str, circumstance: str) -> dict:
    """The answer of a process of its own."""
    environment = {**os.environ, **CIRCUMSTANCES[circumstance]}
    with tempfile.TemporaryDirectory() as folder, beside(2 if circumstance == "busy" else 0):
        path = Path(folder) / "answer.json"
        command = [sys.executable, __file__, "--answer", kind, name, str(path)]
        subprocess.run(command, env=environment, check=True)
        return json.loads(path.read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--networks", default=",".join(hand_built()))
    parser.add_argument("--circumstances", default=",".join(CIRCUMSTANCES))
    parser.add_argument("--answer", nargs=3, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        kind, name, path = options.answer
        Path(path).write_text(json.dumps(answer(kind, name)))
        return 0
    requests = [("task", name) for name in options.tasks.split(",") if name]
    requests += [("network", name) for name in options.networks.split(",") if name]
    circumstances = options.circumstances.split(",")
    differences = other_networks = 0
    for kind, name in requests:
        began = time.perf_counter()
        answers = [asked(kind, name, circumstance) for circumstance in circumstances]
        shown = []
        for circumstance, got in zip(circumstances[1:], answers[1:]):
            wrong = [
                k for k in ("program", "outcome", "reason", "claims") if got[k] != answers[0][k]
            ]
            other_networks += got["network"] != answers[0]["network"]
            differences += bool(wrong)
            shown.append(f"{circumstance}: {', '.join(wrong) or 'same'}")
        state = answers[0]["outcome"]
        print(
            f"{name:20s} {state:24s} {'; '.join(shown)}  {time.perf_counter() - began:.0f} s",
            flush=True,
        )
    count = len(requests) * (len(circumstances) - 1)
    print(f"{other_networks} of {count} answers come from other weights")
    print(f"{differences} differences in {count} answers compared with the first")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
