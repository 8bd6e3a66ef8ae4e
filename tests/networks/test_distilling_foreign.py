"""Networks trained in PyTorch (benchmarks/foreign_cells.py) distil to the minimal machines of what
they were taught.
"""

import numpy as np
import pytest

from mips_jax.extraction import ExtractionSettings, extract
from mips_jax.networks import CallableNetwork, ClassHead, load_network, resolve_input_range
from tests.networks.pytorch_cases import FOLDER

# Hand-written minimal machines: for each state the successor and the output under each letter;
# state 0 is the first.
MACHINES = {
    # no three zeros in a row; state = zeros just read, 3 = dead
    "tomita_4": (((1, 0), (2, 0), (3, 0), (3, 3)), ((1, 1), (1, 1), (0, 1), (0, 0))),
    # even numbers of zeros and of ones; state = parity of zeros + 2 * parity of ones
    "tomita_5": (((1, 2), (0, 3), (3, 0), (2, 1)), ((0, 0), (1, 0), (0, 1), (0, 0))),
    # 0*1*0*1*; state = blocks that lie behind, 4 = dead
    "tomita_7": (
        ((0, 1), (2, 1), (2, 3), (4, 3), (4, 4)),
        ((1, 1), (1, 1), (1, 1), (0, 1), (0, 0)),
    ),
    # the running sum modulo 5
    "add_mod_5": (tuple(tuple((s + x) % 5 for x in range(5)) for s in range(5)),) * 2,
}


def assert_bisimilar(machine, successors, outputs) -> None:
    """Walks both machines together through every pair of states that one word can reach."""
    pairs, seen = [(0, 0)], {(0, 0)}
    for found, true in pairs:
        assert machine.output[found, :, 0].tolist() == list(outputs[true])
        for letter, successor in enumerate(successors[true]):
            pair = (int(machine.transition[found, letter]), successor)
            if pair not in seen:
                seen.add(pair)
                pairs.append(pair)
    assert machine.states == len(successors)


@pytest.mark.parametrize("language", MACHINES)
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_cell_trained_elsewhere(cell, language):
    network = load_network(FOLDER / "trained" / f"{cell}_{language}.safetensors", ask_range=True)
    found = extract(network, resolve_input_range(network), ExtractionSettings(method="automaton"))
    assert_bisimilar(found.machine, *MACHINES[language])


def test_two_functions_with_a_class_head():
    table = np.array(
        [[0, 1], [2, 3], [4, 5], [6, 0], [1, 2], [3, 4], [5, 6]]
    )  # state' = (2 * state + letter) % 7
    network = CallableNetwork(
        lambda h, x: np.eye(7)[table[h.argmax(axis=1), x[:, 0]]],
        lambda h: h,
        initial=np.eye(7)[0],
        decoding=ClassHead((0, 10, 20, 30, 40, 50, 60)),
    )
    found = extract(network, ((0, 1),), ExtractionSettings(method="automaton"))
    assert_bisimilar(found.machine, table.tolist(), (10 * table).tolist())
