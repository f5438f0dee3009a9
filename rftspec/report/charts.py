"""The charts of the report, drawn by Vega-Lite through Altair when the report is built.

Nothing of it runs in the reader's browser. Colours are stand-ins that `svg` turns into the page's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.report.curves import CurvePoint, Curves, Series
from rftspec.report.numbers import MetricLine, Numbers
from rftspec.report.subjects import Subjects
from rftspec.report.svg import INK, MODELS, RULE, SOFT, Alternative
from rftspec.report.words import change_text, gain_sentence, level_text, range_text
from rftspec.stats.intervals import Interval

WIDE, HALF, NARROW_WIDTH = 1060, 520, 330


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: raw SVG, in stand-in colours, and its text alternative."""

    svg: str
    alternative: Alternative


def model_paints(subjects: Subjects) -> dict[str, int]:
    """The paint of each model by its key: base and tuned have their own, references follow."""
    paints: dict[str, int] = {}
    for column in subjects.columns:
        fixed = {"base": 0, "tuned": 1}.get(column.role)
        references = sum(paint > 1 for paint in paints.values())
        paints[column.key] = fixed if fixed is not None else 2 + references % (len(MODELS) - 2)
    return paints


def metrics_chart(numbers: Numbers, subjects: Subjects, width: int) -> Chart | None:
    """The spec's metrics × models with 95 % intervals: one dot and whisker each."""
    lines = [line for line in numbers.lines if line.share and line.name != "valid answers"]
    scale = "share"
    if not lines:
        lines, scale = [line for line in numbers.lines if line.name == "reward"], "reward"
    if not lines:
        return None
    return Chart(
        _svg(_metrics_plot(lines, subjects, width, scale)),
        Alternative(
            f"Metrics by model with 95 % intervals, on {numbers.split} rows",
            " ".join(_line_text(line, subjects) for line in lines),
        ),
    )


def reward_chart(curves: Curves, width: int) -> Chart | None:
    """Mean reward over the steps: validation with its interval, training behind it."""
    if not curves.reward and curves.train_reward is None:
        return None
    return Chart(
        _svg(_curve_plot(curves.reward, curves.train_reward, curves.best, width, share=False)),
        Alternative("Mean reward over the training steps", _curve_text(curves.reward, False)),
    )


def headline_chart(curves: Curves, name: str, share: bool, width: int) -> Chart | None:
    """The headline metric on validation rows over the steps."""
    if len(curves.headline) < 2:
        return None
    return Chart(
        _svg(_curve_plot(curves.headline, None, curves.best, width, share=share)),
        Alternative(f"{name} on validation rows", _curve_text(curves.headline, share)),
    )


def series_chart(series: Series) -> Chart:
    """One step metric as a small multiple."""
    alt = _altair()
    data = alt.Data(values=_points(series))
    low, high = min(series.values), max(series.values)
    if series.healthy.endswith("zero") or series.unit == "share":
        low = min(low, 0.0)
    pad = (high - low) * 0.06 or 1.0
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=[low - (pad if low < 0 else 0), high + pad], nice=True, zero=False),
        axis=_axis(alt, tickCount=3, format=_number_format(series)),
    )
    x = alt.X(
        "step:Q", title=None, axis=_axis(alt, tickCount=4, tickMinStep=1, grid=False, format="d")
    )
    base = alt.Chart(data).encode(x=x, y=y)
    line = base.mark_line(color=MODELS[1].stand_in, strokeWidth=1.4, strokeJoin="round")
    last = base.transform_filter(f"datum.step == {series.steps[-1]}").mark_circle(
        color=MODELS[1].stand_in, size=26, opacity=1
    )
    told = (
        f"From {series.values[0]:.4g} at step {series.steps[0]} to {series.values[-1]:.4g} at step"
    )
    told += f" {series.steps[-1]}; lowest {low:.4g}, highest {high:.4g}."
    plot = alt.layer(line, last).properties(width=230, height=84)
    return Chart(_svg(plot), Alternative(series.name, f"{told} {series.meaning}"))


