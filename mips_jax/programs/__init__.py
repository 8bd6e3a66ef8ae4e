"""Programs over integers: expressions, registers, an interpreter and a printer to Python."""

from mips_jax.programs.cost import expression_bits, shared_bits
from mips_jax.programs.evaluation import bounds, evaluate
from mips_jax.programs.expression import (
    Call,
    Const,
    Expression,
    Lookup,
    Var,
    call,
    is_boolean,
    replace,
    variables,
    walk,
)
from mips_jax.programs.operators import OPERATORS, Operator
from mips_jax.programs.printing import body_lines, program_source, reuse_updates
from mips_jax.programs.program import Program, SymbolProgram, compile_source, pruned, renamed
from mips_jax.programs.recurrence import Recurrence, Register
from mips_jax.programs.text import expression_text, is_short
from mips_jax.programs.tidy import negation, tidied

__all__ = [
    "OPERATORS",
    "Call",
    "Const",
    "Expression",
    "Lookup",
    "Operator",
    "Program",
    "Recurrence",
    "Register",
    "SymbolProgram",
    "Var",
    "body_lines",
    "bounds",
    "call",
    "compile_source",
    "evaluate",
    "expression_bits",
    "expression_text",
    "is_boolean",
    "is_short",
    "negation",
    "program_source",
    "pruned",
    "renamed",
    "replace",
    "reuse_updates",
    "shared_bits",
    "tidied",
    "variables",
    "walk",
]
