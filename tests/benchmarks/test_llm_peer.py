"""The peer is asked fairly, judged strictly, and its programs are held in limits; the endpoint is a
stub on this machine.
"""

import csv
import http.server
import json
import threading
from typing import ClassVar

import pytest

from benchmarks import llm_peer
from mips_jax.tasks import get_task

RIGHT = """Running total:
```python
def program(inputs):
    total, outputs = 0, []
    for x in inputs:
        total += x
        outputs.append(total)
    return outputs
```
"""
ONLY_SHORT = RIGHT.replace("total += x", "total = (total + x) % 100000 if len(inputs) < 20 else x")


class Stub(http.server.BaseHTTPRequestHandler):
    """Answers with the texts in `answers`, one after the other (an integer: that HTTP status)."""

    answers: ClassVar[list] = []
    requests: ClassVar[list] = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Stub.requests.append((self.path, dict(self.headers), body))
        answer = Stub.answers.pop(0) if len(Stub.answers) > 1 else Stub.answers[0]
        code = answer if isinstance(answer, int) else 200
        content = {"choices": [{"message": {"role": "assistant", "content": answer}}]}
        if isinstance(answer, dict):
            content = answer
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def stub():
    """The stub's address; it answers what is put into Stub.answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Stub.answers, Stub.requests = [RIGHT], []
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def asked(stub, tmp_path, *more, tasks="Sum_All"):
    common = ["--model", "toy/1", "--url", stub, "--folder", str(tmp_path), "--tasks", tasks]
    return llm_peer.main([*common, *more])


def saved(tmp_path, task="Sum_All"):
    return json.loads((tmp_path / "toy_1" / f"{task}.json").read_text())


def test_a_right_program_is_solved_and_asked_for_once(stub, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SOME_KEY", "secret")
    assert asked(stub, tmp_path, "--key-variable", "SOME_KEY") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 solved"
    path, headers, body = Stub.requests[0]
    assert path == "/v1/chat/completions" and headers["Authorization"] == "Bearer secret"
    assert body["model"] == "toy/1"
    assert saved(tmp_path)["accuracy"] == {"shown": 1.0, "test": 1.0, "long": 1.0}
    assert list(csv.reader((tmp_path / "column.csv").open())) == [
        ["task", "toy/1"],
        ["Sum_All", "1"],
    ]
    assert "| Sum_All | yes | 100.00% | 100.00% | 100.00% |" in (tmp_path / "table.md").read_text()
    assert "secret" not in (tmp_path / "toy_1" / "Sum_All.json").read_text()
    assert asked(stub, tmp_path) == 0 and len(Stub.requests) == 1  # it is there


def test_the_model_sees_the_training_rows_and_nothing_of_the_task(stub, tmp_path):
    assert asked(stub, tmp_path, "--examples", "7") == 0
    text = Stub.requests[0][2]["messages"][0]["content"]
    task = get_task("Sum_All")
    shown = task.training_sequences(7, 0)
    rows = [line for line in text.splitlines() if " -> " in line]
    expected = zip(shown.inputs[:, :, 0].tolist(), shown.outputs[:, :, 0].tolist())
    assert rows == [f"{x} -> {y}" for x, y in expected]
    assert "Sum" not in text and task.description not in text


def test_a_program_that_is_right_at_the_short_length_only_is_not_solved(stub, tmp_path):
    Stub.answers = [ONLY_SHORT]
    assert asked(stub, tmp_path) == 0
    result = saved(tmp_path)
    assert not result["solved"] and result["accuracy"]["test"] == 1.0
    assert result["accuracy"]["long"] < 0.01


def test_a_wrong_program_is_told_its_first_wrong_row_when_it_has_tries_left(stub, tmp_path):
    Stub.answers = [
        "I do not know.",
        "```python\ndef program(inputs):\n    return inputs\n```",
        RIGHT,
    ]
    assert asked(stub, tmp_path, "--tries", "3") == 0 and saved(tmp_path)["solved"]
    last = Stub.requests[-1][2]["messages"]
    assert [m["role"] for m in last] == ["user", "assistant"] * 2 + ["user"]
    assert "Your program is wrong on" in last[-1]["content"]


def test_several_inputs_a_step_are_tuples(stub, tmp_path):
    Stub.answers = [
        "```\ndef program(inputs):\n    c, out = 0, []\n    for a, b in inputs:\n"
        "        c += a + b\n"
        "        out.append(c % 2)\n        c //= 2\n    return out\n```"
    ]
    assert asked(stub, tmp_path, tasks="Binary_Addition") == 0
    assert saved(tmp_path, "Binary_Addition")["solved"]


@pytest.mark.parametrize("answers, requests", [([429, 503, RIGHT], 3), ([{"odd": 1}, RIGHT], 2)])
def test_a_request_that_failed_is_tried_again(stub, tmp_path, answers, requests, monkeypatch):
    monkeypatch.setattr(llm_peer.time, "sleep", lambda seconds: None)
    Stub.answers = answers
    assert asked(stub, tmp_path) == 0 and len(Stub.requests) == requests


def test_a_refusal_ends_in_one_message_and_keeps_what_was_answered(stub, tmp_path, capsys):
    Stub.answers = [RIGHT, 401]
    assert asked(stub, tmp_path, tasks="Sum_All,Prev1") == 3
    errors = capsys.readouterr().err
    assert "HTTP 401" in errors and errors.count("llm_peer: ") == 1 and len(Stub.requests) == 2
    assert saved(tmp_path)["solved"]


def test_an_unknown_task_is_refused_before_anything_is_asked(stub, tmp_path, capsys):
    assert asked(stub, tmp_path, tasks="Sum_Al") == 2
    assert "Sum_All" in capsys.readouterr().err and Stub.requests == []


@pytest.mark.parametrize(
    "body, reason",
    [
        ("    while True: pass", "signal|too long"),
        ("    return [[0] * 10**9 for _ in inputs]", "MemoryError"),
        ("    open('big', 'w').write('x' * 10**7)", "File too large"),
        ("    import os; os._exit(0)", "does not run"),
        ("    import subprocess; subprocess.run(['true'])", "Error"),
        ("    print('noise'); return 'x'", "ValueError|TypeError|invalid"),
        ("    raise SystemExit", "does not run"),
    ],
)
def test_a_program_that_misbehaves_is_wrong_and_does_no_harm(body, reason, monkeypatch):
    import re

    monkeypatch.setattr(llm_peer, "SECONDS", 3)
    monkeypatch.setattr(llm_peer, "OUTPUT_MIB", 1)
    found = llm_peer.run(f"def program(inputs):\n{body}\n", [[1, 2]], seconds=60)
    text = found if isinstance(found, str) else str(found[0])
    assert re.search(reason, text), text


def test_what_a_program_prints_is_not_taken_for_its_outputs():
    source = "print('[[9]]')\ndef program(inputs):\n    print(inputs)\n    return inputs\n"
    assert llm_peer.run(source, [[1, 2], [3]]) == [[1, 2], [3]]


def test_the_program_knows_nothing_of_our_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "17")
    source = (
        "import os\ndef program(inputs):\n    return [len(os.environ.get('OPENAI_API_KEY', ''))]\n"
    )
    assert llm_peer.run(source, [[0]]) == [[0]]
