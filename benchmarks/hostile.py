"""Hostile requests: wrong options, damaged files, odd folders, functions that misbehave, broken
environments, signals, wrong calls of the library.

    python -m benchmarks.hostile --jobs=2             # all
    python -m benchmarks.hostile --sample=60 --fast   # some of those that need no own process

Each must end as one message with the exit code that it deserves (2: the request, 3: the
environment), without a traceback, with nothing half-written, and with everything that was there
before. Prints a table of categories, what failed, and `N of N`.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import functools
import hashlib
import io
import itertools
import json
import os
import random
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import time
import typing
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from mips_jax.command_line.main import main
from mips_jax.errors import RequestError
from mips_jax.extraction import ExtractionSettings, extract
from mips_jax.networks import MLPRNN, load_network, save_network
from mips_jax.pipeline import PipelineSettings, distil, distil_given, distil_network
from mips_jax.sequences import Sequences
from mips_jax.tasks import Task, get_task
from mips_jax.tasks.examples import example_task
from mips_jax.tasks.from_function import FunctionTask
from mips_jax.training.settings import (
    DeviceSettings,
    ModelSettings,
    PressureSettings,
    TrainingSettings,
)
from mips_jax.verification import VerificationSettings

TINY = ("task=Prev1", "debug=tiny")
NETWORK = ("network=file", "network.path=net.npz")
RANGE = ("network.input_min=0", "network.input_max=9")
LIBRARY_SECONDS = 20  # a wrong call is refused before any work


@dataclasses.dataclass(frozen=True)
class Hostile:
    """One request.

    Attributes:
        category, name: for the table.
        act: in an empty folder with `net.npz` and `data.npz` -> exit code and what stderr got.
        codes: exit codes that it deserves.
        fast: whether it needs no process of its own.
        prepare: puts into the folder what the request meets there, and what must stay.
    """

    category: str
    name: str
    act: Callable[[], tuple[int | str, str]]
    codes: tuple[int, ...] = (2,)
    fast: bool = True
    prepare: Callable[[], object] = lambda: None


def command(*arguments: str) -> tuple[int, str]:
    """The command line in this process."""
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        code = main(arguments)
    return code, errors.getvalue()


def process(
    *arguments: str,
    environment: dict[str, str] | None = None,
    interrupt: tuple[int, float] | None = None,
    before: str = "",
) -> tuple[int | str, str]:
    """The command line in a process of its own.

    Args:
        arguments: of `mips-jax`.
        environment: variables that differ.
        interrupt: a signal, and the seconds after which it is sent.
        before: shell commands that are run in the same shell first (limits).
    """
    quoted = " ".join("'" + argument.replace("'", "'\\''") + "'" for argument in arguments)
    line = f"{before} exec {sys.executable} -m mips_jax {quoted}"
    running = subprocess.Popen(
        ["bash", "-c", line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
    )
    try:
        if interrupt is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(interrupt[1])
            running.send_signal(interrupt[0])
        _, errors = running.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        running.kill()
        running.communicate()
        return "no end", ""
    return running.returncode, errors


def library(call: Callable) -> tuple[int | str, str]:
    """A call of the library: a RequestError is a refusal, before any work."""
    began = time.monotonic()
    try:
        call()
    except RequestError as error:
        late = time.monotonic() - began > LIBRARY_SECONDS
        return ("late" if late else 2), f"mips-jax: {'; '.join(error.problems)}"
    return 0, ""


# -- options


def wrong_values(hint, metadata) -> list[str]:
    """Texts that a field of this kind does not take."""
    if "choices" in metadata:
        return ["nope", "7", "[a]"]
    texts = {
        int: ["many", "0.5", "[1,2]", "1e999", "{a:1}", "99999999999999999999999"],
        float: ["fast", "nan", "inf", "-inf", "[1,2]", "null"],
        bool: ["maybe", "null", "[true]"],
        str: ["null", "[a]", "{a:1}"],
    }.get(hint, ["a", "[]", "[0]", "[1.5]", "[x]", "null", "[-1]", "[nan]"])
    limits = metadata.get("limits")
    if limits is not None and hint in (int, float):
        texts = [*texts, str(limits.low - 1)]
        if limits.high is None and hint is int:
            texts = [text for text in texts if not text.startswith("999")]
    return texts


def option_cases() -> Iterator[Hostile]:
    """Every field of every group with every wrong value of its kind."""
    groups = {
        "": PipelineSettings,
        "model.": ModelSettings,
        "training.": TrainingSettings,
        "training.pressure.": PressureSettings,
        "training.device.": DeviceSettings,
        "extraction.": ExtractionSettings,
        "verification.": VerificationSettings,
    }
    for prefix, kind in groups.items():
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if dataclasses.is_dataclass(hints[field.name]) or "None" in str(hints[field.name]):
                continue
            for text in wrong_values(hints[field.name], field.metadata):
                argument = f"{prefix}{field.name}={text}"
                yield Hostile("options", argument, lambda a=argument: command(*TINY, a))


ARGUMENTS = [
    "task",
    "=1",
    "",
    "tasks x",
    "-m",
    "--cfg foo",
    "task=Prev1 task=Prev2",
    "task=Prev9",
    "task=null",
    "task=[Prev1]",
    "task={a:1}",
    "~task",
    "task=file",
    "task=function",
    "network=file",
    "task=Prev1 network=file",
    "task=Prev1 +x=1",
    "task=Prev1 +x=${oc.env:HOME}",
    "task=Prev1 training=nope",
    "task=Prev1 trainings=1",
    "task=Prev1 task.length=0",
    "task=Prev1 task.length=1001",
    "task=Prev1 task.length=1e999",
    "task=Prev1 hydra.mode=MULTIRUN",
    "task=Prev1,Prev2",
    "-m task=Prev1,Nope",
    "--config-dir /nope task=Prev1",
    "task=Prev1 training.seed=${no.such}",
    "task=Prev1 hydra.launcher._target_=os.system",
    "task=Prev1 hydra.sweeper._target_=builtins.print -m",
    "benchmark task=Nope",
    "benchmark --nope",
    "task=Prev1 overwrite=maybe",
    "task=Prev1 overwrite=null",
    "task=Prev1 model.hidden_dims=3",
    "task=file task.path=/",
    "task=file task.path=no.npz",
    "task=file task.path=null",
    "task=function task.target=x task.input_min=0 task.input_max=1",
    "task=Prev1 task.path=x",
    "task.name=Prev1",
    "task=glob(Nope*) -m",
    "experiment=nope",
    "debug=nope task=Prev1",
    "--nope",
    "-x",
]


def argument_cases() -> Iterator[Hostile]:
    """Whole command lines."""
    for line in ARGUMENTS:
        words = line.split(" ")
        yield Hostile("arguments", line or "(empty)", lambda a=words: command(*a))
    long = "y" * 300
    numbers = ("1000000000000000000000000000000", "9223372036854775807", "0.5", "nan", "[]", "zz")
    for low, high in itertools.product(("0", "-9223372036854775808"), numbers):
        bounds = (f"network.input_min={low}", f"network.input_max={high}")
        yield Hostile("arguments", " ".join(bounds), lambda b=bounds: command(*NETWORK, *b))
    for option in ("trained_length=1000000000", "trained_length=0", "head=class", "head=x",
                   "encoding=x", "initial=[nan]", "initial=x", "input_dim=99", "class_values=[1,1]",
                   "memory_gib=0", "memory_gib=1e-9", "memory_gib=x", f"path={long}.npz",
                   "path=a.pt", "path=/", "path=null", "input_min=10"):  # fmt: skip
        given = f"network.{option}"
        others = NETWORK[:1] if option.startswith("path") else NETWORK
        rest = RANGE[1:] if option.startswith("input_min") else RANGE
        yield Hostile("arguments", given[:60], lambda a=(*others, given, *rest): command(*a))


# -- run folders


def folder_cases() -> Iterator[Hostile]:
    """Run folders that cannot be one, or hold what must stay."""

    def case(name: str, folder: str, prepare: Callable[[], object] = lambda: None, codes=(2,)):
        act = lambda: command(*NETWORK, *RANGE, f"hydra.run.dir={folder}")
        return Hostile("folders", name, act, codes, prepare=prepare)

    def make(path: str) -> Callable[[], object]:
        def prepare():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("mine")

        return prepare

    bad = ("null", "[1]", "''", "${oc.env:NOPE}", "/dev/null/x", "/proc/x", "'" + "z" * 300 + "'")
    for folder in bad:
        yield case(folder[:40], folder, codes=(2, 3))
    for name in ("program.py", "result.json", "summary.md", "checkpoint/mine", ".hydra/config.yaml",
                 "machine.png", "hidden_states.png", "report.html", "traceback.txt"):  # fmt: skip
        yield case(f"the user's {name}", "mine", make(f"mine/{name}"))
    link = lambda where: lambda: os.symlink(where, "link")
    yield case("dangling link", "link", link("nowhere"))
    yield case("link in a circle", "link", link("link"))
    yield case("a file", "file", make("file"))
    yield case("damaged state", "mine", make("mine/.mips_jax/request.json"))
    odd = ("it's", 'dq"x', "com,ma", "eq=x", "br[x]", "a%(b)s", "sp ace", "ünï", "{a}", "#h", "~x")
    for name in odd:
        yield case(f"odd name {name}", "'" + name.replace("'", "\\'") + "'", codes=(0,))
    earlier = lambda: command(*NETWORK, *RANGE, "hydra.run.dir=mine")
    for more in ("extraction.seed=1", "network.input_max=8", "verification.seed=4"):
        rest = [bound for bound in RANGE if bound.partition("=")[0] != more.partition("=")[0]]
        act = lambda a=(*NETWORK, *rest, "hydra.run.dir=mine", more): command(*a)
        yield Hostile("folders", f"another request, {more}", act, prepare=earlier)


# -- files


def header(shape: tuple[int, ...], kind: str = "<i8") -> bytes:
    """The head of an .npy file that claims a shape."""
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    text += " " * ((64 - (len(text) + 11) % 64) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def archive(**members: bytes) -> bytes:
    """A compressed .npz of raw members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return target.getvalue()


