"""A user's function as a task: both forms, several inputs and outputs, and every way it can be
wrong.
"""

import random

import numpy as np
import pytest

from mips_jax.errors import RequestError
from mips_jax.tasks import TASKS
from mips_jax.tasks.from_function import FunctionTask, import_function, load_function_task

DIGIT = ((0, 9),)


def running_maximum(numbers):
    """The largest number so far.

    More on the second line.
    """
    return [max(numbers[: t + 1]) for t in range(len(numbers))]


def counter(count, number):
    return count + 1, count + number


counter.initial = 0


def appended(seen, number):
    seen.append(number)  # a mutable state must not leak from one sequence into the next
    return seen, len(seen)


appended.initial = []


def with_state(initial):
    def decorate(function):
        function.initial = initial
        return function

    return decorate


def test_whole_sequence():
    task = FunctionTask(running_maximum, ((0, 99),), length=12)
    named = TASKS["Max_Seen"]
    assert (task.name, task.description) == ("running_maximum", "The largest number so far.")
    assert (task.input_dim, task.output_dim, task.length) == (1, 1, 12)
    drawn = task.training_sequences(100, seed=5)
    assert drawn.inputs.shape == (100, 12, 1)
    assert np.array_equal(drawn.outputs, named.label(drawn.inputs))
    assert drawn.outputs.dtype == np.int64
    longer = task.long_sequences(7, 120, seed=5)
    assert np.array_equal(longer.outputs, named.label(longer.inputs))


def test_draws_are_independent_and_repeatable():
    task = FunctionTask(running_maximum, DIGIT)
    assert np.array_equal(
        task.training_sequences(50, 1).inputs, task.training_sequences(50, 1).inputs
    )
    assert not np.array_equal(
        task.training_sequences(50, 1).inputs, task.test_sequences(50, 1).inputs
    )


@pytest.mark.parametrize("function", [counter, appended])
def test_stepwise(function):
    task = FunctionTask(function, DIGIT)
    inputs = np.full((3, 5, 1), 1)
    assert task.label(inputs)[:, :, 0].tolist() == [[1, 2, 3, 4, 5]] * 3


def test_generator_function():
    def doubled(numbers):
        for number in numbers:
            yield 2 * number

    assert FunctionTask(doubled, DIGIT).label(np.array([[[1], [4]]])).ravel().tolist() == [2, 8]


def test_several_inputs_and_outputs():
    @with_state(0)
    def add_and_carry(carry, digits):
        total = sum(digits) + carry
        return total // 10, (total % 10, total // 10)

    task = FunctionTask(add_and_carry, ((0, 9), (0, 9)))
    assert (task.input_dim, task.output_dim) == (2, 2)
    assert task.label(np.array([[[5, 5], [1, 2]]])).tolist() == [[[0, 1], [4, 0]]]


def test_truth_values_and_numpy_integers_are_integers():
    assert FunctionTask(lambda xs: [x > 4 for x in xs], DIGIT).label(
        np.array([[[3], [7]]])
    ).ravel().tolist() == [0, 1]
    assert FunctionTask(np.cumsum, DIGIT).label(np.array([[[3], [7]]])).ravel().tolist() == [3, 10]


def test_outputs_beyond_int64_stay_exact():
    task = FunctionTask(lambda xs: [(-3) ** (60 + t) for t in range(len(xs))], DIGIT, length=4)
    assert task.label(np.zeros((2, 4, 1), int))[1, :, 0].tolist() == [
        (-3) ** (60 + t) for t in range(4)
    ]


