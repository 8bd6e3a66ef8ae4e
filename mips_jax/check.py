"""Checks that a recurrent network writes what a program writes, by the certificate.json and the
program.py of a folder: `python check.py FOLDER`, Python alone. docs/proofs.md says why it is sound.

All is in integers, units of 2**-S; every rounding is a floor and is paid for. A set [center, error,
*generators] is {center + sum_m s_m generators[m] + d: |s_m| <= 1, |d| <= error}. It holds the
network's value in real arithmetic and rounded to `bits` bits or more, in any order of summation.
"""

import ast
import decimal
import hashlib
import json
import sys
from functools import reduce
from itertools import chain, compress, product
from operator import add, le, mul, sub
from pathlib import Path

S, BOX, TURN, SLOPE = 96, 44, 50, 30  # units 2**-S of values, of boxes, frames, slopes
ONE, UNIT, UP = 1 << S, 1 << SLOPE, S - BOX - TURN  # UP: from a frame times a box to values
LARGEST, LONGEST = 2**24, 2**14  # of values and weights; of sums: so underflow is a unit a term
TERMS = 4  # roundings of a term beside those of its sum: of weight, input, product; one to spare
CURVES, FLAT = (
    16,
    decimal.Decimal(200),
)  # units of rounding of tanh or sigmoid; it is 0 or 1 beyond FLAT, nearly
PLAIN = """Assign AugAssign Expr Attribute Name Tuple Constant Load Store BinOp UnaryOp Add Sub
    Mult USub outputs.append sum"""  # of which a step that only adds is made
NODES = """If IfExp BoolOp Compare Call List Subscript FloorDiv Mod Pow LShift
    RShift BitOr BitXor BitAnd And Or Not UAdd Invert Eq NotEq Lt LtE Gt GtE In NotIn"""
