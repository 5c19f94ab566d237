"""A report as one page of HTML: no script, nothing from elsewhere, light and dark, for printing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from genoflow.api.reports.charts import STYLES, chart, gauge, wanted
from genoflow.api.reports.curves import Missing, Plot, drawn, reason_of
from genoflow.api.reports.markup import NONE, figure, folded, pairs, table, text
from genoflow.api.reports.report import FILES_MAX, FileTold, Judgement, Report, Share
from genoflow.events.errors import Refused
from genoflow.events.metric_names import READS_UNITS

# What a browser is told where a server hands the page out; the page itself asks for nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
SHAPES: Mapping[str, str] = {"pass": "●", "warn": "▲", "fail": "■", "not judged": "○"}
WORDS: Mapping[str, str] = {
    "pass": "passed", "warn": "passed with warnings", "fail": "failed", "not judged": "not judged",
}  # fmt: skip
LIBRARIES_MAX = 1_000  # shown of a run; a flow cell holds some hundreds
TARGETS_MAX = 100  # shown of one file
FINDINGS_MAX = 100  # shown of one file; its counts tell all
LINES = ("#0072b2", "#d55e00", "#009e73", "#aa3377", "#8c6d00", "#5b5b5b")
LINES_DARK = ("#56b4e9", "#ff9e4a", "#33c79b", "#e58fc0", "#e6c94c", "#b8b8b8")
DASHES = ("none", "6 3", "2 3", "9 3 2 3", "1 4", "12 4")
STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;
--band:#0072b2;--ok:#1a7f37;--warn:#8a5a00;--bad:#c1121f;--zone:#b7e0c2;--good:#6cc287}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#a3adb8;--paper:#0d1117;
--line:#3a424c;--band:#56b4e9;--ok:#56d071;--warn:#f0b429;--bad:#ff8078;--zone:#1f4d2c;
--good:#2f8a49}}
*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:1rem;color:var(--ink);
background:var(--paper);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
a{color:inherit}a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid
var(--band);outline-offset:2px}.skip{position:absolute;left:-999rem}.skip:focus{position:static}
h1,h2,h3,h4{line-height:1.25;margin:1.4em 0 .4em}h4{margin-top:.6em}
nav ul,.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0;
margin:.3rem 0}
.verdict{font-weight:700;white-space:nowrap}.pass{color:var(--ok)}.warn{color:var(--warn)}
.fail{color:var(--bad)}.wide{overflow-x:auto;max-height:32rem;overflow-y:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}caption{text-align:left;
color:var(--soft)}th,td{padding:.25rem .7rem .25rem 0;border-bottom:1px solid var(--line);
text-align:left;vertical-align:top;font-weight:400}thead th{font-weight:700}td.n{text-align:right}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.3rem 1rem;margin:0}
dt{color:var(--soft);font-size:.85rem}dd{margin:0}.file{border-top:2px solid var(--line)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
figure{margin:0}figure p,.why{color:var(--soft);margin:0 0 .4rem}svg{width:100%;height:auto}
svg text{fill:var(--soft);font-size:12px}svg .name{fill:var(--ink)}.grid{stroke:var(--line);
stroke-width:.5}.axis{stroke:var(--soft);fill:none}.mark{stroke:var(--bad);stroke-dasharray:4 4}
.line{fill:none;stroke-width:1.8}.bar{fill:var(--band)}.band{fill:var(--band)}
.outer{opacity:.18}.inner{opacity:.35}.swatch{width:28px;height:8px}.gauge{width:220px}
.track{fill:var(--line)}.allowed{fill:var(--zone)}.good{fill:var(--good)}.required{stroke:var(--bad);
stroke-width:2}.wish{stroke:var(--warn);stroke-width:2;stroke-dasharray:3 2}.value{fill:var(--ink);
stroke:var(--paper);stroke-width:1.5}
@media print{.wide{max-height:none}nav{display:none}figure,tr{break-inside:avoid}}
"""


def page_of(report: Report) -> str:
    """The whole page; Refused where it would hold more files than a browser shows well."""
    if len(report.files) > FILES_MAX:
        raise Refused(
            f"{len(report.files)} files: a page holds {FILES_MAX}; make one page a sample, or a run"
        )
    sections = list(_sections(report))
    links = "".join(
        f'<li><a href="#{name}">{text(title)}</a></li>' for name, title, body in sections if body
    )
    body = "".join(
        f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{text(title)}</h2>\n'
        f"{body}</section>\n"
        for name, title, body in sections
        if body
    )
    title = text(report.title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{STYLE}{_lines()}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">To the content</a>\n'
        f"<header><h1>{title}</h1>\n{_headline(report)}"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>\n'
        f'<main id="main">\n{body}</main>\n</body>\n</html>\n'
    )


