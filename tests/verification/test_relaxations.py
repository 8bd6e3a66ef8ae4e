"""What the search for proofs and the independent check say of sets, against the networks
themselves on members of the sets.
"""

import json
import math

import numpy as np
import pytest

from mips_jax import check
from mips_jax.machines import machine_program
from mips_jax.networks import ClassHead, InterpretedNetwork, OneHot, Threshold
from mips_jax.programs import program_source
from mips_jax.verification.enclosures.adversary import failing_word
from mips_jax.verification.enclosures.instructions import Instructions, instructions_of
from mips_jax.verification.enclosures.prove import prove
from mips_jax.verification.enclosures.search import ProofSettings
from mips_jax.verification.enclosures.written import network_record
from mips_jax.verification.enclosures.zonotopes import Zonotopes, _sigmoid_lines, followed
from tests.extraction.perfect_networks import BIT, affine, machine
from tests.verification.small_cells import PARITIES, elman_parity, random_cell
from tests.verification.test_enclosures import PARITY, random_network

LETTERS = np.array([[0], [1]])
ONE = 2.0**96


@pytest.mark.parametrize("kind", PARITIES)
def test_parities_of_every_cell_are_proven_at_every_length(kind):
    network, program = PARITIES[kind](), machine_program(PARITY, BIT)
    found = prove(network, program, BIT, LETTERS, PARITY, ProofSettings(work=20_000))
    assert found.every_length and found.bits == 24, found.reason
    certificate = json.loads(json.dumps(found.certificate))
    assert check.check(certificate, program_source(program).encode()).startswith("network ")
    words = np.random.default_rng(0).integers(0, 2, (50, 200, 1))
    assert (network.run(words)[1] == program.run(words)).all()


@pytest.mark.parametrize("decoding", [Threshold(0.5), ClassHead((1, 0))])
def test_other_encodings_and_decodings_are_followed(decoding):
    """One-hot letters; a yes above 1/2, or two classes of which the larger wins."""
    core = elman_parity()
    first = core.layers[0]
    layer = (
        np.concatenate([0 * first.weight_ih, first.weight_ih], 1),
        first.weight_hh,
        first.bias_ih,
    )
    head = [(core.head[0][0], core.head[0][1])]
    if isinstance(decoding, ClassHead):
        head = [([[0.5, -0.5], [-0.5, 0.5]], [0.0, 1.0])]
    core = type(core).from_arrays([(*layer, None)], head, core.initial)
    network = InterpretedNetwork(core, OneHot((0,), (2,)), decoding)
    program = machine_program(PARITY, BIT)
    found = prove(network, program, BIT, LETTERS, PARITY, ProofSettings(work=20_000))
    assert found.every_length, found.reason
    assert found.certificate["network"]["classes"] in ([0, 1], [1, 0])
    mutated = json.loads(json.dumps(found.certificate))
    mutated["network"]["classes"].reverse()
    with pytest.raises(ValueError, match="another hash"):
        check.check(mutated, program_source(program).encode())


def test_a_curve_lies_between_its_lines_and_touches_them():
    rng = np.random.default_rng(0)
    for name, f in (("sigmoid", lambda x: 1 / (1 + math.exp(-x))), ("tanh", math.tanh)):
        for _ in range(150):
            low = float(rng.normal() * 10.0 ** rng.uniform(-3, 1))
            high = low + float(10.0 ** rng.uniform(-6, 1.3))
            slope, least, most = check.line(name, int(low * ONE), int(high * ONE))
            s, least, most = slope / 2**30, least / ONE, most / ONE
            inside = np.linspace(low, high, 400)
            off = np.array([f(x) for x in inside]) - s * inside
            assert least - 1e-14 <= off.min() and off.max() <= most + 1e-14
            assert most - least <= off.max() - off.min() + 1e-5 * (high - low) + 1e-12


