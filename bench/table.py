"""The demo's table, for the terminal and for the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- results -->", "<!-- /results -->"
HEAD = ["run", "time", "top@1 base → tuned", "ratio", "gain (95 % interval)"]
METRICS = ("top@1", "top@5", "top@max")

Line = dict[str, Any]


def text(lines: Sequence[Line], command: str) -> str:
    """All that was measured, as Markdown; each table says what it is and what made it."""
    first = lines[0]["name"]
    parts = {
        "Top@1 on the test rows, four answers a row; paired intervals, clustered by gene": _main(
            lines
        ),
        f"Three metrics with 95 % intervals, of {first}": _nine(lines[0]),
        "The gain taken apart: is it form, length, or better answers? And how far training rows "
        "and validation rows are from each other": _reasoning(lines),
        "Is it one switch? Had the tuned model only changed how often one token or opening "
        "occurs, and stayed as good as the base with and without it, that would give this share "
        "of the gain": _explained(lines),
        f"Top@1 by how many signs the reasoning names, of {first}": _signs(lines[0]),
    }
    return "\n\n".join(f"{caption} (`{command}`):\n\n{table}" for caption, table in parts.items())


def between_marks(page: Path, told: str) -> None:
    """Put what was measured between a page's marks."""
    before, rest = page.read_text().split(BEGIN, 1)
    _, after = rest.split(END, 1)
    page.write_text(f"{before}{BEGIN}\n{told}\n{END}{after}")


def _main(lines: Sequence[Line]) -> str:
    rows = []
    for line in lines:
        metric = line["metrics"]["top@1"]
        base, tuned = _cell(metric, "base"), _cell(metric, "tuned")
        ratio = tuned["estimate"] / base["estimate"] if base["estimate"] else float("nan")
        minutes, seconds = divmod(round(line["seconds"]), 60)
        rows.append(
            [
                line["name"],
                f"{minutes} min {seconds:02d} s",
                f"{_share(base['estimate'])} → {_share(tuned['estimate'])}",
                f"{ratio:.2f}",
                _gain(metric["gain"]["interval"]),
            ]
        )
    return _markdown(HEAD, rows)


def _nine(line: Line) -> str:
    """Every model's metrics, of one run."""
    models = [cell["model"] for cell in line["metrics"]["top@1"]["cells"]]
    rows = []
    for model in models:
        cells = [_cell(line["metrics"][name], model) for name in METRICS]
        rows.append([model, *(_interval(cell) for cell in cells)])
    return _markdown(["model", *METRICS], rows)


def _reasoning(lines: Sequence[Line]) -> str:
    """The gain taken apart, lengths, and how far train and validation are from each other."""
    rows = []
    for line in lines:
        split, lengths = line["split_of_gain"], line["list_length_median"]
        signs = line["signs"]
        whole = split["from_form"] + split["from_content"]
        rewards = {(e["model"], e["split"]): e["metrics"]["reward"] for e in line["evaluations"]}
        rows.append(
            [
                line["name"],
                f"{_share(split['valid_base'])} → {_share(split['valid_tuned'])}",
                f"{_share(split['among_base'])} → {_share(split['among_tuned'])}",
                f"{split['from_content'] / whole:.0%}" if whole else "–",
                f"{lengths['base']:g} → {lengths['tuned']:g}",
                f"{signs['base']['mean']:.1f} → {signs['tuned']['mean']:.1f}",
                f"{rewards['base', 'train']:.2f} → {rewards['tuned', 'train']:.2f}",
                f"{rewards['base', 'validation']:.2f} → {_best_validation(line):.2f}",
                _difference(line["gap"]),
            ]
        )
    head = ["run", "valid answers", "top@1 among valid", "share of the gain among valid"]
    head += ["genes listed (median)", "signs named (mean)"]
    head += ["reward on train", "on validation", "train − validation (95 % interval)"]
    return _markdown(head, rows)


def _best_validation(line: Line) -> float:
    """Mean reward on validation of the checkpoint that was chosen."""
    return max(
        e["metrics"]["reward"]
        for e in line["evaluations"]
        if e["split"] == "validation" and e["step"] > 0
    )


def _explained(lines: Sequence[Line]) -> str:
    """The one feature that explains most, per run over the spec's own data."""
    rows = []
    for line in lines:
        if not line["name"].startswith("seed"):
            continue
        best = line["explained"][0]
        rows.append(
            [
                line["name"],
                f"`{best['feature']}`",
                f"{_share(best['base_share'])} → {_share(best['tuned_share'])}",
                f"{_share(best['base_right_with'])} / {_share(best['base_right_without'])}",
                f"{best['explained']:.0%}",
            ]
        )
    head = ["run", "the one token or opening that explains most", "how often"]
    head += ["base top@1 with / without it", "share of the gain it explains"]
    return _markdown(head, rows)


def _signs(line: Line) -> str:
    """Answers by how many of the report's signs their reasoning names."""
    base, tuned = (line["signs"][model]["right"] for model in ("base", "tuned"))
    rows = []
    for label in base | tuned:
        cells = [label]
        for found in (base, tuned):
            share, right = found.get(label, (0.0, 0.0))
            cells += [f"{share:.0%}", _share(right)]
        rows.append(cells)
    head = ["signs named", "of base answers", "top@1", "of tuned answers", "top@1"]
    return _markdown(head, rows)


def _cell(metric: Any, model: str) -> Any:
    """Estimate, low and high of a model's metric."""
    return next(cell["interval"] for cell in metric["cells"] if cell["model"] == model)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(cell: Any) -> str:
    return f"{_share(cell['estimate'])} ({100 * cell['low']:.1f} – {100 * cell['high']:.1f})"


def _gain(gain: Any) -> str:
    return (
        f"{100 * gain['estimate']:+.1f} points "
        f"({100 * gain['low']:+.1f} – {100 * gain['high']:+.1f})"
    )


def _difference(gap: Any) -> str:
    return f"{gap['estimate']:+.2f} ({gap['low']:+.2f} – {gap['high']:+.2f})"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