def arrays(**members) -> bytes:
    """An .npz of arrays."""
    target = io.BytesIO()
    np.savez(target, **members)
    return target.getvalue()


@functools.cache
def data_files() -> dict[str, bytes]:
    """Damaged or senseless files of sequences by name."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, (20, 5)), rng.integers(0, 9, (20, 5))
    bomb = header((3 * 10**9,), "|i1") + b"\0" * 1000
    zeros = header((2**28, 1), "|i1") + b"\0" * 2**28
    lines = "\n".join(json.dumps({"x": a, "y": b}) for a, b in zip(x.tolist(), y.tolist()))
    rows = "sequence,x,y\n" + "\n".join(f"{n},{t},{n % 3}" for n in range(20) for t in range(5))
    odd = {
        "nan": np.full((20, 5), np.nan), "inf": np.full((20, 5), np.inf), "half": x + 0.5,
        "complex": x.astype(complex), "dates": np.zeros((20, 5), "datetime64[s]"),
        "text": np.zeros((20, 5), "U3"), "records": np.zeros((20, 5), [("a", "i4")]),
        "u64": np.full((20, 5), 2**64 - 1, np.uint64), "i64": np.full((20, 5), -(2**63)),
        "4d": np.zeros((20, 5, 1, 1), int), "1d": np.zeros(20, int), "0d": np.array(3),
        "no steps": np.zeros((20, 0)), "no inputs": np.zeros((20, 5, 0), int), "one": x[:1],
        "other length": x[:, :3], "too long": np.zeros((20, 10_001), np.int8),
    }  # fmt: skip
    found = {f"{name}.npz": arrays(x=array, y=y) for name, array in odd.items()}
    found |= {f"y {name}.npz": arrays(x=x, y=array) for name, array in odd.items()}
    found |= {
        "shape.npz": archive(x=header((10**12, 10)), y=header((10**12, 10))),
        "negative.npz": archive(x=header((-5, 10)), y=header((-5, 10))),
        "object.npz": archive(x=header((5, 5), "|O") + b"cos\nsystem\n.", y=header((5, 5), "|O")),
        "bomb.npz": archive(x=bomb, y=bomb),
        "zeros.npz": archive(**{name: zeros for name in "xyabcdefghi"}),
        "raw.npz": archive(x=b"hello", y=b"hello"),
        "no zip.npz": b"PK\3\4" + bytes(100), "empty.npz": b"", "npy.npz": header((3,)) + bytes(24),
        "no y.npz": arrays(x=x), "mask.npz": arrays(x=x, y=y, mask=x > 0),
        "lengths.npz": arrays(x=x, y=y, lengths=np.full(20, 2**62)),
        "float lengths.npz": arrays(x=x, y=y, lengths=np.full(20, 3.0)),
        "cut.npz": arrays(x=x, y=y)[:200], "constant.npz": arrays(x=x, y=np.ones_like(y)),
        "same.npz": arrays(x=np.zeros_like(x), y=y), "pickle.pkl": b"x", "a.pt": b"x",
    }  # fmt: skip
    for name, line in {
        "brackets": "[" * 100_000, "nan": '{"x":[NaN],"y":[1]}', "1e999": '{"x":[1e999],"y":[1]}',
        "digits": '{"x":[' + "9" * 5000 + '],"y":[1]}', "twice": '{"x":[1],"x":[2],"y":[1]}',
        "mixed": '{"x":[1,"2"],"y":[1,1]}', "null": '{"x":[1,null],"y":[1,1]}', "list": "[1]",
        "half": '{"x":[2.5],"y":[1]}', "empty": '{"x":[],"y":[]}', "no y": '{"x":[1]}',
        "unequal": '{"x":[1,2],"y":[1]}', "nul": "\0\0", "number": "3",
        "deep": '{"x":[[[1]]],"y":[1]}', "long": json.dumps({"x": [1] * 10_001, "y": [1] * 10_001}),
    }.items():  # fmt: skip
        found[f"{name}.jsonl"] = f"{lines}\n{line}\n".encode()
    for name, line in {
        "arabic": "30,٣,1", "underscore": "30,1_0,1", "hex": "30,0x10,1",
        "digits": f"30,{'9' * 5000},1", "id": "99999999999,1,1", "quote": '"30,1,1',
        "nul": "3\0,1,1", "short": "30,1", "half": "30,1.5,1",
        "formula": "=1+1,1,1", "superscript": "30,²,1", "nan": "30,nan,1", "missing": "30,,1",
    }.items():  # fmt: skip
        found[f"{name}.csv"] = f"{rows}\n{line}\n".encode()
    found |= {
        "semicolons.csv": rows.replace(",", ";").encode(), "header.csv": b"sequence,x,y\n",
        "blank.csv": b"\n\n\n", "gap.csv": b"sequence,x0,x7,y\n1,1,1,1\n",
        "binary.csv": bytes(range(256)), "no header.csv": b"1,2,3\n" * 20,
        "utf16.jsonl": lines.encode("utf-16"), "a.json": b"{}",
        "empty.jsonl": b"", "empty.csv": b"",
    }  # fmt: skip
    return found


@functools.cache
def network_files() -> dict[str, bytes]:
    """Damaged networks by name."""
    good = {
        "hmlp.mlp.0.weight": np.eye(3, 4), "hmlp.mlp.0.bias": np.zeros(3),
        "ymlp.mlp.0.weight": np.ones((1, 3)), "ymlp.mlp.0.bias": np.zeros(1),
    }  # fmt: skip
    weights = {
        "inf": np.full((3, 4), np.inf), "nan": np.full((3, 4), np.nan),
        "complex": np.eye(3, 4).astype(complex),
        "longdouble": np.full((3, 4), np.longdouble("1e4000")),
        "3d": np.zeros((3, 4, 1)), "0d": np.array(1.0), "no inputs": np.zeros((3, 3)),
        "narrow": np.zeros((3, 2)), "empty": np.zeros((0, 4)), "text": np.zeros((3, 4), "U3"),
    }  # fmt: skip
    found = {f"{n}.npz": arrays(**{**good, "hmlp.mlp.0.weight": w}) for n, w in weights.items()}
    for name, text in {
        "huge number": '{"trained_length": 1e400}', "a list": "[1]", "deep": "[" * 100_000,
        "long": '{"trained_length": 1000000000}',
        "range": '{"input_min": -1e30, "input_max": "zz"}', "no json": "{", "number": "3",
    }.items():  # fmt: skip
        found[f"metadata {name}.npz"] = arrays(**good, metadata=np.array(text))
    zeros = header((2**28, 1), "|i1") + b"\0" * 2**28
    found |= {
        "no head.npz": arrays(**dict(list(good.items())[:2])),
        "extra.npz": arrays(**good, foo=np.ones(3)),
        "bomb.npz": archive(**{name: zeros for name in "abcde"}),
        "shape.npz": archive(a=header((10**12, 10))), "object.npz": archive(a=header((3, 4), "|O")),
        "none.npz": arrays(), "cut.npz": arrays(**good)[:300], "empty.safetensors": b"",
        "length.safetensors": (2**63).to_bytes(8, "little") + b"{}", "short.safetensors": b"\1\2",
        "shape.safetensors": (70).to_bytes(8, "little")
        + b'{"a":{"dtype":"F64","shape":[1000000000000],"data_offsets":[0,8]}}'.ljust(70)
        + bytes(8),
    }  # fmt: skip
    return found


def file_cases() -> Iterator[Hostile]:
    """Every damaged file through the command line."""

    for kind, make, door in (
        ("data files", data_files, ("task=file", "debug=tiny", "task.path=")),
        ("network files", network_files, ("network=file", *RANGE, "network.path=")),
    ):
        for name in make():
            arguments = (*door[:-1], f"{door[-1]}'{name}'")
            act = lambda a=arguments: command(*a)
            write = lambda make=make, name=name: Path(name).write_bytes(make()[name])
            yield Hostile(kind, name, act, prepare=write)


# -- functions

FUNCTIONS = """
import os, sys, random, time
def exits(xs): os._exit(0)
def exits_7(xs): os._exit(7)
def leaves(xs): sys.exit(3)
def generator_exit(xs): raise GeneratorExit
def interrupts(xs): raise KeyboardInterrupt
def raises(xs): raise ZeroDivisionError("x")
def recursion(xs): return recursion(xs)
def huge(xs): return [10**30 * x for x in xs]
def wide(xs): return [2**31 * x for x in xs]
def none(xs): return None
def short(xs): return xs[1:]
def endless(xs):
    while True: yield 1
