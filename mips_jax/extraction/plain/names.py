"""Names for registers by what their updates do: carry, rest, parity, place, count."""

from __future__ import annotations

import re

from mips_jax.programs import Call, Const, Expression, Program, Var, variables, walk

_GENERIC = re.compile(r"(state|value|s|remainder)\d*$")  # names that say nothing yet


def names_for(program: Program) -> dict[str, str]:
    """New names of registers whose names say nothing, none of them taken."""
    taken = {r.name for r in program.registers} | set(program.inputs)
    renamed: dict[str, str] = {}
    for register in program.registers:
        if not _GENERIC.match(register.name):
            continue
        role = _role(register.name, register.update, program)
        if role is None:
            continue
        numbered = (role, *(f"{role}{i}" for i in range(2, len(program.registers) + 2)))
        name = next(n for n in numbered if n not in taken)
        taken.add(name)
        renamed[register.name] = name
    return renamed


def _role(name: str, update: Expression, program: Program) -> str | None:
    own, inputs = Var(name), {Var(n) for n in program.inputs}
    reads = variables(update)
    if own not in reads:
        return None
    if _is_carry(update, own, inputs, program):
        return "carry"
    match update:
        case Call("mod", (inner, Const(modulus))):
            return _remainder_role(inner, own, modulus)
        case Call("xor", _) | Call("sub", (Const(1), Var(_))):
            return "parity"
        case Call("eq" | "ne", (first, second)) if own in (first, second) and reads & inputs:
            return "parity"
        case Call("if", (_, *branches)):
            return _branches_role(branches, own)
    return None


def _is_carry(update: Expression, own: Var, inputs: set[Var], program: Program) -> bool:
    """What is left over of the sum of all inputs and of itself."""
    match update:
        case Call("floordiv" | "gt" | "ge", (total, Const())):
            summed = variables(total) == inputs | {own} and len(inputs) > 1
            plain = all(not isinstance(n, Call) or n.operator == "add" for n in walk(total))
            return summed and plain and any(total in walk(o) for o in program.outputs)
    return False


def _remainder_role(inner: Expression, own: Var, modulus: int) -> str | None:
    factors = [
        n for n in walk(inner) if isinstance(n, Call) and n.operator == "mul" and own in n.arguments
    ]
    if any(isinstance(a, Const) for n in factors for a in n.arguments):
        return "rest"
    if factors:
        return "product"
    if modulus == 2:
        return "parity"
    return None


def _branches_role(branches: list[Expression], own: Var) -> str | None:
    """A count is raised or lowered by one, or begins again."""
    steps = (Call("add", (own, Const(1))), Call("sub", (own, Const(1))))
    moved = [b for b in branches if b in steps]
    rest = [b for b in branches if b not in steps]
    if moved and all(b == own or isinstance(b, Const) for b in rest):
        return "count"
    bounded = [b for b in rest if isinstance(b, Call) and b.operator in ("min", "max")]
    return "count" if bounded and any(s in b.arguments for b in bounded for s in steps) else None
