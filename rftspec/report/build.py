"""Build a report: read a record, count, draw, write; whatever the record holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

import rftspec
from rftspec.record.commit import write_atomically
from rftspec.record.folder import Record
from rftspec.report import charts, details, sections
from rftspec.report.browser import embed
from rftspec.report.card import model_card
from rftspec.report.charts import HALF, NARROW_WIDTH, WIDE, Chart
from rftspec.report.curves import Curves, trace
from rftspec.report.distrust import distrust
from rftspec.report.evidence import Evidence, read_evidence
from rftspec.report.html import render
from rftspec.report.markdown import render_markdown
from rftspec.report.numbers import Numbers, count, plain
from rftspec.report.reproduce import command
from rftspec.report.subjects import Subjects, choose_subjects
from rftspec.report.svg import inline, standalone
from rftspec.report.words import Caution, Verdict, missing_parts, verdict

FORMAT = "report/1"


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """What was written."""

    html: Path
    json: Path
    markdown: Path
    charts: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a report says, before it is laid out."""

    evidence: Evidence
    subjects: Subjects
    numbers: Numbers
    curves: Curves
    verdict: Verdict
    cautions: list[Caution]
    checked: list[str]
    missing: list[str]

    @property
    def measured(self) -> bool:
        """True when base and tuned model were compared."""
        line = self.numbers.line(self.numbers.headline)
        return line is not None and line.gain is not None


def build_report(folder: Path) -> ReportFiles:
    """Write report.html, report.json, SUMMARY.md and charts/ into a run folder.

    Works on unfinished and damaged records and says what is missing. Raises RecordError when the
    folder holds no run, or cannot be written.
    """
    record = Record.open(folder)
    findings = find(record)
    drawn = _draw(findings)
    chart_files = _write_charts(folder, drawn)
    files = ReportFiles(
        html=record.layout.report_html,
        json=record.layout.report_json,
        markdown=record.layout.summary,
        charts=chart_files,
    )
    write_atomically(files.html, _html(findings, drawn))
    write_atomically(files.json, json.dumps(report_json(findings), indent=1) + "\n")
    write_atomically(files.markdown, summary(findings))
    if record.layout.adapter.is_dir():
        write_atomically(record.layout.adapter / "README.md", _card(findings))
    return files


def find(record: Record) -> Findings:
    """Read a record and count all that its report says."""
    evidence = read_evidence(record)
    subjects = choose_subjects(evidence)
    numbers = count(evidence, subjects)
    curves = trace(evidence)
    cautions, checked = distrust(evidence, subjects, numbers, curves)
    return Findings(
        evidence=evidence,
        subjects=subjects,
        numbers=numbers,
        curves=curves,
        verdict=verdict(evidence, subjects, numbers),
        cautions=cautions,
        checked=checked,
        missing=missing_parts(evidence, subjects, curves),
    )


def summary(findings: Findings) -> str:
    """The text of SUMMARY.md."""
    return render_markdown(
        findings.evidence,
        findings.subjects,
        findings.numbers,
        findings.verdict,
        findings.cautions,
        findings.missing,
    )


def report_json(findings: Findings) -> dict[str, Any]:
    """The same numbers as the page, versioned."""
    evidence = findings.evidence
    return {
        "rftspec": FORMAT,
        "version": rftspec.__version__,
        "name": evidence.plan.name,
        "plan_hash": evidence.plan.hash,
        "seed": evidence.plan.seed,
        "finished": evidence.finished is not None,
        "verdict": plain(findings.verdict),
        "missing": findings.missing,
        "cautions": plain(findings.cautions),
        "checked": findings.checked if findings.measured else [],
        "models": [
            {"key": c.key, "label": c.label, "role": c.role, "note": c.note, "step": c.source.step}
            for c in findings.subjects.columns
        ],
        "numbers": findings.numbers.to_json(),
        "training": findings.curves.to_json(),
        "failures": plain(evidence.failures),
        "rollouts": evidence.rollouts,
        "damaged_lines": evidence.damaged,
        "gates": evidence.gates,
        "command": command(evidence),
    }