def floats(xs): return [x / 2 for x in xs]
def noise(xs): return [random.random() > 0.5 for x in xs]
def future(xs): return xs[::-1]
def text(xs): return "x" * len(xs)
def nested(xs): return [[[x]] for x in xs]
def ragged(xs): return [(x,) * (1 + i % 2) for i, x in enumerate(xs)]
def asks(xs): return [int(input()) for x in xs]
def two(a, b): return a
value = 3
class Odd:
    def __call__(self, xs): return xs
    def __repr__(self): raise ValueError
def odd(xs): return Odd()
""".strip()


def function_cases() -> Iterator[Hostile]:
    """Functions that misbehave, each tried out in a process of its own."""
    names = [line.split()[1].split("(")[0] for line in FUNCTIONS.splitlines() if line[:4] == "def "]
    targets = [f"hostile_functions:{name}" for name in [*names, "value", "nope"]]
    targets += ["code:interact", "os:_exit", "nope:f", "builtins:exit", "numpy:nope", "a b:c"]
    asked = ("task=function", "task.input_min=0", "task.input_max=9", "debug=tiny")

    def act(target: str):
        sys.modules.pop("hostile_functions", None)
        try:
            return command(*asked, f"task.target='{target}'")
        finally:
            sys.modules.pop("hostile_functions", None)
            sys.path[:] = [entry for entry in sys.path if entry != os.getcwd()]

    write = lambda: Path("hostile_functions.py").write_text(FUNCTIONS)
    for target in targets:
        act_on = lambda t=target: act(t)
        yield Hostile("functions", target, act_on, fast=False, prepare=write)
    write = lambda: Path("optax.py").write_text("def f(xs): return xs")
    act_on = lambda: act("optax:f")
    yield Hostile("functions", "a module named optax", act_on, fast=False, prepare=write)


# -- the library


def library_cases() -> Iterator[Hostile]:
    """Wrong calls."""
    one = np.ones((1, 1)), np.zeros(1)
    net = MLPRNN.from_layers([(np.ones((1, 2)), np.zeros(1))], [one])
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, (50, 6, 1))
    given, total = Sequences(x, np.cumsum(x, 1)), get_task("Sum_All")
    calls = {**_with_wrong_settings(net, given, total), **_with_wrong_inputs(net, given, x)}
    calls["load_network option"] = lambda: load_network("net.npz", nope=1)
    calls["save_network pkl"] = lambda: save_network("x.pkl", net)
    for name, call in calls.items():
        yield Hostile("library", name, lambda c=call: library(c))


def _with_wrong_settings(net: MLPRNN, given: Sequences, total: Task) -> dict[str, Callable]:
    bad = (None, "x", 2.5, -1, float("nan"), float("inf"), [1], 10**30)
    calls: dict[str, Callable] = {}
    for key, value in itertools.product(("attempts", "training_sequences", "test_sequences"), bad):
        settings = PipelineSettings(**{key: value})
        calls[f"distil {key}={value}"] = lambda s=settings: distil(given, settings=s)
    for key, value in itertools.product(("sequences", "long_factor", "seed", "proof_seconds"), bad):
        if not (key == "proof_seconds" and value in (2.5, 10**30)):
            settings = PipelineSettings(verification=VerificationSettings(**{key: value}))
            call = lambda s=settings: distil_network(net, ((0, 5),), settings=s)
            calls[f"distil_network {key}={value}"] = call
            calls[f"distil_given {key}={value}"] = lambda s=settings: distil_given(net, total, s)
    for key, value in itertools.product(("seed", "words", "states", "seconds", "method"), bad):
        if not (key == "seconds" and value == 2.5):
            chosen = ExtractionSettings(**{key: value})
            calls[f"extract {key}={value}"] = lambda s=chosen: extract(net, ((0, 5),), s)
    for key, value in itertools.product(("seed", "members", "max_steps"), bad):
        settings = PipelineSettings(training=TrainingSettings(**{key: value}))
        calls[f"training {key}={value}"] = lambda s=settings: distil(given, settings=s)
    return calls


def _with_wrong_inputs(net: MLPRNN, given: Sequences, x: np.ndarray) -> dict[str, Callable]:
    calls: dict[str, Callable] = {}
    ranges = (None, (), ((0,),), ((5, 0),), ((0.5, 2),), ((0, float("nan")),), ((0, 2**63),),
              (0, 5), ((0, 5), (0, 5)), "ab", ((None, 1),), 3, ((0, float("inf")),),
              (("0", "1"),))  # fmt: skip
    for span in ranges:
        calls[f"extract range {span}"] = lambda r=span: extract(net, r)
        calls[f"distil_network range {span}"] = lambda r=span: distil_network(net, r)
        if span != ((0, 5), (0, 5)):
            calls[f"FunctionTask range {span}"] = lambda r=span: FunctionTask(list, r)
    for length in (0, -1, 2.5, None, "x", True, 10**9):
        calls[f"length {length}"] = lambda n=length: distil(list, ((0, 3),), length=n)
    for source in (None, 3, "nope", Path("nope.csv"), list, {}, b"x"):
        calls[f"distil {source}"] = lambda s=source: distil(s)
    for settings in ({}, 3, "x", ExtractionSettings(), PipelineSettings):
        calls[f"settings {settings!r:.40}"] = lambda s=settings: distil(given, settings=s)
    for parts in ((None, None), ([[1]], [[1]]), (x + 0.5, x), (x[:, :3], x), ([[1], [1, 2]], x)):
        calls[f"example_task {parts!r:.30}"] = lambda p=parts: example_task(*p)
    for path in ("nope.npz", "a.pt", "", "y" * 300 + ".npz", "a\0b.npz", "/"):
        calls[f"load_network {path[:20]!r}"] = lambda p=path: load_network(p)
    return calls


# -- environments and signals


def environment_cases() -> Iterator[Hostile]:
    """What a process may meet."""
    train = (
        "task=Parity_All",
        "training=quick",
        "training.checkpoint_seconds=0",
        "hydra.run.dir=o",
    )
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    for number, seconds in itertools.product(numbers, (1.0, 3.0, 6.0, 9.0)):
        codes = (0, 75 if number == signal.SIGUSR1 else 3)
        act = lambda n=number, s=seconds: process(*train, interrupt=(n, s))
        name = f"{signal.Signals(number).name} after {seconds:g} s"
        yield Hostile("signals", name, act, codes, fast=False)
    tiny = (*TINY, "hydra.run.dir=o")
    for name, variables, codes in (
        ("JAX_PLATFORMS=cuda", {"JAX_PLATFORMS": "cuda"}, (3,)),
        ("JAX_PLATFORMS=nope", {"JAX_PLATFORMS": "nope"}, (3,)),
        ("HOME unset", {"HOME": ""}, (0, 1)),
        ("XDG_CACHE_HOME=/dev/null", {"XDG_CACHE_HOME": "/dev/null"}, (0, 1, 3)),
        ("TMPDIR=/nope", {"TMPDIR": "/nope"}, (0, 1)),
        ("C locale", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, (0, 1)),
        ("PYTHONOPTIMIZE=2", {"PYTHONOPTIMIZE": "2"}, (0, 1)),
        ("JAX_DEBUG_NANS", {"JAX_DEBUG_NANS": "1"}, (0, 1)),
        ("HYDRA_FULL_ERROR", {"HYDRA_FULL_ERROR": "1"}, (0, 1)),
    ):
        act = lambda v=variables: process(*tiny, environment=v)
        yield Hostile("environments", name, act, codes, fast=False)
    for name, before, codes in (
        ("files up to 20 KB", "ulimit -f 20;", (3,)),
        ("32 open files", "ulimit -n 32;", (0, 1, 3)),
        ("no right to write", "mkdir o; chmod a-w o;", (0, 1, 3)),
        ("stdout is full", "exec >/dev/full;", (3,)),
    ):
        act = lambda b=before: process(*tiny, before=b)
        yield Hostile("environments", name, act, codes, fast=False)
    alone = (*tiny, "training.device.distributed=true")
    yield Hostile("environments", "distributed, alone", lambda: process(*alone), (3,), fast=False)
    for text in ("{_target_:builtins.exec}", "{_target_:os.system}", "{_target_:no.such}"):
        act = lambda t=text: process(*tiny, f"+hydra.callbacks.x={t}")
        yield Hostile("environments", f"callbacks {text}", act, fast=False)


def cases() -> list[Hostile]:
    """All hostile requests."""
    parts = (option_cases, argument_cases, folder_cases, file_cases, function_cases)
    makers = (*parts, library_cases, environment_cases)
    return [case for make in makers for case in make()]


# -- judging


def snapshot() -> dict[str, str]:
    """What lies below the current folder: the digest of every file, the target of every link."""

    def content(path: Path) -> str:
        if path.is_symlink():
            return f"link to {os.readlink(path)}"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"

    paths = (path for path in sorted(Path().rglob("*")) if "__pycache__" not in path.parts)
    return {str(path): content(path) for path in paths}


def wrong_with(case: Hostile) -> str:
    """What is wrong with how a request ends; empty if nothing is."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="hostile_") as folder:
        os.chdir(folder)
        try:
            x = np.random.default_rng(0).integers(0, 9, (40, 6))
            np.savez("data.npz", x=x, y=np.cumsum(x, axis=1))
            total = MLPRNN.from_layers(
                [(np.ones((1, 2)), np.zeros(1))],
                [(np.ones((1, 1)), np.zeros(1))],
                trained_length=10,
            )
            save_network("net.npz", total)
            case.prepare()
            before = snapshot()
            try:
                code, errors = case.act()
            except BaseException as error:
                return f"raw {type(error).__name__}: {str(error)[:150]}"
            return _judged(case, code, errors, before, snapshot())
        finally:
            os.chdir(here)