NETWORK = "step", "readout", "initial", "inputs", "classes"
CALLED = {f.__name__: f for f in (abs, bool, divmod, int, len, max, min, pow, sorted, sum)}
axis = lambda length, place, value: [value * (i == place) for i in range(length)]
dot = lambda row, vector: sum(map(mul, row, vector))
sizes = lambda z: [sum(map(abs, column)) for column in zip(*z)]  # most of each coordinate
intervals = lambda z: [(c + abs(c) - s, c - abs(c) + s) for c, s in zip(z[0], sizes(z))]
part = lambda z, start, end: [column[start:end] for column in z]
joined = lambda *several: reduce(lambda y, z: together(add, y, z), several)  # side by side


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
    return [[n * ONE // d for n, d in ratios], [int(n * ONE % d > 0) for n, d in ratios]]


def together(f, y, z):
    """f of the columns of two sets; what has the same number varies together."""
    long = max(len(y), len(z))
    return list(map(f, *(x + [[0] * len(x[0])] * (long - len(x)) for x in (y, z))))


def spread(z):
    """The same set, its errors being generators, which may cancel."""
    new = [axis(len(z[1]), j, e) for j, e in enumerate(z[1]) if e]
    return [z[0], [0] * len(z[1]), *z[2:], *new]


def affine(rows, bias, z, scale=0, noise=lambda size, terms: 0):
    """rows z + bias, both in units of 2**-scale; `noise` pays for the machine that computes it."""
    size, terms = sizes(z), len(z[0]) + TERMS
    require({*map(len, rows)} <= {len(z[0])}, "the widths of two layers disagree")
    require(max(size, default=0) < LARGEST * ONE and terms < LONGEST, "a value is too large")
    rows, z, known = ([list(compress(v, size)) for v in vs] for vs in (rows, z, [size]))
    image, paid = [[dot(row, v) >> scale for row in rows] for v in z], (2 + len(z)) * (scale > 0)
    for i, (row, b) in enumerate(zip(rows, bias, strict=True)):
        weight = list(map(abs, row))
        image[0][i] += b << S >> scale
        total = (dot(weight, known[0]) + (abs(b) << S) >> scale) + 1
        image[1][i] = (dot(weight, z[1]) >> scale) + paid + noise(total, terms)
    return image


def times(y, z, noise):
    """Products; what the deviations of two factors make of each other is an error."""
    cross = lambda g, h: [a * v + b * u >> S for a, b, u, v in zip(y[0], z[0], g, h, strict=True)]
    image = together(cross, y, z)
    image[0] = [c >> 1 for c in image[0]]
    for i, (a, p, e, b, q, f) in enumerate(zip(y[0], sizes(y), y[1], z[0], sizes(z), z[1])):
        missed = abs(a) * f + abs(b) * e + (p - abs(a)) * (q - abs(b)) >> S
        image[1][i] = missed + 2 + len(image) + noise((p * q >> S) + 1, TERMS)
    return image


def plus(y, z, noise=lambda size, terms: 0, sign=add):
    """y + z, or y - z."""
    image = together(lambda u, v: list(map(sign, u, v)), y, z)
    for i, (p, q) in enumerate(zip(sizes(y), sizes(z), strict=True)):
        image[1][i] = y[1][i] + z[1][i] + noise(p + q, 2 + TERMS)
    return image


minus = lambda y, z, noise: plus(y, z, noise, sub)


def relu(low, high):
    """A slope s, and least and most of max(x, 0) - s x on [low, high]; any s in [0, 1] will do."""
    if low >= 0 or high <= 0:
        return UNIT * (low >= 0), 0, 0
    slope = high * UNIT // (high - low)
    return slope, 0, (max(-slope * low, (UNIT - slope) * high) >> SLOPE) + 1


def sigmoid(low, high):
    """The same of 1 / (1 + exp(-x)): extreme at the ends, or where its slope is s."""
    number, value = decimal.Decimal, lambda x: 1 / (1 + (-max(-FLAT, min(FLAT, x))).exp())
    with decimal.localcontext(decimal.Context(prec=60)):
        low, high = number(low) / ONE, number(high) / ONE
        slope = int(UNIT * (value(high) - value(low)) / max(high - low, 1 / number(ONE)))
        s = number(slope) / UNIT
        found = [value(x) - s * x for x in (low, high)]
        if slope:
            root = (1 - 4 * s).sqrt()
            at = ((1 + root) ** 2 / (4 * s)).ln()
            inside = [sign for sign in (1, -1) if low <= sign * at <= high]
            found += [(1 + sign * root) / 2 - sign * s * at for sign in inside]
        return slope, int(min(found) * ONE) - 2, int(max(found) * ONE) + 2


def tanh(low, high):  # 2 sigmoid(2 x) - 1
    slope, least, most = sigmoid(2 * low, 2 * high)
    return 4 * slope, 2 * least - ONE, 2 * most - ONE


def curved(z, bounds, rough, taken):
    """f of each coordinate: a line, and what f is off it; that is a generator, in number after
    those that are taken, or an error, if `taken` is None."""
    lines = [bounds(low, high) for low, high in intervals(z)]
    image, new = [[line[0] * v >> SLOPE for line, v in zip(lines, column)] for column in z], []
    for j, (slope, least, most) in enumerate(lines):
        half, exact = most - least + 1 >> 1, least == most and slope in (0, UNIT)
        image[0][j] += least + most >> 1
        image[1][j] += rough + (0 if exact else 2 + len(z)) + half * (taken is None)
        new += [axis(len(lines), j, half)] if half and taken is not None else []
    return image + [[0] * len(lines)] * (taken - len(z) if new else 0) + new


class Network:
    """Instructions on a machine that rounds each result to `bits` bits."""

    def __init__(self, record, bits):
        self.bits, self.classes, self.inputs = bits, record["classes"], record["inputs"]
        digest = hashlib.sha256(json.dumps([record[key] for key in NETWORK]).encode()).hexdigest()
        require(record["sha256"] == digest, "the network has another hash")
        leaves = lambda v: [*chain(*map(leaves, v))] if isinstance(v, list) else [v]
        numbers = [v for v in leaves([record[k] for k in NETWORK[:4]]) if type(v) in (int, float)]
        require(max(map(abs, numbers)) < LARGEST, "a weight is too large")
        self.scale = max(v.as_integer_ratio()[1].bit_length() - 1 for v in numbers)
        whole = lambda v: [*map(whole, v)] if isinstance(v, list) else int(v * 2**self.scale)
        known = lambda p: [*p[:2], *map(whole, p[2:])] if p[0] == "affine" else p  # exact
        self.step, self.readout = (
            [*map(known, part)] for part in (record["step"], record["readout"])
        )
        self.start = point(record["initial"])

    def noise(self, size, terms):
        """How far `terms` roundings in a row move a sum of magnitude `size`; underflow included."""
        require(terms < 1 << self.bits, "too many roundings")
        return terms * size // ((1 << self.bits) - terms) + terms

    def run(self, instructions, *values):
        """The last result; each reads some of the values before it."""
        values, rough = list(values), (CURVES << S >> self.bits) + 1
        two = {"times": times, "plus": plus, "minus": minus}
        for name, first, *rest in instructions:
            if name == "join":
                z = joined(*(values[k] for k in [first, *rest]))
            elif name == "affine":
                z = affine(*rest, values[first], self.scale, self.noise)
            elif name == "part":
                z = part(values[first], *rest)
            elif name == "relu":
                z = curved(values[first], relu, 0, max(map(len, values)))
            elif name in two:
                z = two[name](values[first], values[rest[0]], self.noise)
            else:
                z = curved(values[first], {"tanh": tanh, "sigmoid": sigmoid}[name], rough, None)
            values.append(z)
        return values[-1]

    def writes(self, raw, said):
        """Whether each member of `raw` is read as the integers `said`."""
        if self.classes is None:
            return rounds_to(raw, point(said))
        require(len(self.classes) == len(raw[0]) and len(said) == 1, "another number of outputs")
        one = lambda i: part(raw, i, i + 1)
        above = lambda i, j: intervals(plus(one(i), one(j), sign=sub))[0][0] > 0
        right, wrong = [
            [i for i, v in enumerate(self.classes) if (v == said[0]) == w] for w in (1, 0)
        ]
        return any(all(above(i, j) for j in wrong) for i in right)


def rounds_to(raw, said):
    """Whether every member of `raw` is nearer to its integer in `said` than one half."""
    found = intervals(plus(raw, said, sign=sub))
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
        unit, off = 1 << 2 * TURN, lambda i, j: unit * (i == j) - dot(frame[i], columns[j])
        defect = max(sum(abs(off(i, j)) for j in span) for i in span)  # of frame inverse from 1
        require(defect < unit, "a frame has no inverse")
        ends = ((a + b, b - a, max(-a, b)) for a, b in zip(self.low, self.high))
        middle, wide, most = zip(*ends)
        reach = max(dot(map(abs, row), most) for row in frame) << UP
        self.origin = [o << UP + TURN for o in self.origin]
        center = [o + (dot(row, middle) << UP - 1) for o, row in zip(self.origin, frame)]
        generators = [[f * w << UP - 1 for f in column] for column, w in zip(zip(*frame), wide)]
        lost = reach * defect // (unit - defect) + (defect > 0)
        self.zonotope = [center, [lost] * len(span), *generators]

    def require_inside(self, z):
        shifted = [[c - o for c, o in zip(z[0], self.origin, strict=True)], *z[1:]]
        found = intervals(affine(self.inverse, [0] * len(self.inverse), shifted))
        for (least, most), low, high in zip(found, self.low, self.high):
            inside = low << S + TURN - BOX <= least and most <= high << S + TURN - BOX
            require(inside, "an image leaves its box")


def check_graph(certificate, program, network, words):
    """Boxes that no word (of so many steps; None: any) leaves, and in which both write alike."""
    boxes = [b and Box(b) for b in certificate["boxes"]]
    sets, successor = [b and b.zonotope for b in boxes], certificate["successor"]
    letters, step, wanted = certificate["letters"], 0, {}
    require({*map(type, chain(*letters))} == {int}, "a letter is no integer")
    inputs = network.inputs or letters
    require(len(inputs) == len(letters), "another number of letters is encoded")
    boxes[0].require_inside(network.start)
    new = seen = {(program.start, 0)}
    while new and step != words:
        step, reached = step + 1, set()
        for (state, node), (a, letter) in product(new, enumerate(letters)):
            after, written = program.step(state, letter)
            require(wanted.setdefault((node, a), written) == written, "one box, two outputs")
            reached.add((after, successor[node][a]))
        new, seen = reached - seen, seen | reached
    for (node, a), written in sorted(wanted.items()):
        image = network.run(network.step, sets[node], point(inputs[a]))
        raw, after = network.run(network.readout, image), successor[node][a]
        require(network.writes(raw, written), "an output could be another one")
        require(boxes[after] or sets[after] is None, "two ways to a node without a box")
        if boxes[after]:
            boxes[after].require_inside(image)
        else:
            sets[after] = spread(image)
    return f"{len(letters)} letters, from {min(letters)} to {max(letters)}"


def side_by_side(certificate, program, network):
    """Both states at the start, and from a set of them to that after any letter, and if right."""
    bounds, hidden = certificate["bounds"], len(network.start[0])
    require(network.inputs is None and network.classes is None, "numbers are not what it reads")
    registers, outputs = program.affine()
    middle, zeros = [low + high << S - 1 for low, high in bounds], [0] * len(bounds)
    wide = [axis(len(bounds), j, high - low << S - 1) for j, (low, high) in enumerate(bounds)]

    def step(z):
        z = spread(z)
        x = [middle, zeros, *[zeros] * (len(z) - 2), *wide]
        after = network.run(network.step, part(z, 0, hidden), x)
        below = joined(part(z, hidden, None), x)
        right = rounds_to(network.run(network.readout, after), affine(*outputs, below))
        return joined(after, affine(*registers, below)), right

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
    require(certificate["format"] == "mips-jax certificate 2", "a certificate of another format")
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
