"""Random expressions and programs, with a second, independent evaluator: the truth of these
tests.
"""

import numpy as np

from mips_jax.programs import Call, Const, Expression, Lookup, Program, Register, Var

_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_PYTHON = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "neg": lambda a: -a,
    "abs": abs,
    "min": lambda *a: min(a),
    "max": lambda *a: max(a),
    "median": lambda *a: sorted(a)[len(a) // 2],
    "argmax": lambda *a: a.index(max(a)),
    "eq": lambda a, b: int(a == b),
    "ne": lambda a, b: int(a != b),
    "lt": lambda a, b: int(a < b),
    "le": lambda a, b: int(a <= b),
    "gt": lambda a, b: int(a > b),
    "ge": lambda a, b: int(a >= b),
    "in": lambda a, *m: int(a in m),
    "xor": lambda a, b: a ^ b,
    "and": lambda a, b: int(bool(a and b)),
    "or": lambda a, b: int(bool(a or b)),
    "not": lambda a: int(not a),
    "if": lambda c, a, b: a if c else b,
}


def value(expression: Expression, values: dict[Var, int]) -> int:
    """The expression on one row of Python integers."""
    match expression:
        case Const(constant):
            return constant
        case Var():
            return values[expression]
        case Lookup(_, table, indices, offsets):
            for index, offset in zip(indices, offsets):
                place = value(index, values) - offset
                assert place >= 0
                table = table[place]
            return table
        case Call(operator, arguments):
            return _PYTHON[operator](*(value(a, values) for a in arguments))


def run(program: Program, word: np.ndarray) -> list[tuple[int, ...]]:
    """The outputs of a program on one word [T, I], step by step on Python integers."""
    state = {r.name: r.initial for r in program.registers}
    outputs = []
    for letter in word.tolist():
        values = {Var(n): v for n, v in zip(program.inputs, letter)} | {
            Var(n): v for n, v in state.items()
        }
        for register in program.registers:
            values[Var(register.name, updated=True)] = value(register.update, values)
        outputs.append(tuple(value(o, values) for o in program.outputs))
        state = {r.name: values[Var(r.name, updated=True)] for r in program.registers}
    return outputs


def random_expression(rng: np.random.Generator, variables: list[Var], depth: int) -> Expression:
    """An integer expression with every operator; divisors are constants, `and` and `or` join truth
    values.
    """
    if depth == 0 or rng.random() < 0.1:
        return (
            variables[rng.integers(len(variables))]
            if rng.random() < 0.6
            else Const(int(rng.integers(-4, 6)))
        )
    below = lambda: random_expression(rng, variables, depth - 1)
    kind = rng.integers(12)
    if kind < 3:
        return Call(("add", "sub", "mul")[kind], (below(), below()))
    if kind == 3:
        return Call(
            ("floordiv", "mod")[rng.integers(2)],
            (below(), Const(int(rng.choice([-3, -2, 2, 3, 7])))),
        )
    if kind == 4:
        return Call(("neg", "abs")[rng.integers(2)], (below(),))
    if kind == 5:
        return Call(
            ("min", "max")[rng.integers(2)], tuple(below() for _ in range(rng.integers(2, 4)))
        )
    if kind == 6:
        return Call(("median", "argmax")[rng.integers(2)], (below(), below(), below()))
    if kind == 7:
        return Call("xor", (below(), below()))
    if kind == 8:
        return Call("if", (random_truth(rng, variables, depth - 1), below(), below()))
    if kind == 9:
        index = Call("mod", (below(), Const(3)))
        return Lookup("TABLE", (5, -1, 2, 7), (Call("sub", (index, Const(2))),), (-2,))
    return random_truth(rng, variables, depth)


def random_truth(rng: np.random.Generator, variables: list[Var], depth: int) -> Expression:
    """An expression that is 0 or 1, a bool in Python."""
    below = lambda: random_expression(rng, variables, depth - 1)
    if depth <= 1 or rng.random() < 0.4:
        leaf = lambda: random_expression(rng, variables, max(0, depth - 1))
        return Call(_COMPARISONS[rng.integers(6)], (leaf(), leaf()))
    kind = rng.integers(4)
    if kind == 0:
        return Call(
            "in", (below(), *(Const(int(c)) for c in rng.integers(-3, 8, rng.integers(1, 4))))
        )
    if kind == 1:
        return Call("not", (below(),))
    truth = lambda: random_truth(rng, variables, depth - 1)
    return Call(("and", "or")[kind - 2], (truth(), truth()))


def random_program(
    rng: np.random.Generator, inputs: int, registers: int, outputs: int, depth: int = 2
) -> Program:
    """Registers read each other's old and earlier ones' new values; the outputs read all of
    them.
    """
    names = tuple("abc"[:inputs]) if inputs > 1 else ("x",)
    old = [Var(n) for n in names] + [Var(f"r{k}") for k in range(registers)]
    made, new = [], []
    for k in range(registers):
        made.append(
            Register(f"r{k}", int(rng.integers(-2, 3)), random_expression(rng, old + new, depth))
        )
        new.append(Var(f"r{k}", updated=True))
    return Program(
        names, tuple(made), tuple(random_expression(rng, old + new, depth) for _ in range(outputs))
    )
