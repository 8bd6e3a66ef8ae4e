"""A language model as a peer: asks any endpoint that speaks OpenAI's chat protocol for a program
for every named task, from example rows alone, and judges it as our own programs are judged.

    export OPENAI_API_KEY=...
    python -m benchmarks.llm_peer --model gpt-4 [--url https://api.openai.com/v1] [--tasks A,B]
                                  [--examples 20] [--tries 1] [--folder outputs/llm_peer]
                                  [--key-variable OPENAI_API_KEY]

The model sees rows of numbers: neither the task's name nor what it means. The rows are the first of
those that our networks are trained on. A program is solved when it is right on the rows shown, on
10,000 others (or all there are), and on 1,000 ten times as long. It is run in a process of its own
with an empty environment, in an empty folder, with limits on time, memory, files and processes;
that is no wall against malice: use a machine that you can spare. Resumable: an answer that lies in
the folder is not asked for again. Writes table.md and column.csv (task, 0 or 1: a column for
data/peers.csv); the last line is `N of M solved`. Exit codes: 0 all asked, 2 a wrong request, 3 the
endpoint fails.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import http.client
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mips_jax.reporting.files import write_json, write_text
from mips_jax.reporting.summary import table
from mips_jax.sequences import Sequences
from mips_jax.tasks import TASKS, Task, get_task

SEQUENCES, LONG_SEQUENCES, LONG_FACTOR = 10_000, 1_000, 10
SECONDS, MEMORY_MIB, OUTPUT_MIB = 60, 1024, 64  # that a program may use for all its sequences
WAITS = (1.0, 4.0, 15.0, 60.0)  # seconds between two tries of one request
REQUEST_SECONDS = 300
PROMPT = """\
Below are examples of a function that reads a list and returns a list of the same length. What it \
returns at a position depends only on what stands at that position and before it.

{rows}

Find the rule, and write it as a Python function `program(inputs)` that takes such a list, of any \
length, and returns the list of outputs. Use the standard library only. Test your rule on the \
examples before you answer. Answer with one block of Python code that defines `program`.
"""
AGAIN = "Your program is wrong on {wrong} of the {count} examples; the first is input {given}, \
output {wanted}, but it returned {got}. Answer with a corrected block of Python code."

# What runs a program: takes its limits upon itself, reads the program and its inputs from stdin,
# writes one JSON line of outputs.
RUNNER = """\
import json, resource, sys
asked = json.loads(sys.stdin.read())
for what, most in asked["limits"].items():
    resource.setrlimit(getattr(resource, what), (most, most))
told, sys.stdout = sys.stdout, sys.stderr
space = {"__name__": "program"}
exec(compile(asked["source"], "program.py", "exec"), space)
def plain(value):
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else int(value)
outputs = []
for row in asked["inputs"]:
    given = [tuple(x) if isinstance(x, list) else x for x in row]
    try:
        outputs.append(plain(space["program"](given)))
    except Exception as error:
        outputs.append(f"{type(error).__name__}: {error}"[:200])
told.write(json.dumps(outputs))
"""


class EndpointFailure(RuntimeError):
    """The endpoint does not answer, or not as agreed."""


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where a model is asked.

    Attributes:
        url: up to and without `/chat/completions`.
        model: its name there.
        key: sent as a bearer token; empty: none is sent.
        waits: seconds before each further try of a request that failed.
    """

    url: str
    model: str
    key: str = ""
    waits: tuple[float, ...] = WAITS

    def answer(self, messages: Sequence[dict[str, str]]) -> str:
        """The model's text.

        Raises:
            EndpointFailure: it refuses, or does not answer after several tries.
        """
        body = json.dumps({"model": self.model, "messages": list(messages)}).encode()
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        url, reason = f"{self.url.rstrip('/')}/chat/completions", ""
        for wait in (0.0, *self.waits):
            time.sleep(wait)
            try:
                request = urllib.request.Request(url, body, headers)
                with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:
                    return json.loads(reply.read())["choices"][0]["message"]["content"] or ""
            except urllib.error.HTTPError as error:
                reason = f"HTTP {error.code}: {error.read(300).decode(errors='replace')}"
                if error.code < 500 and error.code not in (408, 409, 429):
                    break  # it will not change its mind
            except (OSError, http.client.HTTPException) as error:
                reason = str(error)
            except (ValueError, KeyError, IndexError, TypeError) as error:
                reason = f"the answer is not that of a chat completion ({error!r})"
        raise EndpointFailure(f"{url} does not answer for model {self.model!r}: {reason}")


