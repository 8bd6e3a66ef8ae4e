"""Checks that a recurrent network writes what a program writes, by the certificate.json and the
program.py of a folder: `python check.py FOLDER`, Python alone. docs/proofs.md says why it is sound.

All is in integers, units of 2**-S; every rounding is a floor and is paid for. A set (center,
generators, error) is {center + sum_m s_m generators[m] + d: |s_m| <= 1, |d| <= error}. It holds the
network's value in real arithmetic and rounded to `bits` bits or more, in any order of summation.
"""

import ast
import hashlib
import json
import struct
import sys
from itertools import chain, compress, product
from operator import le, mul
from pathlib import Path

S, BOX, TURN, SLOPE = 96, 44, 50, 30  # units 2**-S of values, of boxes, frames, slopes
ONE, UP = 1 << S, S - BOX - TURN  # UP: from units of a frame times a box to those of values
LARGEST, LONGEST = 2**24, 2**14  # of values and weights; of sums: so underflow is a unit a term
TERMS = 4  # roundings of a term beside those of its sum: of weight, input, product; one to spare
PLAIN = """Assign AugAssign Expr Attribute Name Tuple Constant Load Store BinOp UnaryOp Add Sub
    Mult USub outputs.append sum"""  # of which a step that only adds is made
NODES = """If IfExp BoolOp Compare Call List Subscript FloorDiv Mod Pow LShift
    RShift BitOr BitXor BitAnd And Or Not UAdd Invert Eq NotEq Lt LtE Gt GtE In NotIn"""
CALLED = {f.__name__: f for f in (abs, bool, divmod, int, len, max, min, pow, sorted, sum)}
axis = lambda length, place, value: [value * (i == place) for i in range(length)]
times = lambda row, vector: sum(map(mul, row, vector))
sizes = lambda z: [sum(map(abs, column)) for column in zip(z[0], *z[1], z[2])]  # most of each


def require(condition, message):
    if not condition:
        raise ValueError(message)


class Program:
    """`def program(inputs)` cut into its start and its step; what has another shape is refused."""

    def __init__(self, text):
        said = lambda s: isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)
        *tables, function = [s for s in ast.parse(text).body if not said(s)]
        *starts, empty, loop, last = [s for s in function.body if not said(s)]
        heads = map(ast.unparse, (function.args, empty, loop.iter, last))
        shape = (type(function), function.name, *heads, type(loop), loop.orelse)
        wanted = ("program", "inputs", "outputs = []", "inputs", "return outputs", ast.For, [])
        require(shape == (ast.FunctionDef, *wanted), "program.py is no loop over its inputs")
        require({type(s) for s in tables + starts} <= {ast.Assign}, "it does more at first")
        self.nodes = [node for statement in loop.body for node in ast.walk(statement)]
        of = lambda kind: [node for node in self.nodes if isinstance(node, kind)]
        kinds = {type(node).__name__ for node in chain(self.nodes, *map(ast.walk, tables + starts))}
        require(kinds <= {*PLAIN.split(), *NODES.split()}, f"the program uses one of {kinds}")
        names = [n.id for n in of(ast.Name)]  # a tuple's index changes nothing
        written = [ast.unparse(n) for n in of(ast.Attribute) if n.attr != "index"]
        writes = len(written) == written.count("outputs.append") == names.count("outputs")
        loads = {type(node.ctx) for node in of(ast.Subscript)} <= {ast.Load}
        require(writes and loads and not function.decorator_list, "it changes more than names")
        space = {"__builtins__": CALLED}
        exec(compile(ast.Module(tables, []), "program.py", "exec"), space)
        hash(tuple(space[name] for name in space if name != "__builtins__"))  # there is no list
        targets = chain(*(ast.walk(target) for s in starts for target in s.targets))
        self.names = [node.id for node in targets if isinstance(node, ast.Name)]
        self.letters = ast.unparse(loop.target).strip("()").split(", ")

        def made(arguments, body):  # other names do not outlive a step
            values = "".join(f"{name}, " for name in self.names)
            code = ast.parse(f"def program({arguments}): return ({values})")
            code.body[0].body[:0] = body
            exec(compile(code, "program.py", "exec"), space)
            return space["program"]

        self.start = made("", starts)()
        self.function = made(", ".join([*self.names, "outputs", *self.letters]), loop.body)

    def step(self, state, letter):  # the state after a letter, and what is written
        after = self.function(*state, outputs := [], *letter)
        require(len(outputs) == 1, "the program does not write once a step")
        written = outputs[0] if isinstance(outputs[0], tuple) else (outputs[0],)
        require({*map(type, after + written)} <= {int, bool}, "it holds more than integers")
        return after, written

    def affine(self):
        """Rows and constants over [state, letter], of the state after and of what is written."""
        for node in self.nodes:
            kind = ast.unparse(node.func) if isinstance(node, ast.Call) else type(node).__name__
            scaled = any(isinstance(child, ast.Constant) for child in ast.iter_child_nodes(node))
            scaled = scaled or not isinstance(getattr(node, "op", None), ast.Mult)
            require(kind in PLAIN.split() and scaled, "the program is not affine")
        width, split = len(self.names) + len(self.letters), len(self.names)
        at = lambda numbers: self.step(numbers[:split], numbers[split:])
        base = at([0] * width)
        ends = [at([int(i == j) for i in range(width)]) for j in range(width)]
        rows = lambda k: [[one[k][i] - b for one in ends] for i, b in enumerate(base[k])]
        return [(rows(k), list(map(int, base[k]))) for k in (0, 1)]


