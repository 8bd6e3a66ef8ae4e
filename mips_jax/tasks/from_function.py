"""A Python function as a task (`task=function task.target=package.module:function`).

Three forms are understood, one input being an int, several a tuple of ints, and outputs likewise:

- *whole sequence*: `function(inputs)` takes the list of all inputs and returns (or yields) the
outputs, one a step.
- *one answer*: `function(inputs)` takes a list of inputs and returns one integer or truth value,
such as whether the word belongs to a language; output t is its answer to the first t inputs.
- *stepwise*: `function(state, input)` returns the new state and the output, and has an attribute
`initial`, the state
  before the first step:

      def running_maximum(largest, number):
          largest = max(largest, number)
          return largest, largest
      running_maximum.initial = 0

Output t may depend on the inputs up to t only, and on nothing else; this is tried out before
anything is trained.

Axes: N sequences, T time, I inputs a step, O outputs a step.
"""

from __future__ import annotations

import copy
import difflib
import importlib
import inspect
import itertools
import operator
import os
import pathlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.figures import whole
from mips_jax.inputs import input_range_problems
from mips_jax.tasks.ranges import input_range_from_bounds
from mips_jax.tasks.sampling import uniform
from mips_jax.tasks.task import InputRange, LabelledTask
from mips_jax.tasks.try_out import try_out

LONGEST = 1000
"""Steps of a training sequence; training takes time and memory in proportion."""

_TRIED_OUT = 8
"""Sequences on which a function is tried out before it becomes a task."""


