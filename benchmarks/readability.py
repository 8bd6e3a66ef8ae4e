"""Do the programs read as a person's would?

    python benchmarks/readability.py [--networks FOLDER ...] [--tasks A,B] [--pairs] [--show]

Extracts a program for each of the 62 named tasks, of the two held-out sets and of the pairs
(`benchmarks/tasks/pairs.py`), and counts what a reader stumbles over:

- `wide`: lines of more than 100 columns,
- `nested`: a conditional within a conditional within a conditional,
- `compared`: a comparison of comparisons (`(a < b) == (b < c)`),
- `boolean`: arithmetic with truth values, and products with an input that is 0 or 1.

A count (`n += x == y`) and a sign (`(a > b) - (a < b)`) are what people write, and no defects.
On pairs the program stands beside the person's: as short is one with no more nodes of the syntax
tree of its loop, and none of the defects.

Networks come from the folders where they are saved (as of train_all.py --out, or of
`mips_jax.save_network`), else the task's definition takes the network's place: then all that is
asked is what is written for a network without errors. Every program is checked at ten times the
training length (five for pairs).
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.distil_all import load_saved
from benchmarks.tasks import HELD_OUT, PAIRS, SECOND_HELD_OUT, Pair, network_of
from mips_jax.extraction import extract
from mips_jax.inputs import InputRange, Inputs, input_names
from mips_jax.networks import Network
from mips_jax.pipeline.inputs_in_use import inputs_in_use
from mips_jax.programs import body_lines, compile_source
from mips_jax.tasks import TASKS, Task

COLUMNS = 100
DEPTH = 2
KINDS = ("wide", "nested", "compared", "boolean")


@dataclasses.dataclass(frozen=True)
class Written:
    """One program and what is to be said of it.

    Attributes:
        source: the program, None where there is none.
        exact: whether it is right on longer words.
        defects: how many of each kind.
        lines, nodes: of the body, and of the loop's syntax tree.
        seconds: of extraction.
    """

    task: Task
    source: str | None
    method: str
    exact: bool
    defects: dict[str, int]
    lines: int
    nodes: int
    seconds: float

    @property
    def faults(self) -> int:
        return sum(self.defects.values())


def main() -> int:
    options = parse_options()
    sets = {"pairs": PAIRS}
    if not options.pairs:
        sets = {"named": TASKS, "first": HELD_OUT, "second": SECOND_HELD_OUT, **sets}
    wanted = set(options.tasks.split(",")) if options.tasks else None
    for name, tasks in sets.items():
        chosen = [t for t in tasks.values() if wanted is None or t.name in wanted]
        rows = [row for task in chosen if (row := written(task, options)) is not None]
        if rows:
            print("\n".join(summary(name, rows)), flush=True)
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=Path, nargs="*", default=[], help="folders of networks")
    parser.add_argument("--tasks", default="", help="comma-separated names; default: all")
    parser.add_argument("--pairs", action="store_true", help="pairs alone")
    parser.add_argument("--show", action="store_true", help="print every program")
    return parser.parse_args()


def network_for(task: Task, folders: list[Path]) -> Network:
    """The saved network, or the task's definition in its place."""
    for folder in folders:
        if (folder / f"{task.name}.npz").exists():
            return load_saved(folder / f"{task.name}.npz")
    return network_of(task)


def written(task: Task, options: argparse.Namespace) -> Written | None:
    """The program for one task, printed as it is found; None where there is no network."""
    try:
        network = network_for(task, options.networks)
        inputs = inputs_in_use(Inputs.of(task.input_range), task)
        started = time.perf_counter()
        best = extract(network, inputs).best
    except TypeError as error:
        print(f"{task.name}: {error}")
        return None
    seconds = time.perf_counter() - started
    source = best.program.source if best else None
    row = Written(
        task,
        source,
        best.method if best else "-",
        source is not None and exact(source, task),
        defects(source, task.input_range) if source else dict.fromkeys(KINDS, 0),
        body_lines(source) if source else 0,
        nodes(source) if source else 0,
        seconds,
    )
    print(line(row))
    if isinstance(task, Pair):
        print(side_by_side(source or "no program", task.person))
    elif options.show and source:
        print(source)
    return row


def exact(source: str, task: Task) -> bool:
    """Whether the printed program is right on longer words."""
    sequences = task.long_sequences(200, (5 if isinstance(task, Pair) else 10) * task.length, 1)
    program = compile_source(source)
    plain = lambda rows: [tuple(r) if len(r) > 1 else r[0] for r in rows]
    pairs = zip(sequences.inputs.tolist(), sequences.outputs.tolist())
    return all(program(plain(x)) == plain(y) for x, y in pairs)


# Defects


