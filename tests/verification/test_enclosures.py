"""Proofs over every length: what is equal is proven, what is not never is, and the bounds hold on
samples.
"""

import dataclasses
import itertools

import numpy as np
import pytest

from mips_jax.extraction.automaton import AutomatonSettings, learn_automaton
from mips_jax.inputs import Inputs
from mips_jax.machines import Mealy, machine_program
from mips_jax.networks import MLPRNN
from mips_jax.programs import Const, Program
from mips_jax.verification import Case, VerificationSettings, verify
from mips_jax.verification.enclosures.certificate import checked_margin
from mips_jax.verification.enclosures.search import ProofSettings, prove_equal
from mips_jax.verification.enclosures.zonotopes import Zonotopes, followed
from tests.extraction.perfect_networks import BIT, IntegerState, affine, machine, parity

PARITY = machine([[0, 1], [1, 0]], [[0, 1], [1, 0]])
READ = [([[1.0]], [0.0])]


def steps_network(recurrent, at, heights, slope=4.0, leak=0.0, readout=READ):
    """h' = sum_i heights[i] step(recurrent h + x - at[i]) + leak h: each step rises from 0 to 1
    over a width of 1/slope.
    """
    rows = np.array([[recurrent, 1.0]] * (2 * len(at)) + [[1.0, 0.0]])
    half = 0.5 / slope
    bias = np.array([offset for a in at for offset in (-a + half, -a - half)] + [0.0])
    last = np.array([[sign * slope * height for height in heights for sign in (1, -1)] + [leak]])
    return MLPRNN.from_layers([(rows, bias), (last, np.zeros(1))], readout, trained_length=10)


def saturated_parity(leak=0.0):
    """h in {0, 1} + leak h; h' = [0.5 < h + x < 1.5]."""
    return steps_network(1.0, [0.5, 1.5], [1.0, -1.0], leak=leak)