def rows_of(sequences: Sequences) -> tuple[list, list]:
    """Inputs and outputs as lists: of integers, or of lists where there are several a step."""
    plain = lambda array: (array[:, :, 0] if array.shape[2] == 1 else array).tolist()
    return plain(sequences.inputs), plain(sequences.outputs)


def prompt(shown: Sequences) -> str:
    """What the model is asked: rows of numbers and nothing else of the task."""
    inputs, outputs = rows_of(shown)
    rows = (f"{x} -> {y}" for x, y in zip(map(json.dumps, inputs), map(json.dumps, outputs)))
    return PROMPT.format(rows="\n".join(rows))


def program_in(answer: str) -> str | None:
    """The last block of code that defines `program`; the whole answer where it has no block."""
    blocks = re.findall(r"```[\w+-]*[ \t]*\n(.*?)```", answer, re.DOTALL) or [answer]
    found = [block for block in blocks if re.search(r"^def program\(", block, re.MULTILINE)]
    return found[-1] if found else None


def run(source: str, inputs: list, seconds: float = SECONDS) -> list | str:
    """The program's outputs on each input, a text in place of one that it fails on; or, as a text,
    why there are none.
    """
    limits = {
        "RLIMIT_CPU": SECONDS,
        "RLIMIT_AS": MEMORY_MIB * 2**20,
        "RLIMIT_FSIZE": OUTPUT_MIB * 2**20,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
    }
    with (
        tempfile.TemporaryDirectory(prefix="llm_peer_") as folder,
        tempfile.TemporaryFile() as out,
    ):
        try:
            ended = subprocess.run(
                [sys.executable, "-I", "-S", "-c", RUNNER],
                input=json.dumps({"source": source, "inputs": inputs, "limits": limits}).encode(),
                stdout=out,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={},
                timeout=2 * seconds,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "it took too long"
        out.seek(0)
        said = out.read()
    if ended.returncode < 0:
        return f"it was ended by signal {-ended.returncode}: too much time, memory or output"
    try:
        outputs = json.loads(said)
    except ValueError:
        return "it does not run"
    return outputs if isinstance(outputs, list) and len(outputs) == len(inputs) else "it cheats"


def share_right(source: str, sequences: Sequences) -> tuple[float, str]:
    """Share of sequences that are right as a whole, and what went wrong first."""
    inputs, wanted = rows_of(sequences)
    outputs = run(source, inputs)
    if isinstance(outputs, str):
        return 0.0, outputs
    wrong = [n for n, (got, want) in enumerate(zip(outputs, wanted)) if got != want]
    if not wrong:
        return 1.0, ""
    first = wrong[0]
    texts = dict(given=inputs[first], wanted=wanted[first], got=outputs[first])
    reason = AGAIN.format(wrong=len(wrong), count=len(inputs), **texts)
    return 1.0 - len(wrong) / len(inputs), reason


def judged(source: str | None, task: Task, shown: Sequences) -> dict[str, Any]:
    """How good a program is, by the data that judges ours."""
    none = {"shown": None, "test": None, "long": None}
    if source is None:
        return {"solved": False, "accuracy": none, "reason": "no block of code defines program"}
    sample = task.judging_sample(SEQUENCES, 0, [shown])
    long = task.long_sequences(LONG_SEQUENCES, LONG_FACTOR * task.length, 0)
    parts = {"shown": shown, "test": sample.sequences, "long": long}
    accuracy, reason = dict(none), ""
    for name, sequences in parts.items():
        if sequences is not None and len(sequences):
            accuracy[name], why = share_right(source, sequences)
            reason = reason or why
    solved = all(share == 1.0 for share in accuracy.values() if share is not None)
    return {"solved": solved, "accuracy": accuracy, "reason": reason or None}


def asked(
    task: Task, shown: Sequences, endpoint: Endpoint, tries: int
) -> tuple[list[dict], str | None]:
    """The conversation, and the program it ended with; a wrong one is told what it is wrong on."""
    messages = [{"role": "user", "content": prompt(shown)}]
    source = None
    for number in range(tries):
        answer = endpoint.answer(messages)
        messages.append({"role": "assistant", "content": answer})
        source = program_in(answer)
        share, reason = (0.0, "no program") if source is None else share_right(source, shown)
        if share == 1.0 or number == tries - 1:
            break
        messages.append({"role": "user", "content": reason})
    return messages, source


def run_task(task: Task, endpoint: Endpoint, options: argparse.Namespace) -> dict[str, Any]:
    """The task's result; from the folder where it has been asked before."""
    place = options.folder / re.sub(r"[^\w.-]+", "_", endpoint.model) / f"{task.name}.json"
    if place.exists():
        return json.loads(place.read_text(encoding="utf-8"))
    shown = task.training_sequences(options.examples, 0)
    messages, source = asked(task, shown, endpoint, options.tries)
    about = {"task": task.name, "model": endpoint.model, "examples": options.examples}
    result = {**about, **judged(source, task, shown), "source": source, "messages": messages}
    place.parent.mkdir(parents=True, exist_ok=True)
    write_json(place, result)
    return result


def page(results: Sequence[dict], model: str) -> str:
    """The table as Markdown."""
    share = lambda value: "" if value is None else f"{value:.2%}"
    rows = [
        (r["task"], "yes" if r["solved"] else "no", *map(share, r["accuracy"].values()))
        for r in results
    ]
    header = ("task", "solved", "of the rows shown", "of others", "at 10x the length")
    return f"# {model}\n\n{table(header, rows)}\n\n{verdict(results)}.\n"


def column(results: Sequence[dict], model: str) -> str:
    """As in data/peers.csv."""
    out = io.StringIO()
    rows = [["task", model], *([r["task"], int(r["solved"])] for r in results)]
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def verdict(results: Sequence[dict]) -> str:
    return f"{sum(r['solved'] for r in results)} of {len(results)} solved"


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--url", default="https://api.openai.com/v1")
    parser.add_argument("--key-variable", default="OPENAI_API_KEY", help="where the key is")
    parser.add_argument("--tasks", default="", help="comma-separated names; default: all")
    parser.add_argument("--examples", type=int, default=20, help="rows that are shown")
    parser.add_argument("--tries", type=int, default=1, help="answers, wrong rows told between")
    parser.add_argument("--folder", type=Path, default=Path("outputs/llm_peer"))
    options = parser.parse_args(arguments)
    if options.examples < 1 or options.tries < 1:
        parser.error("--examples and --tries are at least 1")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    if os.name != "posix":
        print("llm_peer: programs can be held in limits on POSIX systems only", file=sys.stderr)
        return 2
    endpoint = Endpoint(options.url, options.model, os.environ.get(options.key_variable, ""))
    names, results = options.tasks.split(",") if options.tasks else list(TASKS), []
    for name in names:
        try:
            results.append(run_task(get_task(name), endpoint, options))
        except ValueError as error:
            print(f"llm_peer: {error}", file=sys.stderr)
            return 2
        except EndpointFailure as error:
            print(f"llm_peer: {error}; what was answered is kept, and the same command goes on "
                  f"(key: --url, --model, ${options.key_variable})", file=sys.stderr)  # fmt: skip
            return 3
        state = "solved" if results[-1]["solved"] else f"not solved ({results[-1]['reason']})"
        print(f"{len(results)}/{len(names)} {results[-1]['task']}: {state[:200]}", file=sys.stderr)
    write_text(options.folder / "table.md", page(results, options.model))
    write_text(options.folder / "column.csv", column(results, options.model))
    print(f"{page(results, options.model)}\n{verdict(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