def histogram_chart(name: str, scores: dict[str, list[float]], paints: dict[str, int]) -> Chart:
    """How one grader's scores are spread, base and tuned, as shares of answers."""
    alt = _altair()
    low = min(min(values) for values in scores.values())
    high = max(max(values) for values in scores.values())
    bins = 10
    width = (high - low) / bins or 1.0
    rows = []
    for order, (model, values) in enumerate(scores.items()):
        counts = [0] * bins
        for value in values:
            counts[min(int((value - low) / width), bins - 1)] += 1
        for i, count in enumerate(counts):
            x0 = low + (i + 0.04 + 0.46 * order) * width
            share = count / len(values)
            rows.append({"x": x0, "x2": x0 + 0.44 * width, "share": share, "model": model})
    names = list(scores)
    colours = [MODELS[paints[model]].stand_in for model in names]
    bars = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(
            x=alt.X(
                "x:Q",
                title=None,
                scale=alt.Scale(domain=[low, low + bins * width], nice=False),
                axis=_axis(alt, tickCount=5, grid=False),
            ),
            x2="x2:Q",
            y2=alt.datum(0),
            y=alt.Y("share:Q", title=None, stack=None, axis=_axis(alt, tickCount=3, format=".0%")),
            color=alt.Color("model:N", scale=alt.Scale(domain=names, range=colours), legend=None),
        )
    )
    told = "; ".join(
        f"{m}: mean {sum(v) / len(v):.3f}, {len(v)} answers" for m, v in scores.items()
    )
    plot = bars.properties(width=280, height=110)
    return Chart(_svg(plot), Alternative(f"Scores of {name}", f"{told}."))


def _metrics_plot(lines: Sequence[MetricLine], subjects: Subjects, width: int, scale: str) -> Any:
    """One panel a metric, one line a model."""
    alt = _altair()
    paints = model_paints(subjects)
    labels = {column.key: column.label for column in subjects.columns}
    models = [labels[column.key] for column in subjects.columns]
    colours = [MODELS[paints[column.key]].stand_in for column in subjects.columns]
    share = scale == "share"
    rows: list[dict[str, Any]] = [
        {
            "metric": line.name,
            "model": labels[cell.model],
            **_ends(cell.interval),
            "value": cell.estimate,
            "text": level_text(cell.estimate, share),
        }
        for line in lines
        for cell in line.cells
    ]
    top = max(max(row["high"] for row in rows), 0.0)
    bottom = min(0.0, min(row["low"] for row in rows))
    domain = [bottom, min(1.0, top * 1.12) if share else top * 1.12]
    x = alt.X(
        "low:Q",
        title=None,
        scale=alt.Scale(domain=domain, nice=not share),
        axis=_axis(alt, format=".0%" if share else "~g", tickCount=5),
    )
    y = alt.Y("model:N", sort=models, title=None, axis=_axis(alt, grid=False, labelPadding=10))
    colour = alt.Color("model:N", scale=alt.Scale(domain=models, range=colours), legend=None)
    base = alt.Chart().encode(y=y, color=colour)
    whisker = base.mark_rule(strokeWidth=2.2, strokeCap="round", opacity=0.55)
    dot = base.mark_circle(size=92, opacity=1)
    text = base.mark_text(align="left", dx=8, fontSize=12, fontWeight=600)
    layers = alt.layer(
        whisker.encode(x=x, x2="high:Q"),
        dot.encode(x=alt.X("value:Q")),
        text.encode(x=alt.X("high:Q"), text="text:N"),
        data=alt.Data(values=rows),
    ).properties(width=width - 150, height=alt.Step(24))
    header = alt.Header(
        title=None, labelOrient="top", labelAnchor="start", labelFontSize=13,
        labelFontWeight=600, labelColor=INK.stand_in, labelPadding=6,
    )  # fmt: skip
    order = [line.name for line in lines]
    return layers.facet(row=alt.Row("metric:N", sort=order, header=header), spacing=14)


def _curve_plot(
    points: Sequence[CurvePoint],
    train: Series | None,
    best: int | None,
    width: int,
    *,
    share: bool,
) -> Any:
    """Validation points with a band, the training line behind them, base and best marked."""
    alt = _altair()
    rows = [{"step": p.step, "value": p.estimate, **_ends(p.interval)} for p in points]
    form = ".0%" if share else ".2f"
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(zero=False, nice=True),
        axis=_axis(alt, tickCount=5, format=form),
    )
    x = alt.X(
        "step:Q", title="step", axis=_axis(alt, grid=False, format="d", tickCount=7, tickMinStep=1)
    )
    layers = []
    if train is not None and train.steps:
        layers += _train_layers(alt, train, x, y)
    if rows:
        tuned = MODELS[1].stand_in
        chart = alt.Chart(alt.Data(values=rows)).encode(x=x)
        layers.append(
            chart.mark_area(color=tuned, opacity=0.16).encode(y=alt.Y("low:Q"), y2="high:Q")
        )
        layers.append(chart.mark_line(color=tuned, strokeWidth=2.4).encode(y=y))
        layers.append(chart.mark_circle(color=tuned, size=60, opacity=1).encode(y=y))
        layers += _marked(alt, rows, x, y, best, form)
    return alt.layer(*layers).properties(width=width - 60, height=min(270, int(width * 0.62)))


