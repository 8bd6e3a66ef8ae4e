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
    "verification": {"equals_machine": None},
    "network": {"hidden_dim": 1},
    "reason": None,
    "seconds": {"train": 2.0, "extract": 0.5, "verify": 0.1, "total": 60.0},
}
FAILED = SOLVED | {
    "task": "Hard",
    "solved": False,
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
        "100%",
        "100%",
        "100%",
        "",
        "linear",
        "5",
        "1",
        "2.0",
        "0.5",
        "60.0",
    )
    assert sweep_table.row(FAILED)[:3] == ("Hard", "NO", "99.99%")


def test_how_far_a_proof_reaches_is_told():
    cell = lambda **verification: sweep_table.row(SOLVED | {"verification": verification})[5]
    assert cell(equals_machine=True, network_equals_machine=True) == "network"
    assert (
        cell(equals_machine=True, network_equals_machine=None)
        == cell(equals_machine=True)
        == "machine"
    )
    assert cell(equals_machine=True, network_equals_machine=False) == "machine"
    assert (
        cell(equals_machine=False, network_equals_machine=None) == "no"
        and cell(equals_machine=None) == ""
    )


def test_the_verdict_counts_solved_and_long():
    short = SOLVED | {
        "accuracy": {"test": 1.0, "long": 0.5},
        "verification": {"equals_machine": True},
    }
    whole = short | {"verification": {"equals_machine": True, "network_equals_machine": True}}
    assert (
        "2 proven equal to the network's machine at every length, 1 to the network itself"
        in sweep_table.verdict([short, whole])
    )
    assert sweep_table.verdict([SOLVED, short, FAILED]) == (
        "2 of 3 solved, 1 of them exact at ten times the length too, "
        "1 proven equal to the network's machine at every length, 0 to the network itself; 2.0 minutes"
    )


def test_the_page_gives_the_reason_of_every_failure():
    page = sweep_table.markdown_table([SOLVED, FAILED])
    assert "| Sum_All | yes |" in page and "- Hard: no method found a program" in page
    assert sweep_table.csv_table([SOLVED]).splitlines()[1].startswith("Sum_All,yes,100%")