def test_target_is_imported_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "their_tasks.py").write_text(
        "def negated(xs):\n    return [-x for x in xs]\n\nnumber = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [entry for entry in __import__("sys").path if entry])
    task = load_function_task("their_tasks:negated", input_min=-3, input_max=5, length=6)
    assert task.input_range == ((-3, 5),)
    assert task.test_sequences(9, seed=0).outputs.max() == 3
    with pytest.raises(RequestError, match=r"has no 'negate' .*; it has negated"):
        import_function("their_tasks:negate")
    with pytest.raises(RequestError, match="their_tasks:number is a int, not a function"):
        import_function("their_tasks:number")


def _wrong_functions():
    calls = iter(range(10**9))

    def endless(xs):
        while True:
            yield 0

    def exits(xs):
        raise SystemExit(3)

    return {
        "raises": (
            lambda xs: [1 // x for x in xs],
            r"raised ZeroDivisionError: .* on the inputs \[",
        ),
        "exits": (exits, r"raised SystemExit: 3"),
        "too short": (lambda xs: xs[1:], "returned 9 outputs for the 10 inputs"),
        "too long": (endless, "returned at least 11 outputs for the 10 inputs"),
        "a fraction": (
            lambda xs: 0.5,
            "returned 0.5 for a list of 10 inputs; it must return the list of outputs, or one int",
        ),
        "nothing": (lambda xs: None, "returned None for a list of 10 inputs"),
        "fractions": (
            lambda xs: [x / 2 for x in xs],
            r"returned the output \d\.\d on .* must be integers",
        ),
        "strings": (lambda xs: ["a" for x in xs], "returned the output 'a'"),
        "nested": (lambda xs: [((1, 2), 3) for x in xs], "must be integers, or tuples"),
        "empty tuples": (lambda xs: [() for x in xs], "returned 0 values at one step"),
        "changing": (
            lambda xs: [(1, 2)] + [(1,) for x in xs[1:]],
            "number of outputs a step must not change",
        ),
        "random": (
            lambda xs: [random.random() < 0.5 for x in xs],
            "different outputs when called twice",
        ),
        "global state": (
            lambda xs: [next(calls) for x in xs],
            "different outputs when called twice",
        ),
        "looks ahead": (lambda xs: xs[::-1], "output t must depend on inputs up to t only"),
        "no pair": (
            with_state(0)(lambda state, x: x),
            r"must return \(state, output\), but it returned \d",
        ),
        "not a function": (3, "3 is not a function"),
    }


@pytest.mark.parametrize("case", _wrong_functions())
def test_wrong_functions(case):
    function, message = _wrong_functions()[case]
    with pytest.raises(RequestError, match=message) as caught:
        FunctionTask(function, DIGIT)
    assert "task.target" in str(caught.value)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"target": None}, "task.target is missing"),
        ({"target": "no_such_module:f"}, "module 'no_such_module' was not found"),
        ({"target": "mips_jax.nothing:f"}, "module 'mips_jax.nothing' was not found"),
        ({"target": "mips_jax.tasks"}, "must be of the form package.module:function"),
        ({"target": "folder/tasks.py:f"}, r"perhaps folder.tasks:f\), but is"),
        ({"target": "mips_jax.tasks:get_tsk"}, "has no 'get_tsk' .*; it has get_task"),
        ({"input_min": None}, "task.input_min is missing"),
        ({"input_max": 1.5}, "task.input_max must be an integer .* but is 1.5"),
        ({"input_max": True}, "task.input_max must be an integer .* but is True"),
        ({"input_max": "9"}, "task.input_max must be an integer .* but is '9'"),
        ({"input_max": 2**40}, "task.input_max must be an integer within"),
        ({"input_min": []}, "task.input_min is an empty list"),
        ({"input_min": [0, 0]}, "task.input_min has 2 values but task.input_max has 1 value;"),
        ({"input_min": 12}, "task.input_min is 12, above task.input_max = 9"),
        ({"length": 0}, "task.length is 0; allowed: an integer, 1 to 1000"),
    ],
)
def test_wrong_requests(arguments, message):
    right = {"target": "itertools:accumulate", "input_min": 0, "input_max": 9, "length": 10}
    assert load_function_task(**right).label(np.ones((1, 3, 1), int)).ravel().tolist() == [1, 2, 3]
    with pytest.raises(RequestError, match=message):
        load_function_task(**(right | arguments))


def test_module_that_fails_on_import(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("def f(:\n")
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RequestError, match=r"broken_module .* could not be imported: SyntaxError"):
        import_function("broken_module:f")
    with pytest.raises(
        RequestError, match=r"needs_more .* could not be imported: No module named 'not_installed"
    ):
        import_function("needs_more:f")


def test_all_wrong_bounds_are_named_at_once():
    with pytest.raises(RequestError) as caught:
        load_function_task("statistics:mean", None, None)
    assert len(caught.value.problems) == 2