def _lines() -> str:
    assert len(LINES) == len(LINES_DARK) == len(DASHES) == STYLES
    light = "".join(
        f".s{at}{{stroke:{colour};stroke-dasharray:{dash}}}"
        for at, (colour, dash) in enumerate(zip(LINES, DASHES, strict=True), start=1)
    )
    dark = "".join(f".s{at}{{stroke:{one}}}" for at, one in enumerate(LINES_DARK, start=1))
    return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"


def _headline(report: Report) -> str:
    said = f"<p>{_verdict(report.verdict, WORDS)}</p>\n" if report.verdict else ""
    why = f"<p>{text(report.reason)}</p>\n" if report.reason else ""
    notes = "".join(f'<p class="why">{text(one)}</p>\n' for one in report.notes)
    return f"{said}{why}{pairs(report.about)}{notes}"


def _verdict(word: str, words: Mapping[str, str] | None = None) -> str:
    shown = (words or {}).get(word, word)
    style = word if word in ("pass", "warn", "fail") else ""
    return f'<span class="verdict {style}">{SHAPES.get(word, "")} {text(shown)}</span>'


def _sections(report: Report) -> Iterator[tuple[str, str, str]]:
    yield "judged", "Against the profile", _judged(report.judged)
    yield "libraries", "Reads by library", _shares(report.shares)
    yield "files", "Files", _overview(report.files)
    for number, one in enumerate(report.files, start=1):
        yield f"file-{number}", one.name, _file(one, f"f{number}")
    yield "events", "What it rests on", _facts(report)


# -- verdicts


def _judged(judged: Sequence[Judgement]) -> str:
    if not judged:
        return ""
    rows = [
        [
            text(one.metric if one.measured_on is None else f"{one.metric} of {one.measured_on}"),
            _verdict(one.verdict), _value(one), text(wanted(one)), gauge(one),
        ]
        for one in judged
    ]  # fmt: skip
    head = ("metric", "verdict", "measured", "required", "where it lies")
    key = (
        '<p class="why">Red lines are what is required, dashed ones where a warning begins, the '
        "dot is what was measured.</p>"
    )
    return table("Each metric beside what was required of it", head, rows, 9) + key


def _value(one: Judgement) -> str:
    declared, found = one.words
    if found is not None:
        return text(f"{found}, declared as {declared}" if declared else found)
    if one.value is None:
        return f'<span class="why">not measured: {text(one.why)}</span>'
    return text(f"{figure(one.value)} {one.unit}")


def _shares(shares: Sequence[Share]) -> str:
    if not shares:
        return ""
    shown = shares[:LIBRARIES_MAX]
    counts = [(float(at), float(one.reads)) for at, one in enumerate(shown)]
    plot = Plot(
        "libraries", "Reads by library", "How even the pool was.", "", "reads", "bars",
        {"reads": counts}, [one.name for one in shown],
    )  # fmt: skip
    return chart(plot, "run")


# -- files

COMPARED = ("reads", "quality_mean", "q30_fraction", "gc_fraction", "duplicate_fraction")
LISTS = 8  # entries of a list that are shown in a table of figures: longer ones are drawn


def _overview(files: Sequence[FileTold]) -> str:
    if not files:
        return ""
    rows = []
    for number, one in enumerate(files, start=1):
        link = f'<a href="#file-{number}">{text(one.name)}</a>'
        found = [one.metrics.get(name) for name in COMPARED]
        rows.append([link, text(one.format or NONE), _valid(one),
                     *(text(figure(value)) for value in found)])  # fmt: skip
    head = ("file", "format", "by its format", "reads", "mean quality", "Q30", "G and C", "copies")
    return table("All files", head, rows, 3)


def _valid(one: FileTold) -> str:
    if one.is_valid is None:
        return NONE
    said = "valid" if one.is_valid else "not valid"
    counted = ", ".join(f"{figure(count)} {word}" for word, count in one.counts.items() if count)
    verdict = _verdict("pass" if one.is_valid else "fail", {"pass": said, "fail": said})
    return f"{verdict} {text(counted)}"


