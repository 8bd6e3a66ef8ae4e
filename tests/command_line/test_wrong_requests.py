"""Wrong requests: each ends in exit code 2 and one message with the key, what it got and what is
allowed.

A request is wrong as a whole before anything is written, so every case also checks that the folder
stays empty.
"""

import random
import subprocess
import sys

import numpy as np
import pytest

from mips_jax.command_line.main import WRONG_REQUEST, main

CASES = {
    # -- what is asked for
    "nothing": ([], "nothing to do: give task=<name>"),
    "no such task": (
        ["task=Binary_Adition"],
        "no task named 'Binary_Adition'; did you mean Binary_Addition",
    ),
    "no such task, several": (
        ["-m", "task=Prev1,Pref2,Sum_Al"],
        "no task named 'Pref2'; did you mean Prev2",
        "no task named 'Sum_Al'",
    ),
    "a name without its key": (["prev1"], "cannot read 'prev1'; did you mean task=Prev1?"),
    "a glob that matches nothing": (["-m", "task=glob(Nothing_*)"], "no task named 'Nothing_*'"),
    "a task and no such network": (
        ["task=Prev1", "network=file", "network.path=net.npz"],
        "net.npz: no such file",
    ),
    "a task twice": (
        ["task=Prev1", "task=Prev2"],
        "task is given 2 times; give it once (task=a,b with -m",
    ),
    "several tasks without -m": (["task=Prev1,Prev2"], "list of values", "add -m"),
    "no such length": (["task=Prev1", "task.length=0"], "task.length is 0; allowed: 1 to 1000"),
    "a door's key on another door": (
        ["task=Prev1", "task.path=data.npz"],
        "there is no key 'task.path'",
    ),
    # -- keys and values
    "unknown key": (
        ["task=Prev1", "training.max_stepz=10"],
        "no key 'training.max_stepz'; did you mean training.max_steps?",
    ),
    "unknown key, in another group": (
        ["task=Prev1", "training.hidden_dims=[2]"],
        "did you mean model.hidden_dims?",
    ),
    "unknown top key": (
        ["task=Prev1", "trainings=quick"],
        "no key 'trainings'; did you mean training?",
    ),
    "unknown key, added": (["task=Prev1", "+training.momentum=0.9"], "no key 'training.momentum'"),
    "text for an integer": (
        ["task=Prev1", "training.max_steps=many"],
        "training.max_steps is 'many', but must be an integer",
    ),
    "a fraction for an integer": (
        ["task=Prev1", "training.seed=0.5"],
        "training.seed is '0.5', but must be an integer",
    ),
    "text for a number": (
        ["task=Prev1", "training.learning_rate=fast"],
        "training.learning_rate is 'fast', but must be a number",
    ),
    "text for a truth value": (
        ["task=Prev1", "training.device.distributed=maybe"],
        "is 'maybe', but must be true or false",
    ),
    "null": (
        ["task=Prev1", "training.batch_size=null"],
        "training.batch_size is null, but must be",
    ),
    "a value for a list": (
        ["task=Prev1", "model.hidden_dims=3"],
        "model.hidden_dims",
        "wrong kind",
    ),
    "text in a list": (
        ["task=Prev1", "model.hidden_dims=[1,two]"],
        "model.hidden_dims[1] is 'two', but must be an integer",
    ),
    "an unfinished list": (
        ["task=Prev1", "model.hidden_dims=[1,2"],
        "cannot read 'model.hidden_dims=[1,2'",
    ),
    "an empty list": (["task=Prev1", "model.hidden_dims=[]"], "model.hidden_dims is []"),
    "a reference to nothing": (
        ["task=Prev1", "training.seed=${no.such.key}"],
        "training.seed",
        "no.such.key",
    ),
    # -- ranges
    "steps": (["task=Prev1", "training.max_steps=0"], "training.max_steps is 0; allowed: 1 to"),
    "learning rate": (
        ["task=Prev1", "training.learning_rate=-1"],
        "training.learning_rate is -1.0; allowed: above 0",
    ),
    "cell": (
        ["task=Prev1", "model.cell=transformer"],
        "model.cell is 'transformer'; allowed: mlp_rnn, elman, gru, lstm",
    ),
    "precision of gradients": (
        ["task=Prev1", "training.device.gradients=float16"],
        "training.device.gradients is 'float16'; allowed: auto, float32, bfloat16",
    ),
    "method": (
        ["task=Prev1", "extraction.method=magic"],
        "extraction.method is 'magic'; allowed: auto, linear",
    ),
    "a key of a group that is not chosen": (
        ["task.name=Prev1"],
        "task.name is given, but no task is chosen; add task=...",
    ),
    "no option of a group": (
        ["task=Prev1", "training=null"],
        "training is null, but must be one of default, quick",
    ),
    "a sweep of Hydra's own": (
        ["task=Prev1", "hydra.sweeper.params={a:b}"],
        "hydra.sweeper.params",
    ),
    "all at once": (
        ["task=Prev1", "training.members=0", "extraction.words=1", "model.widths=[0]"],
        "3 problems",
        "training.members is 0",
        "extraction.words is 1; allowed: 100 to 100000",
        "model.widths is [0]",
    ),
    "all unknown keys at once": (
        ["task=Prev1", "training.sed=1", "model.depts=[1]"],
        "2 problems",
        "training.seed?",
        "model.depths?",
    ),
    "in one job of a sweep": (
        ["-m", "task=Prev1", "training.members=2,0"],
        "training.members is 0",
    ),
    "the mode as a key": (
        ["task=Prev1", "hydra.mode=MULTIRUN"],
        "hydra.mode is MULTIRUN",
        "add -m",
    ),
    # -- groups
    "unknown option": (
        ["task=Prev1", "training=quik"],
        "training is 'quik', but must be one of default, quick",
        "did you mean quick?",
    ),
    "unknown experiment": (
        ["experiment=nothing"],
        "experiment is 'nothing', but must be one of binary_addition, first_steps",
    ),
    "an experiment that sweeps, without -m": (["experiment=first_steps"], "missing: task.name"),
    "unknown launcher": (
        ["-m", "task=Prev1", "hydra/launcher=slum"],
        "hydra/launcher is 'slum'",
        "did you mean slurm?",
    ),
    # -- options
    "unknown option flag": (
        ["task=Prev1", "--verbose"],
        "unrecognized arguments: --verbose; see mips-jax --help",
    ),
    "arguments to tasks": (["tasks", "Prev1"], "mips-jax tasks takes no further arguments"),
    "a config folder that is none": (
        ["task=Prev1", "--config-dir", "nowhere"],
        "--config-dir is 'nowhere', which is not a folder",
    ),
    "a run folder inside a file": (
        ["task=Prev1", f"hydra.run.dir={__file__}/run"],
        "cannot be made",
        "change hydra.run.dir",
    ),
    # -- doors
    "no path": (["task=file"], "missing: task.path; add task.path=..."),
    "no such file": (
        ["task=file", "task.path=nowhere.npz"],
        "nowhere.npz (task.path) does not exist",
    ),
    "a pickle": (["task=file", "task.path=data.pkl"], "data.pkl", "task.path"),
    "function without a range": (
        ["task=function", "task.target=os.path:basename"],
        "task.input_min is missing",
        "task.input_max is missing",
    ),
    "function that is none": (
        ["task=function", "task.target=math:pi", "task.input_min=0", "task.input_max=1"],
        "task.target=math:pi is a float, not a function",
    ),
    "function, empty range": (
        ["task=function", "task.target=math:floor", "task.input_min=3", "task.input_max=1"],
        "task.input_min is 3, above task.input_max = 1",
    ),
    "no network": (
        ["network=file", "network.input_min=0", "network.input_max=1"],
        "missing: network.path",
    ),
    "no such network": (["network=file", "network.path=nowhere.npz"], "nowhere.npz: no such file"),
    "network option": (
        ["network=file", "network.path=n.npz", "network.non_linearity=relu"],
        "did you mean network.nonlinearity",
    ),
}


