"""The independent checker: it accepts what is proven and refuses what is planted, mutated or
imported.
"""

import ast
import copy
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

from mips_jax import check
from mips_jax.command_line.main import main
from mips_jax.machines import Mealy, machine_program
from mips_jax.networks import MLPRNN
from mips_jax.programs import program_source
from mips_jax.verification.enclosures.prove import prove
from mips_jax.verification.enclosures.search import ProofSettings
from tests.extraction.perfect_networks import BIT, affine, machine
from tests.verification.test_enclosures import PARITY, saturated_parity

CHECKER = pathlib.Path(check.__file__)
LETTERS = np.array([[0], [1]])
LIMITS = ProofSettings(seconds=10.0)
LAST = """def program(inputs):
    previous = 0
    outputs = []
    for x in inputs:
        outputs.append(previous + x)
        previous = x
    return outputs
"""
PARITY_TEXT = program_source(machine_program(PARITY, BIT))


def proven(network, program, bounds=BIT, letters=LETTERS):
    return prove(network, program, bounds, letters, None, LIMITS)


def graph():
    found = proven(saturated_parity(leak=0.1), machine_program(PARITY, BIT))
    assert found.every_length and found.certificate["by"] == "graph"
    return found.certificate


def last_two(leak=0.01):
    """h = (x + leak ..., last x): sums of the last two inputs, nearly."""
    network = affine([[leak, 0], [1, leak]], [1, 0], [0, 0], [1, 1])
    from mips_jax.programs import Program, Register, Var, call

    register = Register("previous", 0, Var("x"))
    program = Program(("x",), (register,), (call("add", Var("previous"), Var("x")),))
    return network, program


def accepted(certificate, text):
    certificate = json.loads(json.dumps(certificate))
    try:
        check.check(certificate, text.encode())
    except Exception:
        return False
    return True


def test_it_imports_the_standard_library_only_and_is_short():
    text = CHECKER.read_text()
    assert len(text.splitlines()) <= 300
    tree = ast.parse(text)
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= set(sys.stdlib_module_names) and "__future__" not in imported