def _file(one: FileTold, prefix: str) -> str:
    parts = [f"<p>{_valid(one)}</p>\n", pairs(one.facts), _figures(one.metrics)]
    if one.is_read:
        plots = list(drawn(one.format, one.metrics))
        shown = "".join(chart(plot, prefix) for plot in plots if isinstance(plot, Plot))
        missing = "".join(
            f"<li>{text(plot.title)}: not measured: {text(plot.why)}</li>"
            for plot in plots
            if isinstance(plot, Missing)
        )
        parts.append(f'<div class="plots">{shown}</div>\n' if shown else "")
        parts.append(f'<ul class="why">{missing}</ul>\n' if missing else "")
        parts.append(_frequent(one))
    parts.append(_targets(one))
    parts.append(_samples(one))
    parts.append(_findings(one))
    return "".join(parts)


def _figures(metrics: Mapping[str, object]) -> str:
    rows = []
    for name, value in metrics.items():
        if isinstance(value, Mapping) or (isinstance(value, list | tuple) and _is_drawn(value)):
            continue
        shown = ", ".join(map(figure, value)) if isinstance(value, list | tuple) else figure(value)
        if value is None:
            shown = f"not measured: {reason_of(metrics, name) or 'nothing to count'}"
        unit = READS_UNITS.get(name, "")
        rows.append([text(name), text(shown), text("" if unit == "fraction" else unit)])
    if not rows:
        return ""
    return folded("Figures", table("Figures", ("metric", "value", "unit"), rows))


def _is_drawn(values: Sequence[object]) -> bool:
    return len(values) > LISTS or any(isinstance(one, Mapping | list | tuple) for one in values)


def _targets(one: FileTold) -> str:
    """The targets that were read least: of thousands those are looked for."""
    targets = one.metrics.get("targets")
    if not targets:
        return ""
    least = sorted(targets, key=lambda line: float(line["depth_mean"]))[:TARGETS_MAX]
    rows = [
        [text(f"{line['sequence']}:{line['start'] + 1}-{line['end']}"),
         text(figure(line["depth_mean"]))]
        for line in least
    ]  # fmt: skip
    said = f"Of {figure(len(targets))} targets the {figure(len(rows))} that were read least"
    return folded("Targets", table(said, ("target", "mean depth"), rows))


def _frequent(one: FileTold) -> str:
    found = one.metrics.get("overrepresented_sequences")
    if one.format != "FASTQ" or found is None:
        return ""
    if not found:
        return '<p class="why">No sequence makes more than a thousandth of the reads.</p>\n'
    rows = [
        [f"<code>{text(line['sequence'])}</code>", text(figure(line["count"])),
         text(figure(line["percentage"]))]
        for line in found
    ]  # fmt: skip
    head = ("sequence, or its first 50 bases", "reads", "percent")
    return table("Sequences that make more than a thousandth of the reads", head, rows)


def _samples(one: FileTold) -> str:
    samples = one.metrics.get("samples")
    if not isinstance(samples, Mapping) or not samples:
        return ""
    names = list(next(iter(samples.values())))
    rows = [
        [text(sample), *(text(figure(counts.get(name))) for name in names)]
        for sample, counts in samples.items()
    ]
    return folded("Genotypes by sample", table("Genotypes", ["sample", *names], rows))


def _findings(one: FileTold) -> str:
    if not one.findings:
        return ""
    rows = [
        [text(line.get("severity", "")), text(line.get("code", "")), text(_where(line)),
         text(line.get("message", "")), text(line.get("remedy") or "")]
        for line in one.findings[:FINDINGS_MAX]
    ]  # fmt: skip
    more = len(one.findings) - FINDINGS_MAX
    said = f'<p class="why">and {more:,} more</p>\n' if more > 0 else ""
    head = ("severity", "rule", "where", "what was found", "what to do")
    return table("Findings", head, rows, 9) + said


def _where(line: Mapping[str, object]) -> str:
    found = line.get("where", line)
    places = found if isinstance(found, Mapping) else {}
    told = ((name, places.get(name)) for name in ("line", "record", "byte"))
    return ", ".join(f"{name} {figure(value)}" for name, value in told if value is not None)


# -- provenance


def _facts(report: Report) -> str:
    if not report.facts:
        return ""
    rows = [
        [text(one.type), f"<code>{text(one.event_id)}</code>", text(one.at), text(one.place),
         text(one.by)]
        for one in report.facts
    ]  # fmt: skip
    head = ("event", "its id", "when it was so", "on the log", "by")
    return table("The events on which this report rests", head, rows, 9)
