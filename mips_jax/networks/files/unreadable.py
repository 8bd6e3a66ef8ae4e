"""Kinds of networks that are known by their names and cannot be read, one sentence each."""

from __future__ import annotations

import re

from mips_jax.networks.files.parts import Arrays

# Of names that have no other meaning, wherever they stand in a file.
_ALWAYS = (
    (
        r"_reverse$|(^|[./])(backward(_rnn|_layer)?|bidirectional\w*)[./]",
        "belongs to a bidirectional layer, which reads the future; train one with "
        "bidirectional=False",
    ),
    (
        r"weight_hr_l\d+$",
        "belongs to an LSTM with projections, which is not read; train one with proj_size=0",
    ),
    (
        r"in_proj_weight$|(^|[._/])(self_attn|attn|attention|multihead\w*)([._/]|$)"
        r"|(^|[._/])(q|k|v|query|key|value)(_proj)?[./](weight|kernel)$",
        "belongs to attention, which looks back at all inputs; only recurrent networks are read",
    ),
    (
        r"running_(mean|var)$|num_batches_tracked$",
        "belongs to batch normalisation, which is not read; train one without",
    ),
)
# Of names that mean something else in other networks: asked only where the rest cannot be read.
_PERHAPS = (
    (
        r"(^|[._/])(stack|push|pop|memory|read_head|write_head|action)s?([._/]|$)",
        "belongs to a memory beside the state (a stack or tape), which is not read; only networks "
        "whose whole state is a vector are",
    ),
)


def refusal(arrays: Arrays) -> str | None:
    """Why a file as a whole cannot be read; None where nothing speaks against it."""
    for pattern, reason in _ALWAYS:
        found = [name for name in arrays if re.search(pattern, name)]
        if found:
            return f"{found[0]} {reason}"
    for name, array in arrays.items():
        if array.ndim in (3, 4, 5) and re.search(r"(^|[./])(weight|kernel)$", name):
            return (
                f"{name} has shape {array.shape}: it belongs to a convolution, which is not read; "
                "only recurrent networks are"
            )
    return None


def possible_refusal(arrays: Arrays) -> str | None:
    """The same for names that say so less surely, where a file could not be read otherwise."""
    for pattern, reason in _PERHAPS:
        found = [name for name in arrays if re.search(pattern, name)]
        if found:
            return f"{found[0]} {reason}"
    return None