def test_alone_in_a_folder_it_runs_without_the_package(tmp_path):
    (tmp_path / "certificate.json").write_text(json.dumps(graph()))
    (tmp_path / "program.py").write_text(PARITY_TEXT)
    shutil.copy(CHECKER, tmp_path / "check.py")
    command = [sys.executable, "-I", "-S", str(tmp_path / "check.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0 and done.stdout.startswith("proven: network "), done.stdout
    assert "every word of every length over 2 of [0] to [1], computed with 24 bits" in done.stdout
    (tmp_path / "program.py").write_text(PARITY_TEXT + "# touched\n")
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1 and done.stdout == "NOT proven: ValueError: another program.py\n"


def test_the_command_says_what_is_missing(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert "holds no certificate.json" in capsys.readouterr().err
    assert main(["check"]) == 2
    assert "got 0 arguments" in capsys.readouterr().err
    (tmp_path / "certificate.json").write_text(json.dumps(graph()))
    (tmp_path / "program.py").write_text(PARITY_TEXT)
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("proven: ")


def _mutations(certificate):
    """One certificate for each number or field that is changed so that the claim is another one."""
    for path in _places(certificate):
        changed = copy.deepcopy(certificate)
        where = changed
        for key in path[:-1]:
            where = where[key]
        old = where[path[-1]]
        if isinstance(old, str):
            where[path[-1]] = old[:-1] + ("0" if old[-1] != "0" else "1")
        elif isinstance(old, float):
            where[path[-1]] = old + 0.5
        else:
            continue
        yield path, changed


def _places(value, path=()):
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _places(item, (*path, key))
    else:
        yield path


def test_every_changed_weight_and_hash_is_refused():
    for certificate, text in ((graph(), PARITY_TEXT), (sums(), program_source(last_two()[1]))):
        assert accepted(certificate, text)
        mutations = list(_mutations(certificate))
        assert len(mutations) > 10
        for path, changed in mutations:
            assert not accepted(changed, text), path


def sums():
    network, program = last_two()
    found = proven(network, program)
    assert found.every_length and found.certificate["by"] == "affine"
    return found.certificate


def test_boxes_and_edges_that_do_not_hold_are_refused():
    certificate, rng, refused = graph(), np.random.default_rng(0), 0
    nodes = len(certificate["boxes"])
    for _ in range(150):
        changed = copy.deepcopy(certificate)
        box = changed["boxes"][int(rng.integers(1, nodes))]
        center, error, generator = box["set"]
        kind = int(rng.integers(4))
        if kind == 0:
            center[0] += int(rng.integers(2**58, 2**62))
        elif kind == 1:
            generator[0] //= int(rng.integers(2, 9))
        elif kind == 2:
            error[0] = -error[0]
        else:
            box["inverse"][0][0] *= int(rng.integers(2, 9))
        refused += not accepted(changed, PARITY_TEXT)
    assert refused == 150
    for node in range(nodes):
        for letter in range(2):
            changed = copy.deepcopy(certificate)
            here = changed["successor"][node]
            here[letter] = here[1 - letter]
            assert not accepted(changed, PARITY_TEXT)


@pytest.mark.parametrize("state, letter", [(s, a) for s in range(2) for a in range(2)])
@pytest.mark.parametrize("table", ["output", "transition"])
def test_planted_wrong_programs_are_refused(table, state, letter):
    tables = {"output": PARITY.output.copy(), "transition": PARITY.transition.copy()}
    tables[table][state, letter] = 1 - tables[table][state, letter]
    wrong = Mealy(PARITY.letters, tables["transition"], tables["output"])
    text = program_source(machine_program(wrong, BIT))
    certificate = graph()
    certificate["program"] = check.hashlib.sha256(text.encode()).hexdigest()
    assert not accepted(certificate, text)
    found = proven(saturated_parity(leak=0.1), machine_program(wrong, BIT))
    assert not found.every_length and found.word is not None


@pytest.mark.parametrize("excess", [1e-3, 1e-6, 1e-9, 0.0])
def test_outputs_beyond_one_half_by_a_little_are_never_proven(excess):
    """y = h + 1/2 + excess on words that end in 1: read as another integer, or on the edge."""
    network = affine([[0.0]], [1.0], [0.0], [0.5 + excess])
    found = proven(network, machine_program(machine([[0, 0]], [[0, 0]]), BIT))
    assert found.certificate is None
    inside = affine([[0.0]], [1.0], [0.0], [0.5 - 1e-3])
    assert proven(inside, machine_program(machine([[0, 0]], [[0, 0]]), BIT)).every_length


def test_sums_are_bounded_where_they_end_and_broken_where_they_break():
    from mips_jax.programs import Program, Register, Var, call

    total = Register("total", 0, call("add", Var("total"), Var("x")))
    program = Program(("x",), (total,), (Var("total", updated=True),))
    drifting = affine([[1.001]], [1.0], [0.0], [1.0])
    found = proven(drifting, program)
    assert found.steps is not None and found.word is not None
    assert len(found.word) == found.steps + 1  # sum of 1.001^k - 1 reaches 1/2
    right = program.run(found.word[None])[0]
    wrote = drifting.run(found.word[None])[1][0]
    assert (wrote[:-1] == right[:-1]).all() and (wrote[-1] != right[-1]).all()


REFUSED = {
    "a hidden list": LAST.replace("previous = 0\n", "previous = [0]\n"),
    "an import": "import random\n" + LAST,
    "its own outputs": LAST.replace("previous = x", "previous = len(outputs)"),
    "a name that outlives a step": LAST.replace(
        "previous = x", "previous = other\n        other = x"
    ),
    "an early end": LAST.replace(
        "        previous = x", "        previous = x\n        return outputs"
    ),
    "another loop": LAST.replace("in inputs", "in inputs[1:]"),
    "two outputs": LAST.replace("previous = x", "previous = x\n        outputs.append(1)"),
    "a fraction": LAST.replace("previous + x", "previous / 2 + x"),
    "a product": LAST.replace("previous + x", "previous * x"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_programs_that_are_no_affine_step_are_refused(name):
    certificate = sums()
    assert check.Program(LAST).affine()
    certificate["program"] = check.hashlib.sha256(LAST.encode()).hexdigest()
    assert accepted(certificate, LAST)
    certificate["program"] = check.hashlib.sha256(REFUSED[name].encode()).hexdigest()
    assert not accepted(certificate, REFUSED[name])


def _random_network(rng):
    widths = [(2, 3), (4, 3), (2, 4), (1, 2)]
    (_, _), first, last, read = widths
    draw = lambda shape: np.round(rng.normal(size=shape), 3)
    return MLPRNN.from_layers(
        [(draw(first), draw(first[0])), (draw(last), draw(last[0]))],
        [(draw(read), draw(read[0]))],
        trained_length=10,
    )


def test_sets_hold_what_float32_computes_in_shuffled_order():
    """10,000 points: the network in float32, each sum in an order of its own, inside the set."""
    from mips_jax.verification.enclosures.written import network_record

    rng = np.random.default_rng(0)
    for _ in range(50):
        network = _random_network(rng)
        checked = check.Network(network_record(network), 24)
        center, half = rng.normal(size=3), rng.random(3) * 10.0 ** rng.integers(-3, 1)
        whole = lambda v: [int(x) for x in np.rint(np.asarray(v) * 2.0**40) * 2.0**56]
        z = [whole(center), [2**60] * 3, *(whole(row) for row in np.diag(half))]
        parts = [[column[a:b] for column in z] for a, b in ((0, 2), (2, 3))]
        found = check.intervals(checked.run(checked.step, *parts))
        for _ in range(200):
            x = (center + half * rng.uniform(-1, 1, 3)).astype(np.float32)
            for k, (weight, bias) in enumerate(network.transition):
                x = _shuffled(weight.astype(np.float32), bias.astype(np.float32), x, rng)
                x = np.maximum(x, 0) if k == 0 else x
            for value, (low, high) in zip(x, found):
                assert low <= float(value) * 2.0**96 <= high


def _shuffled(weight, bias, x, rng):
    sums = []
    for row, b in zip(weight, bias):
        terms = [*(row * x), b]
        total = np.float32(0)
        for index in rng.permutation(len(terms)):
            total = np.float32(total + terms[index])
        sums.append(total)
    return np.array(sums, np.float32)


def test_the_proof_of_a_coarser_arithmetic_is_none_where_rounding_decides():
    """With 8 bits the boxes of a proof for float32 are left."""
    certificate = graph()
    assert certificate["bits"] == 24
    assert not accepted(certificate | {"bits": 2}, PARITY_TEXT)
    assert accepted(certificate | {"bits": 53}, PARITY_TEXT)


def test_a_claim_about_more_steps_than_are_boxed_is_refused():
    found = proven(dataclasses.replace(affine([[1.0]], [1.0], [0.0], [1.0])), _counter())
    assert found.steps is not None
    text = program_source(_counter())
    assert accepted(found.certificate, text)
    assert not accepted(found.certificate | {"words": None}, text)


def _counter():
    from mips_jax.programs import Program, Register, Var, call

    total = Register("total", 0, call("add", Var("total"), Var("x")))
    return Program(("x",), (total,), (Var("total", updated=True),))
