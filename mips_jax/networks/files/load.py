"""A trained network from a file: its weights, and the answers to what the weights do not say.

The weights are named as PyTorch's state_dict or as flax's parameter tree names them. They do not
say which non-linearity is between them, what the state is before the first input, how an integer
becomes an input vector, nor what the raw outputs stand for. Each of these is an option here,
`network.<option>` on the command line, and may as well lie in the file's metadata under the same
name. What nobody said is asked for, all at once; only the paper's MLP network (hmlp, ymlp) needs no
answers: ReLU, zeros, numbers in, numbers out.
"""

from __future__ import annotations

import dataclasses
import os

from mips_jax.errors import RequestError
from mips_jax.networks.files import flax_names
from mips_jax.networks.files.array_files import MEMORY_GIB, read_arrays
from mips_jax.networks.files.assembly import assemble
from mips_jax.networks.files.options import NetworkOptions, completed
from mips_jax.networks.files.state_dicts import Parts, read_parts
from mips_jax.networks.network import Network


def load_network(
    path: str | os.PathLike,
    *,
    ask_range: bool = False,
    memory_gib: float = MEMORY_GIB,
    **options,
) -> Network:
    """Reads a network that somebody trained.

    Args:
        path: an .npz or .safetensors file with PyTorch's state_dict names or a flattened flax tree.
        ask_range: whether an input range that nobody said is a problem as well (it is needed for
            distilling).
        memory_gib: a file whose content takes more memory is refused before it is read.
        **options: the fields of NetworkOptions.

    Returns:
        The network; its `input_range` is set where the metadata, the options or the encoding tell
        it. To distil it on a part of that range, pass the part to `resolve_input_range`.

    Raises:
        RequestError: the file cannot be read, or holds no known network, or leaves questions open;
            all problems together.

    Example:
        network = load_network("gru.safetensors", encoding="one_hot", head="class", initial="zeros")
    """
    unknown = sorted(set(options) - {field.name for field in dataclasses.fields(NetworkOptions)})
    if unknown:
        raise RequestError(
            f"there is no option {', '.join(unknown)} of a network; allowed: "
            f"{', '.join(field.name for field in dataclasses.fields(NetworkOptions))}"
        )
    arrays, metadata = read_arrays(path, memory_gib)
    answers, problems = completed(NetworkOptions(**options), metadata)
    origin: dict[str, str] = {}
    if flax_names.is_flax(arrays):
        arrays, origin, flax_problems = flax_names.to_pytorch(arrays)
        problems += flax_problems
    cell, parts, file_problems = read_parts(arrays, answers.missing_bias == "zeros", origin)
    problems += file_problems
    problems += _open_questions(answers, cell, parts)
    problems += _missing_range(answers, cell, parts) if ask_range else []
    if parts is not None and not problems:
        network, problems = assemble(parts, answers)
        if network is not None:
            return network
    raise RequestError(*(f"{path}: {problem}" for problem in dict.fromkeys(problems)))


def _open_questions(answers: NetworkOptions, cell: str, parts: Parts | None) -> list[str]:
    """The questions that neither the file nor the options answer, each by name; the paper's network
    leaves none open.

    Where the weights are damaged (`parts` is None), those that can be asked without them.
    """
    if cell in ("", "mlp_rnn"):
        return []
    questions = []
    if cell == "elman" and answers.nonlinearity is None:
        questions.append(
            ("nonlinearity", "the non-linearity of the recurrent layer", "tanh or relu")
        )
    if parts is not None and len(parts.head) > 1 and answers.head_nonlinearity is None:
        questions.append(
            (
                "head_nonlinearity",
                "the non-linearity between the layers of the head",
                "relu or tanh",
            )
        )
    if answers.initial is None and (parts is None or parts.initial is None):
        size = f" ({parts.hidden_dim} numbers)" if parts else ""
        questions.append(
            ("initial", f"the state before the first input{size}", "zeros, or a list of numbers")
        )
    if answers.encoding is None and (
        parts is None or (parts.embedding is None and parts.features > 1)
    ):
        vector = f"{parts.features} values" if parts else "vector"
        questions.append(
            (
                "encoding",
                f"how the integers of a step become the {vector} that the network reads",
                "number, one_hot, bits (least significant first) or bits_msb",
            )
        )
    if answers.head is None:
        single = parts is not None and parts.raw_outputs == 1
        what = "the raw output stands for" if single else "the raw outputs stand for"
        allowed = (
            "number (rounded)"
            + ("" if single else ", class (the largest logit wins)")
            + " or yes_no (1 where positive)"
        )
        questions.append(("head", f"what {what}", allowed))
    return [
        f"the file does not say {what}; give network.{name}: {allowed}"
        for name, what, allowed in questions
    ]


def _missing_range(answers: NetworkOptions, cell: str, parts: Parts | None) -> list[str]:
    """The bounds of the inputs, where neither options, metadata nor encoding tell them."""
    numbers = (
        answers.encoding == "number"
        or cell == "mlp_rnn"
        or (parts is not None and parts.features == 1)
    )
    if (
        answers.encoding not in (None, "number")
        or not numbers
        or (parts is not None and parts.embedding is not None)
    ):
        return []
    return [
        f"network.{name} is missing: the weights do not say in which range the inputs lie; give an "
        "integer, or a list of one for each input"
        for name in ("input_min", "input_max")
        if getattr(answers, name) is None
    ]
