"""The same figures as files of MultiQC's custom content, one for each section of its report.

MultiQC finds a file by the end of its name, `_mqc.json`. What it reads it puts into its own page as
it stands, so no name and no text of ours may hold markup; and it cuts names of samples at endings
such as `.fastq`, so those are taken off here first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genoflow.api.reports.curves import Plot, drawn
from genoflow.api.reports.report import FileTold, Judgement, Report
from genoflow.events.metric_names import READS_UNITS

ENDING = "_mqc.json"
PARENT: Mapping[str, str] = {
    "parent_id": "genoflow_qc",
    "parent_name": "GenoFlow QC",
    "parent_description": "Measured in one pass over each file.",
}
# Of several lines MultiQC shows those of every file side by side; of the bands the mean alone.
MEAN_OF = "mean"
ENDINGS = re.compile(
    r"(\.(fastq|fq|sam|bam|cram|vcf|bcf|gz|bgz|bgzf|bai|csi|tbi|crai))+$", re.IGNORECASE
)
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
UNSAFE_LABEL = re.compile(r"[^A-Za-z0-9_+. -]+")
NAME_CHARACTERS_MAX = 100
SHOWN = (
    "reads", "bases", "quality_mean", "q30_fraction", "gc_fraction", "duplicate_fraction",
    "adapter_fraction", "mapped_fraction", "depth_mean", "breadth_20x", "contamination", "variants",
)  # fmt: skip


def multiqc_of(report: Report) -> dict[str, dict[str, Any]]:
    """The content of each file by its name; only what there are figures of."""
    names = sample_names([one.name for one in report.files])
    sections = [*_general(report, names), *_plots(report.files, names), *_verdicts(report)]
    return {f"{one['id']}{ENDING}": one for one in sections}


def sample_names(files: Sequence[str]) -> list[str]:
    """How each file is called there: without folders and endings, in plain letters, each once."""
    found: list[str] = []
    for one in files:
        stem = ENDINGS.sub("", one.rpartition("/")[2])
        name = UNSAFE.sub("_", stem)[:NAME_CHARACTERS_MAX] or "file"
        number, once = 1, name
        while once in found:
            number += 1
            once = f"{name}_{number}"
        found.append(once)
    return found


def _general(report: Report, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    data = {
        name: {f"genoflow_{metric}": value for metric in SHOWN
               if isinstance(value := one.metrics.get(metric), int | float)}
        for name, one in zip(names, report.files, strict=True)
    }  # fmt: skip
    told = {
        f"genoflow_{one.metric}": one.value
        for one in report.judged
        if one.value is not None and one.measured_on is None and _is_plain(one.metric)
    }
    data |= {UNSAFE.sub("_", report.subject): told} if told and report.subject else {}
    data = {name: row for name, row in data.items() if row}
    if not data:
        return
    metrics = list(dict.fromkeys(metric for row in data.values() for metric in row))
    yield {
        "id": "genoflow_general",
        "plot_type": "generalstats",
        "headers": [{metric: _column(metric.removeprefix("genoflow_"))} for metric in metrics],
        "data": data,
    }


def _column(metric: str) -> dict[str, Any]:
    unit = READS_UNITS.get(metric, "")
    told: dict[str, Any] = {
        "title": metric.replace("_", " "), "namespace": "GenoFlow", "min": 0,
        "description": f"{metric}, in {unit}" if unit else metric,
    }  # fmt: skip
    if unit == "fraction":
        return told | {"max": 1, "format": "{:,.3f}"}
    return told | {"format": "{:,.1f}" if unit in ("x", "base quality") else "{:,.0f}"}


def _plots(files: Sequence[FileTold], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    found: dict[str, list[tuple[str, Plot]]] = {}
    for name, one in zip(names, files, strict=True):
        for plot in drawn(one.format, one.metrics) if one.is_read else ():
            if isinstance(plot, Plot):
                found.setdefault(plot.id, []).append((name, plot))
    for some in found.values():
        yield _bars(some) if _is_bars(some[0][1]) else _lines(some)


def _is_bars(plot: Plot) -> bool:
    return plot.kind == "bars" and bool(plot.labels)


def _section(plot: Plot, kind: str, **config: Any) -> dict[str, Any]:
    name = f"genoflow_{plot.id}"
    title = {"id": f"{name}_plot", "title": f"GenoFlow: {plot.title}", "ylab": plot.y}
    return {
        "id": name, **PARENT, "section_name": plot.title, "description": plot.about,
        "plot_type": kind, "pconfig": title | config,
    }  # fmt: skip


def _bars(some: Sequence[tuple[str, Plot]]) -> dict[str, Any]:
    data = {
        name: {_label(label): y for label, (_, y) in zip(plot.labels, points, strict=True)}
        for name, plot in some
        for points in plot.series.values()
    }
    # Of one read several things may be said, so that bars on each other would count it twice.
    return {**_section(some[0][1], "bargraph", stacking="group"), "data": data}


def _lines(some: Sequence[tuple[str, Plot]]) -> dict[str, Any]:
    first = some[0][1]
    data: dict[str, Any] = {}
    for name, plot in some:
        if plot.kind == "bands":
            series: Mapping[str, Any] = {name: plot.series[MEAN_OF]}
        elif len(plot.series) == 1:
            series = {name: next(iter(plot.series.values()))}
        else:
            series = {f"{name} - {UNSAFE.sub(' ', of)}": line for of, line in plot.series.items()}
        for line, points in series.items():
            data[line] = (
                {_label(plot.labels[int(x)]): y for x, y in points}
                if plot.labels
                else [[x, y] for x, y in points]
            )
    config: dict[str, Any] = {"xlab": first.x, "ymin": first.y_min}
    if first.labels:
        config["categories"] = True
    return {**_section(first, "linegraph", **config), "data": data}


def _label(of: str) -> str:
    """FastQC's level `>10` in words, and what a header calls a sequence in plain letters."""
    return UNSAFE_LABEL.sub("_", of.replace(">", "over ", 1) if of.startswith(">") else of)


def _verdicts(report: Report) -> Iterator[dict[str, Any]]:
    if not report.judged:
        return
    rows = {}
    for number, one in enumerate(report.judged):
        on = f" of {one.measured_on}" if one.measured_on else ""
        # Tables of several reports become one there, so a row bears its subject.
        name = UNSAFE.sub(" ", f"{report.subject or 'files'} - {one.metric}{on}")
        rows[name if name not in rows else f"{name} {number}"] = _row(one)
    columns = {
        "verdict": "verdict", "value": "measured", "unit": "unit", "least": "at least",
        "most": "at most",
    }  # fmt: skip
    yield {
        "id": "genoflow_verdicts", **PARENT, "section_name": "Against the profile",
        "description": "Each metric beside what was required of it.",
        "plot_type": "table",
        "pconfig": {
            "id": "genoflow_verdicts_table", "title": "GenoFlow: against the profile",
            "namespace": "GenoFlow", "col1_header": "Subject and metric", "no_violin": True,
        },
        "headers": {name: {"title": title, "scale": False} for name, title in columns.items()},
        "data": rows,
    }  # fmt: skip


def _row(one: Judgement) -> dict[str, Any]:
    told = {
        "verdict": UNSAFE.sub(" ", one.verdict), "value": one.value,
        "unit": UNSAFE.sub(" ", one.unit), "least": one.required_min, "most": one.required_max,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _is_plain(name: str) -> bool:
    return UNSAFE.search(name) is None
