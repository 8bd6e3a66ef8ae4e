"""The command line from end to end: what is printed, what the run folder holds, which exit code it
ends with.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mips_jax.command_line import jobs
from mips_jax.command_line.main import FAILED, NOT_SOLVED, SOLVED, WRONG_REQUEST, main
from mips_jax.errors import RequestError
from mips_jax.networks import MLPRNN, save_network
from mips_jax.programs import compile_source
from mips_jax.tasks import TASKS
from tests.networks.pytorch_cases import FOLDER

CONTRACT = {
    "task",
    "solved",
    "accuracy",
    "fidelity",
    "method",
    "verification",
    "network",
    "seconds",
    "program_lines",
    "reason",
    "outcome",
    "claims",
    "front",
    "symbols",
    "assumed",
    "versions",
}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to work in, with a network that adds up its inputs."""
    monkeypatch.chdir(tmp_path)
    total = MLPRNN.from_layers(
        [(np.ones((1, 2)), np.zeros(1))], [(np.ones((1, 1)), np.zeros(1))], trained_length=10
    )
    save_network("total.npz", total)
    return tmp_path


# Nearly no training, and the method that gives up first.
TINY = ("debug=tiny", "extraction.method=linear")
DISTIL_TOTAL = [
    "network=file",
    "network.path=total.npz",
    "network.input_min=-3",
    "network.input_max=9",
    "verification.proof_work=0",
]


def test_a_given_network_is_distilled_without_training(workplace, capfd):
    assert main(DISTIL_TOTAL) == SOLVED
    out, err = capfd.readouterr()
    *program, blank, verdict, folder = out.splitlines()
    assert blank == "" and verdict.startswith("total: solved. ")
    assert compile_source("\n".join(program))([1, 2, 3]) == [1, 3, 6]
    assert "Traceback" not in err and re.fullmatch(r"outputs/total/[\d_-]+", folder)
    files = {entry.name for entry in Path(folder).iterdir()}
    assert {"program.py", "result.json", "summary.md", "hidden_states.png", ".hydra"} <= files
    assert (Path(folder) / "program.py").read_text().rstrip() == "\n".join(program)
    result = json.loads((Path(folder) / "result.json").read_text())
    assert set(result) == CONTRACT
    assert result["solved"] and result["fidelity"] == 1.0 and result["reason"] is None
    assert result["accuracy"] == {"test": None, "long": None}, (
        "nobody knows the truth about a given network"
    )
    assert (
        set(result["seconds"]) == {"train", "extract", "verify", "total"}
        and result["seconds"]["train"] is None
    )


def test_a_task_that_is_not_learned_ends_in_exit_code_1_with_its_reason(workplace, capfd):
    assert main(["task=Add_Mod_7", *TINY]) == NOT_SOLVED
    out, err = capfd.readouterr()
    folder = Path(out.splitlines()[-1])
    result = json.loads((folder / "result.json").read_text())
    assert set(result) == CONTRACT and not result["solved"]
    assert result["reason"] and result["reason"][1:] in out
    assert result["accuracy"]["test"] is None or result["accuracy"]["test"] < 1.0
    assert (folder / "checkpoint").is_dir() and (folder / "training.png").is_file()
    assert "Add_Mod_7: training" in err


def test_a_sweep_gives_one_line_a_job_and_the_worst_exit_code(workplace, capfd):
    assert main(["-m", *DISTIL_TOTAL, "extraction.method=linear,automaton"]) == NOT_SOLVED, (
        "a sum has no finite automaton"
    )
    *lines, folder = capfd.readouterr().out.splitlines()
    assert [line.split(".")[0] for line in lines] == ["total: solved", "total: not solved"]
    results = sorted(Path(folder).glob("*/result.json"))
    assert [path.parent.name for path in results] == ["0_total", "1_total"]
    assert folder.startswith("outputs/multirun/")
    assert len((Path(folder) / "table.csv").read_text().splitlines()) == 3


def test_one_crash_does_not_end_a_sweep(workplace, capfd, monkeypatch):
    run = jobs.Job.run
    crashes = iter([True, False])
    monkeypatch.setattr(
        jobs.Job, "run", lambda self, claim: 1 / 0 if next(crashes) else run(self, claim)
    )
    assert main(["-m", *DISTIL_TOTAL, "extraction.seed=1,2"]) == FAILED
    out, err = capfd.readouterr()
    assert "unexpected error, ZeroDivisionError" in err and "total: solved" in out
    assert "0_total" in err and "Traceback" not in err
    assert (
        "ZeroDivisionError"
        in (Path(out.splitlines()[-1]) / "0_total" / "traceback.txt").read_text()
    )


