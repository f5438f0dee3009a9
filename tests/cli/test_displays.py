"""Displays of a run: plain lines, JSON lines, the live screen; told by a run that never was."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from rftspec.cli.live import Live
from rftspec.cli.plain import JsonLines, Lines, Plain
from rftspec.cli.view import (
    View,
    clock_text,
    evaluation_line,
    percent,
    sample_text,
    smoothed,
    sparkline,
)
from rftspec.run.observer import EvaluationSeen, Progress
from tests.cli.fake_run import STEPS, tell

ROOT = Path(__file__).resolve().parent.parent.parent


def _no_pause(seconds: float) -> None:
    pass


def test_plain_display_says_one_line_per_step_and_evaluation() -> None:
    """Nothing is overwritten, nothing is coloured."""
    out = io.StringIO()
    with Plain(Lines(out)) as display:
        tell(display, _no_pause)
    lines = out.getvalue().splitlines()
    assert sum(line.startswith("step ") for line in lines) == STEPS
    assert sum("rows × 4:" in line for line in lines) == 5
    assert any(line.startswith("warning H4 at step 30") for line in lines)
    assert "\x1b" not in out.getvalue()
    assert "\r" not in out.getvalue()


def test_long_phase_gives_a_sign_of_life() -> None:
    """Once in a while, not with every completion."""
    out, now = io.StringIO(), [0.0]
    display = Plain(Lines(out), clock=lambda: now[0])
    for done in range(1, 100):
        now[0] += 1.0
        display.on_progress(Progress("base", done, 100, now[0], 50.0, 0.1))
    assert 4 <= len(out.getvalue().splitlines()) <= 7


def test_json_display_is_one_object_a_line() -> None:
    """For programs that watch a run."""
    out = io.StringIO()
    with JsonLines(Lines(out)) as display:
        tell(display, _no_pause)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {one["display"] for one in told} == {
        "phase", "progress", "step", "evaluation", "warning"
    }  # fmt: skip
    assert sum(one["display"] == "step" for one in told) == STEPS


def _screen(columns: int = 100, *, color: bool = True) -> str:
    """All that the live screen wrote to a terminal of some width."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=columns, height=40, highlight=False,
        no_color=not color, legacy_windows=False,
    )  # fmt: skip
    live = Live("rare-disease", console)
    with live:
        tell(live, lambda _: live._live.refresh())
    return out.getvalue()


def test_live_screen_shows_what_a_person_wants_to_know() -> None:
    """Phase, progress, rewards with their way, time left, the last sample, warnings."""
    shown = _screen(color=False)
    for part in ("rare-disease", " · training", "whole run", "left", "reward", "▁", "validation"):
        assert part in shown
    assert "last sample" in shown
    assert "! H4 at step 30" in shown
    assert "base on 200 test rows × 4: reward 0.310" in shown


@pytest.mark.parametrize("columns", [30, 60, 200])
def test_live_screen_fits_any_width(columns: int) -> None:
    """No line is wider than the terminal; it would wrap and the redraw would smear."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=columns, height=40, highlight=False)
    live = Live("rare-disease", console)
    tell(live, _no_pause)
    lines = console.render_lines(live.screen(), console.options, pad=False)
    assert all(sum(segment.cell_length for segment in line) <= columns for line in lines)


def test_escapes_in_model_output_never_reach_the_terminal() -> None:
    """The fake run's sample tries to set the window's title; every display shows it instead."""
    out = io.StringIO()
    with Plain(Lines(out)) as display:
        tell(display, _no_pause)
    assert "\x1b" not in out.getvalue()
    shown = _screen()
    assert "\x1b]0;" not in shown
    assert "\x07" not in shown
    assert "\\x1b]0;owned\\x07" in shown.replace("\n", "")


def test_reader_that_goes_away_does_not_stop_a_run() -> None:
    """`rftspec run … | head -3` trains on, silently."""
    script = (
        "import sys\n"
        "from rftspec.cli.plain import Lines, Plain\n"
        "from tests.cli.fake_run import tell\n"
        "with Plain(Lines()) as display:\n"
        "    tell(display, lambda _: None)\n"
        "print('after', file=sys.stderr)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert said.strip() == "after"


def test_time_left_runs_down_between_two_reports() -> None:
    """And never below zero."""
    now = [100.0]
    view = View(clock=lambda: now[0])
    assert view.remaining is None
    view.on_progress(Progress("base", 1, 10, 5.0, 20.0, 0.2))
    now[0] += 8
    assert (view.elapsed, view.remaining) == (13.0, 12.0)
    now[0] += 100
    assert view.remaining == 0.0


def test_curve_is_smoothed_over_five_steps() -> None:
    """As many values as steps; the first ones over what there is."""
    assert smoothed([1.0, 0.0, 0.5], window=2) == [1.0, 0.5, 0.25]
    assert smoothed([]) == []


def test_small_wiggles_are_drawn_flat() -> None:
    """A spread of a thousandth is noise."""
    assert sparkline([0.5, 0.5005, 0.5]) == "▁▁▁"
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([]) == ""
    assert len(sparkline([0.1] * 100, width=10)) == 10


def test_numbers_are_written_for_people() -> None:
    """Times, shares, and a dash for what is not known."""
    assert [clock_text(s) for s in (None, 0, 61, 3723)] == ["–:––", "0:00", "1:01", "1:02:03"]
    assert [percent(s) for s in (None, 0.0, 0.012, 0.0996, 0.5)] == [
        "–", "0 %", "1.2 %", "10 %", "50 %"
    ]  # fmt: skip
    assert sample_text({"output_text": "a\nb", "reward": None}).endswith("a⏎b")
    seen = EvaluationSeen("step-20", "validation", 20, 10, 10, {"reward": None}, 1.0)
    assert evaluation_line(seen) == "after step 20 on 10 validation rows × 1: reward –"
