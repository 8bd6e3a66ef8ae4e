"""docs/report.md: its Python runs, its files and pictures are there, its limits are the code's."""

import re
from pathlib import Path

import mips_jax
from mips_jax.reporting import interactive, interactive_machine, shown
from mips_jax.reporting.claimed_folder import WRITTEN
from mips_jax.reporting.hidden_states import SEQUENCES

PATH = Path(__file__).parents[1] / "docs" / "report.md"
TEXT = PATH.read_text(encoding="utf-8")


def test_its_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (source,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {}
    exec(source, names)
    said = [line.split("# ")[-1] for line in source.splitlines() if "print(" in line]
    printed = capsys.readouterr().out
    assert all(comment in printed for comment in said[1:]) and "proven:" in printed
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"hidden_states.npz", "machine.png", "report.html", "kept"}
    again = mips_jax.load_network(tmp_path / "kept" / "network.npz")
    assert again.run(names["states"].words)[1].tolist() == names["states"].outputs.tolist()


def test_its_pictures_are_there_and_small():
    shown_there = re.findall(r"!\[[^]]*\]\(([^)]+)\)", TEXT)
    assert len(shown_there) == 3
    for name in shown_there:
        assert 5_000 < (PATH.parent / name).stat().st_size < 200_000


def test_its_files_are_those_of_a_run():
    table = TEXT.split("## Files for other tools")[1].split("## In Python")[0]
    files = re.findall(r"`([a-z_]+\.(?:json|dot|npz|csv|png))`", table)
    assert len(files) >= 7 and set(files) <= {*WRITTEN, "result.json"}


def test_its_limits_are_the_code_s():
    limits = (
        f"Beyond {shown.FEW_STATES} states",
        f"beyond {interactive_machine.MOST_STATES} states",
        f"{interactive_machine.MOST_EDGES:,} arrows",
        f"beyond {interactive_machine.MOST_CELLS:,} cells",
        f"of {SEQUENCES} random words",
        f"({interactive.MOST_MEMBERS} at most)",
        f"{interactive.MOST_POINTS:,} points at most",
        f"more than {shown.MAX_STATES_DRAWN} states",
    )
    for limit in limits:
        assert limit in TEXT, limit