def test_a_request_found_wrong_while_running_leaves_no_folder(workplace, capfd, monkeypatch):
    def refuse(self, claim):
        (claim.path / "program.py").write_text("half")
        raise RequestError("the range is too wide (key: network.input_max)")

    monkeypatch.setattr(jobs.Job, "run", refuse)
    assert main(DISTIL_TOTAL) == WRONG_REQUEST
    out, err = capfd.readouterr()
    assert out == "" and err == "mips-jax: the range is too wide (key: network.input_max)\n"
    assert list((workplace / "outputs").rglob("*")) == []


def test_the_config_can_be_printed_without_running(workplace, capfd):
    assert main(["task=binary_addition", "training.seed=7", "--cfg", "job"]) == SOLVED
    out = capfd.readouterr().out
    assert "name: Binary_Addition" in out and "seed: 7" in out
    assert not (workplace / "outputs").exists()


def test_tasks_lists_every_task_with_what_it_does(capfd):
    assert main(["tasks"]) == SOLVED
    out = " ".join(capfd.readouterr().out.split())
    for name, task in TASKS.items():
        assert name in out
        assert task.description.split()[0] in out


def test_the_truth_judges_a_network_that_is_given_with_a_task(workplace, capfd):
    given = ["network=file", "network.path=total.npz", "verification.proof_work=0"]
    assert main(["task=Sum_All", *given]) == SOLVED
    *_, verdict, folder = capfd.readouterr().out.splitlines()
    assert verdict.startswith("Sum_All: solved.") and folder.startswith("outputs/Sum_All/")
    result = json.loads((Path(folder) / "result.json").read_text())
    assert result["accuracy"]["test"] == 1.0 and result["network"]["kind"] == "MLPRNN"
    assert main(["task=Prev1", *given]) == NOT_SOLVED  # faithful to the network, and wrong
    *_, verdict, folder = capfd.readouterr().out.splitlines()
    result = json.loads((Path(folder) / "result.json").read_text())
    assert not result["solved"] and result["accuracy"]["test"] < 0.5 and result["fidelity"] == 1.0


def test_a_network_that_does_not_fit_the_task(workplace, capfd):
    assert main(["task=Binary_Addition", "network=file", "network.path=total.npz"]) == WRONG_REQUEST
    err = capfd.readouterr().err
    assert "the network reads 1 integers a step, the task Binary_Addition has 2" in err


def test_what_was_assumed_of_a_network_is_said_and_recorded(workplace, capfd):
    path = FOLDER / "forms" / "gru.pt"
    quick = "extraction.seconds=1", "verification.proof_work=0"
    main(["network=file", f"network.path={path}", *quick])
    out, err = capfd.readouterr()
    assert "one-hot vectors of 3 (network.encoding)" in err
    result = json.loads((Path(out.splitlines()[-1]) / "result.json").read_text())
    assert len(result["network"]["assumed"]) == 3


def test_a_network_is_asked_about_words_like_those_that_are_given(workplace, capfd):
    rng = np.random.default_rng(1)
    words = [[0, *rng.integers(1, 4, 6).tolist(), 4] for _ in range(400)]
    Path("words.txt").write_text("\n".join(" ".join(map(str, word)) for word in words))
    given = ["network=file", "network.path=total.npz", "network.input_min=0", "network.input_max=4"]
    for choice in (["network.inputs=words.txt"], ["network.start=0", "network.end=4"]):
        assert main([*given, *choice]) == SOLVED
        folder = Path(capfd.readouterr().out.splitlines()[-1])
        claims = json.loads((folder / "result.json").read_text())["claims"]
        shown = {claim["check"]: claim for claim in claims}
        assert shown["fidelity"]["words"] == "drawn from the well-formed words"
        assert ("fidelity_given" in shown) == ("words.txt" in choice[0])
        if "words.txt" in choice[0]:
            assert (shown["fidelity_given"]["count"], shown["fidelity_given"]["length"]) == (200, 8)
    assert main([*given, "network.start=9"]) == WRONG_REQUEST
    assert "start is 9; allowed: 0 to 4" in capfd.readouterr().err
    assert main([*given, "network.inputs=words.txt", "network.end=4"]) == WRONG_REQUEST
    assert "drop network.start and network.end" in capfd.readouterr().err
    assert main(["task=Sum_All", *given[:2], "network.start=0"]) == WRONG_REQUEST
    assert "with a task, the task does: drop them" in capfd.readouterr().err


