"""Machines taken apart: what is known of their parts by hand, and that the parts make the whole."""

import itertools

import numpy as np
import pytest

from mips_jax.machines import Mealy, minimised
from mips_jax.machines.decomposition import (
    coordinate_systems,
    factors,
    group_name,
    observables,
    quotient,
    substitution_partitions,
)
from mips_jax.machines.decomposition.partitions import blocks, join, meet


def machine_of(step, initial, letters) -> Mealy:
    """The minimal machine of a step function `state, letter -> state, output`."""
    states, transition, output = [initial], [], []
    for state in states:
        rows = [step(state, letter) for letter in letters]
        for after, _ in rows:
            if after not in states:
                states.append(after)
        transition.append([states.index(after) for after, _ in rows])
        output.append([written for _, written in rows])
    return minimised(Mealy.of(letters, transition, output))


def two_parities(state, x):
    zeros, ones = state
    after = (zeros ^ (1 - x), ones ^ x)
    return after, int(after == (0, 0))


def permuting(points: int):
    def step(places, x):
        places = (places[1], places[0], *places[2:]) if x else places[1:] + places[:1]
        return places, places[0]

    return machine_of(step, tuple(range(points)), [0, 1])


def dihedral(state, x):
    place, flip = state
    after = (place, 1 - flip) if x else ((place + 1 - 2 * flip) % 5, flip)
    return after, after[0]


def memory(cells, letter):
    write, place, value = letter
    if write:
        cells = tuple(value if k == place else c for k, c in enumerate(cells))
    return cells, cells[place]


def test_two_parities_are_parallel_components_of_two_states():
    machine = machine_of(two_parities, (0, 0), [0, 1])
    partitions = substitution_partitions(machine)
    assert sorted(map(blocks, partitions)) == [2, 2, 2]  # zeros, ones, and both together
    for one, other in factors(machine, partitions):
        assert blocks(meet(one, other)) == machine.states == 4
        assert blocks(join(one, other)) == 1


@pytest.mark.parametrize("seed", range(20))
def test_partitions_are_respected_by_every_letter(seed):
    rng = np.random.default_rng(seed)
    states, letters = int(rng.integers(3, 8)), 2
    table = rng.integers(0, states, (states, letters))
    machine = minimised(Mealy.of(range(letters), table, rng.integers(0, 2, (states, letters))))
    for partition in substitution_partitions(machine):
        for one, other in itertools.combinations(range(machine.states), 2):
            if partition[one] == partition[other]:
                after = partition[machine.transition[[one, other]]]
                assert (after[0] == after[1]).all()
        after = quotient(machine, partition)
        assert (after[partition] == partition[machine.transition]).all()


def test_a_prime_cycle_has_no_partitions():
    machine = machine_of(lambda s, x: ((s + x) % 5, (s + x) % 5), 0, [0, 1])
    assert substitution_partitions(machine) == []


@pytest.mark.parametrize("points", [3, 4, 5])
def test_what_is_written_by_permuted_places_are_the_places(points):
    machine = permuting(points)
    (places,) = [c for c in observables(machine) if len(c) == points][:1]
    columns = np.stack(places)
    for letter in range(2):  # each letter permutes the columns
        moved = {tuple(column[machine.transition[:, letter]]) for column in places}
        assert moved == set(map(tuple, columns.tolist()))


def test_cells_of_a_memory_are_observables():
    letters = list(itertools.product((0, 1), (0, 1), range(3)))
    machine = machine_of(memory, (0, 0), letters)
    assert machine.states == 9
    assert sorted(len(closed) for closed in observables(machine)) == [2]


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (permuting(3), "S3"),
        (permuting(4), "S4"),
        (permuting(5), "S5"),
        (machine_of(dihedral, (0, 0), [0, 1]), "D5"),
        (machine_of(lambda s, x: ((s + x) % 6, (s + x) % 6), 0, [0, 1]), "Z6"),
        (machine_of(two_parities, (0, 0), [0, 1]), "a group of order 4"),
        (machine_of(lambda s, x: (max(s, x), max(s, x)), 0, [0, 1]), None),
    ],
)
def test_groups_are_named(machine, name):
    assert group_name(machine) == name


@pytest.mark.parametrize("seed", range(10))
def test_coordinates_tell_all_states_apart(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 6, (6, 2))
    machine = minimised(Mealy.of([0, 1], table, rng.integers(0, 3, (6, 2))))
    for system in coordinate_systems(machine):
        rows = {tuple(row) for row in np.stack(system.columns, axis=1).tolist()}
        assert len(rows) == machine.states