def _card(findings: Findings) -> str:
    """The model card of the adapter, with the summary in it."""
    plan, best = findings.evidence.plan, findings.curves.best
    return model_card(plan, summary=summary(findings), step=best)


def _draw(findings: Findings) -> dict[str, Chart]:
    """Every chart by its name; narrow twins end in `-narrow`."""
    numbers, curves, subjects = findings.numbers, findings.curves, findings.subjects
    line = numbers.line(numbers.headline)
    share = line.share if line is not None else False
    drawn: dict[str, Chart | None] = {}
    for suffix, wide, width in (("", WIDE, HALF), ("-narrow", NARROW_WIDTH, NARROW_WIDTH)):
        drawn[f"metrics{suffix}"] = charts.metrics_chart(numbers, subjects, wide)
        drawn[f"reward{suffix}"] = charts.reward_chart(curves, width)
        drawn[f"headline{suffix}"] = charts.headline_chart(curves, numbers.headline, share, width)
    for i, series in enumerate(details.drawn_series(curves)):
        drawn[f"series-{i}"] = charts.series_chart(series)
    for i, (name, scores) in enumerate(_scores(findings).items()):
        paints = charts.model_paints(subjects)
        drawn[f"scores-{i}"] = charts.histogram_chart(name, scores, paints)
    return {name: chart for name, chart in drawn.items() if chart is not None}


def _scores(findings: Findings) -> dict[str, dict[str, list[float]]]:
    """Every grader's scores of base and tuned answers."""
    found: dict[str, dict[str, list[float]]] = {}
    for name in findings.evidence.plan.graders:
        by_model = {}
        for column in findings.subjects.columns:
            if column.role == "reference":
                continue
            answers = [a for found in column.answers.values() for a in found]
            values = [a.scores.get(name, {}).get("value") for a in answers]
            by_model[column.key] = [float(v) for v in values if v is not None]
        if by_model and all(by_model.values()):
            found[name] = by_model
    return found


def _write_charts(folder: Path, drawn: dict[str, Chart]) -> tuple[Path, ...]:
    """The main charts as files of their own, for slides."""
    paths = []
    for name in ("metrics", "reward", "headline"):
        if name in drawn:
            path = folder / "charts" / f"{name}.svg"
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, standalone(drawn[name].svg, name, drawn[name].alternative))
            paths.append(path)
    return tuple(paths)


def _html(findings: Findings, drawn: dict[str, Chart]) -> str:
    """The page."""
    evidence, subjects = findings.evidence, findings.subjects
    numbers, curves = findings.numbers, findings.curves
    embedded = embed(evidence, subjects)
    svgs = {name: _markup(name, chart) for name, chart in drawn.items()}
    series = {s.name: svgs[f"series-{i}"] for i, s in enumerate(details.drawn_series(curves))}
    histograms = [
        {"name": name, "chart": svgs[f"scores-{i}"]} for i, name in enumerate(_scores(findings))
    ]
    view = {
        **sections.verdict_section(evidence, subjects, numbers, findings.verdict),
        **sections.distrust_section(findings.cautions, findings.checked, findings.measured),
        **sections.take_section(evidence, curves),
        **details.training_section(evidence, curves, numbers),
        **details.graders_section(evidence, subjects, numbers),
        **details.samples_section(evidence, embedded),
        **details.provenance_section(evidence),
        "missing": findings.missing,
        "series_groups": details.series_groups(curves, series),
        "histograms": histograms,
        **{f"{name}_chart": _twins(svgs, name) for name in ("metrics", "reward", "headline")},
    }
    return render(evidence, embedded, view)


def _markup(name: str, chart: Chart) -> Markup:
    return Markup(inline(chart.svg, name, chart.alternative))


def _twins(svgs: dict[str, Markup], name: str) -> dict[str, Markup] | None:
    if name not in svgs:
        return None
    return {"wide": svgs[name], "narrow": svgs[f"{name}-narrow"]}