class FunctionTask(LabelledTask):
    """A task whose truth is a user's function.

    Args:
        function: in one of the two forms of this module.
        input_range: one inclusive (low, high) for each input.
        length: T, the training length.
        name: defaults to the function's own.

    Raises:
        RequestError: tried out on a few sequences, the function raises, returns something else than
            one output (or one tuple of outputs) a step, is not deterministic, or looks at inputs
            that are still to come.
    """

    def __init__(
        self, function: Callable, input_range: InputRange, length: int = 10, name: str | None = None
    ):
        if not callable(function):
            raise RequestError(
                f"{function!r} is not a function; give one that turns inputs into outputs "
                "(task.target)"
            )
        if not whole(length) or not 1 <= length <= LONGEST:
            raise RequestError(f"task.length is {length!r}; allowed: an integer, 1 to {LONGEST}")
        wrong = input_range_problems(input_range)
        if wrong:
            raise RequestError(*wrong)
        self.function = function
        own_name: str = getattr(function, "__name__", type(function).__name__)
        self.name = name or own_name
        documentation = inspect.getdoc(function) if inspect.isroutine(function) else None
        self.description = (documentation or f"The Python function {self.name}.").splitlines()[0]
        self.input_range = input_range
        self.length = length
        self._width: int | None = None  # outputs a step, as soon as they are known
        self._one_answer = False  # whether it answers a whole word at once
        self.output_dim = self._try_out()

    def label(self, inputs: np.ndarray) -> np.ndarray:
        """See `LabelledTask.label`: [N, T, I] -> [N, T, O]. Calls the function once for each
        sequence.

        Raises:
            RequestError: the function fails on one of the sequences.
        """
        rows = [self._outputs(sequence) for sequence in _as_python(inputs)]
        shape = (*inputs.shape[:2], self.output_dim)
        try:
            return np.array(rows, np.int64).reshape(shape)
        except OverflowError:
            return np.array(rows, object).reshape(shape)

    def _outputs(self, sequence: list) -> list:
        """The function's outputs for one sequence, checked, as Python integers (tuples when
        O > 1).
        """
        try:
            outputs = self._call(list(sequence))
        except RequestError:
            raise
        except (Exception, SystemExit, GeneratorExit) as error:
            raise RequestError(
                f"{self.name} (task.target) raised {type(error).__name__}: {error} on the inputs "
                f"{_shortened(sequence)}"
            ) from error
        if len(outputs) != len(sequence):
            at_least = "at least " if len(outputs) > len(sequence) else ""
            raise RequestError(
                f"{self.name} (task.target) returned {at_least}{len(outputs)} outputs for the "
                f"{len(sequence)} inputs {_shortened(sequence)}; it must return one output a step"
            )
        return [self._checked(output, sequence) for output in outputs]

    def _call(self, sequence: list) -> list:
        if not hasattr(self.function, "initial"):
            if self._one_answer:
                answers = (self.function(sequence[:t]) for t in range(1, len(sequence) + 1))
                return [int(a) if isinstance(a, np.bool_) else a for a in answers]
            outputs = self.function(sequence[:])
            if self._width is None and isinstance(outputs, int | np.integer | np.bool_):
                self._one_answer = True
                self.assumed = ("output t is the function's answer to the first t inputs",)
                return self._call(sequence)
            if isinstance(outputs, str):
                raise RequestError(
                    f"{self.name} (task.target) returned the text {outputs!r}; return an integer "
                    "or a truth value for the whole list, or the list of outputs"
                )
            try:
                return list(itertools.islice(outputs, len(sequence) + 1))
            except TypeError:
                if hasattr(outputs, "__iter__"):
                    raise
                raise RequestError(
                    f"{self.name} (task.target) returned {outputs!r} for a list of {len(sequence)} "
                    "inputs; it must return the list of outputs, or one integer or truth value for "
                    "the whole list, or, to be called step by step, have an attribute `initial`"
                ) from None
        outputs = []
        state = copy.deepcopy(self.function.initial)
        for letter in sequence:
            result = self.function(state, letter)
            if not isinstance(result, tuple | list) or len(result) != 2:
                raise RequestError(
                    f"{self.name} (task.target) has an attribute `initial`, so it is called step "
                    f"by step and must return (state, output), but it returned {result!r}"
                )
            state, output = result
            outputs.append(output)
        return outputs

    def _checked(self, output, sequence: list):
        if type(output) is int and self._width in (1, None):
            return output
        several = isinstance(output, tuple | list) or (
            isinstance(output, np.ndarray) and output.ndim == 1
        )
        values = list(output) if several else [output]
        try:
            values = [operator.index(value) for value in values]
        except TypeError:
            raise RequestError(
                f"{self.name} (task.target) returned the output {output!r} on the inputs "
                f"{_shortened(sequence)}; outputs must be integers, or tuples of integers where "
                "there are several a step"
            ) from None
        if not values or (self._width is not None and len(values) != self._width):
            raise RequestError(
                f"{self.name} (task.target) returned {len(values)} values at one step on the "
                f"inputs {_shortened(sequence)}, and "
                f"{self._width or 'should return at least 1'} at another; the number of "
                "outputs a step must not change"
            )
        return values[0] if len(values) == 1 else tuple(values)

    def _try_out(self) -> int:
        """Number of outputs a step, having checked that outputs are well-formed, repeatable and
        causal.
        """
        rng = np.random.default_rng(0)
        sequences = _as_python(uniform(rng, self.input_range, _TRIED_OUT, self.length))
        sequences += _as_python(uniform(rng, self.input_range, 1, 10 * self.length))
        first = self._outputs(sequences[0])[0]
        self._width = width = len(first) if isinstance(first, tuple) else 1
        for sequence in sequences:
            outputs = self._outputs(sequence)
            if self._outputs(sequence) != outputs:
                raise RequestError(
                    f"{self.name} (task.target) returned different outputs when called twice on "
                    f"the inputs {_shortened(sequence)}; it must depend on its inputs only"
                )
            half = (len(sequence) + 1) // 2
            if self._outputs(sequence[:half]) != outputs[:half]:
                raise RequestError(
                    f"{self.name} (task.target) returned other outputs for the first {half} of the "
                    f"inputs {_shortened(sequence)} alone than for all of them; output t must "
                    "depend on inputs up to t only, as that is all a recurrent network has seen"
                )
        return width


