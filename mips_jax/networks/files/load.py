"""A trained network from a file: its weights, and the answers to what the weights do not say.

Weights are named as PyTorch's state_dict or as flax's parameter tree names them, or lie in a file
that says how its layers follow one another (Keras, ONNX). They do not say what the state is before
the first input, how an integer becomes an input vector, nor what the raw outputs stand for. Each of
these is an option here, `network.<option>` on the command line, and may as well lie in the file's
metadata under the same name. What nobody said and nearly every network has is taken for granted and
listed in the network's `assumed` (assumptions.py); the rest is asked for, all at once. The paper's
MLP network (hmlp, ymlp) leaves nothing open: ReLU, zeros, numbers in, numbers out.
"""

from __future__ import annotations

import dataclasses
import os

from mips_jax.errors import RequestError
from mips_jax.networks.causal.gpt2 import is_language_model, load_gpt2
from mips_jax.networks.causal.options import CausalOptions
from mips_jax.networks.files import flax_names, naming
from mips_jax.networks.files.assembly import assemble
from mips_jax.networks.files.assumptions import Settled, missing_range, settled
from mips_jax.networks.files.content import FileContent, Reading
from mips_jax.networks.files.input_ranges import bounds_of
from mips_jax.networks.files.options import NetworkOptions, completed, value_problems
from mips_jax.networks.files.parts import Parts
from mips_jax.networks.files.readers import MEMORY_GIB, read_file
from mips_jax.networks.files.state_dicts import read_parts
from mips_jax.networks.network import Network

_OF_RECURRENT = {field.name for field in dataclasses.fields(NetworkOptions)}
_OF_CAUSAL_ONLY = {field.name for field in dataclasses.fields(CausalOptions)} - _OF_RECURRENT


def load_network(
    path: str | os.PathLike,
    *,
    ask_range: bool = False,
    memory_gib: float = MEMORY_GIB,
    **options,
) -> Network:
    """Reads a network that somebody trained.

    Args:
        path: a file of one of the kinds in readers.py, a checkpoint folder, or the folder of a
            language model (causal/gpt2.py).
        ask_range: whether an input range that nobody said is a problem as well (it is needed for
            distilling).
        memory_gib: a file whose content takes more memory is refused before it is read.
        **options: the fields of NetworkOptions; of a language model those of CausalOptions.

    Returns:
        The network; its `input_range` is set where the metadata, the options or the encoding tell
        it, and its `assumed` lists what was taken for granted. To distil it on a part of that
        range, pass the part to `resolve_input_range`.

    Raises:
        RequestError: the file cannot be read, or holds no known network, or leaves questions open;
            all problems together.

    Example:
        network = load_network("gru.safetensors", encoding="one_hot", head="class", initial="zeros")
    """
    if is_language_model(path):
        said_options = {name: value for name, value in options.items() if value is not None}
        return load_gpt2(path, memory_gib, **said_options)
    options = {k: v for k, v in options.items() if v is not None or k not in _OF_CAUSAL_ONLY}
    unknown = sorted(set(options) - {field.name for field in dataclasses.fields(NetworkOptions)})
    if unknown:
        raise RequestError(
            f"there is no option {', '.join(unknown)} of a network; allowed: "
            f"{', '.join(field.name for field in dataclasses.fields(NetworkOptions))}"
        )
    said = NetworkOptions(**options)
    content = read_file(path, Reading(memory_gib, said.state_dict))
    network, problems = _network(content, said, ask_range)
    if network is None:
        raise RequestError(*(f"{path}: {problem}" for problem in dict.fromkeys(problems)))
    return network


def _network(
    content: FileContent, options: NetworkOptions, ask_range: bool
) -> tuple[Network | None, list[str]]:
    """The network, or all that is wrong with it."""
    if content.network is not None:
        return _of_ours(content.network, options, ask_range)
    answers, problems = completed(options, content.metadata)
    cell, parts, file_problems = _parts(content, answers)
    problems += file_problems
    open_ = settled(answers, cell, parts) if not problems else Settled(answers, (), ())
    problems += open_.questions
    problems += missing_range(open_.answers, cell, parts) if ask_range else []
    if parts is None or problems:
        return None, problems
    return assemble(parts, open_.answers, (*content.assumed, *open_.assumed))


def _parts(content: FileContent, answers: NetworkOptions) -> tuple[str, Parts | None, list[str]]:
    """What the arrays are: named as the user says, as flax or as PyTorch does."""
    if content.parts is not None:
        unused = ["network.names is given, but the file says itself what is what; drop the option"]
        return content.parts.cell, content.parts, unused if answers.names else []
    arrays = content.arrays
    origin: dict[str, str] = {}
    problems: list[str] = []
    names = naming.pairs(answers.names)
    if names:
        arrays, origin, problems = naming.renamed(arrays, names)
    flax = flax_names.is_flax(arrays)
    if flax:
        arrays, origin, flax_problems = flax_names.to_pytorch(arrays)
        problems += flax_problems
    cell, parts, file_problems = read_parts(arrays, answers.missing_bias == "zeros", origin)
    if parts is not None and flax:
        parts = dataclasses.replace(parts, norm_epsilon=flax_names.NORM_EPSILON)
    return cell, parts, problems + file_problems


def _of_ours(
    network: Network, options: NetworkOptions, ask_range: bool
) -> tuple[Network | None, list[str]]:
    """A network of this product, which leaves nothing open but the range of its inputs."""
    fields = dataclasses.asdict(options)
    given = [name for name, value in fields.items() if value is not None]
    allowed = ("input_min", "input_max", "trained_length")
    problems = [
        f"network.{name} is given, but a checkpoint of ours says it itself; drop the option"
        for name in given
        if name not in allowed
    ]
    problems += [p for name in allowed for p in value_problems(name, fields[name])]
    problems += missing_range(options, "mlp_rnn", None) if ask_range else []
    if not problems and None not in (options.input_min, options.input_max):
        bounds = bounds_of(options, network.input_dim, problems)
        network = dataclasses.replace(network, input_range=bounds)  # type: ignore[type-var]
    return (None if problems else network), problems
