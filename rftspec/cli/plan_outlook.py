"""What a plan leads to, in words: lengths, needs, gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rftspec.cli.plan_text import NAME, NARROW, Paper, Row
from rftspec.cli.text import paint
from rftspec.cli.visible import visible, width
from rftspec.plan.quantities import bytes_told, percent, seconds_told, signed

if TYPE_CHECKING:
    from rftspec.plan.calibration import Took
    from rftspec.plan.estimate import Needs, PhaseTime
    from rftspec.plan.gates import Gate
    from rftspec.run.preflight import Preflight
    from rftspec.sandbox.protocol import Layer

MARKS = {"pass": ("✓", "32"), "warn": ("!", "33;1"), "fail": ("✗", "31;1"), "open": ("·", "2")}


def outlook_text(found: Preflight, source: str, paper: Paper) -> str:
    """Lengths, needs and gates, below the plan's own numbers."""
    lines = [
        *_lengths(found, paper),
        *paper.section("needs", list(_needs(found.needs))),
        *_sandbox(found.layers, paper),
        *_gates(found.gates, paper),
    ]
    return "\n".join(lines)


def _lengths(found: Preflight, paper: Paper) -> list[str]:
    """A small table: tokens of prompts by split, and of gold answers."""
    lengths = found.lengths
    spreads = list(lengths.prompts.items())
    if lengths.gold is not None:
        spreads.append(("gold answers", lengths.gold))
    every = "every row" if lengths.whole else "rows spread evenly over each file"
    lines = ["", f"{paper.title('tokens')}  {paper.faint(f'{visible(lengths.by)}, {every}')}"]
    head = f"  {'':<{NAME}} {'rows':>9} {'median':>8} {'95 % ≤':>8} {'longest':>8}"
    lines.append(paper.faint(head))
    for name, spread in spreads:
        path, _, line = spread.at.rpartition(":")
        where = f"  {visible(Path(path).name)}:{line}" if path else ""
        if name == "gold answers":
            where = f"  of {found.plan.response.max_tokens:,} allowed"
        numbers = f"{spread.rows:>9,} {spread.median:>8,} {spread.p95:>8,} {spread.longest:>8,}"
        told = f"  {name:<{NAME}} {numbers}"
        fits = width(told) + width(where) <= max(NARROW, paper.columns)
        lines.append(told + (paper.faint(where) if fits else ""))
    return lines


def _needs(needs: Needs) -> Iterator[Row]:
    device = needs.device
    total = "" if device.total is None else f", {bytes_told(device.total)}"
    free = "" if device.free is None else f"{bytes_told(device.free)} free now"
    yield "on", f"{device.name}{total}", free
    if needs.parts is None or needs.bytes is None or needs.times is None:
        yield "memory, time", "not known", "neither the config nor the name tells the model's size"
        return
    yield from _memory(needs)
    if needs.disk is not None:
        yield "disk", bytes_told(needs.disk), "adapters, two states to resume from, every sample"
    yield from _time(needs)
    last = needs.calibration.last
    if last is not None:
        yield "last time", *_last(last)
    yield "estimates", "", needs.calibration.told


def _memory(needs: Needs) -> Iterator[Row]:
    told = bytes_told(needs.bytes or 0)
    if needs.device.total:
        share = 1 - (needs.bytes or 0) / needs.device.total
        left = (
            f"fits, {percent(share)} to spare"
            if needs.fits
            else "does not fit with a tenth to spare"
        )
        yield "memory", f"{told} of {bytes_told(needs.device.total)}", left
    else:
        yield "memory", told, ""
    if needs.calibration.memory != 1.0:
        scaled = f"× {needs.calibration.memory:.2f}, as the last runs measured"
        yield "  of which", "", f"by formula, then {scaled}"
    for part in needs.parts or ():
        when = "" if part.when == "always" else f" ({part.when} only)"
        yield f"  {part.name}", f"{bytes_told(part.bytes):>7}", f"{part.how}{when}"


def _time(needs: Needs) -> Iterator[Row]:
    total = seconds_told(needs.seconds or 0.0)
    bound = "at most " if "bound" in needs.answers_told else "about "
    tokens = f"answers of {needs.answer_tokens:.0f} tokens: {needs.answers_told}"
    yield "time", f"{bound}{total}", tokens
    yield "  opening", f"{seconds_told(needs.opening):>9}", "importing, loading, quantising"
    for time in needs.times or ():
        yield f"  {_PHASES[time.phase.name]}", f"{seconds_told(time.seconds):>9}", _phase(time)


_PHASES = {
    "base": "base model", "train": "training", "validate": "checkpoints", "tuned": "tuned model",
}  # fmt: skip


def _phase(time: PhaseTime) -> str:
    if not time.learning:
        return time.phase.what
    parts = [("sampling", time.sampling), ("grading", time.grading), ("learning", time.learning)]
    told = " + ".join(f"{name} {seconds_told(value)}" for name, value in parts if value >= 0.5)
    return f"{time.phase.what}: {told}" if told else time.phase.what


def _last(last: Took) -> tuple[str, str]:
    """`predicted 3 m 10 s, took 3 m 40 s (−14 %)`, and of which run."""
    predicted, seconds = last.predicted_seconds or 0.0, last.seconds or 1.0
    error = signed(predicted / seconds - 1)
    told = f"predicted {seconds_told(predicted)}, took {seconds_told(seconds)} ({error})"
    memory = ""
    if last.bytes and last.predicted_bytes:
        off = signed(last.predicted_bytes / last.bytes - 1)
        memory = (
            f"memory {bytes_told(last.predicted_bytes)}, was {bytes_told(last.bytes)} ({off}); "
        )
    return told, f"{memory}{last.name}, plan {last.plan}"


def _sandbox(layers: Sequence[Layer], paper: Paper) -> list[str]:
    """What holds Python graders in."""
    if not layers:
        return []
    held = ", ".join(layer.name for layer in layers if layer.active)
    rows: list[Row] = [("python graders", "", f"held in by: {held}")]
    rows += [("  missing", layer.name, layer.note) for layer in layers if not layer.active]
    return paper.section("sandbox", rows)


def _gates(gates: Sequence[Gate], paper: Paper) -> list[str]:
    """One line for each gate, its mark first; a code leads to what to do."""
    import textwrap

    lines = ["", paper.title("gates")]
    for gate in gates:
        mark, style = MARKS[gate.status]
        code = f" [{gate.code}]" if gate.code else ""
        told = textwrap.wrap(visible(gate.told) + code, max(NARROW, paper.columns) - NAME - 3)
        name = f"{visible(gate.name):<{NAME - 2}}"
        lead = f"  {paint(mark, style, color=paper.color)} {name} "
        rest = [" " * (NAME + 3) + line for line in told[1:]]
        lines += [f"{lead}{told[0]}", *rest]
    return lines
