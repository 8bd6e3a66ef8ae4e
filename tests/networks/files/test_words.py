"""Example words of a network, from files."""

import json

import numpy as np
import pytest

from mips_jax import RequestError
from mips_jax.networks.files.words import load_words

WORDS = [[0, 3, 1, 4], [0, 4], [0, 2, 2, 2, 1, 4]]
TEXT = {
    "blanks.txt": "\n".join(" ".join(map(str, w)) for w in WORDS),
    "commas.csv": "\n".join(", ".join(map(str, w)) for w in WORDS) + "\n\n",
    "competition.words": "3 5\n" + "\n".join(" ".join(map(str, [len(w), *w])) for w in WORDS),
    "lists.jsonl": "\n".join(json.dumps(w) for w in WORDS),
    "objects.jsonl": "\n".join(json.dumps({"input_ids": w, "label": 1}) for w in WORDS),
}


@pytest.mark.parametrize("name", TEXT)
def test_words_in_text(tmp_path, name):
    path = tmp_path / name
    path.write_text(TEXT[name], encoding="utf-8")
    words, ends = load_words(path, 1)
    assert [w[:end, 0].tolist() for w, end in zip(words, ends)] == WORDS


def test_words_in_an_archive(tmp_path):
    x = np.arange(24).reshape(2, 6, 2)
    np.savez(tmp_path / "w.npz", x=x, lengths=np.array([6, 4]))
    words, ends = load_words(tmp_path / "w.npz", 2)
    assert ends.tolist() == [6, 4] and (words[0] == x[0]).all() and not words[1, 4:].any()


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "has no words"),
        ("0 1 two", "cannot be read: invalid literal for int.*'two'; allowed: text with one word"),
        ('{"y": [1]}', "an object without x, word or input_ids"),
        (
            "[[0, 1], [1, 1]]",
            r"word 1 is \[\[0, 1\], \[1, 1\]\]; the network reads 1 integer a step",
        ),
        ("[0.5]", "word 1 is .0.5.; the network reads 1 integer a step"),
    ],
)
def test_what_is_no_word(tmp_path, text, said):
    path = tmp_path / "words.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RequestError, match=said):
        load_words(path, 1)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RequestError, match=r"none.txt \(network.inputs\) cannot be read"):
        load_words(tmp_path / "none.txt", 1)