def random_network(seed, hidden=2, width=6):
    """A contracting network with random weights; its outputs are small integers."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(size=shape)
    first, last = draw(width, hidden + 1), draw(hidden, width)
    first[:, :hidden] *= 0.7 / np.linalg.norm(first[:, :hidden], 2)
    last *= 1 / np.linalg.norm(last, 2)
    return MLPRNN.from_layers(
        [(first, draw(width)), (last, draw(hidden))],
        [(draw(1, hidden) * 0.8, draw(1))],
        trained_length=10,
    )


def through_relu_mlp(layers, sets):
    names = ["relu"] * (len(layers) - 1) + ["none"]
    return followed([(n, [k], *layer) for k, (n, layer) in enumerate(zip(names, layers))], [sets])


def learned(network, input_range=BIT):
    return learn_automaton(network, input_range, 30, AutomatonSettings()).machine


def test_a_saturated_parity_is_proven_and_its_margin_is_right():
    proof = prove_equal(saturated_parity(), PARITY)
    assert proof.proven and proof.reason is None and proof.word is None
    assert proof.nodes >= 3 and proof.margin < 1e-6  # the steps are flat around every integer
    off = steps_network(
        1.0, [0.5, 1.5], [1.0, -1.0], readout=[([[0.8]], [0.1])]
    )  # outputs 0.1 and 0.9
    assert prove_equal(off, PARITY).margin == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("change", ["output", "transition"])
def test_another_machine_is_refuted_with_a_word(change):
    table = getattr(PARITY, change).copy()
    table[1, 1] = 1 - table[1, 1]
    other = dataclasses.replace(PARITY, **{change: table})
    proof = prove_equal(saturated_parity(), other)
    assert not proof.proven and proof.margin is None and proof.enclosure is None
    indices = proof.word[:, 0]
    assert (
        saturated_parity().run(proof.word[None])[1][0, -1] != other.run(indices[None])[0, -1]
    ).any()
    assert proof.reason == f"they differ on a word of {len(indices)} inputs"


def test_a_parity_that_fails_after_two_hundred_steps_is_not_proven():
    """h = parity + a drift of 1/400 a step: right on every word shorter than 150 inputs, wrong on
    every one of 400.
    """
    # second unit: a clock that is added to the output
    exact = saturated_parity()
    (first, bias), (last, _) = exact.transition
    first = np.insert(first, 1, 0.0, axis=1)
    first, bias = np.vstack([first, [[0, 1, 0]]]), np.append(bias, 0.0)
    last = np.vstack([np.append(last, 0.0), np.append(np.zeros(len(bias) - 1), 1.0)])
    drifting = MLPRNN.from_layers(
        [(first, bias), (last, np.array([0.0, 1 / 400]))], [([[1.0, 1.0]], [0.0])], 10
    )
    words = np.random.default_rng(0).integers(0, 2, (50, 400, 1))
    right = drifting.run(words)[1][..., 0] == words[..., 0].cumsum(axis=1) % 2
    assert right[:, :190].all() and not right[:, 210:].any()
    proof = prove_equal(drifting, PARITY)
    assert not proof.proven and (proof.word is None or len(proof.word) >= 190)


def test_a_network_that_differs_on_one_rare_word_is_not_proven():
    """It writes 1 after 25 ones in a row, and at no other time: a word that samples of 4,096 hardly
    ever contain.
    """
    count = 25
    rare, never = ones_in_a_row(count, count), ones_in_a_row(count - 2, count)
    zero = machine([[0, 0]], [[0, 0]])
    words = np.random.default_rng(0).integers(0, 2, (4096, 10, 1))
    assert not rare.run(words)[1].any() and rare.run(np.ones((1, 30, 1), int))[1].any()
    proof = prove_equal(rare, zero)
    assert (
        not proof.proven
        and len(proof.word) == count
        and rare.run(proof.word[None])[1][0, -1, 0] == 1
    )
    assert prove_equal(never, zero).proven  # the same network with a lower ceiling never gets there


def test_a_small_leak_is_proven_and_a_large_one_is_not():
    """h' = step + leak h: the fixed point of a run of ones moves by leak / (1 - leak), and with it
    the outputs.
    """
    assert prove_equal(saturated_parity(leak=0.1), PARITY).margin > 0.05
    assert not prove_equal(saturated_parity(leak=0.6), PARITY).proven


def test_what_does_not_contract_is_not_proven():
    proof = prove_equal(parity(), PARITY)  # equal, but every error is kept for ever
    assert (
        not proof.proven and proof.word is None and proof.reason == "the boxes did not stop growing"
    )


def ones_in_a_row(limit, alarm):
    """Counts ones in a row up to a limit; writes 1 from the alarm on."""
    return MLPRNN.from_layers(
        [([[1.0, 31.0], [1.0, 31.0]], [-30.0, -30.0 - limit]), ([[1.0, -1.0]], [0.0])],
        [([[4.0], [4.0]], [-4 * (alarm - 0.625), -4 * (alarm - 0.375)]), ([[1.0, -1.0]], [0.0])],
        trained_length=10,
    )


def _inside(enclosure, nodes, hidden):
    z = np.einsum("nij,ni->nj", enclosure.frame[nodes], hidden - enclosure.origin[nodes])
    slack = 2e-9 * max(1.0, np.abs(hidden).max())
    return ((z >= enclosure.low[nodes] - slack) & (z <= enclosure.high[nodes] + slack)).all()


def test_long_trajectories_stay_inside_the_boxes_that_were_claimed():
    proven = 0
    for seed in range(40):
        network = random_network(seed, hidden=1 + seed % 3)
        found = learned(network)
        if found is None:
            continue
        proof = prove_equal(network, found, ProofSettings(work=60_000, nodes=300))
        rng = np.random.default_rng(seed)
        words = (rng.random((40, 1000, 1)) < rng.random((40, 1, 1))).astype(np.int64)
        hidden, outputs = network.run(words)
        equal = (outputs == found.run(words[..., 0])).all()
        assert equal or not proof.proven, "proven, and a sampled word says otherwise"
        if not proof.proven:
            continue
        proven += 1
        node, largest = np.zeros(40, np.int64), 0.0
        stride = proof.enclosure.choices.shape[1]
        for t in range(1000 // stride * stride):
            if t % stride == stride - 1:  # there is a box after so many letters
                choice = words[:, t - stride + 1 : t + 1, 0] @ 2 ** np.arange(stride)[::-1]
                node = proof.enclosure.successor[node, choice]
                assert _inside(proof.enclosure, node, hidden[:, t]), (seed, t)
            largest = max(largest, np.abs(network.readout(hidden[:, t]) - outputs[:, t]).max())
        assert largest <= proof.margin < 0.5
    assert proven >= 10  # the loop above is about something


def _changed(field, change):
    def damage(enclosure):
        array = getattr(enclosure, field).copy()
        change(array)
        return dataclasses.replace(enclosure, **{field: array})

    return damage


def _set(array, index, value):
    array[index] = value


DAMAGES = {
    "a box that is shrunk": _changed("high", lambda high: _set(high, slice(1, None), -1e-3)),
    "a box without a side": _changed("high", lambda high: _set(high, 1, np.nan)),
    "a box without an end": _changed("high", lambda high: _set(high, 1, np.inf)),
    "a start elsewhere": _changed("origin", lambda origin: _set(origin, 0, 1e-3)),
    "a start of another state": _changed("state", lambda state: _set(state, 0, 1)),
    "an edge to another node": _changed(
        "successor", lambda successor: _set(successor, (1, 0), successor[1, 1])
    ),
    "an edge back to the start": _changed(
        "successor", lambda successor: _set(successor, (1, 0), 0)
    ),
    "an edge out of the graph": _changed(
        "successor", lambda successor: _set(successor, (1, 0), len(successor))
    ),
    "a frame that is not orthogonal": _changed("frame", lambda frame: _set(frame, 1, 2.0)),
    "a frame that is a little short": _changed(
        "frame", lambda frame: _set(frame, slice(1, None), frame[1:] * 0.999)
    ),
    "a box too large": _changed("high", lambda high: _set(high, slice(1, None), 0.6)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_last_check_refuses_every_damage(damage):
    network = saturated_parity(leak=0.1)
    enclosure = prove_equal(network, PARITY).enclosure
    assert checked_margin(network, PARITY, enclosure) is not None
    assert checked_margin(network, PARITY, DAMAGES[damage](enclosure)) is None


def test_the_last_check_is_for_this_machine_and_this_network():
    network = saturated_parity(leak=0.1)
    enclosure = prove_equal(network, PARITY).enclosure
    for other in (
        machine([[0, 1], [1, 0]], [[0, 1], [1, 1]]),
        machine([[0, 1], [1, 1]], [[0, 1], [1, 0]]),
    ):
        assert checked_margin(network, other, enclosure) is None
    assert checked_margin(saturated_parity(leak=0.2), PARITY, enclosure) is None


def test_the_last_check_starts_where_the_machine_starts():
    """A machine of two halves: its first two states write the opposite of a parity, the others,
    never reached, a parity.
    """
    network, table = saturated_parity(leak=0.1), np.array([[0, 1], [1, 0]])
    halves = machine(np.concatenate([table, table + 2]), np.concatenate([1 - table, table]))
    enclosure = prove_equal(network, PARITY).enclosure
    moved = dataclasses.replace(enclosure, state=enclosure.state + 2)
    assert checked_margin(network, halves, moved) is None
    assert not prove_equal(network, halves).proven


def test_coordinates_hold_a_set_with_its_error():
    """The bound is attained: a corner of the set reaches it in each coordinate."""
    enclosure = prove_equal(saturated_parity(), PARITY).enclosure
    angle = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = dataclasses.replace(
        enclosure, origin=np.ones((enclosure.nodes, 2)), frame=np.stack([angle] * enclosure.nodes)
    )
    rng = np.random.default_rng(0)
    sets = Zonotopes(rng.normal(size=(1, 2)), rng.normal(size=(3, 1, 2)), np.array([[0.3, 0.7]]))
    low, high = turned.coordinates(np.array([1]), sets)
    shares, rest = rng.choice([-1, 1], (5000, 3)), rng.choice([-1, 1], (5000, 2))
    z = (sets.center + shares @ sets.generators[:, 0] + rest * sets.error - 1) @ angle
    assert (z >= low).all() and (z <= high).all()
    assert z.min(axis=0) == pytest.approx(low[0], abs=1e-6) and z.max(axis=0) == pytest.approx(
        high[0], abs=1e-6
    )


def test_many_outputs_at_each_state_take_one_node_each():
    """y = h + x' with the last two letters of 60: 60 states, 3,600 pairs of state and output, one
    box for each state.
    """
    network = affine([[0, 0], [1, 0]], [1, 0], [0, 0], [1, 1])  # h = (x, last x)
    numbers = np.arange(60)
    sums = Mealy(
        numbers[:, None], np.tile(numbers, (60, 1)), (numbers[:, None] + numbers)[:, :, None]
    )
    proof = prove_equal(network, sums)
    assert proof.proven and proof.nodes == 61 and proof.margin < 1e-6
    wrong = dataclasses.replace(
        sums, output=sums.output + (np.arange(3600).reshape(60, 60, 1) == 3599)
    )
    assert not prove_equal(network, wrong).proven


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_bounds_of_a_network_hold_at_sampled_points_and_are_not_far_off(depth):
    for seed in range(20):
        rng = np.random.default_rng((depth, seed))
        widths = [3, *rng.integers(1, 9, depth - 1), 2]
        layers = [
            (rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in itertools.pairwise(widths)
        ]
        center, half = rng.normal(size=3), rng.random(3) * 10.0 ** rng.uniform(-3, 1)
        error = rng.random(3) * half if seed % 2 else np.zeros(3)
        sets = Zonotopes(
            np.array([center, -center]),
            np.stack([np.diag(half)] * 2, axis=1),
            np.array([error, error]),
        )
        bounds = through_relu_mlp(layers, sets)
        reach = half + error
        for number, middle in enumerate((center, -center)):
            corners = np.sign(rng.normal(size=(5000, 3)))
            points = middle + reach * np.concatenate([rng.uniform(-1, 1, (5000, 3)), corners])
            values = points
            for weight, bias in layers[:-1]:
                values = np.maximum(values @ weight.T + bias, 0)
            values = values @ layers[-1][0].T + layers[-1][1]
            low, high = (
                bounds.center[number] - bounds.radius[number],
                bounds.center[number] + bounds.radius[number],
            )
            assert (values >= low).all() and (values <= high).all()
            if depth == 1:  # no ReLU: the bound is attained at a corner
                assert values.max(axis=0) == pytest.approx(high, rel=1e-6) and values.min(
                    axis=0
                ) == pytest.approx(low, rel=1e-6)


def test_a_relu_of_one_unit_is_bounded_as_in_the_paper():
    """On [-1, 3]: slope 3/4, offset 3/8 up and down; so relu lies in [-3/4 + 0, 3] by it."""
    sets = Zonotopes(np.array([[1.0]]), np.array([[[2.0]]]), np.zeros((1, 1)))
    unit = (np.array([[1.0]]), np.zeros(1))
    bounds = through_relu_mlp([unit, unit], sets)
    assert bounds.center[0, 0] + bounds.radius[0, 0] == pytest.approx(3.0)
    assert bounds.center[0, 0] - bounds.radius[0, 0] == pytest.approx(-0.75)


def test_rounding_of_large_numbers_is_counted():
    """1e9 h - 1e9 h + y: in float64 the network itself is off by about 1e-7, and the bound says at
    least that.
    """
    weight = np.array([[1e9 / 3, -1e9 / 3 + 1e-3]])
    bounds = through_relu_mlp(
        [(weight, np.zeros(1))],
        Zonotopes(np.array([[0.1, 0.1]]), np.zeros((0, 1, 2)), np.zeros((1, 2))),
    )
    assert 1e-8 < bounds.error[0, 0] < 1e-2


NOT_ATTEMPTED = [
    (
        IntegerState([0], lambda s, x: (s + x) % 2),
        PARITY,
        "sets are not carried through IntegerState",
    ),
    (
        type("Shifted", (MLPRNN,), {})(
            saturated_parity().transition, saturated_parity().output, np.zeros(1)
        ),
        PARITY,
        "sets are not carried through Shifted",
    ),
    (
        dataclasses.replace(parity(), output=((np.full((1, 1), np.nan), np.zeros(1)),)),
        PARITY,
        "a weight is not finite",
    ),
    (
        dataclasses.replace(parity(), initial=np.array([np.inf])),
        PARITY,
        "the initial hidden state is not finite",
    ),
    (parity(), machine([[0, 0]], [[2**31, 0]]), "an input or output of 2147483648 or more"),
    (
        parity(),
        Mealy(np.zeros((1, 2), int), np.zeros((1, 1), int), np.zeros((1, 1, 1), int)),
        "different inputs or outputs",
    ),
    (affine(np.eye(1000), np.ones(1000), np.zeros(1000), np.ones(1000)), PARITY, "too wide"),
]


@pytest.mark.parametrize(
    "network, found, reason", NOT_ATTEMPTED, ids=[reason for *_, reason in NOT_ATTEMPTED]
)
def test_what_cannot_be_boxed_is_not_attempted(network, found, reason):
    proof = prove_equal(network, found)
    assert (
        not proof.proven and proof.reason.startswith("not attempted: ") and reason in proof.reason
    )


def test_limits():
    assert (
        prove_equal(saturated_parity(), PARITY, ProofSettings(seconds=0)).reason
        == "not attempted: switched off"
    )
    assert (
        prove_equal(saturated_parity(), PARITY, ProofSettings(work=1e-9)).reason
        == "the limit of work was reached (raise verification.proof_work)"
    )
    assert (
        prove_equal(saturated_parity(), PARITY, ProofSettings(nodes=2)).reason
        == "too many hidden states"
    )
    growing = affine([[1e200]], [1], [1], [1])  # overflows after two steps
    assert not prove_equal(growing, machine([[0, 0]], [[1, 2]])).proven


QUICK = VerificationSettings(sequences=100, long_sequences=10, fidelity_sequences=100)


def _verified(network, found, settings=QUICK, input_range=BIT):
    program = machine_program(PARITY, BIT)
    return verify(Case(program, network, Inputs.of(input_range), 10, found, settings=settings))


def test_verification_says_which_proof_there_is():
    both = _verified(saturated_parity(), PARITY)
    record = both.record()
    assert record["equals_machine"] and record["network_equals_machine"] is True
    assert both.proven_equal_to_network and record["network_margin"] < 1e-4
    assert both.summary.endswith(
        "Proven equal to the network itself on every word of every length, over all inputs in "
        "range, in float32 and float64, in any order of summation"
    )
    half = _verified(parity(), PARITY)  # right at every length, but every error is kept for ever
    assert half.record()["equals_machine"] and half.record()["network_equals_machine"] is None
    assert not half.proven_equal_to_network
    assert half.record()["proof"]["tier"].startswith("every word up to ")
    assert "every length" not in half.summary and half.claim("proof").reason
    for limits in ({"proof_seconds": 0}, {"proof_work": 0}):
        settings = VerificationSettings(sequences=1, fidelity_sequences=10, **limits)
        off = _verified(saturated_parity(), PARITY, settings)
        assert off.record()["network_equals_machine"] is None
        assert off.claim("proof").reason == "not attempted: switched off"


def test_a_word_that_no_sample_contains_is_told_and_nothing_is_solved():
    zero = Program(("x",), (), (Const(0),))
    settings = VerificationSettings(search_steps=0)
    network, constant = ones_in_a_row(25, 25), machine([[0, 0]], [[0, 0]])
    uniform = dataclasses.replace(settings, long_factor=1)
    found = verify(Case(zero, network, Inputs.of(BIT), 10, constant, settings=uniform))
    record = found.record()
    assert found.fidelity == 1.0 and record["equals_machine"] is True
    assert record["network_equals_machine"] is False and record["network_differs_after"] == 25
    assert not found.proven_equal_to_network and not found.solved
    assert found.verdict.reason.startswith("right to step 24; after 25 inputs")
    assert "but the network writes something else on a word of 25 inputs" in found.summary


def test_a_network_known_to_differ_is_not_proven():
    differs = _verified(steps_network(1.0, [0.5], [1.0]), PARITY)
    assert differs.fidelity < 1.0 and differs.record()["equals_machine"]
    assert (
        not differs.proven_equal_to_network
        and "failing word" in (differs.record()["proof"]["tier"])
    )


def test_a_machine_that_reads_some_inputs_only_is_not_what_is_proven():
    part = Mealy(PARITY.letters[:1], PARITY.transition[:, :1], PARITY.output[:, :1])
    found = _verified(saturated_parity(), part)
    assert found.record()["equals_machine"] and found.proven_equal_to_network  # by the program
    assert found.certificate["letters"] == [[0], [1]]


def test_every_box_but_the_start_has_slack_in_proportion_to_its_size():
    enclosure = prove_equal(saturated_parity(), PARITY).enclosure
    far = dataclasses.replace(enclosure, origin=enclosure.origin * 1e6)
    assert not enclosure.boxes(np.array([0])).error.any()
    assert (enclosure.boxes(np.arange(1, enclosure.nodes)).error >= 1e-9).all()
    assert far.boxes(np.arange(1, enclosure.nodes)).error.max() >= 0.9e-3