def defects(source: str, inputs: InputRange) -> dict[str, int]:
    """How many defects of each kind a program has."""
    tree = ast.parse(source)
    bits = {n for n, range_ in zip(input_names(len(inputs)), inputs) if tuple(range_) == (0, 1)}
    signs = {id(part) for node in ast.walk(tree) if _is_sign(node) for part in ast.walk(node)}
    found = {
        "wide": sum(len(line) > COLUMNS for line in source.splitlines()),
        "nested": sum(_is_outermost(e, tree) and _depth(e) > DEPTH for e in ast.walk(tree)),
        "compared": sum(_compares_truths(node) for node in ast.walk(tree)),
        "boolean": sum(
            _computes_with_truths(node, bits) for node in ast.walk(tree) if id(node) not in signs
        ),
    }
    return {kind: int(found[kind]) for kind in KINDS}


def _is_truth(node: ast.AST) -> bool:
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Name(id="int" | "bool"), args=[inner]):
            return _is_truth(inner)
    return False


def _is_outermost(node: ast.AST, tree: ast.AST) -> bool:
    if not isinstance(node, ast.IfExp):
        return False
    outer = (n for n in ast.walk(tree) if isinstance(n, ast.IfExp) and n is not node)
    return not any(node in ast.walk(n) for n in outer)


def _depth(node: ast.AST) -> int:
    """How many conditional expressions lie in one another."""
    below = max(map(_depth, ast.iter_child_nodes(node)), default=0)
    return below + isinstance(node, ast.IfExp)


def _compares_truths(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare) and any(map(_is_truth, [node.left, *node.comparators]))


def _computes_with_truths(node: ast.AST, bits: set[str]) -> bool:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            product = isinstance(op, ast.Mult) and not {type(left), type(right)} & {ast.Constant}
            by_bit = any(isinstance(e, ast.Name) and e.id in bits for e in (left, right))
            return _is_truth(left) or _is_truth(right) or (product and by_bit)
        case ast.Call(func=ast.Name(id="min" | "max" | "sum" | "abs" | "sorted"), args=arguments):
            return any(map(_is_truth, arguments))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_truth(operand)
    return False


def _is_sign(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(
            left=ast.Compare(left=a, ops=[ast.Gt()], comparators=[b]),
            op=ast.Sub(),
            right=ast.Compare(left=c, ops=[ast.Lt()], comparators=[d]),
        ):
            return ast.dump(a) == ast.dump(c) and ast.dump(b) == ast.dump(d)
    return False


def nodes(source: str) -> int:
    """Nodes of the syntax tree of the loop, and of the constant tables."""
    tree = ast.parse(source)
    parts = [n for n in ast.walk(tree) if isinstance(n, ast.For)]
    parts += [n for n in tree.body if isinstance(n, ast.Assign)]
    every = [n for part in parts for n in ast.walk(part)]
    return sum(not isinstance(n, ast.expr_context | ast.operator | ast.cmpop) for n in every)


# What is printed


def line(row: Written) -> str:
    faults = " ".join(f"{kind} {count}" for kind, count in row.defects.items() if count)
    state = "exact" if row.exact else "WRONG" if row.source else "no program"
    return (
        f"{row.task.name:26s} {row.seconds:6.2f} s  {state}, {row.method}, {row.lines} lines, "
        f"{row.nodes} nodes{'; ' if faults else ''}{faults}"
    )


def side_by_side(ours: str, persons: str) -> str:
    left, right = ours.strip().splitlines(), persons.strip().splitlines()
    left += [""] * (len(right) - len(left))
    right += [""] * (len(left) - len(right))
    wide = max(50, min(COLUMNS, max(map(len, left))))
    return "\n".join(f"    {a:{wide}s} | {b}".rstrip() for a, b in zip(left, right)) + "\n"


def as_short(row: Written) -> bool:
    """Whether it is exact, without defects, and has no more nodes than the person's."""
    return row.exact and not row.faults and row.nodes <= nodes(row.task.person)


def summary(name: str, rows: list[Written]) -> list[str]:
    lines = [row.lines for row in rows if row.source]
    seconds = [row.seconds for row in rows]
    counts = {kind: sum(row.defects[kind] > 0 for row in rows) for kind in KINDS}
    shown = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    text = [
        f"== {name}: {sum(row.exact for row in rows)} of {len(rows)} exact, "
        f"{sum(row.method == 'table' for row in rows)} tables; programs with defects: "
        f"{sum(row.faults > 0 for row in rows)} ({shown})"
        f"; median {statistics.median(lines or [0]):g} lines of body; extraction: median "
        f"{statistics.median(seconds):.2f} s, longest {max(seconds):.1f} s"
    ]
    if isinstance(rows[0].task, Pair):
        short = [row.task.name for row in rows if as_short(row)]
        long = [row.task.name for row in rows if not as_short(row)]
        text.append(f"== as short as the person's: {len(short)} of {len(rows)}; not: {long}")
    return text


if __name__ == "__main__":
    sys.exit(main())
