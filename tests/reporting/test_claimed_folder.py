"""A run folder loses nothing and lies about nothing."""

import os

import pytest

from mips_jax.errors import RequestError
from mips_jax.reporting.claimed_folder import claimed


def _run(folder, request, files, overwrite=False):
    """A run that writes some files and ends."""
    with claimed(folder, request, overwrite) as claim:
        if claim.answered:
            return "answered"
        for name, text in files.items():
            (claim.path / name).write_text(text)
        claim.finish()
    return "done"


DONE = {"program.py": "x = 1", "machine.png": "picture", "result.json": "{}"}


def test_the_same_request_answers_from_itself_and_another_is_refused(tmp_path):
    folder = tmp_path / "run"
    assert _run(folder, {"task": "a"}, DONE) == "done"
    assert _run(folder, {"task": "a"}, {}) == "answered"
    with pytest.raises(RequestError, match=r"holds the result of another request.*overwrite=true"):
        _run(folder, {"task": "b"}, {})
    assert (folder / "program.py").read_text() == "x = 1"


def test_nothing_of_an_earlier_run_stays_beside_another_result(tmp_path):
    """At 99619c0 the old program.py and machine.png stood beside "not solved"."""
    _run(tmp_path, {"task": "a"}, DONE)
    _run(tmp_path, {"task": "b"}, {"result.json": '{"solved": false}'}, overwrite=True)
    assert not (tmp_path / "program.py").exists() and not (tmp_path / "machine.png").exists()
    assert (tmp_path / "result.json").read_text() == '{"solved": false}'


@pytest.mark.parametrize("name", ["program.py", "summary.md", "result.json"])
def test_a_file_of_the_user_s_is_never_overwritten(tmp_path, name):
    (tmp_path / name).write_text("mine")
    (tmp_path / "notes.txt").write_text("mine, too")
    for overwrite in (False, True):
        with pytest.raises(RequestError, match=f"files that no run has made.*{name}"):
            _run(tmp_path, {"task": "a"}, DONE, overwrite)
    assert (tmp_path / name).read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == sorted([name, "notes.txt"])


def test_a_program_that_the_user_has_changed_since_is_the_user_s(tmp_path):
    _run(tmp_path, {"task": "a"}, DONE)
    (tmp_path / "program.py").write_text("x = 2  # improved by hand")
    with pytest.raises(RequestError, match=r"changed since: program\.py"):
        _run(tmp_path, {"task": "b"}, {}, overwrite=True)


def test_two_runs_at_once_are_one_too_many(tmp_path):
    second = pytest.raises(RequestError, match="is in use by another run")
    with claimed(tmp_path, {"task": "a"}), second:
        _run(tmp_path, {"task": "a"}, {})
    assert _run(tmp_path, {"task": "a"}, DONE) == "done"


@pytest.mark.parametrize("there_before", [True, False])
def test_on_failure_only_what_the_run_made_goes(tmp_path, there_before):
    """At 99619c0 a user's empty folder and its parent were removed."""
    folder = tmp_path / "mine" / "run"
    if there_before:
        folder.mkdir(parents=True)
    with pytest.raises(ZeroDivisionError), claimed(folder, {"task": "a"}) as claim:
        (claim.path / "program.py").write_text("half")
        try:
            raise ZeroDivisionError
        finally:
            claim.discard()
    assert folder.exists() == there_before
    assert not there_before or os.listdir(folder) == []


def test_links_are_never_followed_when_something_is_removed(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data.npz").write_text("data")
    folder = tmp_path / "run"
    with claimed(folder, {"task": "a"}) as claim:
        (claim.path / "checkpoint").symlink_to(precious, target_is_directory=True)
        claim.finish()
    _run(folder, {"task": "b"}, DONE, overwrite=True)
    assert (precious / "data.npz").read_text() == "data"


def test_a_link_that_leads_nowhere_is_no_run_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RequestError, match="is a link that leads nowhere"):
        _run(tmp_path / "link", {"task": "a"}, {})


def test_a_damaged_state_is_refused_and_left_as_it_is(tmp_path):
    state = tmp_path / "run" / ".mips_jax"
    state.mkdir(parents=True)
    (state / "request.json").write_text("mine")
    with pytest.raises(RequestError, match=r"request\.json is damaged"), claimed(state.parent, {}):
        pass
    assert [path.name for path in state.iterdir()] == ["request.json"]


def test_a_refusal_says_one_thing(tmp_path):
    _run(tmp_path / "run", {"seed": 0}, {"result.json": "{}"})
    with pytest.raises(RequestError) as refusal:
        _run(tmp_path / "run", {"seed": 1}, {})
    assert str(refusal.value).startswith(f"{tmp_path / 'run'} holds the result of another request")


def test_what_a_killed_run_has_half_written_goes_with_the_next_run(tmp_path):
    _run(tmp_path, {"task": "a"}, {".report.html.4711.tmp": "half", ".mine.tmp": "mine"})
    (tmp_path / ".result.json.12.tmp").write_text("half")
    (tmp_path / ".notes.txt.12.tmp").write_text("no file of a run's")
    _run(tmp_path, {"task": "a"}, DONE)
    left = {name for name in os.listdir(tmp_path) if name.endswith(".tmp")}
    assert left == {".mine.tmp", ".notes.txt.12.tmp"}


def test_only_a_whole_checkpoint_can_be_gone_on_from_and_the_rest_of_a_kill_goes(tmp_path):
    with claimed(tmp_path, {"task": "a"}) as claim:
        half = claim.search / "attempt_0" / "search" / "generation_1.orbax-checkpoint-tmp"
        half.mkdir(parents=True)
        assert not claim.resumable
        (half.parent / "generation_1").mkdir()
        assert claim.resumable
        for name in (".program.py.7.tmp", "checkpoint.new", "run.log", "program.py"):
            (tmp_path / name).write_text("of a run that was killed")
    with claimed(tmp_path, {"task": "a"}) as claim:
        assert claim.resumable
        assert sorted(os.listdir(tmp_path)) == [".mips_jax", "run.log"]
    with claimed(tmp_path, {"task": "a"}, overwrite=True) as claim:
        assert not claim.resumable and os.listdir(tmp_path) == [".mips_jax"]


def test_a_result_that_is_written_survives_an_interrupt_right_behind_it(tmp_path):
    with claimed(tmp_path, {"task": "a"}) as claim:
        for name, text in DONE.items():
            (tmp_path / name).write_text(text)
        claim.abandon()
    assert _run(tmp_path, {"task": "a"}, {}) == "answered"
    assert {*DONE} <= {*os.listdir(tmp_path)}
