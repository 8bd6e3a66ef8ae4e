"""From a file to a printed program through the command line: words with a label each over symbols,
labels at some steps, a machine.
"""

import json
import random

import pytest

from mips_jax.command_line.main import main
from mips_jax.programs import compile_source

SMALL = (
    *("training.members=2", "model.hidden_dims=[2]", "model.depths=[2]", "model.widths=[16]"),
    *("training.chunk_steps=100", "training.batch_size=64", "attempts=1", "extraction.seconds=10"),
    "verification.fidelity_sequences=500",
)


def run(tmp_path, capfd, path, *more):
    """Exit code, the printed program as a function, result.json, stderr."""
    folder = tmp_path / "run"
    code = main(["task=file", f"task.path={path}", f"hydra.run.dir={folder}", *SMALL, *more])
    source = (folder / "program.py").read_text()
    record = json.loads((folder / "result.json").read_text())
    return code, compile_source(source), record, capfd.readouterr().err


@pytest.mark.slow
def test_words_over_symbols_with_one_label_each(tmp_path, capfd):
    rng = random.Random(0)
    words = {"".join(rng.choices("ab", k=rng.randint(1, 8))) for _ in range(900)}
    right = lambda word: "accept" if word.count("a") % 2 == 0 else "reject"
    path = tmp_path / "even.csv"
    path.write_text("word,verdict\n" + "".join(f"{w},{right(w)}\n" for w in sorted(words)))
    code, program, record, told = run(tmp_path, capfd, path)
    assert code == 0 and record["solved"]
    for _ in range(200):
        word = "".join(rng.choices("ab", k=rng.randint(1, 60)))
        assert program(word)[-1] == right(word)
    assert record["symbols"] == {"inputs": [["a", "b"]], "outputs": [["reject", "accept"]]}
    assert "one label a word: it belongs to the last step" in record["assumed"]
    assert told.count("is taken so:") == 1 and "x is over 2 symbols: a b" in told
    claims = {claim["check"]: claim for claim in record["claims"]}
    assert claims["known"]["labels"] == claims["known"]["count"] == len(words)
    assert claims["unseen"]["labels"] == claims["unseen"]["count"] < len(words) / 4
    assert "labelled steps only" in record["verification"]["summary"]
    assert claims["long"]["how"] == "not tried"


@pytest.mark.slow
def test_labels_at_a_third_of_the_steps(tmp_path, capfd):
    rng = random.Random(0)
    path, labels = tmp_path / "some.jsonl", 0
    with path.open("w") as file:
        for _ in range(600):
            x = [rng.randint(0, 1) for _ in range(9)]
            y = [sum(x[: t + 1]) % 2 if rng.random() < 0.33 else None for t in range(9)]
            labels += sum(label is not None for label in y)
            file.write(json.dumps({"x": x, "y": y}) + "\n")
    code, program, record, _ = run(tmp_path, capfd, path)
    assert code == 0 and record["solved"]
    word = [rng.randint(0, 1) for _ in range(300)]
    assert program(word) == [sum(word[: t + 1]) % 2 for t in range(300)]
    known = next(claim for claim in record["claims"] if claim["check"] == "known")
    assert known["labels"] == labels and known["holds_to"] is None
    assert any("have no label" in note for note in record["verification"]["notes"])


@pytest.mark.slow
def test_a_machine(tmp_path, capfd):
    path = tmp_path / "turnstile.dot"
    path.write_text(
        'digraph { start [shape=point]; start -> locked; locked -> open [label="coin/click"];'
        'locked -> locked [label="push/no"]; open -> open [label="coin/click"];'
        'open -> locked [label="push/go"]; }'
    )
    sizes = ("training_sequences=2000", "test_sequences=1000", "verification.long_sequences=200")
    code, program, record, _ = run(tmp_path, capfd, path, *sizes)
    assert code == 0 and record["accuracy"] == {"test": 1.0, "long": 1.0}
    words = ["push", "coin", "coin", "push", "push"]
    assert program(words) == ["no", "click", "click", "go", "no"]
