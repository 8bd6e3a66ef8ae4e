"""The honesty rule: a program is distilled from the network alone. What extraction cannot see, it
cannot use.

In the types (no argument, no import, no name through which a truth could come) and in effect: wrong
labels in, wrong program out; another name, the same program.
"""

import ast
import dataclasses
import inspect
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import mips_jax
from mips_jax.extraction import extract
from mips_jax.inputs import Inputs
from mips_jax.pipeline import PipelineSettings, distil_given, distil_task
from mips_jax.pipeline.inputs_in_use import inputs_in_use
from mips_jax.programs import program_source
from mips_jax.tasks import TASKS, get_task, stepwise
from mips_jax.tasks.examples import example_task
from mips_jax.verification import VerificationSettings
from tests.extraction.perfect_networks import IntegerState

PACKAGE = pathlib.Path(mips_jax.__file__).parent
BLIND = (
    "extraction",
    "networks",
    "programs",
)  # packages that must not know what a network was trained on
UNKNOWN_TO_THEM = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax",
    "hydra",
    "omegaconf",
    "mips_jax.tasks",
    "mips_jax.training",
    "mips_jax.models",
    "mips_jax.pipeline",
    "mips_jax.config",
    "mips_jax.verification.verify",
)


def _modules(*parts: str) -> list[pathlib.Path]:
    found = []
    for part in parts:
        path = PACKAGE / part
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    assert found
    return found


def test_extraction_is_given_a_network_and_a_range_and_nothing_else():
    assert list(inspect.signature(extract).parameters) == ["network", "input_range", "settings"]
    kinds = {f.name: f.type for f in dataclasses.fields(mips_jax.ExtractionSettings)}
    assert set(kinds.values()) <= {"str", "int", "float", "int | None"}, (
        "a setting that could carry data"
    )


def _forbidden(name: str) -> bool:
    return any(name == f or name.startswith(f + ".") for f in UNKNOWN_TO_THEM)


@pytest.mark.parametrize("path", _modules(*BLIND), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_import_reaches_a_task_or_the_training(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not any(_forbidden(alias.name) for alias in node.names), ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they lead"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            assert not any(map(_forbidden, names)), ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("__import__", "eval"), ast.unparse(node)


def test_importing_extraction_loads_neither_jax_nor_a_task():
    code = (
        "import sys, numpy as np; from mips_jax.extraction import extract; from mips_jax.networks "
        "import MLPRNN\nnetwork = MLPRNN.from_layers([(np.ones((1, 2)), np.zeros(1))], "
        "[(np.ones((1, 1)), np.zeros(1))])\nassert extract(network, ((0, 9),)).program is not "
        "None\nprint('\\n'.join(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "mips_jax.extraction.extract" in loaded
    assert [name for name in loaded if _forbidden(name)] == []


@pytest.mark.parametrize(
    "path",
    _modules(
        "extraction", "networks", "programs", "training", "models", "pipeline", "verification"
    ),
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_no_name_of_a_task_is_written_where_it_could_be_branched_on(path):
    names = {name.casefold() for name in TASKS}
    assert len(names) == 62
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = {word.strip(".,:;()[]`'\"").casefold() for word in node.value.split()}
            assert not words & names, (node.lineno, words & names)


def test_the_pipeline_hands_over_no_more_than_the_network_and_its_range():
    """Whatever a task knows, calls of extract() in the pipeline have three arguments."""
    calls = [
        node
        for node in ast.walk(ast.parse((PACKAGE / "pipeline" / "extracting.py").read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "extract"
    ]
    assert [ast.unparse(call) for call in calls] == [
        "extract(network, inputs, settings.extraction)",
        "extract(network, found.inputs, dataclasses.replace(choices, method='automaton'))",
    ]


def test_what_is_known_of_the_inputs_does_not_depend_on_any_label():
    """Of examples the pipeline looks at which inputs occur (here: digits of a base that
    alternates), and at no label.
    """
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, np.array([5, 3] * 5), (2000, 10))[:, :, None]
    outputs = np.cumsum(inputs, axis=1) % 2
    right, wrong = (example_task(inputs, y) for y in (outputs, rng.integers(-9, 9, outputs.shape)))
    seen, same = (inputs_in_use(Inputs.of(task.input_range), task) for task in (right, wrong))
    assert seen.ordered and seen.bounds == same.bounds == ((0, 4),)
    np.testing.assert_array_equal(seen.examples, same.examples)
    known = {"bounds", "letters", "examples", "ends", "ordered", "kinds", "grammar", "draw"}
    assert set(vars(seen)) == known and seen.kinds is None and seen.draw is None


# -- in effect ---


def test_a_network_that_learnt_the_wrong_thing_gives_its_own_program_whatever_the_task_is_called():
    """The network holds the parity upside down, as if from wrong labels; three tasks say
    otherwise.
    """
    learnt = IntegerState([1], lambda s, x: (s + x) % 2)
    truth = get_task("Parity_All")
    settings = PipelineSettings(
        verification=VerificationSettings(sequences=300, long_sequences=30, fidelity_sequences=300)
    )
    tasks = [
        truth,
        dataclasses.replace(truth, name="Sum_All"),
        dataclasses.replace(truth, name="zzz", description="Something else."),
    ]
    found = [distil_given(learnt, task, settings) for task in tasks]
    assert len({program_source(f.program) for f in found}) == 1
    sequences = truth.test_sequences(200, 0)
    for distillation in found:
        np.testing.assert_array_equal(
            distillation.program.run(sequences.inputs), 1 - sequences.outputs
        )
        assert (
            distillation.verification.fidelity == 1.0
            and distillation.verification.test_accuracy == 0.0
            and not distillation.solved
        )


def _small(**model) -> PipelineSettings:
    from mips_jax.training import ModelSettings, TrainingSettings

    training = TrainingSettings(
        model=ModelSettings(**model), members=2, max_steps=4000, evaluation_sequences=1024
    )
    evidence = VerificationSettings(sequences=1000, long_sequences=100, fidelity_sequences=1000)
    return PipelineSettings(
        training=training,
        verification=evidence,
        training_sequences=8000,
        test_sequences=8192,
        attempts=1,
    )


def _named(name: str):
    """Labels that the name denies: the sum so far without the present number."""

    @stepwise(name, f"What {name} says.", inputs=[(0, 9)], initial=0)
    def lying(total, number):
        return total + number, total

    return lying


@pytest.mark.slow
def test_wrong_labels_in_wrong_program_out_and_a_renamed_task_gives_the_same_program():
    settings = _small(hidden_dims=(2,), depths=(1,))
    found = distil_task(_named("Sum_All"), settings)
    truth = get_task("Sum_All").test_sequences(200, 0)
    assert found.solved, found.reason  # right by the labels it was given ...
    assert (
        not (found.program.run(truth.inputs) == truth.outputs).all(axis=(1, 2)).any()
    )  # ... and wrong by the name
    again = distil_task(_named("Prev1"), settings)
    assert program_source(again.program) == program_source(found.program)


@pytest.mark.slow
def test_a_parity_that_starts_upside_down_is_distilled_as_it_is():
    @stepwise("Parity_All", "The parity of the bits so far.", inputs=[(0, 1)], initial=1)
    def lying(parity, bit):
        return parity ^ bit, parity ^ bit

    found = distil_task(lying, _small(hidden_dims=(2, 3), depths=(2,), widths=(32,)))
    truth = get_task("Parity_All").test_sequences(200, 0)
    assert found.verification.fidelity == 1.0 and found.solved, found.reason
    np.testing.assert_array_equal(found.program.run(truth.inputs), 1 - truth.outputs)