def point(numbers):
    """The set of one vector; a fraction of a unit is its error."""
    ratios = [number.as_integer_ratio() for number in numbers]
    return [n * ONE // d for n, d in ratios], [], [int(n * ONE % d > 0) for n, d in ratios]


def intervals(z):
    """Lowest and highest value of each coordinate."""
    return [(c + abs(c) - size, c - abs(c) + size) for c, size in zip(z[0], sizes(z))]


def joined(y, z):
    """Two sets side by side; they share their generators by number."""
    filled = [x[1] + [[0] * len(x[0])] * (len(w[1]) - len(x[1])) for x, w in ((y, z), (z, y))]
    return y[0] + z[0], [g + h for g, h in zip(*filled)], y[2] + z[2]


def affine(rows, bias, z, scale, noise=lambda size, terms: 0):
    """rows z + bias, both in units of 2**-scale; `noise` pays for the machine that computes it."""
    size, terms = sizes(z), len(z[0]) + TERMS
    require({*map(len, rows)} <= {len(z[0])}, "the widths of two layers disagree")
    require(max(size, default=0) < LARGEST * ONE and terms < LONGEST, "a value is too large")
    kept = lambda vector: list(compress(vector, size))  # a zero adds nothing
    center, error, *generators = map(kept, (z[0], z[2], *z[1]))
    rows, paid, size = list(map(kept, rows)), (3 + len(generators)) * (scale > 0), kept(size)
    centers, errors = [], []
    for row, b in zip(rows, bias, strict=True):
        weight = list(map(abs, row))
        total = (times(weight, size) + (abs(b) << S) >> scale) + 1
        centers.append(times(row, center) + (b << S) >> scale)
        errors.append((times(weight, error) >> scale) + paid + noise(total, terms))
    return centers, [[times(row, g) >> scale for row in rows] for g in generators], errors


def relu(z):
    """max(x, 0) of each coordinate: between s x and s x + 2 half for one slope s in [0, 1]."""
    slopes, centers, errors, fresh, unit = [], [], [], [], 1 << SLOPE
    for j, (c, e, (low, high)) in enumerate(zip(z[0], z[2], intervals(z))):
        known = low >= 0 or high <= 0
        slope = unit * (low >= 0) if known else (high << SLOPE) // (high - low)
        half = 0 if known else (max(-slope * low, (unit - slope) * high) >> SLOPE + 1) + 1
        slopes.append(slope)
        centers.append((slope * c >> SLOPE) + half)
        errors.append((slope * e >> SLOPE) + (0 if known else 3 + len(z[1])))
        fresh += [] if known else [axis(len(z[0]), j, half)]
    return centers, [[s * v >> SLOPE for s, v in zip(slopes, g)] for g in z[1]] + fresh, errors


class Network:
    """Layers on a machine that rounds each result to `bits` bits."""

    def __init__(self, record, bits):
        self.bits, layers = bits, [*record["step"], *record["readout"]]
        numbers = [v for rows, bias, _ in layers for v in chain(*rows, bias)] + record["initial"]
        right = {*map(type, numbers)} == {float} and max(map(abs, numbers)) < LARGEST
        require(right, "a weight is no number, or too large")
        digest = hashlib.sha256(struct.pack(f"<{len(numbers)}d", *numbers)).hexdigest()
        require(record["sha256"] == digest, "the weights have another hash")
        self.scale = max(v.as_integer_ratio()[1].bit_length() - 1 for v in numbers)
        whole = lambda values: [int(v * 2**self.scale) for v in values]  # exact, or overflows
        known = [([*map(whole, rows)], whole(bias), f) for rows, bias, f in layers]
        require({f for _, _, f in known} <= {"relu", "none"}, "another nonlinearity")
        self.step, self.readout = known[: len(record["step"])], known[len(record["step"]) :]
        self.start = point(record["initial"])

    def noise(self, size, terms):
        """How far `terms` roundings in a row move a sum of magnitude `size`; underflow included."""
        require(terms < 1 << self.bits, "too many roundings")
        return terms * size // ((1 << self.bits) - terms) + terms

    def run(self, layers, z):
        for rows, bias, after in layers:
            z = affine(rows, bias, z, self.scale, self.noise)
            z = relu(z) if after == "relu" else z
        return z


def rounds_to(raw, said):
    """Whether every member of `raw` is nearer to its integer in `said` than one half."""
    count = len(raw[0])
    require(len(said[0]) == count, "network and program write different numbers of outputs")
    apart = [[(i == j) - (i + count == j) for j in range(2 * count)] for i in range(count)]
    found = intervals(affine(apart, [0] * count, joined(raw, said), 0))
    return all(2 * low > -ONE and 2 * high < ONE for low, high in found)


class Box:
    """{p: low <= inverse (p - origin) <= high}, and a zonotope that holds it."""

    def __init__(self, record):
        self.origin, self.low, self.high = record["origin"], record["low"], record["high"]
        frame, self.inverse = record["frame"], record["inverse"]
        span, columns = range(len(self.origin)), list(zip(*self.inverse, strict=True))
        vectors = (self.origin, self.low, self.high, frame, columns, *frame, *self.inverse)
        require({len(v) for v in vectors} == {len(span)}, "the shapes of a box disagree")
        require({type(v) for v in chain(*vectors[:3], *frame, *columns)} == {int}, "no integers")
        require(all(map(le, self.low, self.high)), "a box is empty")
        unit, off = 1 << 2 * TURN, lambda i, j: unit * (i == j) - times(frame[i], columns[j])
        defect = max(sum(abs(off(i, j)) for j in span) for i in span)  # of frame inverse from 1
        require(defect < unit, "a frame has no inverse")
        ends = ((a + b, b - a, max(-a, b)) for a, b in zip(self.low, self.high))
        middle, wide, most = zip(*ends)
        reach = max(times(map(abs, row), most) for row in frame) << UP
        self.origin = [o << UP + TURN for o in self.origin]
        center = [o + (times(row, middle) << UP - 1) for o, row in zip(self.origin, frame)]
        generators = [[f * w << UP - 1 for f in column] for column, w in zip(zip(*frame), wide)]
        lost = reach * defect // (unit - defect) + (defect > 0)
        self.zonotope = center, generators, [lost] * len(span)

    def require_inside(self, z):
        shifted = [c - o for c, o in zip(z[0], self.origin, strict=True)], *z[1:]
        found = intervals(affine(self.inverse, [0] * len(self.inverse), shifted, 0))
        for (least, most), low, high in zip(found, self.low, self.high):
            inside = low << S + TURN - BOX <= least and most <= high << S + TURN - BOX
            require(inside, "an image leaves its box")


def check_graph(certificate, program, network, words):
    """Boxes that no word (of so many steps; None: any) leaves, and in which both write alike."""
    boxes, successor = [Box(b) for b in certificate["boxes"]], certificate["successor"]
    letters, step, wanted = certificate["letters"], 0, {}
    require({*map(type, chain(*letters))} == {int}, "a letter is no integer")
    boxes[0].require_inside(network.start)
    new = seen = {(program.start, 0)}
    while new and step != words:
        step, reached = step + 1, set()
        for (state, node), (a, letter) in product(new, enumerate(letters)):
            after, written = program.step(state, letter)
            require(wanted.setdefault((node, a), written) == written, "one box, two outputs")
            reached.add((after, successor[node][a]))
        new, seen = reached - seen, seen | reached
    for (node, a), written in wanted.items():
        image = network.run(network.step, joined(boxes[node].zonotope, point(letters[a])))
        boxes[successor[node][a]].require_inside(image)
        raw = network.run(network.readout, image)
        require(rounds_to(raw, point(written)), "an output could be another one")
    return f"{len(letters)} letters, from {min(letters)} to {max(letters)}"


def side_by_side(certificate, program, network):
    """Both states at the start, and from a set of them to that after any letter, and if right."""
    bounds, hidden = certificate["bounds"], len(network.start[0])
    registers, outputs = program.affine()
    diagonal = lambda values: [axis(len(values), j, v) for j, v in enumerate(values)]
    wide = diagonal([high - low << S - 1 for low, high in bounds])

    def step(z):  # errors become generators, which may cancel
        z = z[0], z[1] + [g for g in diagonal(z[2]) if any(g)], [0] * len(z[2])
        middle = [low + high << S - 1 for low, high in bounds]
        x = middle, [[0] * len(bounds)] * len(z[1]) + wide, [0] * len(bounds)
        part = lambda span: (z[0][span], [g[span] for g in z[1]], z[2][span])
        after = network.run(network.step, joined(part(slice(hidden)), x))
        below = joined(part(slice(hidden, None)), x)
        right = rounds_to(network.run(network.readout, after), affine(*outputs, below, 0))
        return joined(after, affine(*registers, below, 0)), right

    return joined(network.start, point(program.start)), step


def check_affine(certificate, program, network, words):
    """All words at once; a long one has been in a box that none leaves `unrolled` steps before."""
    start, step = side_by_side(certificate, program, network)
    length = words or certificate["unrolled"]
    sets = [(start, 0)]  # and the first step from which outputs must be right
    if words is None:
        box = Box(certificate["box"])
        box.require_inside(start)
        box.require_inside(step(box.zonotope)[0])
        sets.append((box.zonotope, length - 1))
    require(length > 0, "a claim about no words")
    for z, first in sets:
        for number in range(length):
            z, right = step(z)
            require(right or number < first, "an output could be another one")
    return f"inputs within {certificate['bounds']}"


def check(certificate, text):
    """What a certificate proves of a program's text; raises an error where it does not."""
    program, record = Program(text.decode()), certificate["network"]
    require(certificate["format"] == "mips-jax certificate 1", "a certificate of another format")
    require(certificate["program"] == hashlib.sha256(text).hexdigest(), "another program.py")
    words, bits, by = (certificate[name] for name in ("words", "bits", "by"))
    require(1 < bits < 54 and (words is None or 0 < words == int(words)), "a claim of nothing")
    how = {"graph": check_graph, "affine": check_affine}[by]
    inputs = how(certificate, program, Network(record, bits), words)
    length = "every length" if words is None else f"up to {words} steps"
    which = f"every word of {length} over {inputs}, computed with {bits} bits or more"
    return f"network {record['sha256'][:16]} writes what program.py writes on {which}"


def main(arguments):
    try:
        (folder,) = map(Path, arguments)
        certificate = json.loads((folder / "certificate.json").read_text())
        print("proven:", check(certificate, (folder / "program.py").read_bytes()))
    except Exception as error:
        print(f"NOT proven: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
