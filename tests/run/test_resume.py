"""Kill a run anywhere and resume it: the record ends as if nothing had happened, byte for byte."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftspec.record.folder import Record, folder_state
from rftspec.run.interrupt import Interrupt
from rftspec.run.loop import run_plan
from tests.run.fake_engine import FakeEngine, Killed
from tests.run.runs import contents, small_plan, use_fake_grading

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A plan, the bytes of its uninterrupted run, and how many engine calls that took."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        use_fake_grading(patch)
        plan = small_plan(folder / "data")
        engine = FakeEngine(plan.seed)
        assert run_plan(plan, folder / "run", engine=engine).exit_code == 0
        yield plan, contents(folder / "run"), engine.calls


def killed(plan, folder, calls, *, resume):
    """Run until the n-th engine call; True when the run got to its end before."""
    try:
        run_plan(plan, folder, engine=FakeEngine(plan.seed, kill_at=calls), resume=resume)
    except Killed:
        return False
    return True


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_run_killed_anywhere_any_number_of_times_ends_with_the_same_bytes(
    whole, tmp_path_factory, data
):
    plan, expected, calls = whole
    folder = tmp_path_factory.mktemp("killed") / "run"
    for attempt in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(1, calls))
        if killed(plan, folder, at, resume=attempt > 0):
            break
        assert folder_state(folder) == "unfinished"
    assert run_plan(plan, folder, engine=FakeEngine(plan.seed), resume=True).exit_code == 0
    assert contents(folder) == expected


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_process_killed_with_sigkill_resumes_to_the_same_bytes(whole, tmp_path, share):
    plan, expected, calls = whole
    data = str(Path(plan.data.train.path).parent)
    at = str(max(1, round(calls * share)))
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "tests.run.killed_run", data, str(folder)]
    first = subprocess.run([*command, at, "new", "fast"], cwd=ROOT, check=False)
    assert first.returncode == -signal.SIGKILL
    assert folder_state(folder) == "unfinished"
    subprocess.run([*command, "0", "resume", "fast"], cwd=ROOT, check=True, capture_output=True)
    assert contents(folder) == expected
    steps = [e["step"] for e in Record.open(folder).events("step")]
    assert steps == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_saves_it_and_says_how_to_resume(whole, tmp_path, wanted):
    plan, expected, _ = whole
    folder = tmp_path / "run"
    data = str(Path(plan.data.train.path).parent)
    command = [sys.executable, "-m", "tests.run.killed_run", data, str(folder), "0", "new", "slow"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "learn":
                process.send_signal(wanted)
                break
        rest = process.stdout.read()
    assert process.returncode == 130
    assert "interrupted" in rest
    record = Record.open(folder)
    assert [e["step"] for e in record.events("step")] == [1]
    assert run_plan(plan, folder, engine=FakeEngine(plan.seed), resume=True).exit_code == 0
    assert contents(folder) == expected


def test_an_interrupted_evaluation_is_dropped_and_done_again(whole, tmp_path):
    plan, expected, _ = whole
    engine = FakeEngine(plan.seed)

    def press(name):
        if name == "save_adapter":
            signal.raise_signal(signal.SIGINT)

    engine.on_call = press
    outcome = run_plan(plan, tmp_path / "run", engine=engine)
    assert outcome.exit_code == 130
    assert outcome.resume_command is not None
    record = Record.open(tmp_path / "run")
    assert [e["step"] for e in record.events("step")] == [1, 2, 3]
    assert list(record.events("checkpoint")) == []
    resumed = run_plan(plan, tmp_path / "run", engine=FakeEngine(plan.seed), resume=True)
    assert resumed.exit_code == 0
    assert contents(tmp_path / "run") == expected


def test_the_second_signal_stops_at_once():
    # a shell's background job ignores SIGINT: begin as a job in the foreground does
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Interrupt() as interrupt:
            signal.raise_signal(signal.SIGINT)
            assert interrupt.asked
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_damaged_newest_state_falls_back_to_the_one_before_and_says_so(whole, tmp_path):
    plan, expected, calls = whole
    folder = tmp_path / "run"
    assert not killed(plan, folder, calls - 6, resume=False)
    record = Record.open(folder)
    state = record.commit.state
    (folder / state.path / "state.json").write_text("[0.9")
    heard = []

    from rftspec.run.observer import Silent

    class Listener(Silent):
        def on_notice(self, text):
            heard.append(text)

    outcome = run_plan(plan, folder, engine=FakeEngine(plan.seed), resume=True, observer=Listener())
    assert outcome.exit_code == 0
    assert any("damaged" in text for text in heard)
    assert contents(folder) == expected


def test_only_the_newest_two_states_are_kept(whole, tmp_path):
    plan, _, _ = whole
    run_plan(plan, tmp_path / "run", engine=FakeEngine(plan.seed))
    states = sorted(path.name for path in (tmp_path / "run" / "state").iterdir())
    assert states == ["step-000004", "step-000006"]