def test_users_names_are_given_as_a_list(workplace, capfd):
    path = FOLDER / "forms" / "by_hand.pt"
    names = "rnn.weight_ih=rnn.Wx.T", "rnn.weight_hh=rnn.Wh.T", "rnn.bias_ih=rnn.b"
    listed = ",".join(f"'{name}'" for name in names)
    code = main(
        [
            "network=file",
            f"network.path={path}",
            f"network.names=[{listed}]",
            "extraction.seconds=1",
            "verification.proof_work=0",
        ]
    )
    assert code in (SOLVED, NOT_SOLVED), capfd.readouterr().err


def test_help_names_doors_groups_and_exit_codes(capfd):
    assert main(["--help"]) == SOLVED
    out = capfd.readouterr().out
    for word in (
        "task=file",
        "task=function",
        "network=file",
        "-m task=",
        "mips-jax tasks",
        "Exit code",
        "mlp_rnn",
        "debug",
    ):
        assert word in out


def test_help_and_tasks_answer_without_loading_jax():
    code = (
        "import sys; from mips_jax.command_line.main import main; main([sys.argv[1]]); "
        "sys.exit('jax' in sys.modules)"
    )
    for command in ("--help", "tasks"):
        done = subprocess.run(
            [sys.executable, "-c", code, command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m mips_jax tasks | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_the_benchmark_ends_with_a_table_of_all_its_tasks(workplace, capfd):
    assert main(["benchmark", "task=Prev1,Add_Mod_7", *TINY]) == NOT_SOLVED
    *_, verdict, folder = capfd.readouterr().out.splitlines()
    assert re.match(r"\d of 2 solved", verdict) and folder.startswith("outputs/benchmark/")
    page = (Path(folder) / "table.md").read_text()
    assert "| Prev1 |" in page and "- Add_Mod_7: " in page
    assert len((Path(folder) / "table.csv").read_text().splitlines()) == 3


def test_the_benchmark_takes_every_task_unless_told(workplace, capfd):
    assert main(["benchmark", "--cfg", "job"]) == SOLVED
    assert capfd.readouterr().out.startswith(f"# {len(TASKS)} jobs")


def test_nearly_is_exit_code_0_with_a_note(capsys, tmp_path):
    from mips_jax.command_line import main as command

    nearly = jobs.Outcome(False, "def program(inputs): ...", "net: nearly.", nearly=True)
    assert command.print_outcome(nearly, tmp_path, brief=True) == 0
    assert "on nearly all words of its length, not on all" in capsys.readouterr().err
    wrong = jobs.Outcome(False, None, "net: not solved.")
    assert command.print_outcome(wrong, tmp_path, brief=True) == 1
    assert capsys.readouterr().err == ""


def test_a_launcher_that_fails_leaves_the_table_of_what_is_finished(workplace, capfd, monkeypatch):
    from mips_jax.command_line.composition import Composer

    run_all = Composer.run_all

    def losing_a_machine(self, request, job):
        run_all(self, request, job)
        raise RuntimeError("job 7 was killed")

    monkeypatch.setattr(Composer, "run_all", losing_a_machine)
    asked = ["-m", *DISTIL_TOTAL, "extraction.seed=1,2", "hydra.sweep.dir=sweep"]
    assert main(asked) == FAILED
    assert "job 7 was killed" in capfd.readouterr().err
    assert len(Path("sweep/table.csv").read_text().splitlines()) == 3
    monkeypatch.undo()
    os.chdir(workplace)
    assert main(asked) == SOLVED
    assert capfd.readouterr().err.count("carried out before") == 2


def test_the_command_that_goes_on_is_one_for_a_shell():
    from mips_jax.command_line.leaving import going_on

    asked = ["-m", "task=a,b", "hydra.sweep.dir=old", "overwrite=true", "x=[1,2]"]
    said = going_on(asked, "hydra.sweep.dir", Path("/runs/it's here"))
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {said}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert words[:4] == ["mips-jax", "-m", "task=a,b", "x=[1,2]"]
    assert words[4] == r"hydra.sweep.dir='/runs/it\'s here'"
