"""The content of result.json."""

from __future__ import annotations

import dataclasses

from mips_jax.programs import body_lines, program_source
from mips_jax.reporting.files import versions
from mips_jax.reporting.found import Found
from mips_jax.verification import Tradeoff


def result_record(found: Found) -> dict:
    """One result as plain values; every figure and sentence in it is read off the claims."""
    verification = found.verification
    return {
        "task": found.name,
        "solved": found.solved,
        "outcome": str(found.verdict.outcome),
        "accuracy": {
            "test": None if verification is None else verification.test_accuracy,
            "long": None if verification is None else verification.long_accuracy,
        },
        "fidelity": None if verification is None else verification.fidelity,
        "method": found.method,
        "verification": None if verification is None else verification.record(),
        "claims": [claim.record() for claim in found.claims],
        "front": [_tradeoff_record(one) for one in found.front],
        "network": _network_record(found),
        "symbols": None if found.symbols is None else found.symbols.record(),
        "assumed": list(found.assumed),
        "seconds": dataclasses.asdict(found.seconds),
        "program_lines": found.program_lines,
        "reason": found.reason,
        "versions": versions(),
    }


def _tradeoff_record(one: Tradeoff) -> dict:
    """One program of the trade-off: smaller or more faithful than the one that was taken."""
    source = program_source(one.program)
    return {
        "bits": one.bits,
        "program_lines": body_lines(source),
        "note": one.note,
        "claims": [claim.record() for claim in one.claims],
        "source": source,
    }


def _network_record(found: Found) -> dict | None:
    if found.member is not None:
        member = found.member
        own = {
            "seed": member.seed,
            "start": member.start,
            "steps": member.steps,
            "accuracy": member.accuracy,
            "perfect": member.perfect,
        }
        return {**dataclasses.asdict(member.architecture), **own}
    if found.network is None:
        return None
    network = found.network
    return {
        "hidden_dim": network.hidden_dim,
        "kind": type(network).__name__,
        "seed": None,
        "assumed": list(network.assumed),
    }