def _train_layers(alt: Any, train: Series, x: Any, y: Any) -> list[Any]:
    """The training reward: each step faint, and its running mean."""
    window = max(len(train.values) // 10, 1)
    rows = []
    for i, (step, value) in enumerate(zip(train.steps, train.values, strict=True)):
        near = train.values[max(0, i - window) : i + window + 1]
        rows.append({"step": step, "value": value, "mean": sum(near) / len(near)})
    chart = alt.Chart(alt.Data(values=rows)).encode(x=x)
    soft = SOFT.stand_in
    return [
        chart.mark_circle(color=soft, size=12, opacity=0.4).encode(y=y),
        chart.mark_line(color=soft, strokeWidth=1.3, opacity=0.8).encode(y=alt.Y("mean:Q")),
    ]


def _marked(
    alt: Any, rows: list[dict[str, Any]], x: Any, y: Any, best: int | None, form: str
) -> list[Any]:
    """Mark where the base stands, and the checkpoint that was kept."""
    layers = []
    first = rows[0]
    if first["step"] == 0 and len(rows) > 1:
        chart = alt.Chart(alt.Data(values=[first]))
        grey = MODELS[0].stand_in
        layers.append(chart.mark_rule(color=grey, strokeDash=[2, 4], strokeWidth=1.2).encode(y=y))
        layers.append(chart.mark_circle(color=grey, size=80, opacity=1).encode(x=x, y=y))
    kept = [row for row in rows if row["step"] == best and row["step"] != 0]
    if kept:
        data = alt.Data(values=[{**kept[0], "text": f"best {format(kept[0]['value'], form)}"}])
        chart = alt.Chart(data).encode(x=x, y=y)
        layers.append(chart.mark_point(color=INK.stand_in, size=170, strokeWidth=1.4, filled=False))
        last = kept[0]["step"] == rows[-1]["step"]
        layers.append(
            chart.mark_text(
                color=INK.stand_in, align="right" if last else "center", dx=4 if last else 0,
                dy=-18, fontWeight=600, fontSize=12,
            ).encode(text="text:N")
        )  # fmt: skip
    return layers


def _axis(alt: Any, **settings: Any) -> Any:
    """The one style of axes: no lines or ticks, a light grid, soft labels."""
    style = {
        "domain": False, "ticks": False, "gridColor": RULE.stand_in, "labelColor": SOFT.stand_in,
        "titleColor": SOFT.stand_in, "labelFontSize": 11, "titleFontSize": 11,
        "titleFontWeight": "normal", "labelPadding": 6, "labelLimit": 240,
    }  # fmt: skip
    return alt.Axis(**{**style, **settings})


def _svg(plot: Any) -> str:
    """Compile and draw; the page's theme is not here but in the stand-in colours."""
    import vl_convert

    alt = _altair()
    styled = plot.configure(background="transparent", font="sans-serif", padding=4, aria=False)
    spec = styled.configure_view(stroke=None).to_dict(format="vega-lite")
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    return str(vl_convert.vegalite_to_svg(spec, vl_version=version))


def _altair() -> Any:
    """Altair, imported when the first chart is drawn: it takes a third of a second."""
    import altair

    return altair


def _ends(interval: Interval) -> dict[str, float]:
    """The ends of an interval to draw; where there is none, both at the estimate."""
    if not interval.known:
        return {"low": interval.estimate, "high": interval.estimate}
    return {"low": interval.low, "high": interval.high}


def _points(series: Series) -> list[dict[str, float]]:
    pairs = zip(series.steps, series.values, strict=True)
    return [{"step": step, "value": value} for step, value in pairs]


def _number_format(series: Series) -> str:
    largest = max(abs(value) for value in series.values)
    if series.unit == "share":
        return ".0%" if largest >= 0.05 else ".1%"
    if 100 <= largest < 1e6:
        return ",.0f"
    return "~g" if 0.01 <= largest < 100 else ".1~e"


def _line_text(line: MetricLine, subjects: Subjects) -> str:
    """A metric in words, for the text alternative."""
    labels = {column.key: column.label for column in subjects.columns}
    parts = [
        f"{labels[c.model]} {level_text(c.estimate, line.share)} "
        f"({range_text(c.interval, line.share)})"
        for c in line.cells
    ]
    told = f"{line.name}: {', '.join(parts)}."
    if line.gain is not None:
        told += f" Tuned less base: {gain_sentence(line.gain, line.share)}."
    return told


def _curve_text(points: Sequence[CurvePoint], share: bool) -> str:
    """A curve in words."""
    if not points:
        return "No validation evaluation is in the record; training reward only."
    told = ", ".join(f"step {p.step}: {level_text(p.estimate, share)}" for p in points)
    change = change_text(points[-1].estimate - points[0].estimate, share)
    return f"On validation rows: {told}. From first to last {change}."