def test_both_sides_bound_a_sigmoid_alike():
    rng = np.random.default_rng(1)
    low = rng.normal(size=400) * 10.0 ** rng.uniform(-3, 2, 400)
    high = low + 10.0 ** rng.uniform(-6, 2, 400)
    slope, least, most = _sigmoid_lines(low, high)
    for a, b, s, p, q in zip(low, high, slope, least, most):
        inside = np.linspace(a, b, 300)
        off = 1 / (1 + np.exp(-np.clip(inside, -700, 700))) - s * inside
        assert p - 1e-12 <= off.min() and off.max() <= q + 1e-12


def _random(rng):
    kind = ("elman", "gru", "lstm", "relu")[int(rng.integers(4))]
    if kind == "relu":
        return random_network(int(rng.integers(10**6)))
    return random_cell(rng, kind, layers=int(rng.integers(1, 3)))


def _members_stay_inside(rng, points=20):
    """One random network, one random set: members step into the sets that both sides compute."""
    network = _random(rng)
    rules = instructions_of(network)
    assert isinstance(rules, Instructions)
    width = len(network.initial)
    center = rng.normal(size=width)
    generators = rng.normal(size=(width, width)) * 10.0 ** rng.uniform(-3, 0.3)
    letter = rng.integers(-2, 3, (1, 1))
    vector = rules.vectors(letter)
    shares = rng.uniform(-1, 1, (points, width))
    shares[: points // 2] = np.sign(shares[: points // 2])
    members = center + shares @ generators
    reached = network.step(members, np.repeat(letter, points, axis=0))
    raw = network.readout(reached)
    sets = Zonotopes(center[None], generators[:, None], np.zeros((1, width)))
    images = followed(rules.step, [sets, Zonotopes.points(vector)])
    outputs = followed(rules.readout, [images])
    for found, values in ((images, reached), (outputs, raw)):
        assert (np.abs(values - found.center) <= found.radius + 1e-13).all()
    checked = check.Network(network_record(network, letter), 53)
    whole = lambda v: [int(x) for x in np.rint(np.asarray(v) * 2.0**50) * 2.0**46]
    z = [whole(center), [2**50] * width, *map(whole, generators)]
    exact = checked.run(checked.step, z, check.point(vector[0].tolist()))
    for found, values in ((exact, reached), (checked.run(checked.readout, exact), raw)):
        low, high = np.array([[a / ONE, b / ONE] for a, b in check.intervals(found)]).T
        assert (low - 1e-13 <= values).all() and (values <= high + 1e-13).all()


def test_members_of_sets_step_into_the_sets_that_both_sides_compute():
    rng = np.random.default_rng(2)
    for _ in range(60):
        _members_stay_inside(rng)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_members_of_ten_thousand_sets_step_into_the_sets_that_both_sides_compute(seed):
    rng = np.random.default_rng((3, seed))
    for _ in range(1000):
        _members_stay_inside(rng, 10)


def test_a_word_that_drives_a_network_to_failure_is_found():
    """h' = h + x/64: right until the sum of the last letters has left its state by one half."""
    network = affine([[1.0]], [1 / 64], [0.0], [1.0])
    program = machine_program(machine([[0, 0]], [[0, 0]]), BIT)
    word = failing_word(network, program, LETTERS, 20_000)
    assert word is not None and network.run(word[None])[1][0, -1] != 0
    assert (network.run(word[None])[1][0, :-1] == 0).all() and word.sum() == 33
    assert failing_word(elman_parity(), machine_program(PARITY, BIT), LETTERS, 20_000) is None


def test_two_ways_to_a_node_without_a_box_are_refused():
    """A node whose set is one image stands for that image alone."""
    network, program = elman_parity(), machine_program(PARITY, BIT)
    found = prove(network, program, BIT, LETTERS, PARITY, ProofSettings(work=20_000))
    for node in range(1, len(found.certificate["boxes"])):
        certificate = json.loads(json.dumps(found.certificate))
        certificate["boxes"][node] = None
        with pytest.raises(ValueError, match=r"two ways|leaves its box"):
            check.check(certificate, program_source(program).encode())
    certificate = json.loads(json.dumps(found.certificate))
    certificate["successor"][1][0] = -1
    with pytest.raises(ValueError):
        check.check(certificate, program_source(program).encode())
