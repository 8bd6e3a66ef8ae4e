"""The table of a sweep says what the results say."""

import json

from mips_jax.reporting import sweep_table

SOLVED = {
    "task": "Sum_All",
    "solved": True,
    "accuracy": {"test": 1.0, "long": 1.0},
    "fidelity": 1.0,
    "method": "linear",
    "program_lines": 5,
    "verification": {"test_sequences": 10_000, "test_unseen": 10_000, "test_complete": False},
    "network": {"hidden_dim": 1, "start": "random"},
    "reason": None,
    "seconds": {"train": 2.0, "extract": 0.5, "verify": 0.1, "total": 60.0},
}
FAILED = SOLVED | {
    "task": "Hard",
    "solved": False,
    "outcome": "no program",
    "accuracy": {"test": 0.9999999, "long": None},
    "verification": None,
    "network": None,
    "method": None,
    "program_lines": None,
    "reason": "no method found a program",
    "seconds": {"train": None, "extract": None, "verify": None, "total": None},
}


def test_rows_are_in_the_order_of_the_jobs(tmp_path):
    for number, name in ((10, "c"), (2, "b"), (0, "a")):
        (tmp_path / f"{number}_{name}").mkdir()
        (tmp_path / f"{number}_{name}" / "result.json").write_text(
            json.dumps(SOLVED | {"task": name})
        )
    (tmp_path / "3_crashed").mkdir()
    assert [result["task"] for result in sweep_table.read_results(tmp_path)] == ["a", "b", "c"]


def test_every_column_is_filled_from_the_result_or_left_empty():
    assert sweep_table.row(SOLVED) == (
        "Sum_All",
        "yes",
        "10,000",
        "100%",
        "100%",
        "100%",
        "",
        "linear",
        "5",
        "1",
        "random",
        "2.0",
        "0.5",
        "60.0",
    )
    assert sweep_table.row(FAILED)[:4] == ("Hard", "no program", "", "99.99%")


def test_how_far_a_proof_reaches_is_told_and_nothing_else_is_called_proven():
    cell = lambda **verification: sweep_table.row(SOLVED | {"verification": verification})[6]
    assert cell(equals_machine=True, network_equals_machine=True) == "every length"
    for reached in (None, False):
        assert cell(equals_machine=True, network_equals_machine=reached) == ""
    assert cell(equals_machine=True) == cell() == ""


def test_what_judged_is_told():
    cell = lambda **verification: sweep_table.row(SOLVED | {"verification": verification})[2]
    everything = {"test_sequences": 1024, "test_unseen": 7, "test_complete": True}
    assert cell(**everything) == "7 unseen of all 1,024"
    assert cell(test_sequences=0) == cell() == ""


def test_the_verdict_counts_solved_and_long():
    short = SOLVED | {"accuracy": {"test": 1.0, "long": 0.5}, "verification": {}}
    whole = short | {"verification": {"network_equals_machine": True}}
    assert "1 proven equal to the network at every length" in sweep_table.verdict([short, whole])
    assert sweep_table.verdict([SOLVED, short, FAILED]) == (
        "2 of 3 solved, 1 of them exact at ten times the length too, "
        "0 proven equal to the network at every length; 2.0 minutes"
    )


def test_the_page_gives_the_reason_of_every_failure():
    page = sweep_table.markdown_table([SOLVED, FAILED])
    assert "| Sum_All | yes |" in page and "- Hard: no method found a program" in page


def test_what_varies_stands_beside_the_results():
    runs = [
        {"finished": True, "folder": "m/0_a", "seed": 0, "model.cell": "gru", "outcome": "solved"},
        {
            "finished": False,
            "folder": "m/1_b",
            "seed": 0,
            "model.cell": "lstm",
            "outcome": "crashed",
        },
        {"finished": True, "folder": "m/2_c", "seed": 1, "model.cell": None, "outcome": "no"},
    ]
    page = sweep_table.markdown_table([SOLVED, FAILED], runs)
    lines = page.splitlines()
    assert lines[0].endswith("| model.cell | seed | folder |")
    assert lines[2].endswith("| gru | 0 | 0_a |") and lines[3].endswith("|  | 1 | 2_c |")
    assert "- m/1_b: crashed" in page
