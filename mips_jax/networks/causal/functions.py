"""Any function from whole words to outputs as a network.

Axes: B words, T steps, I inputs a step, S tokens of a word with those before it, R raw outputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mips_jax.errors import RequestError
from mips_jax.networks.causal.allowed import within_language
from mips_jax.networks.causal.network import CausalNetwork
from mips_jax.networks.causal.options import CausalOptions, checked

STEP_WORK = 10.0  # of a model of which nobody knows how large it is; see `Network.step_work`
_PREFIX_COST = (
    1.0  # of a step, beside a network of as many weights: most prefixes are known already
)
_TRIED = 6  # words on which a model is tried out
_TRIED_STEPS = 8  # of each
_SAME = 1e-3  # outputs of one word that differ by more, beside their size, are not the same


def from_callable(
    function: Callable,
    *,
    name: str | None = None,
    represent: Callable | None = None,
    parameters: int | None = None,
    **options,
) -> CausalNetwork:
    """A network from a function that reads whole words and writes at every step.

    >>> import numpy as np
    >>> parity = from_callable(lambda words: words.cumsum(axis=1) % 2, input_max=1, head="number")
    >>> parity.run(np.array([[[1], [0], [1]]]))[1].ravel().tolist()
    [1, 1, 0]

    Args:
        function: tokens [B, T] int64 (letters [B, T, I], where there are several a step), words of
            one length -> raw outputs [B, T, R], or [B, T] where R is 1. It may return whatever
            numpy can turn into an array. With `every_step=False`: [B, R], after the last token.
        name: what messages call it.
        represent: tokens [B, T] -> [B, D], where the model is after the last token; without it a
            prefix is represented by what follows it.
        parameters: how many weights a step multiplies, for budgets of work.
        **options: the fields of `CausalOptions`; `input_max` or `vocabulary` is needed.

    Raises:
        RequestError: an option is out of bounds; or the function, tried out, raises, returns
            another shape or no finite numbers, is not causal or not deterministic.
    """
    if not callable(function):
        raise RequestError(
            f"{function!r} is not a function; give one that turns words into outputs"
        )
    named = name or str(getattr(function, "__name__", type(function).__name__))
    choices = checked(options_from(options))
    work = STEP_WORK if parameters is None else work_of(parameters)
    reader = FunctionReader(function, choices, named, work, represent)
    return network_of(reader, choices, named)


def options_from(options: dict) -> CausalOptions:
    """Options by name, arrays as lists.

    Raises:
        RequestError: there is no such option.
    """
    allowed = [field.name for field in dataclasses.fields(CausalOptions)]
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise RequestError(
            f"there is no option {', '.join(unknown)} of a model; allowed: {', '.join(allowed)}"
        )
    plain = lambda value: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return CausalOptions(**{key: plain(value) for key, value in options.items()})


def work_of(parameters: int) -> float:
    """See `Network.step_work`: of a model that reads the whole prefix for a step."""
    from mips_jax.networks.network import work_of_weights

    return _PREFIX_COST * work_of_weights(parameters)


def network_of(reader: FunctionReader, options: CausalOptions, name: str) -> CausalNetwork:
    """The network, having tried the model out.

    Raises:
        RequestError: see `from_callable`.
    """
    bounds = options.input_range
    first = np.array([[[low for low, _ in bounds]]], np.int64)
    outputs = reader.read(first).shape[2]
    decoding = options.decoding(outputs)
    try_out(reader, options, name)
    if options.only_allowed:
        letters = bounds[0][1] - bounds[0][0] + 1
        if len(bounds) > 1 or letters > outputs:
            raise RequestError(
                f"network.only_allowed needs an output for each letter, but {name} writes "
                f"{outputs} a step and reads {letters} letters; name them with network.entries"
            )
        return within_language(reader, decoding, options, name)
    return CausalNetwork(reader, bounds, decoding, options.longest, options.trained_length, name)


class FunctionReader:
    """A function of tokens as a `Reader`. A subclass may branch.

    Args:
        function: see `from_callable`.
        options: of the model.
        name: what messages call it.
        step_work: see `Network.step_work`.
        represented: see `from_callable`.
    """

    branches = False

    def __init__(
        self,
        function: Callable,
        options: CausalOptions,
        name: str,
        step_work: float = STEP_WORK,
        represented: Callable | None = None,
    ):
        self.function, self.options, self.name = function, options, name
        self.step_work, self.represented = step_work, represented
        self.begin = np.array(options.begin, np.int64)
        self.starts = bool(len(self.begin)) and options.every_step

    def tokens(self, words: np.ndarray) -> np.ndarray:
        """Letters [B, T, I] -> tokens [B, S], or letters [B, T, I] where I > 1."""
        if words.shape[2] > 1:
            return words
        letters = words[:, :, 0]
        if self.options.vocabulary is not None:
            low = self.options.input_range[0][0]
            letters = np.array(self.options.vocabulary, np.int64)[letters - low]
        if not len(self.begin):
            return letters
        begin = np.broadcast_to(self.begin, (len(letters), len(self.begin)))
        return np.concatenate([begin, letters], axis=1)

    def read(self, words: np.ndarray) -> np.ndarray:
        """See `Reader.read`.

        Raises:
            RequestError: the function raises, or returns another shape or no finite numbers.
        """
        tokens = self.tokens(words)
        try:
            raw = np.asarray(self.function(tokens))
        except RequestError:
            raise
        except (Exception, SystemExit) as error:
            said = (str(error).splitlines() or [""])[0]
            raise RequestError(
                f"{self.name} raised {type(error).__name__}: {said} on {_shown(tokens)}"
                + self._perhaps_too_long(words)
            ) from error
        return self._chosen(self._shaped(raw, tokens), tokens)

    @property
    def represents(self) -> bool:
        return self.represented is not None

    def represent(self, words: np.ndarray) -> np.ndarray:
        """See `Reader.represent`."""
        assert self.represented is not None
        return np.asarray(self.represented(self.tokens(words)), np.float64)

    def branch(self, words: np.ndarray, letters: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """See `Reader.branch`; a function reads words only."""
        raise NotImplementedError

    def _shaped(self, raw: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """[B, S, R], or [B, 1, R] where it writes after the last token only."""
        batch, steps = tokens.shape[:2]
        every = self.options.every_step
        if raw.dtype.kind not in "fiub":
            raise RequestError(
                f"{self.name} returned {raw.dtype} values on {_shown(tokens)}; numbers are needed"
            )
        if every and raw.shape == (batch, steps):
            raw = raw[:, :, None]
        if not every and raw.ndim in (1, 2) and len(raw) == batch:
            raw = raw.reshape(batch, 1, -1)
        wanted = (batch, steps) if every else (batch, 1)
        if raw.ndim != 3 or raw.shape[:2] != wanted or not raw.shape[2]:
            form = f"[{batch}, {steps}, R]" if every else f"[{batch}, R]"
            raise RequestError(
                f"{self.name} returned the shape {list(raw.shape)} on {_shown(tokens)}; {form} is "
                "needed (network.every_step says whether it writes at every step)"
            )
        return raw if raw.dtype in (np.float32, np.float64) else raw.astype(np.float64)

    def _chosen(self, raw: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """The entries that count, at the steps that count: finite ones."""
        raw = raw[:, max(0, len(self.begin) - 1) :] if self.options.every_step else raw
        entries = self.options.entries
        if entries is not None:
            if max(entries) >= raw.shape[2]:
                raise RequestError(
                    f"network.entries names output {max(entries)}, but {self.name} writes "
                    f"{raw.shape[2]} a step (0..{raw.shape[2] - 1})"
                )
            raw = raw[:, :, list(entries)]
        bad = ~np.isfinite(raw).all(axis=(1, 2))
        if bad.any():
            row = tokens[bad][:1]
            raise RequestError(
                f"{self.name} returned NaN or infinite numbers on {_shown(row)}; a program writes "
                "integers"
            )
        return raw

    def _perhaps_too_long(self, words: np.ndarray) -> str:
        if self.options.longest is not None or words.shape[1] <= _TRIED_STEPS:
            return ""
        return f"; if it reads no word of {words.shape[1]} letters, say so with network.longest"


def _shown(tokens: np.ndarray) -> str:
    """A batch of words, in a few words."""
    first = tokens[0].tolist()
    text = str(first) if len(first) <= 12 else f"[..., {str(first[-8:])[1:]}"
    if len(tokens) == 1:
        return f"the {len(first)} tokens {text}"
    return f"{len(tokens)} words of {len(first)} tokens, the first {text}"


def try_out(reader: FunctionReader, options: CausalOptions, name: str) -> None:
    """Reads a few words twice, and their beginnings.

    Raises:
        RequestError: outputs depend on later letters, or on chance.
    """
    rng = np.random.default_rng(0)
    steps = min(options.longest or _TRIED_STEPS, _TRIED_STEPS)
    low, high = np.array(options.input_range, np.int64).T
    words = rng.integers(low, high + 1, (_TRIED, steps, len(low)))
    raw = reader.read(words)
    if _differ(raw, reader.read(words)):
        raise RequestError(
            f"{name} returned other outputs for the same words; it must depend on its inputs only "
            "(is dropout on?)"
        )
    if steps < 2 or not options.every_step:
        return
    half = (steps + 1) // 2
    shorter = reader.read(words[:, :half])
    if _differ(raw[:, : shorter.shape[1]], shorter):
        raise RequestError(
            f"{name} returned other outputs for the first {half} letters of a word alone than for "
            "all of it; output t must depend on letters up to t only. For a model that reads both "
            "ways give network.every_step=false: then it is asked for the last output of every "
            "prefix"
        )


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() > _SAME * (1.0 + np.abs(one).max()))
