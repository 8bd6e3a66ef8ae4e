"""What every family of features keeps to, and a family that is registered from here alone."""

import numpy as np
import pytest

from mips_jax.extraction import extract
from mips_jax.extraction.registers.feature import Family, Feature, Kind, Prefixes
from mips_jax.extraction.registers.features import FEATURES, all_features
from mips_jax.extraction.traces import record
from mips_jax.inputs import Inputs, input_names, random_words
from mips_jax.programs import Program, Register, Var, call
from tests.extraction.perfect_networks import BIT, IntegerState

RANGES = (BIT, ((-3, 2),), ((0, 1), (-2, 4)))


@pytest.fixture(params=FEATURES)
def family(request) -> Family:
    return FEATURES[request.param]


def _prefixes(input_range, depth=3) -> Prefixes:
    network = IntegerState([0], lambda s, *x: (s + sum(x)) % 5, lambda s: s < 2, len(input_range))
    words = random_words(input_range, 40, 8, np.random.default_rng(0))
    return Prefixes(network, record(network, words), Inputs.of(input_range), depth)


@pytest.mark.parametrize("input_range", RANGES)
def test_features_are_integers_for_every_prefix(family, input_range):
    prefixes = _prefixes(input_range)
    features = list(family.features(prefixes))
    names = [f.name for f in features]
    assert len(set(names)) == len(names) and all(n.isidentifier() for n in names)
    for feature in features:
        assert feature.values.shape == prefixes.shape and feature.values.dtype.kind == "i"
        assert feature.meaning and feature.cost > 0
        assert feature.group is None or isinstance(feature.group.kind, Kind)
        if feature.initial is not None:
            assert feature.initial == feature.values[0, 0]


@pytest.mark.parametrize("input_range", RANGES)
def test_a_known_update_gives_the_values_and_needs_what_there_is(family, input_range):
    prefixes = _prefixes(input_range)
    every = {f.name: f for f in all_features(prefixes)}
    names = input_names(len(input_range))
    for feature in family.features(prefixes):
        if feature.update is None:
            assert family.reads_network and feature.needs == ()
            continue
        needed = [feature]
        for name in feature.needs:
            needed.append(every[name])
            needed += [every[n] for n in every[name].needs if every[n] not in needed]
        if any(set(f.needs) - {n.name for n in needed} for f in needed):
            continue  # longer chains are run in test_features
        registers = tuple(Register(f.name, f.initial, f.update) for f in needed)
        program = Program(names, registers, (Var(feature.name, updated=True),))
        _, history = program.trace(prefixes.traces.words)
        np.testing.assert_array_equal(history[feature.name], feature.values[:, 1:])


def test_a_family_that_looks_at_inputs_alone_never_asks_the_network(family):
    if not family.reads_network:
        prefixes = _prefixes(BIT)
        blind = Prefixes(None, prefixes.traces, prefixes.inputs)
        assert [f.name for f in family.features(blind)] == [
            f.name for f in family.features(prefixes)
        ]


def _energies(prefixes: Prefixes):
    """The sum of the squares of each input."""
    for column in prefixes.columns:
        name = f"energy{column.suffix}"
        values = np.zeros(prefixes.shape, np.int64)
        values[:, 1:] = np.cumsum(column.values**2, axis=1)
        square = call("mul", Var(column.name), Var(column.name))
        update = call("add", Var(name), square)
        yield Feature(name, values, "sum of squares", update, initial=0, cost=4.0)


def test_a_family_is_one_function_and_one_entry(monkeypatch):
    network = IntegerState([0], lambda s, x: s + x * x, lambda s: s // 2)
    monkeypatch.setitem(FEATURES, "energies", Family("energies", False, _energies))
    found = extract(network, ((0, 3),))
    assert found.best.fidelity == 1.0 and found.best.method == "registers"
    assert [r.name for r in found.program.registers] == ["energy"], found.program.source
    assert dict(found.best.meanings)["energy"] == "sum of squares"