def load_function_task(
    target: str | None,
    input_min: int | list[int] | None,
    input_max: int | list[int] | None,
    length: int = 10,
) -> FunctionTask:
    """The task that `task=function` asks for.

    Args:
        target: `package.module:function`; modules in the current folder are found.
        input_min: smallest value of the input, or a list with one for each of several inputs.
        input_max: likewise the largest.
        length: training length.

    Raises:
        RequestError: see `FunctionTask`, `import_function` and `input_range_from_bounds`.
    """
    input_range = input_range_from_bounds(input_min, input_max)
    module_name = str(target).partition(":")[0]
    loaded = sys.modules.get(module_name)
    _find_modules_here()
    if target and (loaded is None or getattr(loaded, "__spec__", None) is not None):
        try_out(str(target), input_range, length)  # another process can find it as well
    return FunctionTask(import_function(target), input_range, length)


def import_function(target: str | None) -> Callable:
    """The function that `package.module:function` names.

    Raises:
        RequestError: see `import_target`; or what it names is no function.
    """
    found = import_target(target, "task.target")
    if not callable(found):
        raise RequestError(f"task.target={target} is a {type(found).__name__}, not a function")
    return found


def import_target(target: str | None, key: str) -> Any:
    """What `package.module:name` names.

    Args:
        target: modules in the current folder are found.
        key: of the configuration, for messages.

    Raises:
        RequestError: the target is not of that form, the module is not found, fails on import or
            has nothing of the name.
    """
    if not target:
        raise RequestError(f"{key} is missing; name the function as package.module:function")
    module_name, _, function_name = str(target).partition(":")
    well_formed = all(
        part.isidentifier() for part in [*module_name.split("."), *function_name.split(".")]
    )
    if not well_formed:
        as_module = module_name.removesuffix(".py").strip("./").replace("/", ".")
        hint = (
            f" (perhaps {as_module}:{function_name or 'function'})"
            if as_module.replace(".", "").isidentifier()
            else ""
        )
        raise RequestError(
            f"{key} must be of the form package.module:function{hint}, but is {target!r}"
        )
    found = _import_module(module_name, key)
    for attribute in function_name.split("."):
        if not hasattr(found, attribute):
            callables = [
                name
                for name, value in vars(found).items()
                if callable(value) and not name.startswith("_")
            ]
            near = (
                difflib.get_close_matches(attribute, callables, n=3, cutoff=0.5)
                or sorted(callables)[:8]
            )
            hint = f"it has {', '.join(near)}" if near else "it has no functions at all"
            raise RequestError(
                f"module {module_name} has no {attribute!r} ({key}={target}); {hint}"
            )
        found = getattr(found, attribute)
    return found


def _import_module(name: str, key: str):
    _find_modules_here()
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
        _refuse_shadowed(module, name, key)
        return module
    except RequestError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise RequestError(
                f"module {error.name!r} was not found ({key}); modules are looked for in the "
                "current folder and among the installed packages"
            ) from None
        raise RequestError(f"module {name} ({key}) could not be imported: {error}") from error
    except (Exception, SystemExit, GeneratorExit) as error:
        raise RequestError(
            f"module {name} ({key}) could not be imported: {type(error).__name__}: {error}"
        ) from error


def _find_modules_here() -> None:
    """The current folder comes last: no file in it shadows an installed package."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def _refuse_shadowed(module: ModuleType, name: str, key: str) -> None:
    """Refuses a module of the current folder that cannot be seen for an installed one."""
    here = pathlib.Path(os.getcwd(), *name.split("."))
    found = getattr(module, "__file__", None)
    for own in (here.with_suffix(".py"), here / "__init__.py"):
        if own.exists() and (found is None or not os.path.samefile(found, own)):
            raise RequestError(
                f"{own.name} in the current folder has the name of the installed module {name} "
                f"({found or 'built in'}), which comes first ({key}); give it another name"
            )


def _as_python(inputs: np.ndarray) -> list[list]:
    """Every sequence of [N, T, I] as a list of ints, or of tuples when I > 1."""
    if inputs.shape[2] == 1:
        return inputs[:, :, 0].tolist()
    return [list(map(tuple, sequence)) for sequence in inputs.tolist()]


def _shortened(sequence: list, shown: int = 12) -> str:
    if len(sequence) <= shown:
        return str(sequence)
    return str(sequence[:shown])[:-1] + f", ... {len(sequence) - shown} more]"
