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
from itertools import chain, compress, product
from operator import mul
from pathlib import Path

S, BOX, TURN, SLOPE = 96, 64, 50, 30  # units 2**-S of values, of boxes, inverses, slopes
ONE, UNIT = 1 << S, 1 << SLOPE
LARGEST, LONGEST = 2**24, 2**14  # of values and weights; of sums: so underflow is a unit a term
TERMS = 4  # roundings of a term beside those of its sum: of weight, input, product; one to spare
ROUGH, FLAT = 16, decimal.Decimal(200)  # roundings of tanh, sigmoid; where that is nearly 0 or 1
PLAIN = """Assign AugAssign Expr Attribute Name Tuple Constant Load Store BinOp UnaryOp Add Sub
    Mult USub outputs.append sum"""  # of which a step that only adds is made
NODES = """If IfExp BoolOp Compare Call List Subscript FloorDiv Mod Pow LShift
    RShift BitOr BitXor BitAnd And Or Not UAdd Invert Eq NotEq Lt LtE Gt GtE In NotIn"""
CALLED = {f.__name__: f for f in (abs, bool, divmod, int, len, max, min, pow, sorted, sum)}
NEEDED = "network", "words", "bits", "by", "letters", "successor", "boxes"
NETWORK = "step", "readout", "initial", "inputs", "classes"  # whose text is hashed
axis = lambda length, place, value: [value * (i == place) for i in range(length)]
dot = lambda row, vector: sum(map(mul, row, vector))
sizes = lambda z: [sum(map(abs, column)) for column in zip(*z)]  # most of each coordinate
intervals = lambda z: [(c + abs(c) - size, c - abs(c) + size) for c, size in zip(z[0], sizes(z))]

errors = lambda z: [axis(len(z[1]), j, e) for j, e in enumerate(z[1]) if e]  # that may cancel
spread = lambda z: [z[0], [0] * len(z[1]), *z[2:], *errors(z)]


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
        self.nodes = [node for statement in loop.body for node in ast.walk(statement)]
        of = lambda kind: [node for node in self.nodes if isinstance(node, kind)]
        require({type(s) for s in tables + starts} <= {ast.Assign}, "it does more at first")
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
        values, read = "".join(f"{name}, " for name in self.names), ", ".join(self.letters)
        for head, body in ("", starts), (f"{values}outputs, {read}", loop.body):
            code = ast.parse(f"def program({head}): return ({values})")
            code.body[0].body[:0] = body  # other names do not outlive a step
            exec(compile(code, "program.py", "exec"), space)
            self.start, self.function = getattr(self, "function", tuple), space["program"]

    def step(self, state, letter):  # the state after a letter, and what is written
        after = self.function(*state, outputs := [], *letter)
        written = outputs[0] if isinstance(outputs[0], tuple) else (outputs[0],)
        require({*map(type, after + written)} <= {int, bool} and len(outputs) == 1, "no integers")
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
        *ends, base = [at(axis(width, j, 1)) for j in range(width + 1)]
        rows = lambda k: [[one[k][i] - b for one in ends] for i, b in enumerate(base[k])]
        return [(rows(k), list(map(int, base[k]))) for k in (0, 1)]


