"""Is anything accepted that is false? Programs with one wrong entry, certificates with one changed
field, networks that are wrong by less than the bounds' slack.

    python -m benchmarks.proof_soundness [--planted 500] [--mutated 500] [--thin 200]

Self-contained: small networks of every kind that proofs follow, with known behaviour. A planted
program differs from the proven one in one output or one transition of its machine; both the search
and the check of the old certificate must refuse it. A mutated certificate has one number, list or
name changed (of every kind of field in turn); where the change leaves the claim true (a box made a
little larger, a lesser claim) the check may accept, and such changes are not made. A thin network
writes 1/2 + e or 1/2 - e too much for 1e-12 <= e <= 1e-3: above, nothing may be accepted. Exit code
1 where anything false is.
"""

from __future__ import annotations

import argparse
import collections
import copy
import dataclasses
import hashlib
import json
import sys

import numpy as np

from mips_jax.check import check
from mips_jax.machines import Mealy, machine_program
from mips_jax.programs import program_source
from mips_jax.verification.enclosures.prove import prove
from mips_jax.verification.enclosures.search import ProofSettings
from tests.extraction.perfect_networks import BIT, affine
from tests.verification.small_cells import PARITIES
from tests.verification.test_enclosures import PARITY, saturated_parity

LETTERS = np.array([[0], [1]])
MAY_HOLD = ("bits", "words", "boxes.set[2]", "boxes.inverse")  # changed, they may still prove it
LIMITS = ProofSettings(work=20_000)
NETWORKS = {**PARITIES, "relu": lambda: saturated_parity(leak=0.1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planted", type=int, default=500)
    parser.add_argument("--mutated", type=int, default=500)
    parser.add_argument("--thin", type=int, default=200)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    wrong = 0
    for name, accepted, tried in (
        ("planted wrong programs", *planted(options.planted, rng)),
        ("mutated certificates", *mutated(options.mutated, rng)),
        ("networks wrong by less than the slack", *thin(options.thin, rng)),
    ):
        print(f"{name}: {accepted} of {tried} accepted", flush=True)
        wrong += accepted
    return 1 if wrong else 0


def proven(network, machine: Mealy):
    return prove(network, machine_program(machine, BIT), BIT, LETTERS, machine, LIMITS)


def holds(certificate: dict, text: str) -> bool:
    """Whether the independent check accepts a certificate, as it would be read from a file."""
    try:
        check(json.loads(json.dumps(certificate)), text.encode())
    except Exception:
        return False
    return True


def redundant(states: int, rng) -> Mealy:
    """Parity with so many states, each letter leading to a random one of the right parity."""
    half = states // 2
    parity = np.arange(states) % 2
    target = parity[:, None] ^ np.array([[0, 1]])
    transition = 2 * rng.integers(0, half, (states, 2)) + target
    return Mealy(LETTERS, transition, target[:, :, None])


def planted(count: int, rng) -> tuple[int, int]:
    """Machines of parity with one wrong entry that some word reaches."""
    accepted = tried = 0
    certificates = {name: proven(make(), PARITY).certificate for name, make in NETWORKS.items()}
    while tried < count:
        name = list(NETWORKS)[tried % len(NETWORKS)]
        machine = redundant(2 * int(rng.integers(1, 5)), rng)
        state, letter = int(rng.choice(reached(machine))), int(rng.integers(2))
        table = ("output", "transition")[int(rng.integers(2))]
        values = getattr(machine, table).copy()
        values[state, letter] ^= 1
        wrong = dataclasses.replace(machine, **{table: values})
        text = program_source(machine_program(wrong, BIT))
        old = {**certificates[name], "program": hashlib.sha256(text.encode()).hexdigest()}
        accepted += holds(old, text) or proven(NETWORKS[name](), wrong).every_length
        tried += 1
    return accepted, tried


def reached(machine: Mealy) -> list[int]:
    """States that words reach."""
    seen, new = {0}, [0]
    while new:
        new = [s for s in set(machine.transition[new].ravel().tolist()) if s not in seen]
        seen |= set(new)
    return sorted(seen)


def places(value, path=()):
    """Paths of all fields of a certificate, lists and numbers alike."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def kind(path: tuple) -> str:
    """A field's name without its indices, but for the two parts of a box's set that differ."""
    names = [str(key) for key in path if isinstance(key, str)]
    part = path[3] if len(path) > 3 and path[2:3] == ("set",) else ""
    return ".".join(names) + (f"[{min(int(part), 2)}]" if part != "" else "")


def mutated(count: int, rng) -> tuple[int, int]:
    """Certificates of all networks with one field changed, every kind of field in turn."""
    text = program_source(machine_program(PARITY, BIT))
    accepted = tried = 0
    made = [proven(make(), PARITY).certificate for make in NETWORKS.values()]
    by_kind = []
    for certificate in made:
        found = collections.defaultdict(list)
        for path in places(certificate):
            if path and kind(path) not in MAY_HOLD:
                found[kind(path)].append(path)
        by_kind.append(found)
    while tried < count:
        index = tried % len(made)
        kinds = sorted(by_kind[index])
        paths = by_kind[index][kinds[(tried // len(made)) % len(kinds)]]
        changed = change(made[index], paths[int(rng.integers(len(paths)))], rng)
        if changed is not None:
            tried += 1
            if holds(changed, text):
                accepted += 1
                print("accepted:", list(NETWORKS)[index], kind(paths[0]), file=sys.stderr)
        else:
            by_kind[index] = {k: v for k, v in by_kind[index].items() if v is not paths}
    return accepted, tried


def change(certificate: dict, path: tuple, rng) -> dict | None:
    """The certificate with a field so changed that the claim, or what shows it, is another; None
    where it cannot be.
    """
    changed = copy.deepcopy(certificate)
    where = changed
    for key in path[:-1]:
        where = where[key]
    old = where[path[-1]]
    new = other(old, kind(path), rng)
    if new is None or new == old:
        return None
    where[path[-1]] = new
    return changed


def other(old, name: str, rng):
    """Another value in the place of an old one."""
    if isinstance(old, str):
        return old[:-1] + ("0" if old[-1:] != "0" else "1")
    if isinstance(old, float):
        return old + float(rng.choice([-1, 1])) * 10.0 ** float(rng.uniform(-9, 0))
    if isinstance(old, list):  # the last letter, or its numbers: fewer are a claim of their own
        return old[:-1] if old and name != "letters" else None
    if isinstance(old, dict):
        return {}
    if isinstance(old, bool) or old is None:
        return None
    return {
        "successor": 0,
        "boxes.set[0]": old + int(rng.choice([-1, 1])) * int(rng.integers(2**60, 2**62)),
        "boxes.set[1]": -old - 1,
        "letters": old + 10,  # the program answers it as another one than the network's
    }.get(name, old + 1)


def thin(count: int, rng) -> tuple[int, int]:
    """y = h + 1/2 + e: the integer above, for the words that end in a one or in any letter."""
    accepted = 0
    zero = Mealy(LETTERS, np.zeros((1, 2), int), np.zeros((1, 2, 1), int))
    for number in range(count):
        excess = 10.0 ** float(rng.uniform(-12, -3))
        sign = float(rng.choice([-1.0, 1.0]))
        if number % 2:
            network = affine([[0.0]], [0.0], [0.0], [0.0])
            network = dataclasses.replace(
                network, output=((np.zeros((1, 1)), np.array([sign * (0.5 + excess)])),)
            )
            accepted += proven(network, zero).certificate is not None
        else:
            network = list(NETWORKS.values())[number // 2 % len(NETWORKS)]()
            part = "output" if hasattr(network, "output") else "head"
            *layers, (weight, bias) = getattr(network, part)
            layers.append((weight, bias + sign * (0.5 + excess)))
            network = dataclasses.replace(network, **{part: tuple(layers)})
            accepted += proven(network, PARITY).certificate is not None
    return accepted, count


if __name__ == "__main__":
    sys.exit(main())
