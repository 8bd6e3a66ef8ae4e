"""Programs over integers: expressions, registers, an interpreter and a printer to Python."""

from mips_jax.programs.expression import (
    OPERATORS,
    Call,
    Const,
    Expression,
    Lookup,
    Var,
    call,
    evaluate,
    expression_bits,
    expression_text,
    is_boolean,
    replace,
    shared_bits,
    tidied,
    variables,
    walk,
)
from mips_jax.programs.printing import body_lines, program_source, reuse_updates
from mips_jax.programs.program import Program, Register, compile_source, pruned, renamed

__all__ = [
    "OPERATORS",
    "Call",
    "Const",
    "Expression",
    "Lookup",
    "Program",
    "Register",
    "Var",
    "body_lines",
    "call",
    "compile_source",
    "evaluate",
    "expression_bits",
    "expression_text",
    "is_boolean",
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