def point(numbers):
    """The set of one vector; a fraction of a unit is its error."""
    ratios = [number.as_integer_ratio() for number in numbers]
    return [[n * ONE // d for n, d in ratios], [int(n * ONE % d > 0) for n, d in ratios]]


def joined(*sets):
    """Side by side; what has the same number varies together."""
    filled = [z + [[0] * len(z[0])] * (max(map(len, sets)) - len(z)) for z in sets]
    return [list(chain(*columns)) for columns in zip(*filled)]


def affine(rows, bias, z, scale=0, noise=lambda size, terms: 0):
    """rows z + bias, both in units of 2**-scale; `noise` pays for the machine that computes it."""
    size = sizes(z)
    require({*map(len, rows)} <= {len(size)}, "the widths of two layers disagree")
    require(max(size, default=0) < LARGEST * ONE and len(size) < LONGEST, "a value is too large")
    kept = lambda vectors: [list(compress(v, size)) for v in vectors]  # a zero adds nothing
    rows, z, (size,) = kept(rows), kept(z), kept([size])
    image = [[dot(row, v) >> scale for row in rows] for v in z]
    for i, (row, b) in enumerate(zip(rows, bias, strict=True)):
        weight, terms = list(map(abs, row)), len(row) - row.count(0) + TERMS
        total = (dot(weight, size) + (abs(b) << S) >> scale) + 1
        error = (dot(weight, z[1]) >> scale) + (2 + len(z)) * (scale > 0)
        image[0][i] += b << S >> scale
        image[1][i] = error + noise(total, terms)
    return image


def rounds_to(raw, said):
    """Whether every member of `raw` is nearer to its integer in `said` than one half."""
    apart = [[v - w for v, w in zip(c, c[len(raw[0]) :])] for c in joined(raw, said)]
    apart[1] = [v + w for v, w in zip(raw[1], said[1], strict=True)]
    return all(2 * low > -ONE and 2 * high < ONE for low, high in intervals(apart))


def line(name, low, high):
    """A slope s, and least and most of f(x) - s x on [low, high]; for a ReLU any s in [0, 1] will
    do, 1 / (1 + exp(-x)) - s x is extreme at the ends or where the slope of the first is s."""
    if name == "relu":
        slope = high * UNIT // (high - low) if low < 0 < high else UNIT * (low >= 0)
        return slope, 0, -(min(slope * low, (slope - UNIT) * high, 0) >> SLOPE) * (low < 0 < high)
    if name == "tanh":  # 2 sigmoid(2 x) - 1
        slope, least, most = line("sigmoid", 2 * low, 2 * high)
        return 4 * slope, 2 * least - ONE, 2 * most - ONE
    require(name == "sigmoid", "another nonlinearity")
    number, value = decimal.Decimal, lambda x: 1 / (1 + (-max(-FLAT, min(FLAT, x))).exp())
    with decimal.localcontext(decimal.Context(prec=60)):
        low, high = number(low) / ONE, number(high) / ONE
        slope = int(UNIT * (value(high) - value(low)) / max(high - low, 1 / number(ONE))) or 1
        s = number(slope) / UNIT
        root = (1 - 4 * s).sqrt()
        at = ((1 + root) ** 2 / (4 * s)).ln()
        inner = [sign for sign in (1, -1) if low <= sign * at <= high]
        found = [(1 + sign * root) / 2 - sign * s * at for sign in inner]
        found += [value(x) - s * x for x in (low, high)]
        return slope, int(min(found) * ONE) - 2, int(max(found) * ONE) + 2


class Network:
    """Instructions of a step and of what is read out, on a machine that rounds to `bits` bits."""

    def __init__(self, record, bits):
        known = step, readout, initial, self.inputs, self.classes = [record[k] for k in NETWORK]
        good = record["sha256"] == hashlib.sha256(json.dumps(known).encode()).hexdigest()
        leaves = lambda v: chain(*map(leaves, v)) if isinstance(v, list) else [v]
        numbers = [v for v in leaves(known[:4]) if type(v) in (int, float)]
        require(good and max(map(abs, numbers)) < LARGEST, "another hash, or a weight too large")
        self.bits, self.scale = bits, max(v.as_integer_ratio()[1].bit_length() - 1 for v in numbers)
        whole = lambda v: [*map(whole, v)] if isinstance(v, list) else round(v * 2**self.scale)
        exact = lambda part: [(name, read, *map(whole, maps)) for name, read, *maps in part]
        self.step, self.readout, self.start = exact(step), exact(readout), point(initial)

    def noise(self, size, terms):
        """How far `terms` roundings in a row move a sum of magnitude `size`; underflow included."""
        require(terms < 1 << self.bits, "too many roundings")
        return terms * size // ((1 << self.bits) - terms) + terms

    def run(self, instructions, *values):
        """The last result; each instruction reads some of the values before it."""
        values = list(values)
        for name, read, *maps in instructions:
            sets, taken = [values[k] for k in read], max(map(len, values))
            z = affine(*maps, joined(*sets), self.scale, self.noise) if maps else self.times(*sets)
            values.append(z if name in ("none", "times") else self.curved(name, z, taken))
        return values[-1]

    def times(self, y, z):
        """Products; what the deviations of two factors make of each other is an error."""
        width, (center, _, *generators) = len(y[0]), joined(y, z)
        turned = center[width:] + center[:width]
        across = [[g * c >> S for g, c in zip(column, turned)] for column in generators]
        image = [[v + w for v, w in zip(column, column[width:])] for column in across]
        products, errors = [c * d >> S for c, d in zip(y[0], z[0], strict=True)], []
        for c, p, e, d, q, f in zip(y[0], sizes(y), y[1], z[0], sizes(z), z[1]):
            missed = abs(c) * f + abs(d) * e + (p - abs(c)) * (q - abs(d)) >> S
            errors.append(missed + 3 + 2 * len(image) + self.noise((p * q >> S) + 1, TERMS))
        return [products, errors, *image]

    def curved(self, name, z, taken):
        """Lines, and what f is off them: of a ReLU a generator, after those taken; or an error."""
        off, lines = (ROUGH << S >> self.bits) + 1, [line(name, *ends) for ends in intervals(z)]
        image = [[slope * v >> SLOPE for (slope, _, _), v in zip(lines, c)] for c in z]
        for j, (slope, least, most) in enumerate(lines):
            half, exact = most - least + 1 >> 1, least == most and slope in (0, UNIT)
            image[0][j] += least + most >> 1
            image[1][j] += (0 if exact else 2 + len(z)) + (half + off) * (name != "relu")
            if half and name == "relu":
                image += [[0] * len(lines)] * (taken - len(image)) + [axis(len(lines), j, half)]
        return image

    def writes(self, raw, said):
        """Whether each member of `raw` is read as the integers `said`."""
        if self.classes is None:
            return rounds_to(raw, point(said))
        span = range(len(self.classes))
        require(len(span) == len(raw[0]) and len(said) == 1, "another number of outputs")
        others = [j for j in span if self.classes[j] != said[0]]
        lead = lambda i, j: affine([[(k == i) - (k == j) for k in span]], [0], raw)
        ahead = lambda i: all(intervals(lead(i, j))[0][0] > 0 for j in others)
        return any(map(ahead, {*span} - {*others}))


def inside(box, z):
    """Whether s = inverse (z - center) is within 1, and what it leaves of z - center in error."""
    (center, error, *generators), inverse = box["set"], box["inverse"]
    good = {*map(type, chain(*box["set"], *inverse))} == {int} and min(error) >= 0
    moved = [[c - (o << S - BOX) for c, o in zip(z[0], center, strict=True)], *z[1:]]
    most, frame, back = sizes(moved), zip(*generators, strict=True), list(zip(*inverse))
    for i, (row, e) in enumerate(zip(frame, error, strict=True)):
        left = [((i == j) << BOX + TURN) - dot(row, g) for j, g in enumerate(back)]
        good = good and dot(map(abs, left), most) <= e << S + TURN
    shares = intervals(affine(inverse, [0] * len(generators), moved))
    return good and all(low >= -ONE << TURN and high <= ONE << TURN for low, high in shares)


def both_sides(by, letters, program, network):
    """Where both begin, the program's step, and what follows on a set (with registers, if sums)."""
    hidden, sums = len(network.start[0]), by == "affine"
    if sums:
        require(network.inputs is network.classes is None, "it reads or writes no numbers")
        registers, outputs = program.affine()
        middle, wide = ([a + sign * b << S - 1 for b, a in letters[0]] for sign in (1, -1))
        inputs = [[middle, [0] * len(wide), *(axis(len(wide), j, w) for j, w in enumerate(wide))]]
        begin = joined(network.start, point(program.start())), (), lambda *_: ((), ())
    else:
        inputs = [point(x) for x in network.inputs or letters]
        require({*map(type, chain(*letters))} == {int} and len(inputs) == len(letters), "letters")
        begin = network.start, program.start(), program.step

    def follow(z, a, written):
        x = inputs[a][:2] + [[0] * len(inputs[a][0])] * (len(z) - 2) + inputs[a][2:]
        image = network.run(network.step, [column[:hidden] for column in z], x)
        raw = network.run(network.readout, image)
        if not sums:
            return image, network.writes(raw, written)
        below = joined([column[hidden:] for column in z], x)
        return joined(image, affine(*registers, below)), rounds_to(raw, affine(*outputs, below))

    return *begin, follow


def check(certificate, text):
    """What a certificate proves of a program's text; raises an error where it does not."""
    record, words, bits, by, letters, successor, boxes = (certificate[name] for name in NEEDED)
    require(certificate["format"] == "mips-jax certificate 2", "another format")
    require(certificate["program"] == hashlib.sha256(text).hexdigest(), "another program.py")
    require(1 < bits < 54 and (words is None or 0 < words == int(words)), "a claim of nothing")
    start, state, step, follow = both_sides(by, letters, Program(text), Network(record, bits))
    sets = [box and [[v << S - BOX for v in column] for column in box["set"]] for box in boxes]
    sets[0], new, seen, wanted, count = start, {(state, 0)}, set(), {}, 0
    while new and count != words:
        count, seen, last, new = count + 1, seen | new, new, set()
        for (state, node), (a, letter) in product(last, enumerate(letters)):
            state, written = step(state, letter)
            require(wanted.setdefault((node, a), written) == written, "one box, two outputs")
            new.add((state, successor[node][a]))
        new -= seen
    for (node, a), written in sorted(wanted.items()):
        (image, right), after = follow(sets[node], a, written), successor[node][a]
        require(right, "an output could be another one")
        require(after > 0 and (boxes[after] or sets[after] is None), "two ways to what has no box")
        require(not boxes[after] or inside(boxes[after], image), "an image leaves its box")
        sets[after] = sets[after] or spread(image)
    about = {"graph": f"{len(letters)} of {min(letters)} to {max(letters)}", "affine": letters[0]}
    length = "every length" if words is None else f"up to {words} steps"
    which = f"every word of {length} over {about[by]}, computed with {bits} bits or more"
    return f"network {record['sha256'][:16]} writes what program.py writes on {which}"


def main(arguments):
    try:
        (folder,) = map(Path, arguments)
        certificate = json.loads((folder / "certificate.json").read_text())
        print("proven:", check(certificate, (folder / "program.py").read_bytes()))
        return 0
    except Exception as error:
        print(f"NOT proven: {type(error).__name__}: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