@pytest.mark.parametrize(
    "arguments, expected", [(case[0], case[1:]) for case in CASES.values()], ids=list(CASES)
)
def test_a_wrong_request_ends_in_one_message_and_exit_code_2(
    arguments, expected, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == WRONG_REQUEST
    out, err = capfd.readouterr()
    assert out == ""
    for part in expected:
        assert part in err
    assert err.startswith("mips-jax: ") and "Traceback" not in err
    first, *rest = err.rstrip("\n").split("\n")
    assert all(line.startswith("  - ") for line in rest), (
        "one message: a line, or a count and one line for each problem"
    )
    assert bool(rest) == first.endswith(" problems")
    assert list(tmp_path.iterdir()) == [], "nothing is half-written"


def test_files_with_problems_name_all_of_them(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    np.savez("data.npz", x=np.full((20, 5), 0.5), y=np.zeros((19, 5)))
    assert main(["task=file", "task.path=data.npz", "training.members=0"]) == WRONG_REQUEST
    err = capfd.readouterr().err
    assert "training.members is 0" in err and "not whole numbers" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.npz"]


def test_the_process_ends_with_exit_code_2_and_no_traceback(tmp_path):
    command = [sys.executable, "-m", "mips_jax", "task=Nothing", "training.members=x"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == WRONG_REQUEST
    assert done.stdout == "" and done.stderr.startswith(
        "mips-jax: there is no task named 'Nothing'"
    )
    assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []


FRAGMENTS = [argument for case in CASES.values() for argument in case[0]] + [
    "task=choice(Prev1,Prev2)",
    "training.seed=range(1,3)",
    "training.learning_rate=interval(0,1)",
    "model={cell:gru}",
    "task@foo=Prev1",
    "training@_global_=quick",
    "~training",
    "hydra=foo",
    "=3",
    ".x=3",
    "task=${foo}",
    "seed=${oc.env:NOPE}",
    "model.widths=[[1]]",
    "-m",
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(150))
def test_no_request_however_odd_ends_in_a_traceback(seed, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(seed)
    arguments = rng.sample(FRAGMENTS, rng.randint(1, 3))
    mangled = list(rng.choice(arguments))
    mangled.insert(
        rng.randrange(len(mangled) + 1), rng.choice("abcXY019.=,[]{}()'\"$~+@:/\\ -_*%é")
    )
    code = main([*arguments, "".join(mangled), "--cfg", "job"])
    assert code in (0, WRONG_REQUEST)
    assert (code == WRONG_REQUEST) == capfd.readouterr().err.startswith("mips-jax: ")
    assert list(tmp_path.iterdir()) == []