def _judged(case: Hostile, code, errors: str, before: dict, after: dict) -> str:
    lost = [name for name, digest in before.items() if after.get(name) != digest]
    if code not in case.codes:
        return f"exit code {code}, not {case.codes}: {errors.strip()[-200:]}"
    if "Traceback" in errors:
        return "a raw traceback"
    if lost:
        return f"lost or changed: {', '.join(lost)}"
    if code in (2, 3) and errors.count("mips-jax: ") != 1:
        return f"{errors.count('mips-jax: ')} messages: {errors.strip()[-200:]}"
    new = sorted(after.keys() - before)
    report = {name for name in new if Path(name).name in ("program.py", "summary.md")}
    whole = any(Path(name).name == "result.json" for name in new)
    if (code == 2 and new) or (code == 3 and report and not whole):
        return f"half-written or left behind: {', '.join(new[:5])}"
    return ""


def run(chosen: list[Hostile]) -> dict[str, list[tuple[Hostile, str]]]:
    """What is wrong with each, by category."""
    found: dict[str, list[tuple[Hostile, str]]] = collections.defaultdict(list)
    for case in chosen:
        found[case.category].append((case, wrong_with(case)))
    return found


def asked(arguments: list[str], jobs: int) -> Iterator[tuple[str, str, str, float]]:
    """(category, name, what is wrong, seconds) of each request, from processes side by side."""
    command = [sys.executable, "-m", "benchmarks.hostile", *arguments, "--part"]
    parts = [
        subprocess.Popen([*command, f"{n}/{jobs}"], stdout=subprocess.PIPE, text=True)
        for n in range(jobs)
    ]
    with selectors.DefaultSelector() as waiting:
        for part in parts:
            waiting.register(part.stdout, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                line = key.fileobj.readline()
                if line:
                    yield tuple(json.loads(line))
                else:
                    waiting.unregister(key.fileobj)
    if any(part.wait() for part in parts):
        raise RuntimeError("a process of this benchmark failed")


def options_of_benchmark(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many of them, drawn evenly")
    parser.add_argument("--fast", action="store_true", help="only those in this process")
    parser.add_argument("--category")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def chosen_by(options: argparse.Namespace) -> list[Hostile]:
    chosen = [case for case in cases() if case.fast or not options.fast]
    chosen = [case for case in chosen if options.category in (None, case.category)]
    if options.sample:
        chosen = random.Random(0).sample(chosen, min(options.sample, len(chosen)))
    return chosen


def main_of_benchmark() -> int:
    """Prints the table; returns 0 if every request ends as it should."""
    options = options_of_benchmark()
    if options.part:
        number, count = map(int, options.part.split("/"))
        for case in chosen_by(options)[number::count]:
            began = time.monotonic()
            wrong = wrong_with(case)
            seconds = round(time.monotonic() - began, 2)
            print(json.dumps([case.category, case.name, wrong, seconds]), flush=True)
        return 0
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--jobs")]
    results = []
    for result in asked(arguments, options.jobs):
        results.append(result)
        category, name, wrong, _ = result
        if wrong:
            print(f"  {category}: {name[:80]}: {wrong}", flush=True)
        elif len(results) % 50 == 0:
            print(f"  {len(results)} done", flush=True)
    print(f"{'category':<16}{'requests':>9}{'as they should':>16}{'seconds':>9}")
    for category in dict.fromkeys(result[0] for result in results):
        own = [result for result in results if result[0] == category]
        right = sum(not wrong for _, _, wrong, _ in own)
        print(f"{category:<16}{len(own):>9}{right:>16}{sum(result[3] for result in own):>9.0f}")
    right = sum(not wrong for _, _, wrong, _ in results)
    print(f"{right} of {len(results)}")
    return 0 if right == len(results) else 1


if __name__ == "__main__":
    sys.exit(main_of_benchmark())
